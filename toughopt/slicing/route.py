"""In which order the lines of a layer are printed, and where each loop begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Seam = Literal["nearest", "rear", "aligned", "random"]


@dataclass(frozen=True, slots=True)
class Path:
    """A line before it has its place in the order: (k, 2) points, closed or not."""

    point_mm: NDArray[np.float64]
    closed: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """The next line to print: which, from which of its points, and whether backwards."""

    index: int
    first: int
    backwards: bool


def order(
    paths: Sequence[Path],
    rank: NDArray[np.int64],
    position_mm: NDArray[np.float64],
    seam: Seam,
    rng: np.random.Generator | None,
    seams_below: NDArray[np.float64],
) -> list[Stop]:
    """Nearest-first order of `paths`; all of one rank come before those of a higher one.

    Parameters
    ----------
    rank : (paths,) int, the lowest is printed first
    position_mm : (2,) float, where the nozzle is
    seam : where closed paths begin
    rng : given where seam is "random", else None
    seams_below : (k, 2) float, seams of the layer below, used where seam is "aligned"
    """
    sizes = np.array([len(path.point_mm) for path in paths], dtype=np.int64)
    if not len(sizes):
        return []
    start = np.concatenate(([0], np.cumsum(sizes)))
    point = np.concatenate([path.point_mm for path in paths])
    owner = np.repeat(np.arange(len(paths)), sizes)
    local = np.arange(len(point)) - start[owner]
    closed = np.array([path.closed for path in paths])
    entry = closed[owner] | (local == 0) | (local == sizes[owner] - 1)
    if seam != "nearest":
        entry &= ~closed[owner]
        entry[_seams(paths, start, closed, seam, rng, seams_below)] = True
    entries = np.flatnonzero(entry)
    owner, point, local = owner[entries], point[entries], local[entries]
    ranks = rank[owner]
    stops: list[Stop] = []
    at_x, at_y = position_mm.tolist()
    for level in sorted(set(rank.tolist())):
        here = np.flatnonzero(ranks == level)
        x, y, who, which = point[here, 0].copy(), point[here, 1].copy(), owner[here], local[here]
        left = np.flatnonzero(np.diff(who, prepend=-1))  # the entries of one path lie together
        begin = dict(
            zip(who[left].tolist(), zip(left.tolist(), [*left[1:].tolist(), len(who)], strict=True), strict=True)
        )
        for _ in range(len(left)):
            away_x, away_y = x - at_x, y - at_y
            away_x *= away_x
            away_y *= away_y
            away_x += away_y
            best = int(away_x.argmin())
            index, first = int(who[best]), int(which[best])
            path = paths[index]
            backwards = not path.closed and first > 0
            stops.append(Stop(index, first if path.closed else 0, backwards))
            at_x, at_y = path.point_mm[first if path.closed else 0 if backwards else -1].tolist()
            low, high = begin[index]
            x[low:high] = np.inf
    return stops


def _seams(
    paths: Sequence[Path],
    start: NDArray[np.int64],
    closed: NDArray[np.bool_],
    seam: Seam,
    rng: np.random.Generator | None,
    seams_below: NDArray[np.float64],
) -> list[int]:
    chosen = []
    for index in np.flatnonzero(closed).tolist():
        point = paths[index].point_mm
        if rng is not None:
            first = int(rng.integers(len(point)))
        elif seam == "rear" or not len(seams_below):
            first = int(np.lexsort((point[:, 0], point[:, 1]))[-1])
        else:
            gap = np.linalg.norm(point[:, None, :] - seams_below[None, :, :], axis=2)
            first = int(np.unravel_index(np.argmin(gap), gap.shape)[0])
        chosen.append(int(start[index]) + first)
    return chosen
