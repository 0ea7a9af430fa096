"""How a cube falls into six tetrahedra, and where a layer's two faces cut them: the tables of marching tetrahedra.

Cubes are cut along the diagonals from their lowest to their highest corner, all in the same way (Kuhn's subdivision),
so that the pieces of neighbours meet face to face. Every edge of a piece then goes from a node to one that is not lower
along any axis, so it is named by its lower node and one of seven directions; an eighth name is for the node itself.
Where the layer cuts an edge, the name also says with which face.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry.grid import Grid

    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

#: The eight corners of a cube, as steps along x, y, z; the same numbers name directions, of which 0 is the node itself.
CORNERS: IntArray = np.array([(c & 1, c >> 1 & 1, c >> 2 & 1) for c in range(8)])
DIRECTIONS = 8
FACES = 2

#: (6, 4) int: corners of each tetrahedron, on the way from the lowest to the highest one.
TETRAHEDRA: IntArray = np.array([np.cumsum([0, *(1 << axis for axis in axes)]) for axes in permutations(range(3))])


def name_of(node: IntArray, direction: IntArray | int = 0, face: IntArray | int = 0) -> IntArray:
    """The number by which the cut of an edge, or a node (direction 0, face 0), is known."""
    return (node * DIRECTIONS + direction) * FACES + face


def parts_of(names: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Node, direction and face of names."""
    return names // (DIRECTIONS * FACES), names // FACES % DIRECTIONS, names % FACES


def within(inside: BoolArray, grid: Grid, face: int) -> IntArray:
    """(k, 3) int: names of the corners of one face's triangles in one column, whose nodes `inside` of it are told."""
    corners = [inside[tuple(slice(c, c + n) for c, n in zip(corner, grid.cubes, strict=True))] for corner in CORNERS]
    count = np.sum(corners, axis=0, dtype=np.int8)
    cubes = np.nonzero((count > 0) & (count < 8))
    base = np.stack(cubes, axis=-1)
    signs = np.stack([corner[cubes] for corner in corners]).astype(np.int64)
    found = []
    for tetrahedron, table in zip(TETRAHEDRA, _CUTS, strict=True):
        code = (signs[tetrahedron] << np.arange(4)[:, None]).sum(axis=0)
        order = np.argsort(code, kind="stable")
        start = np.searchsorted(code[order], np.arange(16))
        for case, triangles in table.items():
            found.append(_named(base[order[start[case] : start[case + 1]]], triangles, grid, face))
    return np.concatenate(found)


def capped(state: IntArray, kept: int, grid: Grid, axis: int, high: bool) -> IntArray:
    """(k, 3) int: names of the corners of the triangles that fill one side of a column where its nodes have a state.

    state : (nx, ny, nz) int, 0 beyond the layer's first face, 1 in the layer, 2 beyond its second face
    kept : the state
    """
    shape = list(grid.cubes)
    shape[axis] = 1
    base = np.indices(shape).reshape(3, -1).T
    base[:, axis] = grid.cubes[axis] - 1 if high else 0
    found = []
    for triangle in _sides(axis, high):
        states = np.stack([state[tuple((base + CORNERS[c]).T)] for c in triangle])
        code = states[0] + 3 * states[1] + 9 * states[2]
        for case in np.unique(code).tolist():
            triangles = _clip(triangle, (case % 3, case // 3 % 3, case // 9), kept)
            if len(triangles):
                found.append(_named(base[code == case], triangles[..., :2], grid, triangles[..., 2]))
    return np.concatenate(found) if found else np.empty((0, 3), dtype=np.int64)


def _named(base: IntArray, triangles: IntArray, grid: Grid, face: IntArray | int) -> IntArray:
    """(m k, 3) int: names of the corners of `triangles`, given as edges of a cube, in each of m cubes."""
    low, high = triangles[..., 0], triangles[..., 1]
    node = grid.number(base)[:, None, None] + grid.number(CORNERS[low])[None]
    return name_of(node, (high - low)[None], face).reshape(-1, 3)


def _cuts(tetrahedron: IntArray) -> dict[int, IntArray]:
    """Triangles that part the inside corners from the others: code -> (k, 3, 2) int, k triangles.

    The code has bit i set where corner i of the tetrahedron is inside. Each corner of a triangle is an edge of the
    cube, as its two corners, the lower one first; triangles are counter-clockwise seen from outside.
    """
    table = {}
    for code in range(1, 15):
        inside = [int(tetrahedron[i]) for i in range(4) if code >> i & 1]
        outside = [int(tetrahedron[i]) for i in range(4) if not code >> i & 1]
        ring = [(a, b) for a in inside for b in outside]
        if len(ring) == 4:  # around the quadrilateral
            ring = [ring[0], ring[1], ring[3], ring[2]]
        middle = np.array([CORNERS[list(pair)].mean(axis=0) for pair in ring])
        normal = np.cross(middle[1] - middle[0], middle[2] - middle[0])
        if normal @ (CORNERS[outside].mean(axis=0) - CORNERS[inside].mean(axis=0)) < 0.0:
            ring.reverse()
        edges = [sorted(pair) for pair in ring]
        fans = [(edges[0], edges[i], edges[i + 1]) for i in range(1, len(edges) - 1)]
        table[code] = np.array(fans)
    return table


def _clip(triangle: tuple[int, int, int], states: tuple[int, int, int], kept: int) -> IntArray:
    """(k, 3, 3) int: the part of a triangle with that state, its corners as (lower, higher corner of the cube, face).

    On the way from a corner to the next, the faces between their states are passed one after the other; nodes are pairs
    of equals.
    """
    ring = []
    for i in range(3):
        here, after = triangle[i], triangle[(i + 1) % 3]
        begin, end = states[i], states[(i + 1) % 3]
        if begin == kept:
            ring.append((here, here, 0))
        passed = range(begin, end) if begin < end else range(begin - 1, end - 1, -1)
        ring += [(min(here, after), max(here, after), face) for face in passed if kept in (face, face + 1)]
    return np.array([(ring[0], ring[i], ring[i + 1]) for i in range(1, len(ring) - 1)], dtype=np.int64)


def _sides(axis: int, high: bool) -> list[tuple[int, int, int]]:
    """The two triangles into which one side of a cube falls, counter-clockwise seen from outside."""
    level = (1 << axis) if high else 0
    u, v = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3  # u, v and the axis are right-handed
    pair = [(level, level + u, level + u + v), (level, level + u + v, level + v)]
    return pair if high else [(a, c, b) for a, b, c in pair]


_CUTS = tuple(_cuts(tetrahedron) for tetrahedron in TETRAHEDRA)
