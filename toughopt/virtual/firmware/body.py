"""The machine's metal and plastic: what a reset does not change, and what the record tells of.

Where the head really is (steps may have been lost), what the heaters really are, what filament really left the nozzle.
"""

from __future__ import annotations

from math import inf, pi
from random import Random
from typing import TYPE_CHECKING

from toughopt.virtual.firmware.heaters import BED, HOTEND, Heater
from toughopt.virtual.firmware.record import PathRecord

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile
    from toughopt.virtual.firmware.planner import Block

MELT_FROM_C = 150.0  # below it nothing leaves the nozzle
MELT_MM3_PER_S_K = 0.24  # above it, what can be molten per second grows with temperature: 12 mm3/s at 200 deg C
SAFE_FLOW_C = 175.0  # from here on, melting never limits what a sound machine prints
OVERTRAVEL_MM = 2.0  # how far the frame lets the head go beyond the printable volume

Point = tuple[float, float, float]


class Body:
    """Heaters, head, extruders, bed; `offset_mm` is where the head is less where the firmware believes it is."""

    __slots__ = (
        "_area_mm2",
        "bed",
        "cold_by_c",
        "endstops_work",
        "filament_left_mm",
        "highest",
        "hotends",
        "impaired",
        "jammed",
        "lowest",
        "motors_on",
        "offset_mm",
        "record",
        "retracted_mm",
    )

    def __init__(self, profile: PrinterProfile, rng: Random) -> None:
        width, depth = profile.bed.size_mm
        left, front = (-width / 2, -depth / 2) if profile.bed.origin == "center" else (0.0, 0.0)
        beyond = profile.bed.margin_mm
        self.lowest: Point = (left - beyond, front - beyond, 0.0)
        self.highest: Point = (left + width + beyond, front + depth + beyond, profile.bed.height_mm)
        margin_c = 15.0  # HEATER_0_MAXTEMP is what may be asked for and this much more
        tools = range(len(profile.nozzles))
        self.hotends = [Heater(str(tool), HOTEND, profile.limits.max_nozzle_c + margin_c) for tool in tools]
        self.bed = Heater("bed", BED, profile.limits.max_bed_c + margin_c)
        self.record = PathRecord(profile.filament.diameter_mm, profile.nozzles[profile.tool].diameter_mm)
        self.offset_mm = [  # someone left the head somewhere
            rng.uniform(self.lowest[0], self.highest[0]),
            rng.uniform(self.lowest[1], self.highest[1]),
            rng.uniform(5.0, min(50.0, self.highest[2])),
        ]
        self.retracted_mm = [0.0 for _ in tools]
        self.filament_left_mm = [inf for _ in tools]
        self.jammed = [False for _ in tools]
        self.cold_by_c = [0.0 for _ in tools]  # the nozzle is colder than its sensor says
        self.impaired = False  # whether any of the three above is in force
        self.motors_on = False
        self.endstops_work = True
        self._area_mm2 = pi / 4 * profile.filament.diameter_mm**2

    @property
    def heaters(self) -> list[Heater]:
        """All of them, the bed last."""
        return [*self.hotends, self.bed]

    @property
    def something_on_bed(self) -> bool:
        """Whether filament was laid down since the bed was cleared."""
        return self.record.extruded_mm > 0.0

    def note_impairment(self) -> None:
        """Call after a change of `jammed`, `filament_left_mm` or `cold_by_c`."""
        self.impaired = any(self.jammed) or any(self.cold_by_c) or min(self.filament_left_mm) < inf

    def carry_out(self, block: Block, duration_s: float, ended_s: float, part: float = 1.0) -> None:
        """Move and extrude as far as the machine's state lets it; `part` is how much of the block was done."""
        tool = block.tool
        moved_mm = block.e_mm * part
        retracted = self.retracted_mm[tool]
        filament_mm = 0.0
        if moved_mm > retracted:
            filament_mm = moved_mm - retracted
            self.retracted_mm[tool] = 0.0
        elif moved_mm:
            self.retracted_mm[tool] = retracted - moved_mm
        nozzle_c = self.hotends[tool].at(ended_s)
        if filament_mm and (self.impaired or nozzle_c < SAFE_FLOW_C):
            nozzle_c -= self.cold_by_c[tool]
            filament_mm = self._really_extruded(tool, filament_mm, nozzle_c, duration_s)
        start, end = block.start, block.end
        if part < 1.0:
            x, y, z = start
            end = (x + (end[0] - x) * part, y + (end[1] - y) * part, z + (end[2] - z) * part)
        if any(self.offset_mm):
            start, end = self._really_moved(start, end)
        direction = block.direction
        still = start == end and not (direction[0] or direction[1] or direction[2])
        speed = 0.0 if still else block.length_mm * part / duration_s
        record = self.record
        record.extruded_mm += filament_mm
        record.data.extend((*start, *end, filament_mm, nozzle_c, speed, ended_s, tool))

    def _really_extruded(self, tool: int, wanted_mm: float, nozzle_c: float, duration_s: float) -> float:
        if self.jammed[tool]:
            return 0.0
        melt_mm = max(nozzle_c - MELT_FROM_C, 0.0) * MELT_MM3_PER_S_K / self._area_mm2 * duration_s
        done_mm = min(wanted_mm, melt_mm, self.filament_left_mm[tool])
        self.filament_left_mm[tool] -= done_mm
        return done_mm

    def _really_moved(self, start: Point, end: Point) -> tuple[Point, Point]:
        """Apply lost steps; where the frame is in the way, more steps are lost."""
        offset = self.offset_mm
        real_start = (start[0] + offset[0], start[1] + offset[1], start[2] + offset[2])
        real_end = [end[0] + offset[0], end[1] + offset[1], end[2] + offset[2]]
        for axis in range(3):
            low, high = self.lowest[axis] - OVERTRAVEL_MM, self.highest[axis] + OVERTRAVEL_MM
            stopped = min(max(real_end[axis], low), high)
            if stopped != real_end[axis]:
                offset[axis] += stopped - real_end[axis]
                real_end[axis] = stopped
        return real_start, (real_end[0], real_end[1], real_end[2])
