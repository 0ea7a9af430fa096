"""Which layer a bead belongs to, told from nothing but where the nozzle extruded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.spiral import RISES_MM, in_spiral, pitch_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_SAME_LEVEL_MM = 0.015  # heights closer than this are one layer
_GAP = 1.6  # layers of height that a gap must exceed before one is thought to be missing
_THIN = 0.75  # of the nozzle's diameter: a bead narrower than that did not fill the gap below it


@dataclass(frozen=True, slots=True)
class Heights:
    """z_mm, height_mm : (m,) float, top and height of each layer from the bed up, skipped ones included."""

    z_mm: FloatArray
    height_mm: FloatArray


def levels_of(start_mm: FloatArray, end_mm: FloatArray, nozzle_diameter_mm: float) -> FloatArray:
    """(n,) float: z of the top of the layer of each bead; the turns of a spiral are layers."""
    level = end_mm[:, 2].copy()
    if np.any(end_mm[:, 2] - start_mm[:, 2] > RISES_MM):
        spiral = in_spiral(start_mm, end_mm)
        pitch = pitch_of(start_mm[spiral], end_mm[spiral], nozzle_diameter_mm)
        bottom = start_mm[spiral, 2].min()
        middle = (start_mm[spiral, 2] + end_mm[spiral, 2]) / 2
        level[spiral] = bottom + pitch * (np.floor((middle - bottom) / pitch + 1e-6) + 1.0)
    return _merged(level)


def _merged(level: FloatArray) -> FloatArray:
    """`level` with heights that differ by less than a layer can made equal."""
    values, which = np.unique(np.round(level, 4), return_inverse=True)
    if not len(values):
        return level
    group = np.concatenate([[0], np.cumsum(np.diff(values) > _SAME_LEVEL_MM)])
    counts = np.bincount(which, minlength=len(values))
    centre = np.bincount(group, values * counts) / np.bincount(group, counts)
    result: FloatArray = centre[group[which.reshape(-1)]]
    return result


def layer_heights(
    level_mm: FloatArray, area_mm2: FloatArray, volume_mm3: FloatArray, nozzle_diameter_mm: float
) -> tuple[Heights, IntArray]:
    """Heights of the layers, and the layer of each bead.

    A layer reaches down to the one below it, or to the bed. Where that is more than 1.6 usual layers and the beads
    would have to be narrower than three quarters of the nozzle to fill it, layers were skipped: as many empty ones are
    put in as fit.
    """
    tops, which = np.unique(level_mm, return_inverse=True)
    which = which.reshape(-1)
    if not len(tops):
        return Heights(np.zeros(0), np.zeros(0)), np.zeros(0, dtype=np.int64)
    steps = np.diff(tops, prepend=0.0)
    usual = float(np.median(steps[1:])) if len(steps) > 2 else float(min(steps.min(), nozzle_diameter_mm * 0.8))
    usual = max(usual, 1e-3)
    mean_area = np.bincount(which, volume_mm3 * area_mm2) / np.bincount(which, volume_mm3)
    z: list[float] = []
    height: list[float] = []
    index = np.empty(len(tops), dtype=np.int64)
    below = 0.0
    for layer, (top, step) in enumerate(zip(tops.tolist(), steps.tolist(), strict=True)):
        own = max(step, 1e-3)
        if own > _GAP * usual and mean_area[layer] / own < _THIN * nozzle_diameter_mm:
            skipped = max(round(own / usual) - 1, 1)
            own = own / (skipped + 1)
            z += [below + own * (number + 1) for number in range(skipped)]
            height += [own] * skipped
        index[layer] = len(z)
        z.append(top)
        height.append(own)
        below = top
    return Heights(np.array(z), np.array(height)), index[which]
