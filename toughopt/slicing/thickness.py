"""How thick the solid is at each point of its boundary: the largest disc inside that touches there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from toughopt.slicing.outlines import Samples

_BLOCK = 640  # samples of one island that are compared all with all; more are split into cells

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
    medial ball of Ma, Bae and Choi, The Visual Computer 28, 2012). The edges next to the winning sample then give the
    radius exactly: a disc tangent at p and to the line through q with inward normal m has r = (p - q).m / (1 - n.m).
    """
    count = len(samples.point_mm)
    curvature = np.zeros(count)
    partner = np.full(count, -1, dtype=np.int64)
    for own, others in _blocks(samples, 2.0 * cap_mm):
        origin = samples.point_mm[own[0]]
        here = (samples.point_mm[own] - origin).astype(np.float32)
        there = here if others is own else (samples.point_mm[others] - origin).astype(np.float32)
        normal = samples.normal[own].astype(np.float32)
        twice = (there + there).T
        gap = np.einsum("ij,ij->i", there, there) - here @ twice
        gap += np.einsum("ij,ij->i", here, here)[:, None]
        np.maximum(gap, np.float32(_NEAREST_MM2), out=gap)
        reach = normal @ twice
        reach -= 2.0 * np.einsum("ij,ij->i", normal, here)[:, None]
        reach /= gap
        best = np.argmax(reach, axis=1)
        curvature[own] = reach[np.arange(len(own)), best]
        partner[own] = others[best]
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
        usable = (toward > 0.5) & (trial > 0) & (foot >= 0) & (foot <= length) & (length > 1e-6)
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
        order = np.lexsort((cell[:, 1], cell[:, 0], island))
        for step in range(1, _CROWD):
            a, b = order[:-step], order[step:]
            close = np.flatnonzero(np.all(cell[a] == cell[b], axis=1) & (island[a] == island[b]))
            if not len(close):
                break
            a, b = a[close], b[close]
            apart = np.abs(a - b)
            apart = np.where(ring[a] == ring[b], np.minimum(apart, size[a] - apart), _CROWD + 1)
            real = (apart > _CROWD) & (np.sum(samples.normal[a] * samples.normal[b], axis=1) < -0.3)
            here += [a[real], b[real]]
            there += [b[real], a[real]]
    if not here:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(here), np.concatenate(there)


def _blocks(samples: Samples, reach_mm: float) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Groups of samples, each with all samples of its island that are near enough to matter."""
    island = samples.island[samples.contour]
    order = np.argsort(island, kind="stable")
    bounds = np.flatnonzero(np.diff(island[order])) + 1
    for group in np.split(order, bounds):
        if len(group) <= _BLOCK:
            if len(group):
                yield group, group
            continue
        cell = np.floor(samples.point_mm[group] / max(reach_mm, 4.0)).astype(np.int64)
        cell -= cell.min(axis=0) - 1
        wide = cell[:, 1].max() + 2
        key = cell[:, 0] * wide + cell[:, 1]
        by_key = np.argsort(key, kind="stable")
        keys, first = np.unique(key[by_key], return_index=True)
        members = dict(zip(keys.tolist(), np.split(group[by_key], first[1:]), strict=True))
        for home, own in members.items():
            near = [
                members[home + dx * wide + dy]
                for dx in (-1, 0, 1)
                for dy in (-1, 0, 1)
                if home + dx * wide + dy in members
            ]
            yield own, np.concatenate(near)
