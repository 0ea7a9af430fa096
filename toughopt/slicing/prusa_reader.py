"""PrusaSlicer's G-code back into lines: positions, flow, role and width of what it extrudes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import hypot, pi
from typing import TYPE_CHECKING

import numpy as np

from toughopt.errors import ProgramError
from toughopt.slicing.base import Layer, Line, Role

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile

_WORD = re.compile(r"([A-Z])([-+]?[0-9]*\.?[0-9]+)")
_ROLES = {
    "External perimeter": Role.EXTERNAL_PERIMETER,
    "Perimeter": Role.PERIMETER,
    "Overhang perimeter": Role.OVERHANG_PERIMETER,
    "Internal infill": Role.SOLID_INFILL,
    "Solid infill": Role.SOLID_INFILL,
    "Top solid infill": Role.SOLID_INFILL,
    "Ironing": Role.SOLID_INFILL,
    "Bridge infill": Role.BRIDGE,
    "Gap fill": Role.GAP_FILL,
    "Skirt": Role.SKIRT,
    "Skirt/Brim": Role.SKIRT,
    "Brim": Role.SKIRT,
}


def layers_of(text: str, profile: PrinterProfile) -> list[Layer]:
    """Layers of a program with relative extrusion and PrusaSlicer's `;TYPE:` comments; moves alone, no temperatures.

    Raises
    ------
    ProgramError
        If the program holds an arc or an extrusion before it says where the nozzle is.
    """
    state = _State(profile)
    for number, raw in enumerate(text.splitlines(), start=1):
        if raw.startswith(";"):
            state.comment(raw)
        elif raw.startswith(("G1 ", "G0 ")):
            state.move(dict(_WORD.findall(raw.partition(";")[0])), number)
        elif raw.startswith(("G2 ", "G3 ")):
            raise ProgramError(f"line {number} of PrusaSlicer's program is an arc; switch arc fitting off")
    return state.finished()


@dataclass
class _State:
    """What is known of the machine while its program is read: the only thing here that changes."""

    profile: PrinterProfile
    at: tuple[float, float, float] = (float("nan"),) * 3
    speed: float = 1.0
    role: Role = Role.PERIMETER
    width: float = 0.0
    height: float = 0.0
    retracted: bool = True
    points: list[tuple[float, float, float]] = field(default_factory=list)
    flows: list[float] = field(default_factory=list)
    route: list[tuple[float, float]] = field(default_factory=list)
    line_speed: float = 1.0
    line_retract: bool = True
    lines: list[Line] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)

    def comment(self, raw: str) -> None:
        name, _, value = raw[1:].strip().partition(":")
        if name == "LAYER_CHANGE":
            self._end_layer()
        elif name == "TYPE":
            self._end_line()
            self.role = _ROLES.get(value, Role.PERIMETER)
        elif name == "WIDTH":
            self._end_line()
            self.width = float(value)
        elif name == "HEIGHT":
            self._end_line()
            self.height = float(value)

    def move(self, words: dict[str, str], number: int) -> None:
        x, y, z = (float(words.get(axis, old)) for axis, old in zip("XYZ", self.at, strict=True))
        speed = float(words["F"]) / 60.0 if "F" in words else self.speed
        filament = float(words.get("E", 0.0))
        way = hypot(x - self.at[0], y - self.at[1])
        if filament > 0.0 and way > 0.0:
            if way != way:
                raise ProgramError(
                    f"line {number} of PrusaSlicer's program extrudes before it says where the nozzle is"
                )
            if not self.points or abs(speed - self.line_speed) > 1e-6:
                self._end_line()
                self.points = [self.at]
                self.line_speed, self.line_retract = speed, self.retracted
                self.retracted = False
            area = pi / 4.0 * self.profile.filament.diameter_mm**2
            self.points.append((x, y, z))
            self.flows.append(filament * area / hypot(way, z - self.at[2]))
        elif "X" in words or "Y" in words:
            self._end_line()
            self.route.append((x, y))
        elif filament < 0.0:
            self._end_line()
            self.retracted = True
        self.at, self.speed = (x, y, z), speed

    def finished(self) -> list[Layer]:
        self._end_layer()
        return self.layers

    def _end_line(self) -> None:
        if self.points:
            self.lines.append(
                Line(
                    np.array(self.points),
                    self.role,
                    self.width or self.profile.nozzle.line_width_mm,
                    self.height or self.profile.slicing.layer_height_mm,
                    np.array(self.flows),
                    self.line_speed,
                    np.array(self.route[:-1], dtype=np.float64).reshape(-1, 2),
                    self.line_retract,
                )
            )
            self.route = []
        self.points, self.flows = [], []

    def _end_layer(self) -> None:
        self._end_line()
        if self.lines:
            settings = self.profile.slicing
            top = round(max(float(line.points_mm[:, 2].max()) for line in self.lines), 6)
            fan = settings.fan if len(self.layers) + 1 >= settings.fan_from_layer else 0.0
            self.layers.append(Layer(top, self.lines[-1].height_mm, tuple(self.lines), fan))
        self.lines = []
