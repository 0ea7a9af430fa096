"""Outlines of many layers as flat arrays: samples along the boundary with inward normals.

Everything per point in the native slicer runs over these arrays at once, whatever the number of layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SHARP_RAD = np.deg2rad(20.0)  # a turn above this is a corner, not a facet of a curve
_FAN_RAD = np.deg2rad(30.0)  # largest turn between two normals at a reflex corner


@dataclass(frozen=True, slots=True)
class Samples:
    """Points along closed contours; the solid lies on the side of the normal.

    point_mm, normal : (n, 2) float; normals have unit length
    stretch : (n,) float, an inset by d moves the sample by ``d * stretch`` along its normal (above 1 at corners)
    corner_mm : (n,) float, at a sharp convex corner the largest inset that leaves a length of both edges; else inf
    sharp : (n,) bool, the sample sits on a sharp convex corner
    fan : (n,) bool, the sample sits on a reflex corner, with one of its several normals
    start : (contours + 1,) int, where each contour begins
    island : (contours,) int, contours that bound one connected piece of one layer share it
    before, after : (n,) int, neighbours along the contour, which is a ring
    """

    point_mm: NDArray[np.float64]
    normal: NDArray[np.float64]
    stretch: NDArray[np.float64]
    corner_mm: NDArray[np.float64]
    sharp: NDArray[np.bool_]
    fan: NDArray[np.bool_]
    start: NDArray[np.int64]
    island: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    @property
    def contour(self) -> NDArray[np.int64]:
        """(n,) int: the contour of each sample."""
        return np.repeat(np.arange(len(self.island)), np.diff(self.start))

    @property
    def share_mm(self) -> NDArray[np.float64]:
        """(n,) float: length of boundary that each sample stands for."""
        ahead = np.linalg.norm(self.point_mm[self.after] - self.point_mm, axis=1)
        return np.asarray((ahead + ahead[self.before]) / 2.0)

    @property
    def half_width_mm(self) -> NDArray[np.float64]:
        """(n,) float: area of each sample's island over the length of its boundary: half the width of a long wall."""
        ring = self.contour
        home = self.point_mm[self.start[:-1]][ring]  # the areas of small islands are not lost in their distance
        here, there = self.point_mm - home, self.point_mm[self.after] - home
        island = self.island[ring]
        area = np.bincount(island, (here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]) / 2.0)
        around = np.bincount(island, self.share_mm)
        return np.asarray((area / np.maximum(around, 1e-12))[island])


def ring_neighbours(start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index before and after each element, where the elements from ``start[i]`` to ``start[i + 1]`` form a ring."""
    index = np.arange(start[-1])
    before, after = index - 1, index + 1
    before[start[:-1]] = start[1:] - 1
    after[start[1:] - 1] = start[:-1]
    return before, after


def sample(contours: Sequence[NDArray[np.float64]], island: NDArray[np.int64], step_mm: float) -> Samples:
    """Samples of closed contours, at their vertices and at most `step_mm` apart.

    Parameters
    ----------
    contours : each (k, 2) float, mm, without a repeated last point, solid on the left
    island : (len(contours),) int, the connected piece that each contour bounds
    step_mm : largest distance of two samples

    Notes
    -----
    A vertex gets its mitred normal. A reflex corner (one that pokes into the solid) gets a fan of normals, so that an
    inset rounds it at constant distance.
    """
    vertex = np.concatenate(contours) if len(contours) else np.empty((0, 2))
    sizes = np.array([len(contour) for contour in contours], dtype=np.int64)
    start = np.concatenate(([0], np.cumsum(sizes)))
    before, after = ring_neighbours(start)
    edge = vertex[after] - vertex
    length = np.maximum(np.hypot(edge[:, 0], edge[:, 1]), 1e-12)
    along = edge / length[:, None]
    left = np.stack((-along[:, 1], along[:, 0]), axis=1)
    behind = along[before]
    turn = np.arctan2(behind[:, 0] * along[:, 1] - behind[:, 1] * along[:, 0], np.sum(behind * along, axis=1))

    fan = np.where(turn < -_SHARP_RAD, np.ceil(-turn / _FAN_RAD).astype(np.int64) + 1, 1)
    inner = np.ceil(length / step_mm).astype(np.int64) - 1
    owner = np.repeat(np.arange(len(vertex)), fan + inner)
    first = np.concatenate(([0], np.cumsum(fan + inner)))
    rank = np.arange(len(owner)) - first[owner]
    on_edge = rank >= fan[owner]

    part = np.where(on_edge, (rank - fan[owner] + 1) / (inner[owner] + 1), 0.0)
    point = vertex[owner] + edge[owner] * part[:, None]
    # normals: those of the edge; at a vertex the bisector, or one of the fan
    share = np.where(fan[owner] > 1, rank / np.maximum(fan[owner] - 1, 1), 0.5)
    heading = np.arctan2(left[before, 1], left[before, 0])[owner] + share * turn[owner]
    normal = np.stack((np.cos(heading), np.sin(heading)), axis=1)
    normal[on_edge] = left[owner[on_edge]]
    single = ~on_edge & (fan[owner] == 1)
    half = np.clip(turn[owner] / 2.0, -np.pi / 2 + 0.05, np.pi / 2 - 0.05)
    stretch = np.where(single, 1.0 / np.cos(half), 1.0)
    sharp = single & (turn[owner] > _SHARP_RAD)
    reach = np.minimum(length, length[before])[owner] / np.tan(np.where(sharp, half, 1.0))
    new_start = first[start]
    new_before, new_after = ring_neighbours(new_start)
    return Samples(
        point,
        normal,
        stretch,
        np.where(sharp, reach, np.inf),
        sharp,
        ~on_edge & (fan[owner] > 1),
        new_start,
        np.asarray(island),
        new_before,
        new_after,
    )


def last_where(mask: NDArray[np.bool_], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) int: nearest element at or before each one, around its ring, where `mask` holds; -1 where it never does."""
    if len(mask) == 0:
        return np.empty(0, dtype=np.int64)
    index = np.where(mask, np.arange(len(mask)), -1)
    running = np.maximum.accumulate(index)
    ring = np.repeat(np.arange(len(start) - 1), np.diff(start))
    wrapped = np.maximum.reduceat(index, start[:-1])[ring]
    return np.asarray(np.where(running >= start[ring], running, wrapped))


def next_where(mask: NDArray[np.bool_], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) int: nearest element at or after each one, around its ring, where `mask` holds; -1 where it never does."""
    total = len(mask)
    found = last_where(mask[::-1], total - start[::-1])[::-1]
    return np.asarray(np.where(found < 0, -1, total - 1 - found))


def inside(samples: Samples, owner: NDArray[np.int64], point_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(k,) bool: whether each point, (k, 2) float, lies in the island whose boundary the sample `owner`, (k,), is on.

    A point is inside where a ray from it crosses the island's boundary an odd number of times.
    """
    result = np.zeros(len(owner), dtype=bool)
    if not len(owner):
        return result
    of = samples.island[samples.contour]
    order = np.argsort(of, kind="stable")
    low, high = (np.searchsorted(of[order], of[owner], side) for side in ("left", "right"))
    islands = np.argsort(of[owner], kind="stable")
    for group in np.split(islands, np.flatnonzero(np.diff(of[owner][islands])) + 1):
        edge = order[low[group[0]] : high[group[0]]]
        one, other = samples.point_mm[edge], samples.point_mm[samples.after[edge]]
        x, y = point_mm[group, :1], point_mm[group, 1:]
        spans = (one[:, 1] > y) != (other[:, 1] > y)
        rise = np.where(spans, other[:, 1] - one[:, 1], 1.0)
        crossed = spans & (x < one[:, 0] + (y - one[:, 1]) / rise * (other[:, 0] - one[:, 0]))
        result[group] = np.count_nonzero(crossed, axis=1) % 2 == 1
    return result
