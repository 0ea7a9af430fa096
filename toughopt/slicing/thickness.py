"""How thick the solid is at each point of its boundary: the largest disc inside that touches there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.slicing.outlines import Samples

_PAIRS = 3e7  # so many samples are compared with others by brute force before a tree of them is quicker
_OVERHEAD = 2e4  # pairs that could be compared while the brute force turns to its next island
_APART = 4  # one sample of so many begins with the largest disc
_TREE_ROUNDS = 40  # discs shrink to the largest empty one in three to eight

_NEAREST_MM2 = 1e-4  # samples nearer than the root of this count as that far apart

_PINCH_MM = 0.03  # two sides of the solid nearer than this are taken for one point
_CROWD = 12  # at most so many samples lie on one corner


@dataclass(frozen=True, slots=True)
class Thickness:
    """Discs inside the solid, one a sample.

    radius_mm : (n,) float, radius of the largest disc inside that touches the boundary there; `cap_mm` if larger
    partner : (n,) int, sample nearest to where the disc touches the boundary again; -1 where the radius is capped
    facing : (n,) float, minus the cosine between the two normals: 1 between parallel walls, 0 in a square corner
    """

    radius_mm: NDArray[np.float64]
    partner: NDArray[np.int64]
    facing: NDArray[np.float64]


def thickness(samples: Samples, cap_mm: float) -> Thickness:
    """Largest touching disc at each sample, up to a radius of `cap_mm`.

    Notes
    -----
    A disc that touches the boundary at p with inward unit normal n and goes through q has the radius
    |q - p|^2 / (2 n.(q - p)), so the largest empty one belongs to the largest 2 n.(q - p) / |q - p|^2 over all q (the
    medial ball of Ma, Bae and Choi, The Visual Computer 28, 2012). Few samples are compared all with all; of many, a
    tree finds the one nearest to the middle of each disc, which shrinks until none lies inside. The edges next to the
    winning sample then give the radius exactly: a disc tangent at p and to the line through q with inward normal m has
    r = (p - q).m / (1 - n.m).
    """
    count = len(samples.point_mm)
    groups = _islands(samples)
    pairs = sum(float(len(group)) ** 2 + _OVERHEAD for group in groups)
    curvature, partner = _compared(samples, groups) if pairs < _PAIRS else _shrunk(samples, cap_mm)
    radius = np.where(curvature > 1.0 / cap_mm, 1.0 / np.maximum(curvature, 1e-9), cap_mm)
    partner[curvature <= 1.0 / cap_mm] = -1
    touched = np.flatnonzero(partner >= 0)
    radius[touched] = _refined(samples, touched, partner[touched], radius[touched])
    facing = np.full(count, -1.0)
    other = partner[touched]
    centre = samples.point_mm[touched] + samples.normal[touched] * radius[touched, None] - samples.point_mm[other]
    outward = np.where(samples.fan[other], np.hypot(centre[:, 0], centre[:, 1]), 0.0)
    toward = np.where((outward > 1e-9)[:, None], centre / np.maximum(outward, 1e-9)[:, None], samples.normal[other])
    facing[touched] = -np.sum(samples.normal[touched] * toward, axis=1)
    pinched, opposite = _pinches(samples)
    radius[pinched], partner[pinched], facing[pinched] = _PINCH_MM / 2.0, opposite, 1.0
    return Thickness(np.minimum(radius, cap_mm), partner, facing)


def _refined(
    samples: Samples, own: NDArray[np.int64], other: NDArray[np.int64], radius: NDArray[np.float64]
) -> NDArray[np.float64]:
    here, normal, there = samples.point_mm[own], samples.normal[own], samples.point_mm[other]
    best = radius.copy()
    for neighbour, side in ((samples.after[other], 1.0), (samples.before[other], -1.0)):
        edge = (samples.point_mm[neighbour] - there) * side
        length = np.hypot(edge[:, 0], edge[:, 1])
        edge = edge / np.maximum(length, 1e-9)[:, None]
        left = np.stack((-edge[:, 1], edge[:, 0]), axis=1)
        toward = 1.0 - np.sum(normal * left, axis=1)
        trial = np.sum((here - there) * left, axis=1) / np.maximum(toward, 1e-6)
        foot = np.sum((here + normal * trial[:, None] - there) * edge, axis=1) * side
        usable = (toward > 0.5) & (trial > 1e-6) & (foot >= 0) & (foot <= length) & (length > 1e-6)
        best = np.where(usable, np.minimum(best, trial), best)
    return best


def _pinches(samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Samples where the solid is no thicker than a point, and one on the other side of each."""
    ring, island = samples.contour, samples.island[samples.contour]
    size = np.diff(samples.start)[ring]
    here: list[NDArray[np.int64]] = []
    there: list[NDArray[np.int64]] = []
    for shift in (0.0, 0.5):
        cell = np.floor(samples.point_mm / _PINCH_MM + shift).astype(np.int64)
        cell -= cell.min(axis=0, initial=0)
        across, up = (cell.max(axis=0, initial=0) + 1).tolist()
        key = (island * across + cell[:, 0]) * up + cell[:, 1]
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.arange(len(key) - 1)
        for step in range(1, _CROWD):
            first = first[first < len(key) - step]
            first = first[key[first] == key[first + step]]  # only what shares its cell with nearer ones goes on
            if not len(first):
                break
            a, b = order[first], order[first + step]
            apart = np.abs(a - b)
            apart = np.where(ring[a] == ring[b], np.minimum(apart, size[a] - apart), _CROWD + 1)
            real = (apart > _CROWD) & (np.sum(samples.normal[a] * samples.normal[b], axis=1) < -0.3)
            here += [a[real], b[real]]
            there += [b[real], a[real]]
    if not here:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(here), np.concatenate(there)


def _islands(samples: Samples) -> list[NDArray[np.int64]]:
    """The samples of each island."""
    island = samples.island[samples.contour]
    order = np.argsort(island, kind="stable")
    bounds = np.flatnonzero(np.diff(island[order])) + 1
    return [group for group in np.split(order, bounds) if len(group)]


def _compared(samples: Samples, groups: list[NDArray[np.int64]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Curvature of the disc of each sample and its partner, each island's samples compared all with all."""
    curvature = np.zeros(len(samples.point_mm))
    partner = np.full(len(curvature), -1, dtype=np.int64)
    for own in groups:
        here = (samples.point_mm[own] - samples.point_mm[own[0]]).astype(np.float32)
        normal = samples.normal[own].astype(np.float32)
        twice = (here + here).T
        square = np.einsum("ij,ij->i", here, here)
        gap = square - here @ twice
        gap += square[:, None]
        np.maximum(gap, np.float32(_NEAREST_MM2), out=gap)
        reach = normal @ twice
        reach -= 2.0 * np.einsum("ij,ij->i", normal, here)[:, None]
        reach /= gap
        best = np.argmax(reach, axis=1)
        curvature[own] = reach[np.arange(len(own)), best]
        partner[own] = own[best]
    return curvature, partner


def _shrunk(samples: Samples, cap_mm: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The same by shrinking each disc until no sample of its island lies inside.

    A few samples begin with the largest disc, the others with that through the partner of one of those nearby.
    """
    from scipy.spatial import cKDTree

    island = samples.island[samples.contour]
    level = island * (8.0 * cap_mm)  # no disc reaches another island
    tree = cKDTree(np.column_stack((samples.point_mm, level)), balanced_tree=False, compact_nodes=False)
    radius = np.full(len(level), cap_mm)
    partner = np.full(len(level), -1, dtype=np.int64)

    def shrink(own: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
        """Let discs go through these others where that makes them smaller; tell which it did."""
        way = samples.point_mm[other] - samples.point_mm[own]
        reach = 2.0 * np.einsum("ij,ij->i", way, samples.normal[own])
        size = np.maximum(np.einsum("ij,ij->i", way, way), _NEAREST_MM2)
        smaller = reach * radius[own] > size * (1.0 + 1e-9)
        own = own[smaller]
        radius[own] = size[smaller] / reach[smaller]
        partner[own] = other[smaller]
        return own

    index = np.arange(len(level))
    first = index - index % _APART
    for work in (index[index == first], index[index != first]):
        near = partner[first[work]]
        known = (near >= 0) & (island[near] == island[work])
        shrink(work[known], near[known])
        for _ in range(_TREE_ROUNDS):
            centre = samples.point_mm[work] + samples.normal[work] * radius[work, None]
            _, nearest = tree.query(np.column_stack((centre, level[work])), distance_upper_bound=cap_mm * 1.01)
            work = shrink(work, np.minimum(nearest, len(level) - 1))
            if not len(work):
                break
    return np.where(partner >= 0, 1.0 / radius, 0.0), partner
