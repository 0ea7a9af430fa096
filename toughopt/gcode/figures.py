"""Filament, mass and bounds of what a program extrudes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from toughopt.gcode.moves import Moves
    from toughopt.gcode.variables import Box


@dataclass(frozen=True, slots=True)
class Figures:
    """What a program uses: filament, mm of feedstock; volume; mass; the box of all that is extruded."""

    filament_mm: float
    volume_mm3: float
    filament_g: float
    bounds_mm: Box


def figures_of(moves: Moves, filament_diameter_mm: float, density_g_per_cm3: float) -> Figures:
    """Figures of all `moves`, whatever is primed included.

    The box is that of the nozzle's ways, from the bed (0) up; it is zero where nothing is extruded.
    """
    length = float(np.sum(moves.extruded_mm))
    volume = length * np.pi * filament_diameter_mm**2 / 4
    laid = moves.lays_down
    low, high = np.zeros(3), np.zeros(3)
    if laid.any():
        for axis in range(3):
            start, end = moves.start_mm[laid, axis], moves.end_mm[laid, axis]
            low[axis], high[axis] = min(start.min(), end.min()), max(start.max(), end.max())
        low[2] = min(low[2], 0.0)  # the first layer reaches down to the bed
    bounds = (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))
    return Figures(length, volume, volume * density_g_per_cm3 / 1000, bounds)
