"""Blocks mirrored side by side, joined corner for corner where they meet: no boolean is done."""

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


def _images(values: FloatArray, low: NDArray[np.bool_], high: NDArray[np.bool_], side: float, count: int) -> FloatArray:
    """(count, v) float: one coordinate of each corner in every tile; on the planes between tiles the same number."""
    tiles = np.arange(count)[:, None]
    odd = tiles % 2 == 1
    images = np.where(odd, (tiles + 1) * side - values, tiles * side + values)
    images = np.where(low, (tiles + odd) * side, images)
    placed: FloatArray = np.where(high, (tiles + ~odd) * side, images)
    return placed
