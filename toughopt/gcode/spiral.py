"""Spirals (vase mode): which beads climb without end, and how far in one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

RISES_MM = 1e-6
_SAME_POINT_MM = 1e-6
_SAMPLES = 3000
_LOWEST_PITCH_MM = 0.04
_HIGHEST_PITCH = 1.25  # nozzle diameters: nothing thicker can be laid
_STEPS = 400
_AS_GOOD = 1.3  # times the smallest distance: of pitches that fit about as well the least is the turn
_AGREES = 0.03
_WHOLE = 0.1


def in_spiral(start_mm: FloatArray, end_mm: FloatArray) -> NDArray[np.bool_]:
    """(n,) bool: beads of unbroken stretches that rise and never fall, from the first that rises to the last.

    Between those, some may be too short to rise by what a program can write.
    """
    rise = end_mm[:, 2] - start_mm[:, 2]
    way = np.linalg.norm(end_mm[:, :2] - start_mm[:, :2], axis=1)
    rises = (rise > RISES_MM) & (way > 0)
    follows = np.zeros(len(rise), dtype=bool)
    follows[1:] = np.all(np.abs(start_mm[1:] - end_mm[:-1]) < _SAME_POINT_MM, axis=1) & (rise[1:] > -RISES_MM)
    stretch = np.cumsum(~follows) - 1
    index = np.arange(len(rise))
    first, last = np.full(stretch[-1] + 1, len(rise)), np.full(stretch[-1] + 1, -1)
    np.minimum.at(first, stretch[rises], index[rises])
    np.maximum.at(last, stretch[rises], index[rises])
    inside: NDArray[np.bool_] = (index >= first[stretch]) & (index <= last[stretch]) & (way > 0)
    return inside


def pitch_of(start_mm: FloatArray, end_mm: FloatArray, nozzle_diameter_mm: float) -> float:
    """Rise of a spiral in one turn, mm.

    It is the least rise after which the nozzle comes by about the same place again. Where the spiral goes round the
    middle of its box a number of times that fits this, that count, which is exact, is taken. What climbs by less than
    a turn is one turn.
    """
    rise = float(end_mm[-1, 2] - start_mm[0, 2])
    z = np.maximum.accumulate(np.append(start_mm[:1, 2], end_mm[:, 2]))
    place = np.concatenate([start_mm[:1, :2], end_mm[:, :2]])
    highest = min(_HIGHEST_PITCH * nozzle_diameter_mm, rise / 1.5)
    if highest <= _LOWEST_PITCH_MM:
        return rise
    coarse = np.geomspace(_LOWEST_PITCH_MM, highest, _STEPS)
    distance = _return_distance(z, place, coarse)
    returns = np.flatnonzero((distance[1:-1] <= distance[:-2]) & (distance[1:-1] < distance[2:])) + 1
    turns = _turns_about_middle(place)
    if abs(turns - round(turns)) < _WHOLE and round(turns) > 0:
        turns = float(round(turns))
    round_middle = rise / turns if turns > 1 else np.inf
    if not len(returns):
        return round_middle if round_middle <= highest else min(nozzle_diameter_mm / 2, rise)
    good = returns[distance[returns] <= _AS_GOOD * distance[returns].min()]
    fine = float(coarse[good[0]]) * np.linspace(0.985, 1.015, 121)
    pitch = float(fine[np.argmin(_return_distance(z, place, fine))])
    return round_middle if abs(round_middle / pitch - 1) < _AGREES else pitch


def _return_distance(z: FloatArray, place: FloatArray, pitches: FloatArray) -> FloatArray:
    """(k,) float: how far from where it was the nozzle is after having risen by each pitch, on average, mm."""
    low, high = float(z[0]), float(z[-1]) - float(pitches.max())
    at = np.linspace(low, max(high, low), _SAMPLES)
    here = [np.interp(at, z, place[:, axis]) for axis in (0, 1)]
    later = at[None, :] + pitches[:, None]
    there = [np.interp(later, z, place[:, axis]) for axis in (0, 1)]
    distance: FloatArray = np.mean(np.hypot(there[0] - here[0], there[1] - here[1]), axis=1)
    return distance


def _turns_about_middle(place: FloatArray) -> float:
    middle = (place.min(axis=0) + place.max(axis=0)) / 2
    a, b = place[:-1] - middle, place[1:] - middle
    turn = np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], np.einsum("ij,ij->i", a, b))
    return abs(float(np.sum(turn))) / (2 * np.pi)
