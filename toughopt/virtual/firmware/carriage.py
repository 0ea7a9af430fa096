"""Where the firmware believes the head is, its modes, and moves made of them."""

from __future__ import annotations

from math import atan2, ceil, cos, hypot, pi, sin, sqrt
from typing import TYPE_CHECKING

from toughopt.virtual.firmware.planner import Block, MotionLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toughopt.virtual.firmware.body import Body

LONGEST_EXTRUSION_MM = 200.0  # EXTRUDE_MAXLENGTH
ARC_SEGMENT_MM = 1.0  # MM_PER_ARC_SEGMENT
LIFT_SHARE = 1e-9


class Carriage:
    """Position and modes, in mm and mm/s; a reset makes a new one."""

    __slots__ = (
        "_body",
        "_say",
        "absolute",
        "cold_allowed",
        "e",
        "e_absolute",
        "feed_mm_s",
        "flow",
        "homed",
        "inch",
        "limits",
        "min_extrude_c",
        "position",
        "shift",
        "soft_limits",
        "speed_factor",
        "tool",
    )

    def __init__(self, limits: MotionLimits, body: Body, min_extrude_c: float, say: Callable[[str], None]) -> None:
        self.limits = limits
        self._body = body
        self._say = say
        self.position = (0.0, 0.0, 0.0)  # native: the machine's own coordinates
        self.e = 0.0
        self.shift = [0.0, 0.0, 0.0]  # native less what G92 made of it
        self.absolute = True
        self.e_absolute = True
        self.inch = 1.0
        self.feed_mm_s = 25.0
        self.speed_factor = 1.0
        self.flow = [1.0 for _ in body.hotends]
        self.tool = 0
        self.homed = [False, False, False]
        self.soft_limits = True
        self.min_extrude_c = min_extrude_c
        self.cold_allowed = False

    def logical(self) -> tuple[float, float, float, float]:
        """What M114 reports."""
        x, y, z = self.position
        return x - self.shift[0], y - self.shift[1], z - self.shift[2], self.e

    def linear(
        self, x: float | None, y: float | None, z: float | None, e: float | None, feed: float | None, now_s: float
    ) -> Block | None:
        """A straight move (G0, G1), or None where it needs none; numbers in the program's units, `feed` per minute."""
        if feed is not None and feed > 0.0:
            self.feed_mm_s = feed * self.inch / 60.0
        px, py, pz = self.position
        shift = self.shift
        inch = self.inch
        if self.absolute:
            target = (
                px if x is None else x * inch + shift[0],
                py if y is None else y * inch + shift[1],
                pz if z is None else z * inch + shift[2],
            )
        else:
            target = (px + (x or 0.0) * inch, py + (y or 0.0) * inch, pz + (z or 0.0) * inch)
        extrude = 0.0
        if e is not None:
            extrude = e * inch - self.e if self.e_absolute else e * inch
        return self._towards(target, extrude, now_s)

    def arc(
        self, target: tuple[float, float, float], extrude: float, offset: tuple[float, float], *, clockwise: bool
    ) -> Iterator[tuple[tuple[float, float, float], float]]:
        """Chords of a circle in the XY plane (G2, G3): where each ends, and its share of the filament."""
        x, y, z = self.position
        cx, cy = x + offset[0], y + offset[1]
        radius = hypot(*offset)
        begin = atan2(y - cy, x - cx)
        sweep = atan2(target[1] - cy, target[0] - cx) - begin
        if clockwise and sweep >= -LIFT_SHARE:
            sweep -= 2 * pi
        elif not clockwise and sweep <= LIFT_SHARE:
            sweep += 2 * pi
        rise = target[2] - z
        count = max(1, ceil(hypot(radius * sweep, rise) / ARC_SEGMENT_MM))
        for step in range(1, count):
            share = step / count
            angle = begin + sweep * share
            yield (cx + radius * cos(angle), cy + radius * sin(angle), z + rise * share), extrude / count
        yield target, extrude / count

    def arc_offset(self, target: tuple[float, float, float], radius: float, *, clockwise: bool) -> tuple[float, float]:
        """Centre less start of an arc given by its radius; negative takes the longer way round."""
        dx, dy = target[0] - self.position[0], target[1] - self.position[1]
        chord = hypot(dx, dy)
        height = sqrt(max(radius * radius - chord * chord / 4.0, 0.0))
        side = -1.0 if clockwise ^ (radius < 0) else 1.0
        return dx / 2.0 - side * height * dy / chord, dy / 2.0 + side * height * dx / chord

    def towards(self, target: tuple[float, float, float], extrude: float, now_s: float) -> Block | None:
        """A move to a native position with so much filament."""
        return self._towards(target, extrude, now_s)

    def _towards(self, target: tuple[float, float, float], extrude: float, now_s: float) -> Block | None:
        if self.soft_limits:
            low, high = self._body.lowest, self._body.highest
            x, y, z = target
            if x < low[0] or y < low[1] or z < low[2] or x > high[0] or y > high[1] or z > high[2]:
                target = self._clamped(target)
        start = self.position
        self.position = target
        if extrude:
            self.e += extrude
            if not self.cold_allowed and self._body.hotends[self.tool].at(now_s) < self.min_extrude_c:
                self._say("echo: cold extrusion prevented\n")
                extrude = 0.0
            elif extrude > LONGEST_EXTRUSION_MM:
                self._say("echo: too long extrusion prevented\n")
                extrude = 0.0
            extrude *= self.flow[self.tool]
        return self.limits.block(start, target, extrude, self.tool, self.feed_mm_s * self.speed_factor)

    def _clamped(self, target: tuple[float, float, float]) -> tuple[float, float, float]:
        """Only axes that were homed have limits."""
        low, high = self._body.lowest, self._body.highest
        kept = [
            min(max(value, low[axis]), high[axis]) if self.homed[axis] else value for axis, value in enumerate(target)
        ]
        return kept[0], kept[1], kept[2]
