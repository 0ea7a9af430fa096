"""Blocks mirrored side by side or around an axis, joined corner for corner where they meet: no boolean is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toughopt.errors import MeshError
from toughopt.geometry.solid import distinct_rows, manifold_from

if TYPE_CHECKING:
    from manifold3d import Manifold
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_ON_PLANE_MM = 1e-7
_SHORT_MM = 1e-6  # what single precision cannot tell apart at the size of a specimen


def mirrored_tiles(block: Manifold, side_mm: float, count: int) -> Manifold:
    """`count` by `count` copies of a block side by side, each the mirror image of its neighbours.

    Parameters
    ----------
    block : fills the square of `side_mm` from x = y = 0 on, and is cut off at that square's sides
    side_mm : length of the square's sides, mm
    count : copies along x and along y, an even number: the outer sides are then all images of x = 0 and y = 0

    Raises
    ------
    MeshError
        If the copies do not join to a closed surface.
    """
    if count % 2:
        raise MeshError(f"{count} tiles side by side were asked for; mirrored tiles come in pairs")
    mesh = block.simplify(1e-5).to_mesh64()
    points = np.array(mesh.vert_properties, dtype=np.float64)[:, :3]
    faces = np.array(mesh.tri_verts, dtype=np.int64)
    low = np.abs(points[:, :2]) < _ON_PLANE_MM
    high = np.abs(points[:, :2] - side_mm) < _ON_PLANE_MM
    on_low, on_high = np.all(low[faces], axis=1), np.all(high[faces], axis=1)
    inner = ~np.any(on_high, axis=1)  # sides at which two tiles meet have no faces
    corners: list[FloatArray] = []
    sides: list[IntArray] = []
    columns = [_images(points[:, axis], low[:, axis], high[:, axis], side_mm, count) for axis in (0, 1)]
    for i, x in enumerate(columns[0]):
        for j, y in enumerate(columns[1]):
            kept = inner & (~on_low[:, 0] | (i in (0, count - 1))) & (~on_low[:, 1] | (j in (0, count - 1)))
            sides.append((faces[kept] if (i + j) % 2 == 0 else faces[kept][:, ::-1]) + len(corners) * len(points))
            corners.append(np.column_stack([x, y, points[:, 2]]))
    first, index = distinct_rows(np.concatenate(corners))
    joined = index[np.concatenate(sides)]
    whole = manifold_from(np.concatenate(corners)[first], joined)
    if whole.status().name != "NoError":
        raise MeshError(
            f"mirrored tiles of {side_mm:g} mm do not join ({whole.status().name}); change the cell a little"
        )
    return whole


def mirrored_fan(wedge: Manifold, count: int) -> Manifold:
    """`count` copies of a wedge around the z axis, each the mirror image of its neighbours.

    Parameters
    ----------
    wedge : fills the space between the vertical planes at -180 / `count` and 180 / `count` degrees from the x axis,
        and is cut off at them
    count : copies all around, an even number, 4 at least

    Raises
    ------
    MeshError
        If the copies do not join to a closed surface.
    """
    if count < 4 or count % 2:
        raise MeshError(f"{count} wedges around an axis were asked for; mirrored wedges come in pairs, 4 at least")
    mesh = wedge.simplify(1e-5).to_mesh64()
    points = np.array(mesh.vert_properties, dtype=np.float64)[:, :3]
    faces = np.array(mesh.tri_verts, dtype=np.int64)
    half = np.pi / count
    low, high = (np.abs(points[:, :2] @ (np.sin(half), sign * np.cos(half))) < _ON_PLANE_MM for sign in (1.0, -1.0))
    faces = _without_short_edges(points, faces, (low, high))
    outer = faces[~(low[faces].all(axis=1) | high[faces].all(axis=1))]  # sides at which two wedges meet have no faces
    tile, corner = np.arange(count)[:, None], np.arange(len(points))[None]
    odd = tile % 2 == 1
    # corners on a plane between two wedges are those of the one before it, corners on the axis those of the first
    owner = np.where((odd & high) | (~odd & low & (tile > 0)), tile - 1, tile)
    owner = np.where((tile == count - 1) & low, 0, owner)
    names = np.where(low & high, 0, owner) * len(points) + corner
    every = [names[k][outer if k % 2 == 0 else outer[:, ::-1]] for k in range(count)]
    unique, joined = np.unique(np.concatenate(every), return_inverse=True)
    own = points[unique % len(points)]
    number = unique // len(points)
    y = np.where(number % 2 == 1, -own[:, 1], own[:, 1])
    cosine, sine = np.cos(2.0 * half * number), np.sin(2.0 * half * number)
    placed = np.column_stack([cosine * own[:, 0] - sine * y, sine * own[:, 0] + cosine * y, own[:, 2]])
    whole = manifold_from(placed, joined.reshape(-1, 3))
    if whole.status().name != "NoError":
        raise MeshError(f"{count} mirrored wedges do not join ({whole.status().name}); change the shape a little")
    return whole


def _without_short_edges(points: FloatArray, faces: IntArray, planes: tuple[NDArray[np.bool_], ...]) -> IntArray:
    """The same faces with corners made one that all but fall together on a plane, where no edge collapses by itself."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[np.any([plane[edges].all(axis=1) for plane in planes], axis=0)]
    short = edges[np.abs(points[edges[:, 0]] - points[edges[:, 1]]).max(axis=1) < _SHORT_MM]
    same = np.arange(len(points))
    for kept, dropped in short:
        same[same == same[dropped]] = same[kept]
    a, b, c = joined = same[faces.T]
    whole: IntArray = joined.T[(a != b) & (b != c) & (c != a)]
    return whole


def _images(values: FloatArray, low: NDArray[np.bool_], high: NDArray[np.bool_], side: float, count: int) -> FloatArray:
    """(count, v) float: one coordinate of each corner in every tile; on the planes between tiles the same number."""
    tiles = np.arange(count)[:, None]
    odd = tiles % 2 == 1
    images = np.where(odd, (tiles + 1) * side - values, tiles * side + values)
    images = np.where(low, (tiles + odd) * side, images)
    placed: FloatArray = np.where(high, (tiles + ~odd) * side, images)
    return placed
