"""Faces of one mesh that run through each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

_CHUNK = 400_000
_MOST_CELLS = 2_000_000


def self_intersections(
    vertices: FloatArray, faces: IntArray, tolerance_mm: float = 1e-3
) -> tuple[IntArray, FloatArray]:
    """Pairs of faces without a common corner of which an edge of one pierces the other.

    Parameters
    ----------
    vertices : (v, 3) float, mm
    faces : (f, 3) int
    tolerance_mm : an edge must stick out of the face by more than this on both sides, mm

    Returns
    -------
    pairs : (k, 2) int, indices of faces, each pair once
    points : (k, 3) float, mm, where they meet

    Notes
    -----
    Faces are binned into a grid of cells about as large as they are; each edge is put against each face in its cells
    with the test of Moeller and Trumbore (1997). Faces that only touch, or overlap within one plane, do not count.
    """
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0.0)
    offset = np.einsum("ij,ij->i", corners[:, 0], normal)
    pairs_found: list[IntArray] = []
    points_found: list[FloatArray] = []
    for some, others in _candidates(corners):
        strangers = np.ones(len(some), dtype=bool)
        for i in range(3):
            for j in range(3):
                strangers &= faces[some, i] != faces[others, j]
        first, second = some[strangers], others[strangers]
        crossing = np.zeros(len(first), dtype=bool)
        for a, b in ((first, second), (second, first)):  # corners on both sides of the other's plane
            height = np.einsum("kij,kj->ik", corners[a], normal[b]) - offset[b]
            crossing |= (height.max(axis=0) > tolerance_mm) & (height.min(axis=0) < -tolerance_mm)
        first, second = first[crossing], second[crossing]
        for a, b in ((first, second), (second, first)):
            hit, point = _pierces(corners[a], corners[b], tolerance_mm)
            pairs_found.append(np.column_stack([a, b])[hit])
            points_found.append(point[hit])
    if not pairs_found:
        return np.empty((0, 2), dtype=np.int64), np.empty((0, 3))
    pairs = np.sort(np.concatenate(pairs_found), axis=1)
    unique, index = np.unique(pairs, axis=0, return_index=True)
    return unique, np.concatenate(points_found)[index]


def _candidates(corners: FloatArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs of faces whose bounding boxes overlap, each once, in chunks of bounded size."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    origin, extent = low.min(axis=0), np.ptp(corners.reshape(-1, 3), axis=0)
    size = max(1.3 * float(np.median((high - low).max(axis=1))), float(extent.max()) / 200.0, 1e-9)
    first_cell, last_cell = _cells(low, origin, size), _cells(high, origin, size)
    most = max(_MOST_CELLS, 8 * len(corners))  # each face touches one cell at least, however large they are
    while int(np.prod(last_cell - first_cell + 1, axis=1).sum()) > most:  # a few faces much larger than the rest
        size *= 2.0
        first_cell, last_cell = _cells(low, origin, size), _cells(high, origin, size)
    face, cell, key = _binned(first_cell, last_cell)
    order = np.argsort(key, kind="stable")
    face, key = face[order], key[order]
    # for each axis: box, first cell and own cell of each entry, in the order in which they are gone through
    axes = [
        (low[face, k], high[face, k], first_cell[face, k].astype(np.int32), cell[order, k].astype(np.int32))
        for k in range(3)
    ]
    counts = np.searchsorted(key, key, side="right") - np.arange(len(key)) - 1
    total = np.concatenate([[0], np.cumsum(counts)])
    begin = 0
    while begin < len(key):
        end = max(begin + 1, int(np.searchsorted(total, total[begin] + _CHUNK, side="right")) - 1)
        left = np.repeat(np.arange(begin, end), counts[begin:end])
        right = left + 1 + np.arange(len(left)) - np.repeat(total[begin:end] - total[begin], counts[begin:end])
        for lows, highs, firsts, cells in axes:
            near = (lows[left] <= highs[right]) & (lows[right] <= highs[left])
            # two faces may share several cells: the one that holds the lowest corner of their common box counts
            near &= np.maximum(firsts[left], firsts[right]) == cells[left]
            left, right = left[near], right[near]
        yield face[left], face[right]
        begin = end


def _cells(points: FloatArray, origin: FloatArray, size: float) -> IntArray:
    return np.floor((points - origin) / size).astype(np.int64)


def _binned(first: IntArray, last: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Face, (n, 3) cell and the cell's number of every face and cell that touch."""
    spans = last - first + 1
    per_face = np.prod(spans, axis=1)
    face = np.repeat(np.arange(len(first)), per_face)
    step = np.arange(len(face)) - np.repeat(np.cumsum(per_face) - per_face, per_face)
    span = spans[face]
    within = np.stack([step // (span[:, 1] * span[:, 2]), step // span[:, 2] % span[:, 1], step % span[:, 2]], axis=-1)
    cell = first[face] + within
    shape = last.max(axis=0) + 1
    return face, cell, (cell[:, 0] * shape[1] + cell[:, 1]) * shape[2] + cell[:, 2]


def _pierces(edges_of: FloatArray, faces: FloatArray, tolerance: float) -> tuple[BoolArray, FloatArray]:
    """(k,) bool: whether any edge of one triangle goes through the other, and (k, 3) where."""
    hit = np.zeros(len(faces), dtype=bool)
    where = np.zeros((len(faces), 3))
    side_1, side_2 = faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0]
    normal = np.cross(side_1, side_2)
    twice_area = np.linalg.norm(normal, axis=1)
    longest = np.maximum(np.linalg.norm(side_1, axis=1), np.linalg.norm(side_2, axis=1))
    margin = np.divide(tolerance * longest, twice_area, out=np.ones_like(longest), where=twice_area > 0.0)
    for i in range(3):
        start, along = edges_of[:, i], edges_of[:, (i + 1) % 3] - edges_of[:, i]
        slope = np.einsum("ij,ij->i", along, normal)
        offset = start - faces[:, 0]
        inverse = np.divide(1.0, slope, out=np.zeros_like(slope), where=np.abs(slope) > 1e-12 * twice_area)
        t = -inverse * np.einsum("ij,ij->i", offset, normal)
        reach = np.divide(np.abs(slope), twice_area, out=np.zeros_like(slope), where=twice_area > 0.0)
        turned = np.cross(offset, along)
        u = -inverse * np.einsum("ij,ij->i", side_2, turned)
        v = inverse * np.einsum("ij,ij->i", side_1, turned)
        inside = (t * reach > tolerance) & ((1.0 - t) * reach > tolerance)
        inside &= (u > margin) & (v > margin) & (u + v < 1.0 - margin)
        where[inside] = (start + t[:, None] * along)[inside]
        hit |= inside
    return hit, where
