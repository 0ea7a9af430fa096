"""Layers given by a field: walls along a surface in a box, by marching tetrahedra over whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import MeshError
from toughopt.geometry.tetrahedra import CORNERS, capped, name_of, parts_of, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry.grid import Grid

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

    Layer = Callable[[Any, Any, Any], tuple[FloatArray, FloatArray]]

#: Nodes nearer to a face than this share of a cube's shortest side are moved onto it. Tetrahedra are 0.7 of that side
#: high, so that none turns over.
_SNAP = 0.25
_STEPS = 5  # of false position, by which corners come onto the surface
_TRIALS = 5  # of finer and finer grids
_MOST_NODES = 5_000_000  # of a column, for the memory that they take


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a grid: how deep its nodes are in the layer, and those that are moved onto one of its faces."""

    grid: Grid
    layer: Layer
    depths: tuple[FloatArray, FloatArray]  # (nx, ny, nz) from each face, mm; 0 at nodes moved onto it
    moved: IntArray  # (nx, ny, nz): onto which face, -1 where not moved
    offsets: FloatArray  # (nx, ny, nz, 3), mm
    levels: tuple[float, float] = (0.0, 0.0)  # of the depths at which the faces are taken, mm

    @property
    def state(self) -> IntArray:
        """(nx, ny, nz) int: 0 beyond the first face, 1 in the layer, 2 beyond the second face."""
        return 1 - (self.depths[0] <= 0.0).astype(np.int64) + (self.depths[1] <= 0.0)

    def depth(self, points: FloatArray, face: int) -> FloatArray:
        """(k,) float: how deep points are, mm, held within what matters to a cube."""
        limit = 2.0 * float(self.grid.step_mm.max())
        depth: FloatArray = np.clip(self.layer(*points.T)[face], -limit, limit)
        return depth


def box_layer(layer: Layer, grid: Grid, chord_error_mm: float, plate_mm: float = 0.0) -> tuple[FloatArray, IntArray]:
    """Closed surface of the part of a layer that lies in a box.

    Parameters
    ----------
    layer : from x, y, z arrays in mm, which broadcast, to the depths below the layer's two faces, mm, to first order:
        both are positive in the layer, one of them everywhere; the same in every column of the grid
    grid : the box; it is made finer where the chord error asks for it. The layer may be thinner than its cubes
    chord_error_mm : how far the middles of triangles and of their sides may be from the faces, mm
    plate_mm : thickness of full plates below and above the box, joined to what is in it; 0 for none

    Returns
    -------
    vertices : (v, 3) float, mm
    faces : (f, 3) int, counter-clockwise seen from outside

    Raises
    ------
    MeshError
        If the faces are too rough for the chord error.

    Notes
    -----
    Marching tetrahedra (Doi and Koide, IEICE Transactions E74, 214, 1991), with nodes close to a face moved onto it
    (Labelle and Shewchuk, ACM Transactions on Graphics 26, 57, 2007). Each triangle lies within its own tetrahedron and
    shares its sides with its neighbours, so that the surface closes; both faces cut edges in the same order, so that
    they do not run through each other. Corners lie at a depth so close to 0 that the volume comes out as that of the
    curved layer.
    """
    column, faces, biases = _fine_enough(layer, grid, chord_error_mm)
    grid = column.grid
    column = _shifted(column, (-biases[0], -biases[1]))
    state = column.state
    rings = [_replicated(face, grid) for face in faces]
    for axis in range(3):
        for high in (False, True):
            if axis == 2 and plate_mm > 0.0:  # the plate's face is what the layer leaves free of it
                free = np.concatenate([capped(state, beyond, grid, axis, high) for beyond in (0, 2)])
                rings.append(_replicated(_renamed(free, column)[:, ::-1], grid))
            else:
                rings.append(_replicated(_renamed(capped(state, 1, grid, axis, high), column), grid, axis, high))
    names, triangles = _gathered(rings)
    vertices = _placed(names, column)
    if plate_mm > 0.0:
        for high in (False, True):
            vertices, triangles = _with_plate(vertices, triangles, names, column, plate_mm, high)
    return vertices, triangles


def _fine_enough(layer: Layer, grid: Grid, error: float) -> tuple[_Column, list[IntArray], tuple[float, float]]:
    """A column so fine that its triangles keep to the error; those of each face, and how deep they lie on average."""
    for _ in range(_TRIALS):
        if np.prod(np.array(grid.cubes) + 1) > _MOST_NODES:
            break
        column = _sampled(layer, grid)
        faces = [_renamed(within(column.depths[face] > 0.0, grid, face), column) for face in (0, 1)]
        biases, off = zip(*(_deviation(faces[face], column, face) for face in (0, 1)), strict=True)
        if max(off) <= error:
            return column, faces, (biases[0], biases[1])
        grid = grid.refined(min(max(sqrt(max(off) / error), 1.03), 2.0))
    raise MeshError(
        f"a surface cannot be kept to a chord error of {error:g} mm in cubes of {grid.step_mm.max():.2g} mm, where "
        f"there are {np.prod(np.array(grid.cubes)):,} of them; choose a larger chord error"
    )


def _sampled(layer: Layer, grid: Grid) -> _Column:
    """One column, its nodes close to a face moved onto it, where they can be without leaving the column's sides.

    Opposite sides, which are the same in a column's neighbour, get the same values.
    """
    repeated = [int(count > 1) for count in (*grid.tiles, 1)]
    shape = [count + 1 - again for count, again in zip(grid.cubes, repeated, strict=True)]
    x, y, z = (low + step * np.arange(n) for low, step, n in zip(grid.low_mm, grid.step_mm, shape, strict=True))
    first, second = (np.array(depth) for depth in layer(x[:, None, None], y[None, :, None], z[None, None, :]))
    reach = _SNAP * float(grid.step_mm.min())
    index = np.stack(np.nonzero(np.minimum(np.abs(first), np.abs(second)) < reach), axis=-1)
    index = index[_free(index, grid).sum(axis=1) >= 2]
    face = (np.abs(second[tuple(index.T)]) < np.abs(first[tuple(index.T)])).astype(np.int64)
    bare = _Column(grid, layer, (first, second), np.full(shape, -1), np.zeros((*shape, 3)))
    start = grid.place(index)
    offset = _onto(start, index, face, bare) - start
    sound = np.linalg.norm(offset, axis=1) <= 1.2 * reach
    sound &= np.abs(_depth_of(start + offset, face, bare)) < 0.1 * reach
    at = tuple(index[sound].T)
    bare.moved[at], bare.offsets[at] = face[sound], offset[sound]
    first[bare.moved == 0], second[bare.moved == 1] = 0.0, 0.0
    wrap = [(0, again) for again in repeated]
    depths = np.pad(first, wrap, mode="wrap"), np.pad(second, wrap, mode="wrap")
    moved, offsets = np.pad(bare.moved, wrap, mode="wrap"), np.pad(bare.offsets, [*wrap, (0, 0)], mode="wrap")
    return _Column(grid, layer, depths, moved, offsets)


def _shifted(column: _Column, levels: tuple[float, float]) -> _Column:
    """The same column with its moved nodes at those depths below their faces."""
    index = np.stack(np.nonzero(column.moved >= 0), axis=-1)
    at = tuple(index.T)
    shifted = replace(column, levels=levels, offsets=column.offsets.copy())
    start = column.grid.place(index)
    shifted.offsets[at] = _onto(start + column.offsets[at], index, column.moved[at], shifted) - start
    return shifted


def _free(index: IntArray, grid: Grid) -> BoolArray:
    """(k, 3) bool: along which axes nodes may move: those on a side of a column stay on it."""
    free: BoolArray = (index > 0) & (index < np.array(grid.cubes))
    return free


def _onto(points: FloatArray, index: IntArray, face: IntArray, column: _Column) -> FloatArray:
    """(k, 3) float: points near nodes moved along the slope of the depth to their faces, by Newton's rule."""
    free = _free(index, column.grid)
    apart = 1e-3 * _SNAP * float(column.grid.step_mm.min())
    level = np.array(column.levels)[face]
    for _ in range(2):
        slope = np.zeros_like(points)
        for axis, aside in enumerate(apart * np.eye(3)):
            slope[:, axis] = _depth_of(points + aside, face, column) - _depth_of(points - aside, face, column)
        slope *= free / (2.0 * apart)
        steepness = np.maximum((slope**2).sum(axis=1), 1e-2)
        points = points - ((_depth_of(points, face, column) - level) / steepness)[:, None] * slope
    return points


def _depth_of(points: FloatArray, face: IntArray, column: _Column) -> FloatArray:
    """(k,) float: how deep each point is below its own face, mm."""
    first, second = column.layer(*points.T)
    depth: FloatArray = np.where(face == 0, first, second)
    return depth


def _renamed(names: IntArray, column: _Column) -> IntArray:
    """Triangles with cuts of edges that end at a moved node taken there; those that shrink to nothing are left out."""
    node, direction, face = parts_of(names)
    low = column.grid.index(node)
    high = low + CORNERS[direction]
    cut = direction > 0
    at_low = cut & (column.moved[tuple(np.moveaxis(low, -1, 0))] == face)
    at_high = cut & (column.moved[tuple(np.moveaxis(high, -1, 0))] == face)
    named: IntArray = np.where(at_low, name_of(node), np.where(at_high, name_of(column.grid.number(high)), names))
    a, b, c = named.T
    kept: IntArray = named[(a != b) & (b != c) & (c != a)]
    return kept


def _deviation(names: IntArray, column: _Column, face: int) -> tuple[float, float]:
    """How deep triangles with corners on a face are below it on average, and at most off that, mm."""
    if not len(names):
        return 0.0, 0.0
    unique, triangles = _numbered(names)
    a, b, c = np.moveaxis(_placed(unique, column)[triangles], 1, 0)
    weight = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    middles = np.stack([column.depth(0.5 * (p + q), face) for p, q in ((a, b), (b, c), (c, a))])
    bias = float((weight * middles).sum() / (3.0 * weight.sum()))
    centres = column.depth((a + b + c) / 3.0, face)
    return bias, float(max(np.abs(middles - bias).max(), np.abs(centres - bias).max()))


def _numbered(names: IntArray) -> tuple[IntArray, IntArray]:
    unique, faces = np.unique(names, return_inverse=True)
    return unique, faces.reshape(-1, 3)


def _replicated(names: IntArray, grid: Grid, axis: int = 2, high: bool = False) -> tuple[list[IntArray], IntArray]:
    """Names of the corners in all columns, or in those at one side of the box only; and one column's triangles."""
    every = [range(count) for count in grid.tiles]
    if axis < 2:
        every[axis] = range(grid.tiles[axis] - 1, grid.tiles[axis]) if high else range(1)
    corners = np.array([(i * grid.cubes[0], j * grid.cubes[1], 0) for i in every[0] for j in every[1]])
    unique, triangles = _numbered(names)
    return [unique + name_of(corner) for corner in grid.number(corners)], triangles


def _gathered(rings: list[tuple[list[IntArray], IntArray]]) -> tuple[IntArray, IntArray]:
    """All names, sorted, and the triangles of all columns between them; only names are sorted, to save memory."""
    names, numbers = np.unique(np.concatenate([part for parts, _ in rings for part in parts]), return_inverse=True)
    begin, triangles = 0, []
    for parts, local in rings:
        for part in parts:
            triangles.append(numbers[begin : begin + len(part)].astype(np.uint32)[local])
            begin += len(part)
    return names, np.concatenate(triangles)


def _placed(names: IntArray, column: _Column) -> FloatArray:
    """(v, 3) float: where named corners are: nodes in their places, cuts of edges on the faces."""
    grid = column.grid
    node, direction, face = parts_of(names)
    index, way = grid.index(node), CORNERS[direction]
    own = grid.folded(index, way)
    at: FloatArray = grid.place(index) + column.offsets[tuple(own.T)]
    cut = direction > 0
    unique, copies = np.unique(name_of(grid.number(own[cut]), direction[cut], face[cut]), return_inverse=True)
    node, direction, face = parts_of(unique)
    at[cut] += _along(grid.index(node), CORNERS[direction], face, column)[copies]
    return at


def _along(first: IntArray, direction: IntArray, face: IntArray, column: _Column) -> FloatArray:
    """(e, 3) float: how far along edges the faces are, mm, by false position (the Illinois rule)."""
    limit = 2.0 * float(column.grid.step_mm.max())
    ends = first, first + direction
    start, stop = (column.grid.place(end) + column.offsets[tuple(end.T)] for end in ends)
    way, level = stop - start, np.array(column.levels)[face]

    def depth(end: IntArray) -> FloatArray:
        at = tuple(end.T)
        deep: FloatArray = np.where(face == 0, column.depths[0][at], column.depths[1][at])
        below: FloatArray = np.clip(deep, -limit, limit) - level
        return below

    f_low, f_high = depth(ends[0]), depth(ends[1])
    low, high = np.zeros(len(first)), np.ones(len(first))
    side = np.zeros(len(first), dtype=np.int8)
    share = np.clip(f_low / (f_low - f_high), 0.0, 1.0)
    for _ in range(_STEPS):
        value = np.clip(_depth_of(start + share[:, None] * way, face, column), -limit, limit) - level
        upper = (value > 0.0) == (f_high > 0.0)
        f_low = np.where(upper & (side == 1), 0.5 * f_low, f_low)
        f_high = np.where(~upper & (side == -1), 0.5 * f_high, f_high)
        high, f_high = np.where(upper, share, high), np.where(upper, value, f_high)
        low, f_low = np.where(upper, low, share), np.where(upper, f_low, value)
        side = np.where(upper, 1, -1).astype(np.int8)
        gap = f_low - f_high
        ahead = low + (high - low) * f_low / np.where(gap != 0.0, gap, 1.0)
        share = np.where(gap != 0.0, np.clip(ahead, low, high), share)
    return np.asarray(share[:, None] * way)


def _with_plate(
    vertices: FloatArray, faces: IntArray, names: IntArray, column: _Column, plate: float, high: bool
) -> tuple[FloatArray, IntArray]:
    """The same surface with the four sides and the far face of a plate below or above the box."""
    grid = column.grid
    level = grid.cubes[2] if high else 0
    nx, ny, _ = grid.nodes
    outline = np.array([(0, 0, level), (nx - 1, 0, level), (nx - 1, ny - 1, level), (0, ny - 1, level)])
    corner = len(vertices) + np.arange(4)
    far = grid.place(outline)
    far[:, 2] += plate if high else -plate
    added = [corner[[[0, 2, 1], [0, 3, 2]]]]
    for k in range(4):
        after = (k + 1) % 4
        rim = np.searchsorted(names, _rim(outline[k], outline[after], column))
        fan = np.column_stack([np.full(len(rim) - 1, corner[k]), rim[1:], rim[:-1]])
        added += [fan, np.array([[corner[k], corner[after], rim[-1]]])]
    shell = np.concatenate(added).astype(faces.dtype)
    return np.concatenate([vertices, far]), np.concatenate([faces, shell[:, ::-1] if high else shell])


def _rim(start: IntArray, end: IntArray, column: _Column) -> IntArray:
    """Names of all corners on one side of the box's lowest or highest level, on the way from start to end."""
    grid, way = column.grid, end - start
    step = np.sign(way)
    nodes = start + step * np.arange(int(np.abs(way).max()) + 1)[:, None]
    state = column.state[tuple(grid.folded(nodes).T)]  # no node here is moved: each is on two sides of a column
    begin, after = state[:-1, None], state[1:, None]
    face = np.where(begin < after, [0, 1], [1, 0])  # in the order in which they are passed
    passed = (np.minimum(begin, after) <= face) & (face < np.maximum(begin, after))
    lower = grid.number(nodes[:-1] if int(step.sum()) > 0 else nodes[1:])
    cuts = name_of(lower[:, None], int(np.abs(step) @ (1, 2, 4)), face)
    return np.insert(name_of(grid.number(nodes)), np.nonzero(passed)[0] + 1, cuts[passed])
