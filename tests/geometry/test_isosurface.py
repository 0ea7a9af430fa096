"""Layers from fields close, keep their place, and join side by side."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.errors import MeshError
from toughopt.geometry import Grid, Solid, box_layer, manifold_from
from toughopt.geometry.intersections import self_intersections
from toughopt.geometry.tetrahedra import CORNERS, TETRAHEDRA


def sphere_wall(radius, half):
    def layer(x, y, z):
        distance = np.sqrt(x * x + y * y + z * z) - radius
        return half + distance, half - distance

    return layer


def flat_wall(height, half):
    def layer(x, y, z):
        distance = z - height + 0.0 * (x + y)
        return half + distance, half - distance

    return layer


def every_edge_twice(faces):
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, back = {tuple(edge) for edge in edges.tolist()}, {tuple(edge[::-1]) for edge in edges.tolist()}
    return len(there) == len(edges) and there == back


def test_tetrahedra_fill_the_cube():
    volumes = [np.linalg.det((CORNERS[t[1:]] - CORNERS[t[0]]).astype(float)) / 6 for t in TETRAHEDRA]
    assert np.abs(volumes).sum() == pytest.approx(1.0)
    assert len({tuple(t) for t in TETRAHEDRA.tolist()}) == 6


@pytest.mark.parametrize("half", [0.05, 0.4])
def test_a_hollow_ball_in_a_box(half):
    grid = Grid((-3.0, -3.0, -3.0), (6.0, 6.0, 6.0), (11, 12, 13))
    vertices, faces = box_layer(sphere_wall(2.0, half), grid, 0.02)
    assert every_edge_twice(faces)
    solid = Solid(manifold_from(vertices, faces))
    inner, outer = 2.0 - half, 2.0 + half
    assert solid.volume_mm3 == pytest.approx(4.0 / 3.0 * np.pi * (outer**3 - inner**3), rel=2e-3)
    distance = np.linalg.norm(vertices, axis=1)
    assert np.minimum(np.abs(distance - inner), np.abs(distance - outer)).max() < 0.02
    assert len(self_intersections(vertices, faces)[0]) == 0


def test_a_cut_ball_is_closed_by_the_sides_of_the_box():
    grid = Grid((0.0, 0.0, 0.0), (3.0, 3.0, 3.0), (8, 8, 8))
    vertices, faces = box_layer(sphere_wall(2.0, 0.3), grid, 0.02)
    assert every_edge_twice(faces)
    solid = Solid(manifold_from(vertices, faces))
    assert solid.volume_mm3 == pytest.approx(np.pi / 6.0 * (2.3**3 - 1.7**3), rel=3e-3)
    assert solid.manifold.genus() == 0
    np.testing.assert_allclose(solid.bounds_mm, [[0, 0, 0], [2.3, 2.3, 2.3]], atol=0.02)


def test_plates_join_what_is_between_them():
    def posts(x, y, z):
        distance = np.sqrt((x % 4.0 - 2.0) ** 2 + (y % 4.0 - 2.0) ** 2) + 0.0 * z
        return 1.0 - distance, 5.0 + distance

    grid = Grid((0.0, 0.0, 1.0), (4.0, 4.0, 2.0), (12, 12, 3), (3, 2))
    vertices, faces = box_layer(posts, grid, 0.02, plate_mm=0.5)
    assert every_edge_twice(faces)
    solid = Solid(manifold_from(vertices, faces))
    assert solid.volume_mm3 == pytest.approx(2 * 0.5 * 12 * 8 + 6 * np.pi * 2.0, rel=3e-3)
    assert len(solid.bodies()) == 1 and solid.manifold.genus() == 5
    np.testing.assert_allclose(solid.bounds_mm, [[0, 0, 0.5], [12, 8, 3.5]], atol=1e-12)
    assert len(self_intersections(vertices, faces)[0]) == 0


def test_a_layer_along_a_level_of_nodes_closes():
    grid = Grid((0.0, 0.0, 0.0), (2.0, 2.0, 2.0), (4, 4, 4))
    vertices, faces = box_layer(flat_wall(1.0, 0.5), grid, 0.01)  # both faces lie exactly on nodes
    assert every_edge_twice(faces)
    assert Solid(manifold_from(vertices, faces)).volume_mm3 == pytest.approx(4.0)


def test_a_rough_surface_is_refused():
    def noise(x, y, z):
        rough = np.abs(np.sin(997.0 * x) * np.sin(991.0 * y) * np.sin(983.0 * z)) - 0.3
        return rough, 5.0 - rough

    with pytest.raises(
        MeshError, match=r"cannot be kept to a chord error of 0\.01 mm in cubes of .* choose a larger chord error"
    ):
        box_layer(noise, Grid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (3, 3, 3)), 0.01)
