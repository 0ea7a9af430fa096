"""What a program is, and the path that a machine executed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Program:
    """A G-code program as it goes to the printer, with what is known of it."""

    text: str
    layer_count: int
    time_s: float
    filament_mm: float
    filament_g: float
    bounds_mm: tuple[tuple[float, float, float], tuple[float, float, float]]  # of what is extruded
    profile: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> str:
        """Hash of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def line_count(self) -> int:
        """Lines of text."""
        return self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))


@dataclass(frozen=True, slots=True)
class ExecutedPath:
    """What a machine did, segment by segment: the only thing that is known of a specimen when it is crushed.

    start_mm, end_mm : (n, 3) float, machine coordinates, mm
    filament_mm : (n,) float, filament that really left the nozzle in the segment, as length of feedstock, mm (>= 0)
    nozzle_c : (n,) float, nozzle temperature, deg C
    speed_mm_s : (n,) float, speed along the segment, mm/s
    time_s : (n,) float, machine time at the end of the segment, s
    tool : (n,) int, the extruder that was active
    """

    start_mm: NDArray[np.float64]
    end_mm: NDArray[np.float64]
    filament_mm: NDArray[np.float64]
    nozzle_c: NDArray[np.float64]
    speed_mm_s: NDArray[np.float64]
    time_s: NDArray[np.float64]
    tool: NDArray[np.int64]
    filament_diameter_mm: float = 1.75
    nozzle_diameter_mm: float = 0.4
