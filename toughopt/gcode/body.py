"""The middle of a program: the lines of every layer, the ways between them, and what viewers read beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.base import Layer, Line, Toolpaths

_SAME_MM = 5e-4  # half of the last digit that is written
_SAME_WIDTH_MM = 5e-3  # what no viewer shows


class Body:
    """Collects the lines of a program; knows where the head is, and changes with every layer.

    Starts with the filament drawn back by `retract_mm`, as every start program leaves it.
    """

    def __init__(self, toolpaths: Toolpaths, profile: PrinterProfile) -> None:
        """Start an empty body for the machine of `profile`; the moves along all lines are written at once."""
        self.lines: list[str] = []
        self._profile = profile
        self._written = iter(_moves_of_lines(toolpaths, profile))
        self._at: tuple[float, float] | None = None
        self._z: float | None = None
        self._drawn_back = profile.slicing.retract_mm > 0
        self._fan = -1.0
        self._type = ""
        self._width = -1.0
        self._travel = f"{profile.speeds.travel * 60:.0f}"
        self._z_speed = f"{min(profile.motion.max_speed_mm_s[2], profile.speeds.travel) * 60:.0f}"
        self._retract_speed = f"{profile.speeds.retract * 60:.0f}"

    def layer(self, layer: Layer, change: Sequence[str]) -> None:
        """Append a layer; `change` is what the layer-change template gave."""
        add = self.lines.append
        add(";LAYER_CHANGE")
        add(f";Z:{layer.top_mm:.3f}".rstrip("0").rstrip("."))
        add(f";HEIGHT:{layer.height_mm:.3f}".rstrip("0").rstrip("."))
        add(";BEFORE_LAYER_CHANGE")  # from which hosts tell the part's height
        add(f";{layer.top_mm:.3f}".rstrip("0").rstrip("."))
        self.lines += change
        self._type, self._width = "", -1.0
        if layer.fan != self._fan:
            add(f"M106 S{round(layer.fan * 255)}" if layer.fan > 0 else "M107")
            self._fan = layer.fan
        for line in layer.lines:
            self._line(line)

    def finish(self) -> None:
        """Draw the filament back once more; the end program follows."""
        self._draw_back()

    def _line(self, line: Line) -> None:
        self._go_to(line)
        if line.role != self._type:
            self.lines.append(f";TYPE:{line.role.value}")
            self._type = line.role
        if abs(line.width_mm - self._width) > _SAME_WIDTH_MM:
            self.lines.append(f";WIDTH:{line.width_mm:.3g}")
            self._width = line.width_mm
        first, *others = next(self._written)
        self.lines.append(f"{first} F{line.speed_mm_s * 60:.0f}")
        self.lines += others
        x, y, self._z = line.points_mm[-1].tolist()
        self._at = (x, y)

    def _go_to(self, line: Line) -> None:
        x, y, z = line.points_mm[0].tolist()
        away = self._at is None or abs(x - self._at[0]) > _SAME_MM or abs(y - self._at[1]) > _SAME_MM
        if away and line.retract:
            self._draw_back()
        if self._z is None or abs(z - self._z) > _SAME_MM / 10:
            self.lines.append(f"G1 Z{round(z, 4):g} F{self._z_speed}")
            self._z = z
        if away:
            route = [*line.route_mm.tolist(), [x, y]]
            self.lines += [
                f"G1 X{px:.3f} Y{py:.3f} F{self._travel}" if index == 0 else f"G1 X{px:.3f} Y{py:.3f}"
                for index, (px, py) in enumerate(route)
            ]
        if self._drawn_back:
            self.lines.append(f"G1 E{self._profile.slicing.retract_mm:.5f} F{self._retract_speed}")
            self._drawn_back = False

    def _draw_back(self) -> None:
        if not self._drawn_back and self._profile.slicing.retract_mm > 0:
            self.lines.append(f"G1 E-{self._profile.slicing.retract_mm:.5f} F{self._retract_speed}")
            self._drawn_back = True


def _moves_of_lines(toolpaths: Toolpaths, profile: PrinterProfile) -> list[list[str]]:
    """The commands along each line, one list a line.

    Filament is written relative, and what rounding takes from one move is given to the next, so that the sum is exact.
    """
    lines = [line for layer in toolpaths.layers for line in layer.lines]
    counts = np.array([len(line.points_mm) for line in lines])
    points = np.concatenate([line.points_mm for line in lines])
    last = np.cumsum(counts) - 1
    moves = np.ones(len(points) - 1, dtype=bool)
    moves[last[:-1]] = False  # from the end of one line to the start of the next
    steps = np.diff(points, axis=0)[moves]
    flow = np.concatenate([np.broadcast_to(line.flow_mm2, len(line.points_mm) - 1) for line in lines])
    filament_mm2 = np.pi * profile.filament.diameter_mm**2 / 4
    exact = np.cumsum(np.linalg.norm(steps, axis=1) * flow) * (profile.filament.flow / filament_mm2)
    fed = np.diff(np.round(exact, 5), prepend=0.0)
    target = points[1:][moves]
    text = _straight(target[:, :2], fed)
    rises = np.abs(steps[:, 2]) > 1e-6
    if rises.any():  # a spiral
        for index in np.flatnonzero(rises).tolist():
            x, y, z = target[index].tolist()
            text[index] = f"G1 X{x:.3f} Y{y:.3f} Z{z:.4f} E{fed[index]:.5f}"
    stops = np.cumsum(counts - 1).tolist()
    return [text[start:stop] for start, stop in zip([0, *stops[:-1]], stops, strict=True)]


def _straight(xy_mm: NDArray[np.float64], fed_mm: NDArray[np.float64]) -> list[str]:
    """One formatting call for all: several times faster than one a line."""
    values = np.column_stack([xy_mm, fed_mm]).ravel().tolist()
    return ("G1 X%.3f Y%.3f E%.5f\n" * len(fed_mm) % tuple(values)).splitlines()
