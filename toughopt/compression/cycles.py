"""Cyclic tests: where loading turns into unloading and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_TURN = 0.1  # share of the displacement's or the force's range that a return must cover to count


@dataclass(frozen=True, slots=True)
class Cycle:
    """One loading with the unloading that follows: samples start to stop, loading ends at top."""

    start: int
    top: int
    stop: int


def split_cycles(displacement_mm: FloatArray, force_n: FloatArray) -> tuple[Cycle, ...]:
    """The cycles of a test; a single one for a monotonic test.

    displacement_mm, force_n : (n,) float, compression positive

    Notes
    -----
    A turn counts where the displacement goes back by at least 2 % of its range while the force loses at least half of
    what it had gained, and a new cycle begins where it goes forward again by as much.
    """
    turns = _turns(displacement_mm, 0.02 * float(np.ptp(displacement_mm)))
    cycles: list[Cycle] = []
    start = 0
    for number, top in enumerate(turns):
        if number % 2:
            continue
        bottom = turns[number + 1] if number + 1 < len(turns) else displacement_mm.size - 1
        highest = float(np.max(force_n[start : top + 1])) if top > start else 0.0
        unloaded = float(np.min(force_n[top : bottom + 1])) < 0.5 * highest
        if unloaded or bottom == displacement_mm.size - 1:
            cycles.append(Cycle(start, top, bottom))
            start = bottom
    if not cycles or start < displacement_mm.size - 1:
        tail_top = start + int(np.argmax(displacement_mm[start:]))
        if tail_top > start:
            cycles.append(Cycle(start, tail_top, displacement_mm.size - 1))
    return tuple(cycles)


def _turns(x: FloatArray, least: float) -> list[int]:
    """Indices of alternating maxima and minima of at least `least` between them, a maximum first."""
    if x.size < 3 or least <= 0 or float(np.max(np.maximum.accumulate(x) - x)) < least:
        return []
    step = np.diff(x)
    moving = np.flatnonzero(step != 0)
    if moving.size < 2:
        return []
    change = np.flatnonzero(np.diff(np.sign(step[moving])) != 0)
    corners = [*(moving[change] + 1).tolist(), x.size - 1]
    if len(corners) > 50_000:  # noise: only corners that stand out can matter
        corners = [*_prominent(x, corners, least), x.size - 1]
    turns: list[int] = []
    rising, best = True, 0
    for at in corners:
        if rising:
            if x[at] >= x[best]:
                best = at
            elif x[best] - x[at] >= least:
                turns.append(best)
                rising, best = False, at
        elif x[at] <= x[best]:
            best = at
        elif x[at] - x[best] >= least:
            turns.append(best)
            rising, best = True, at
    if not rising:
        turns.append(best)
    return turns


def _prominent(x: FloatArray, corners: list[int], least: float) -> list[int]:
    """Every corner that starts a new bin of half the least turn: far fewer, and none of them lost by more than that."""
    bins = np.floor(x[corners] / (0.5 * least))
    keep = np.flatnonzero(np.diff(bins) != 0)
    return [corners[i] for i in np.unique(np.concatenate([keep, keep + 1]))]
