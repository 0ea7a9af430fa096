"""What the checker found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.variables import Box


class Severity(StrEnum):
    """Whether a program may be printed all the same."""

    ERROR = auto()
    WARNING = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a program, where it happens first.

    code : a stable name such as "outside_volume"
    line : line of the text, counted from 1; 0 where it concerns the program as a whole
    place : where that is, in words: a layer, a point, a heater
    value, limit : what was found and what is allowed, in `unit`
    count : how often it happens
    """

    severity: Severity
    code: str
    message: str
    line: int = 0
    place: str = ""
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    count: int = 1

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        again = f" ({self.count} times in all)" if self.count > 1 else ""
        return f"{self.severity}: {where}{self.message}{again}"


@dataclass(frozen=True, slots=True)
class LayerFigures:
    """One row a layer of the program.

    z_mm, height_mm : (m,) float
    filament_mm, volume_mm3, length_mm, time_s : (m,) float
    width_mm : (m,) float, cross-section over height, mean over the length
    rise_mm : (m,) float, from the lowest to the highest extrusion of the layer: its height in a spiral, else 0
    """

    z_mm: NDArray[np.float64]
    height_mm: NDArray[np.float64]
    filament_mm: NDArray[np.float64]
    volume_mm3: NDArray[np.float64]
    length_mm: NDArray[np.float64]
    width_mm: NDArray[np.float64]
    rise_mm: NDArray[np.float64]
    time_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings, and the figures of the program.

    bounds_mm : the box of what is extruded
    travel_bounds_mm : the box of all places that the nozzle is sent to
    fastest_mm_s : highest speed that a move of the nozzle asks for
    max_nozzle_c, max_bed_c : highest temperatures that are set
    """

    findings: tuple[Finding, ...]
    layers: LayerFigures
    layer_count: int
    time_s: float
    filament_mm: float
    filament_g: float
    bounds_mm: Box
    travel_bounds_mm: Box
    fastest_mm_s: float
    max_nozzle_c: float
    max_bed_c: float
    line_count: int

    @property
    def ok(self) -> bool:
        """Whether the program may be printed: no error was found."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid printing."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "ok": self.ok,
            "findings": [
                {name: _plain(getattr(finding, name)) for name in Finding.__slots__} for finding in self.findings
            ],
            "layer_count": self.layer_count,
            "time_s": self.time_s,
            "filament_mm": self.filament_mm,
            "filament_g": self.filament_g,
            "bounds_mm": [list(corner) for corner in self.bounds_mm],
            "travel_bounds_mm": [list(corner) for corner in self.travel_bounds_mm],
            "fastest_mm_s": self.fastest_mm_s,
            "max_nozzle_c": self.max_nozzle_c,
            "max_bed_c": self.max_bed_c,
            "line_count": self.line_count,
            "layers": {name: getattr(self.layers, name).tolist() for name in LayerFigures.__slots__},
        }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value
