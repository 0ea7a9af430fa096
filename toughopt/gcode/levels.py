"""Which layer a bead belongs to, told from nothing but where the nozzle extruded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_SAME_LEVEL_MM = 0.015  # heights closer than this are one layer
_RISES_MM = 1e-6
_GAP = 1.6  # layers of height that a gap must exceed before one is thought to be missing
_THIN = 0.75  # of the nozzle's diameter: a bead narrower than that did not fill the gap below it
_LEAST_TURNS = 0.9
_NEARLY_WHOLE = 0.1
_SAME_POINT_MM = 1e-6


@dataclass(frozen=True, slots=True)
class Heights:
    """z_mm, height_mm : (m,) float, top and height of each layer from the bed up, skipped ones included."""

    z_mm: FloatArray
    height_mm: FloatArray


def levels_of(start_mm: FloatArray, end_mm: FloatArray) -> FloatArray:
    """(n,) float: z of the top of the layer of each bead; the turns of a spiral are layers."""
    level = end_mm[:, 2].copy()
    rise = end_mm[:, 2] - start_mm[:, 2]
    if np.any(rise > _RISES_MM):
        spiral = _in_spiral(start_mm, end_mm, rise)
        pitch = _pitch(start_mm[spiral], end_mm[spiral])
        if pitch is not None:
            bottom = start_mm[spiral, 2].min()
            middle = (start_mm[spiral, 2] + end_mm[spiral, 2]) / 2
            level[spiral] = bottom + pitch * (np.floor((middle - bottom) / pitch + 1e-6) + 1.0)
    return _merged(level)


def _in_spiral(start_mm: FloatArray, end_mm: FloatArray, rise: FloatArray) -> NDArray[np.bool_]:
    """(n,) bool: beads of unbroken stretches that rise and never fall, from the first that rises to the last.

    Between those, some may be too short to rise by what a program can write.
    """
    way = np.linalg.norm(end_mm[:, :2] - start_mm[:, :2], axis=1)
    rises = (rise > _RISES_MM) & (way > 0)
    follows = np.zeros(len(rise), dtype=bool)
    follows[1:] = np.all(np.abs(start_mm[1:] - end_mm[:-1]) < _SAME_POINT_MM, axis=1) & (rise[1:] > -_RISES_MM)
    stretch = np.cumsum(~follows) - 1
    index = np.arange(len(rise))
    first, last = np.full(stretch[-1] + 1, len(rise)), np.full(stretch[-1] + 1, -1)
    np.minimum.at(first, stretch[rises], index[rises])
    np.maximum.at(last, stretch[rises], index[rises])
    inside: NDArray[np.bool_] = (index >= first[stretch]) & (index <= last[stretch]) & (way > 0)
    return inside


def _pitch(start_mm: FloatArray, end_mm: FloatArray) -> float | None:
    """Rise of a spiral in one turn, mm; None where it does not go round.

    The direction of a curve that closes without crossing itself turns by exactly one revolution, wherever its middle
    is (Hopf's theorem of turning tangents).
    """
    way = end_mm[:, :2] - start_mm[:, :2]
    a, b = way[:-1], way[1:]
    turn = np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], np.einsum("ij,ij->i", a, b))
    joined = np.all(np.abs(start_mm[1:] - end_mm[:-1]) < _SAME_POINT_MM, axis=1)
    turns = abs(float(np.sum(turn[joined]))) / (2 * np.pi)
    if turns > _LEAST_TURNS and abs(turns - round(turns)) < _NEARLY_WHOLE:  # its last direction does not turn further
        turns = float(round(turns))
    rise = float(np.sum(end_mm[:, 2] - start_mm[:, 2]))
    return rise / turns if turns >= _LEAST_TURNS else None


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
