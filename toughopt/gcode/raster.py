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


_SAME_MM = 1e-6
_MITRE = 1.4143  # a mitre of at most a right angle reaches this many half widths out
_STRAIGHT_TURN = -1e-9  # cosine of the sharpest turn at which beads are mitred; sharper ones get a round joint
_ASKEW_RAD = 0.1163


@dataclass(frozen=True, slots=True)
class Grid:
    """Square pixels over a part; pixel (row, column) has its centre at origin + (column, row) * pixel + pixel / 2.

    turn_rad : angle by which places are turned about (0, 0) before they are looked up. Lines that run along the pixels
        or across their diagonals would be counted a whole row of pixels too wide or too narrow; on a grid that lies
        askew such errors cancel.
    """

    origin_mm: tuple[float, float]
    shape: tuple[int, int]  # rows (y), columns (x)
    pixel_mm: float
    turn_rad: float = 0.0

    @classmethod
    def around(cls, bounds_mm: FloatArray, pixel_mm: float, margin_mm: float = 0.5, *, askew: bool = False) -> Grid:
        """The grid that covers the (2, 2 or 3) bounds and a margin."""
        turn = _ASKEW_RAD if askew else 0.0
        (x0, y0), (x1, y1) = bounds_mm[:, :2] + np.array([[-margin_mm], [margin_mm]])
        corners = _turned(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), turn)
        low = corners.min(axis=0)
        size = np.ceil((corners.max(axis=0) - low) / pixel_mm).astype(int)
        return cls((float(low[0]), float(low[1])), (int(size[1]) + 1, int(size[0]) + 1), pixel_mm, turn)

    def pixels_of(self, places_mm: FloatArray) -> FloatArray:
        """(n, 2) float: column and row of places, whole numbers at the centres of pixels."""
        result: FloatArray = (_turned(places_mm, self.turn_rad) - self.origin_mm) / self.pixel_mm - 0.5
        return result


def _turned(places: FloatArray, angle: float) -> FloatArray:
    if angle == 0.0:
        return places
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.column_stack([cosine * places[:, 0] - sine * places[:, 1], sine * places[:, 0] + cosine * places[:, 1]])


def layer_counts(start: FloatArray, end: FloatArray, width: FloatArray, run: IntArray, grid: Grid) -> NDArray[np.int32]:
    """(rows, columns) int: over how many separate beads each pixel's centre lies.

    start, end : (n, 2) float, mm, in the order of printing
    width : (n,) float, mm
    run : (n,) int; where neighbours share it they are joined: mitred up to a right angle, by a round joint beyond; a
        run that ends where it began is closed

    A mitred curve covers exactly its length times its width. For each pixel, (segments over it) - (joined pairs over
    it) is the number of separate stretches over it: an overlap at a corner is no doubling, one of two lines is.
    """
    if not len(run):
        return np.zeros(grid.shape, dtype=np.int32)
    a, b = grid.pixels_of(start), grid.pixels_of(end)
    following = _following(start, end, run)
    spans = _spans(a, b, width / 2 / grid.pixel_mm, following)
    total = _summed(_changes(spans.row, spans.left, spans.right, grid), grid)
    one = np.flatnonzero(following >= 0)
    other = following[one]
    lowest = np.maximum(spans.low[one], spans.low[other])
    highest = np.minimum(spans.low[one] + spans.rows[one], spans.low[other] + spans.rows[other])
    shared = np.maximum(highest - lowest, 0)
    row = np.repeat(lowest, shared) + _counting(shared)
    at_one = np.repeat(spans.first[one] - spans.low[one], shared) + row
    at_other = np.repeat(spans.first[other] - spans.low[other], shared) + row
    left = np.maximum(spans.left[at_one], spans.left[at_other])
    right = np.minimum(spans.right[at_one], spans.right[at_other])
    pairs = _summed(_changes(row, left, right, grid), grid)
    counts: NDArray[np.int32] = np.where(total > 0, np.maximum(total - pairs, 1), 0).astype(np.int32)
    return counts


def _summed(change: NDArray[np.int64], grid: Grid) -> NDArray[np.int32]:
    counts: NDArray[np.int32] = np.cumsum(change.reshape(grid.shape[0], grid.shape[1] + 1), axis=1, dtype=np.int32)[
        :, :-1
    ]
    return counts


def _following(start: FloatArray, end: FloatArray, run: IntArray) -> IntArray:
    """(n,) int: the bead that each one is joined to at its end, -1 where there is none."""
    count = len(run)
    following = np.full(count, -1, dtype=np.int64)
    joined = (run[1:] == run[:-1]) & np.all(np.abs(start[1:] - end[:-1]) < _SAME_MM, axis=1)
    following[:-1][joined] = np.flatnonzero(joined) + 1
    begins = np.flatnonzero(np.concatenate([[True], ~joined]))
    ends = np.append(begins[1:], count) - 1
    closed = (ends - begins >= 2) & np.all(np.abs(start[begins] - end[ends]) < _SAME_MM, axis=1)
    following[ends[closed]] = begins[closed]
    return following


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


@dataclass(frozen=True, slots=True)
class _Spans:
    """row, left, right : (k,) columns that each bead covers in each of its rows; per bead its lowest row, how many rows
    it has and where they begin."""

    row: IntArray
    left: IntArray
    right: IntArray
    low: IntArray
    rows: IntArray
    first: IntArray


def _spans(a: FloatArray, b: FloatArray, half: FloatArray, following: IntArray) -> _Spans:
    """Rows and columns of beads from `a` to `b`, in pixels, `half` wide to either side."""
    along = b - a
    length = np.hypot(along[:, 0], along[:, 1])
    unit = np.divide(along, length[:, None], out=np.tile([1.0, 0.0], (len(length), 1)), where=length[:, None] > 1e-12)
    cut_start, cut_end, round_start, round_end = _joints(unit, following)
    reach = half * np.where(following >= 0, _MITRE, 1.0)
    has_before = np.zeros(len(half), dtype=bool)
    has_before[following[following >= 0]] = True
    reach = np.where(has_before, half * _MITRE, reach)
    low = np.floor(np.minimum(a[:, 1], b[:, 1]) - reach).astype(np.int64)
    rows = np.ceil(np.maximum(a[:, 1], b[:, 1]) + reach).astype(np.int64) - low + 1
    owner = np.repeat(np.arange(len(rows)), rows)
    row = low[owner] + _counting(rows)

    dy = row - a[owner, 1]
    width = half[owner]
    left, right = _between(-unit[owner, 1], unit[owner, 0] * dy, -width, width)
    for normal, origin, sign in ((cut_start, a, 1.0), (cut_end, b, -1.0)):
        offset = normal[owner, 1] * (row - origin[owner, 1]) + normal[owner, 0] * (a[owner, 0] - origin[owner, 0])
        one, two = _between(sign * normal[owner, 0], sign * offset, np.zeros(len(owner)), np.full(len(owner), np.inf))
        left, right = np.maximum(left, one), np.minimum(right, two)
    left, right = left + a[owner, 0], right + a[owner, 0]
    empty = right < left
    left[empty], right[empty] = np.inf, -np.inf
    for rounded, centre in ((round_start, a), (round_end, b)):
        away = row - centre[owner, 1]
        inside = rounded[owner] & (np.abs(away) <= width)
        depth = np.sqrt(np.maximum(width**2 - away**2, 0.0))
        left = np.where(inside, np.minimum(left, centre[owner, 0] - depth), left)
        right = np.where(inside, np.maximum(right, centre[owner, 0] + depth), right)
    nothing = right < left
    left[nothing], right[nothing] = 1.0, 0.0
    return _Spans(
        row, np.ceil(left).astype(np.int64), np.floor(right).astype(np.int64), low, rows, np.cumsum(rows) - rows
    )


def _joints(
    unit: FloatArray, following: IntArray
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    """Normals of the cuts at start and end of each bead, (n, 2), and whether it has a round joint there, (n,)."""
    cut_start, cut_end = unit.copy(), unit.copy()
    round_start, round_end = np.zeros(len(unit), dtype=bool), np.zeros(len(unit), dtype=bool)
    one = np.flatnonzero(following >= 0)
    other = following[one]
    cosine = np.einsum("ij,ij->i", unit[one], unit[other])
    mitred = cosine >= _STRAIGHT_TURN
    middle = unit[one] + unit[other]
    cut_end[one[mitred]] = middle[mitred]
    cut_start[other[mitred]] = middle[mitred]
    round_end[one[~mitred]] = True
    round_start[other[~mitred]] = True
    return cut_start, cut_end, round_start, round_end


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
    rows, columns = grid.shape
    if not contours:
        return np.zeros(grid.shape, dtype=bool)
    places = [grid.pixels_of(np.asarray(contour, dtype=np.float64)) for contour in contours]
    one = np.concatenate(places)
    two = np.concatenate([np.roll(place, -1, axis=0) for place in places])
    low, high = np.minimum(one[:, 1], two[:, 1]), np.maximum(one[:, 1], two[:, 1])
    first = np.clip(np.ceil(low), 0, rows).astype(np.int64)  # rows in [low, high)
    crossed = np.maximum(np.clip(np.ceil(high), 0, rows).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(crossed)), crossed)
    row = first[edge] + _counting(crossed)
    slope = np.divide(two[:, 0] - one[:, 0], two[:, 1] - one[:, 1], out=np.zeros(len(one)), where=high > low)
    x = one[edge, 0] + (row - one[edge, 1]) * slope[edge]
    at = row * (columns + 1) + np.clip(np.ceil(x), 0, columns).astype(np.int64)
    upward = (two[:, 1] > one[:, 1])[edge]
    size = rows * (columns + 1)
    change = np.bincount(at[upward], minlength=size) - np.bincount(at[~upward], minlength=size)
    mask: NDArray[np.bool_] = _summed(change, grid) != 0
    return mask
