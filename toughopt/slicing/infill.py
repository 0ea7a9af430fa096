"""Solid fill: parallel lines clipped to regions, joined to zigzags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toughopt.slicing.chains import Chains, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LINK_SHARE = 0.7  # of the spacing: how wide the links are that join neighbouring lines along the edge
_EDGE = 0.5 - LINK_SHARE / 2.0  # share of the spacing by which the outermost lines stay inside
_LONGEST_LINK = 12.0  # links between neighbouring lines up to this many spacings are printed, longer ones are not


def rectilinear(
    contours: Sequence[NDArray[np.float64]],
    region: NDArray[np.int64],
    angle_rad: NDArray[np.float64],
    spacing_mm: float,
    depth: int = 0,
) -> Chains:
    """Zigzag lines over many regions at once.

    Parameters
    ----------
    contours : each (k, 2) float, mm, solid on the left: the regions in which the middles of the lines may lie, half of
        `LINK_SHARE` of the spacing inside what is to be filled
    region : (len(contours),) int, connected piece that each contour bounds; it takes the place of the chains' layer
    angle_rad : (len(contours),) float, direction of the lines, the same for all contours of a region
    spacing_mm : wanted distance of the lines; each region's is adjusted so that a whole number fits
    """
    if not len(contours):
        return joined(())
    sizes = np.array([len(contour) for contour in contours])
    owner = np.repeat(np.arange(len(contours)), sizes)
    cos, sin = np.cos(angle_rad)[owner], np.sin(angle_rad)[owner]
    xy = np.concatenate(contours)
    x, y = xy[:, 0] * cos + xy[:, 1] * sin, xy[:, 1] * cos - xy[:, 0] * sin
    start = np.concatenate(([0], np.cumsum(sizes)))
    after = np.arange(len(xy)) + 1
    after[start[1:] - 1] = start[:-1]

    _, of_region = np.unique(region, return_inverse=True)
    low, high = np.full(of_region.max() + 1, np.inf), np.full(of_region.max() + 1, -np.inf)
    np.minimum.at(low, of_region[owner], y)
    np.maximum.at(high, of_region[owner], y)
    steps = np.maximum(np.round((high - low) / spacing_mm - 2.0 * _EDGE), 0.0)
    pitch = (high - low) / (steps + 2.0 * _EDGE)
    base = low + pitch * _EDGE

    # where edges cross the lines; a line belongs to an edge from its lower end on, up to but without its upper end
    group = of_region[owner]
    row0, row1 = (y - base[group]) / pitch[group], (y[after] - base[group]) / pitch[group]
    first = np.ceil(np.minimum(row0, row1)).astype(np.int64)
    number = np.maximum(np.ceil(np.maximum(row0, row1)).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(xy)), number)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(number) - number, number)
    row = first[edge] + rank
    part = (row - row0[edge]) / (row1 - row0)[edge]
    cross = x[edge] + (x[after] - x)[edge] * part
    order = np.lexsort((cross, row, group[edge]))
    row, cross, of = row[order], cross[order], group[edge][order]
    left, right, row, of = cross[0::2], cross[1::2], row[0::2], of[0::2]
    wide = right - left > 1e-3
    left, right, row, of = left[wide], right[wide], row[wide], of[wide]
    if not len(row):
        return joined(())
    return _zigzag(left, right, row, of, base, pitch, region, of_region, angle_rad, depth)


def _zigzag(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    row: NDArray[np.int64],
    of: NDArray[np.int64],
    base: NDArray[np.float64],
    pitch: NDArray[np.float64],
    region: NDArray[np.int64],
    of_region: NDArray[np.int64],
    angle_rad: NDArray[np.float64],
    depth: int,
) -> Chains:
    count = len(row)
    index = np.arange(count)
    above, lone_up = _only_overlap(left, right, row, of, +1)
    below, lone_down = _only_overlap(left, right, row, of, -1)
    mate = np.where(lone_up, above, -1)
    mutual = (mate >= 0) & lone_down[mate] & (below[mate] == index)
    right_going = row % 2 == 0
    gap = np.where(right_going, np.abs(right - right[mate]), np.abs(left - left[mate]))
    linked = mutual & (gap <= _LONGEST_LINK * pitch[of])
    # spans to chains: follow links upward from spans that nothing links to
    has_before = np.zeros(count, dtype=bool)
    has_before[mate[linked]] = True
    head = np.where(has_before, -1, index)
    source = np.full(count, -1)
    source[mate[linked]] = index[linked]
    while np.any(head < 0):  # pointer jumping: the number of rounds is the logarithm of the longest chain
        open_ = head < 0
        up = source[open_]
        head[open_] = head[up]
        source[open_] = np.where(source[up] >= 0, source[up], up)
    order = np.lexsort((row, head))
    chain, size = np.unique(head[order], return_counts=True)
    start_x = np.where(right_going, left, right)[order]
    end_x = np.where(right_going, right, left)[order]
    u = np.stack((start_x, end_x), axis=1).ravel()
    v = np.repeat((base[of] + row * pitch[of])[order], 2)
    of_contour = np.zeros(of_region.max() + 1, dtype=np.int64)
    of_contour[of_region] = np.arange(len(of_region))
    turn = np.repeat(angle_rad[of_contour[of[order]]], 2)
    point = np.stack((u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)), axis=1)
    return Chains(
        point,
        np.repeat(pitch[of[order]], 2),
        np.concatenate(([0], np.cumsum(2 * size))),
        np.zeros(len(chain), dtype=bool),
        region[of_contour[of[chain]]],
        np.full(len(chain), depth),
        np.full(len(chain), LINK_SHARE),
    )


def _only_overlap(
    left: NDArray[np.float64], right: NDArray[np.float64], row: NDArray[np.int64], of: NDArray[np.int64], step: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Index of the span in the next row that overlaps each span, and whether it is the only one."""
    low = min(float(left.min()), 0.0) - 1.0
    width = float(right.max()) - low + 2.0
    line = of * (int(row.max()) + 3) + row + 1
    a, b = line * width + (left - low), line * width + (right - low)
    first = np.searchsorted(b, a + step * width, side="right")
    last = np.searchsorted(a, b + step * width, side="left")
    return np.minimum(first, len(left) - 1), last - first == 1
