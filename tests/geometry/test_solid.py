"""A solid is closed by construction, and says so when it cannot be."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from manifold3d import Manifold

from toughopt.errors import MeshError
from toughopt.geometry import Solid, combine, from_arrays, gathered

CUBE = Manifold.cube((2.0, 3.0, 4.0))


def test_measures_of_a_box():
    solid = Solid(CUBE, {"family": "box"})
    assert solid.volume_mm3 == pytest.approx(24.0)
    assert solid.area_mm2 == pytest.approx(52.0)
    np.testing.assert_allclose(solid.bounds_mm, [[0, 0, 0], [2, 3, 4]])
    assert solid.cross_section(1.0).area() == pytest.approx(6.0)
    assert solid.cross_section(9.0).is_empty()
    assert solid.triangle_count == 12


def test_moving_keeps_what_is_known_of_it():
    solid = Solid(CUBE, {"family": "box"}).translated(10.0, 0.0, -5.0).rotated(z_deg=90.0).on_bed()
    np.testing.assert_allclose(solid.bounds_mm, [[-1.5, -1.0, 0], [1.5, 1.0, 4]], atol=1e-12)
    assert solid.with_metadata(design="{}").metadata == {"family": "box", "design": "{}"}


def test_it_cannot_be_changed():
    solid = Solid(CUBE, {"a": "b"})
    with pytest.raises(FrozenInstanceError):
        solid.metadata = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        solid.metadata["a"] = "c"  # type: ignore[index]


def test_pickling_and_trimesh_keep_every_corner():
    solid = Solid(CUBE, {"family": "box"}, ("a word",))
    again = pickle.loads(pickle.dumps(solid))
    assert (
        again.volume_mm3 == pytest.approx(24.0) and again.metadata == solid.metadata and again.warnings == ("a word",)
    )
    mesh = solid.to_trimesh()
    assert len(mesh.faces) == 12 and mesh.is_watertight and mesh.volume == pytest.approx(24.0)


def test_an_empty_or_open_surface_is_no_solid():
    with pytest.raises(MeshError, match="empty"):
        Solid(combine([CUBE, CUBE.translate((9.0, 0.0, 0.0))], "intersect"))
    vertices, faces = Solid(CUBE).arrays()
    with pytest.raises(MeshError, match="faces do not close"):
        from_arrays(vertices, faces[:-1])
    with pytest.raises(MeshError, match="vertex 3 of the mesh is NaN"):
        from_arrays(np.where(np.arange(8)[:, None] == 3, np.nan, vertices), faces)


def test_bodies_keep_their_cavities():
    hollow = combine([CUBE, Manifold.cube((1.0, 1.0, 1.0)).translate((0.5, 0.5, 0.5))], "subtract")
    both = gathered([hollow, Manifold.cube((0.2, 0.2, 0.2)).translate((5.0, 5.0, 5.0))])
    assert both.volume() == pytest.approx(23.008)
    large, small = Solid(both).bodies()
    assert large.volume_mm3 == pytest.approx(23.0) and small.volume_mm3 == pytest.approx(0.008)
    assert len(Solid(hollow).bodies()) == 1
