"""Beads and outlines as pixels: exact tests of pixel centres, one scan line at a time, without a loop over pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Square pixels over a part; pixel (row, column) has its centre at origin + (column, row) * pixel + pixel / 2."""

    origin_mm: tuple[float, float]
    shape: tuple[int, int]  # rows (y), columns (x)
    pixel_mm: float

    @classmethod
    def around(cls, bounds_mm: FloatArray, pixel_mm: float, margin_mm: float = 0.5) -> Grid:
        """The grid that covers the (2, 2 or 3) bounds and a margin."""
        low = bounds_mm[0, :2] - margin_mm
        size = np.ceil((bounds_mm[1, :2] + margin_mm - low) / pixel_mm).astype(int)
        return cls((float(low[0]), float(low[1])), (int(size[1]) + 1, int(size[0]) + 1), pixel_mm)


def layer_counts(start: FloatArray, end: FloatArray, width: FloatArray, run: IntArray, grid: Grid) -> NDArray[np.int32]:
    """(rows, columns) int: over how many separate beads each pixel's centre lies.

    start, end : (n, 2) float, mm, in the order of printing
    width : (n,) float, mm
    run : (n,) int; where two neighbours share it, their joint is round and they count as one where they overlap

    For each pixel, (segments over it) - (neighbouring pairs over it) is the number of separate stretches over it: an
    overlap at a corner is no doubling, one of two lines is.
    """
    if not len(run):
        return np.zeros(grid.shape, dtype=np.int32)
    joined = np.zeros(len(run) + 1, dtype=bool)
    joined[1:-1] = (run[1:] == run[:-1]) & np.all(np.abs(start[1:] - end[:-1]) < 1e-6, axis=1)
    row, left, right, first, rows = _spans(start, end, width, joined[:-1], joined[1:], grid)
    change = _changes(row, left, right, grid)
    pair = np.flatnonzero(joined[1:-1])
    if len(pair):
        lowest = np.maximum(row[first[pair]], row[first[pair + 1]])
        highest = np.minimum(row[first[pair]] + rows[pair], row[first[pair + 1]] + rows[pair + 1])
        shared = np.maximum(highest - lowest, 0)
        owner = np.repeat(pair, shared)
        both = np.repeat(lowest, shared) + _counting(shared)
        one = first[owner] + both - row[first[owner]]
        two = first[owner + 1] + both - row[first[owner + 1]]
        change -= _changes(both, np.maximum(left[one], left[two]), np.minimum(right[one], right[two]), grid)
    counts: NDArray[np.int32] = np.cumsum(change.reshape(grid.shape[0], grid.shape[1] + 1), axis=1, dtype=np.int32)
    return counts[:, :-1]


def _counting(counts: IntArray) -> IntArray:
    """0, 1, ... for each of the counts, one after the other."""
    total = int(np.sum(counts))
    return np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)


def _changes(row: IntArray, left: IntArray, right: IntArray, grid: Grid) -> NDArray[np.int64]:
    """What the count changes by from pixel to pixel, row after row, one column more than the grid has."""
    rows, columns = grid.shape
    good = (right >= left) & (row >= 0) & (row < rows) & (right >= 0) & (left < columns)
    base = row[good] * (columns + 1)
    size = rows * (columns + 1)
    begin = np.bincount(base + np.maximum(left[good], 0), minlength=size)
    stop = np.bincount(base + np.minimum(right[good] + 1, columns), minlength=size)
    return begin - stop


def _spans(
    start: FloatArray,
    end: FloatArray,
    width: FloatArray,
    round_start: NDArray[np.bool_],
    round_end: NDArray[np.bool_],
    grid: Grid,
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Columns from `left` to `right` that each bead covers in each of its rows.

    Returns row, left, right : (k,) int, and per bead where its rows begin and how many there are.
    """
    pixel, origin = grid.pixel_mm, np.array(grid.origin_mm)
    a, b = (start - origin) / pixel - 0.5, (end - origin) / pixel - 0.5  # in pixels, centres at whole numbers
    half = width / 2 / pixel
    low = np.floor(np.minimum(a[:, 1], b[:, 1]) - half).astype(np.int64)
    high = np.ceil(np.maximum(a[:, 1], b[:, 1]) + half).astype(np.int64)
    rows = high - low + 1
    owner = np.repeat(np.arange(len(rows)), rows)
    row = low[owner] + _counting(rows)
    first = np.cumsum(rows) - rows

    along = b - a
    length = np.hypot(along[:, 0], along[:, 1])
    unit = np.divide(along, length[:, None], out=np.tile([1.0, 0.0], (len(length), 1)), where=length[:, None] > 1e-12)
    dy = row - a[owner, 1]
    ux, uy = unit[owner, 0], unit[owner, 1]
    left_u, right_u = _between(ux, uy * dy, np.zeros(len(owner)), length[owner])
    left_n, right_n = _between(-uy, ux * dy, -half[owner], half[owner])
    left = np.maximum(left_u, left_n) + a[owner, 0]
    right = np.minimum(right_u, right_n) + a[owner, 0]
    empty = right < left
    left[empty], right[empty] = np.inf, -np.inf
    for rounded, centre in ((round_start, a), (round_end, b)):
        reach = np.sqrt(np.maximum(half[owner] ** 2 - (row - centre[owner, 1]) ** 2, 0.0))
        inside = rounded[owner] & (np.abs(row - centre[owner, 1]) <= half[owner])
        left = np.where(inside, np.minimum(left, centre[owner, 0] - reach), left)
        right = np.where(inside, np.maximum(right, centre[owner, 0] + reach), right)
    nothing = right < left
    left[nothing], right[nothing] = 1.0, 0.0
    return row, np.ceil(left).astype(np.int64), np.floor(right).astype(np.int64), first, rows


def _between(slope: FloatArray, rest: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Interval of x in which low <= slope x + rest <= high."""
    flat = np.abs(slope) < 1e-12
    divisor = np.where(flat, 1.0, slope)
    one, two = (low - rest) / divisor, (high - rest) / divisor
    fits = (rest >= low) & (rest <= high)
    left = np.where(flat, np.where(fits, -np.inf, np.inf), np.minimum(one, two))
    right = np.where(flat, np.where(fits, np.inf, -np.inf), np.maximum(one, two))
    return left, right


def polygon_mask(contours: Sequence[FloatArray], grid: Grid) -> NDArray[np.bool_]:
    """(rows, columns) bool: pixels whose centre lies inside the (k, 2) contours (mm, winding number not 0)."""
    size = grid.shape[0] * (grid.shape[1] + 1)
    change = np.zeros(size, dtype=np.int64)
    for contour in contours:
        points = (np.asarray(contour, dtype=np.float64) - grid.origin_mm) / grid.pixel_mm - 0.5
        following = np.roll(points, -1, axis=0)
        low, high = np.minimum(points[:, 1], following[:, 1]), np.maximum(points[:, 1], following[:, 1])
        first, last = np.ceil(low).astype(np.int64), np.ceil(high).astype(np.int64)  # rows in [low, high)
        first, last = np.maximum(first, 0), np.minimum(last, grid.shape[0])
        rows = np.maximum(last - first, 0)
        owner = np.repeat(np.arange(len(rows)), rows)
        row = first[owner] + _counting(rows)
        rise = following[owner, 1] - points[owner, 1]
        x = points[owner, 0] + (row - points[owner, 1]) / rise * (following[owner, 0] - points[owner, 0])
        column = np.clip(np.ceil(x).astype(np.int64), 0, grid.shape[1])
        change += np.bincount(row * (grid.shape[1] + 1) + column, np.sign(rise), minlength=size).astype(np.int64)
    winding = np.cumsum(change.reshape(grid.shape[0], grid.shape[1] + 1), axis=1)[:, :-1]
    mask: NDArray[np.bool_] = winding != 0
    return mask
