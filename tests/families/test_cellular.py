"""Lattices and minimal surfaces: what their analytic inside-functions say, and one body in the envelope."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.errors import DesignError
from toughopt.families import family
from toughopt.families.strut_lattice import CELLS, lattice_segments
from toughopt.families.tpms_shell import CELL_AREA, wall_depths


def stratified(low, high, cells, seed=0):
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return low + (grid + rng.random(grid.shape)) / cells * (high - low)


def in_envelope(values, points):
    if values["envelope"] == "cylinder":
        return np.hypot(points[:, 0], points[:, 1]) <= values["width"] / 2
    return np.ones(len(points), dtype=bool)


def in_struts(values, points):
    """Inside a ball rolled along any strut, its radius following the height."""
    answer = np.zeros(len(points), dtype=bool)
    slope = (values["grading"] - 1.0) / (values["height"] - 2 * values["plate"])
    for a, b in zip(*lattice_segments(values), strict=True):
        share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        nearest = a + share[:, None] * (b - a)
        radius = values["radius"] * (1 + slope * (nearest[:, 2] - values["plate"]))
        answer |= ((points - nearest) ** 2).sum(axis=1) <= radius**2
    return answer


@pytest.mark.parametrize(
    ("cell", "envelope"),
    [("bcc", "cylinder"), ("fcc", "box"), ("octet", "box"), ("octet", "cylinder"), ("kelvin", "box")],
)
def test_lattice_volume_is_that_of_its_struts(cell, envelope):
    lattice = family("strut_lattice", envelope=envelope, width=12.0, height=12.0)
    design = {"cell": cell, "cells": 2, "radius": 0.6, "grading": 1.0}
    solid = lattice.solid(design)
    values = {**lattice.fixed, **design}
    low, high = np.array([-6.0, -6.0, 0.0]), np.array([6.0, 6.0, 12.0])
    points = stratified(low, high, 44)
    plates = (points[:, 2] <= 1.0) | (points[:, 2] >= 11.0)
    expected = ((in_struts(values, points) | plates) & in_envelope(values, points)).mean() * 12.0**3
    assert solid.volume_mm3 == pytest.approx(expected, rel=5e-3)
    assert len(solid.bodies()) == 1 and solid.to_trimesh().is_watertight
    np.testing.assert_allclose(solid.bounds_mm, [low, high], atol=0.06)


def test_grading_thickens_the_top():
    lattice = family("strut_lattice", plate=0.0, cell="kelvin", cells=2)
    upper, lower = lattice.solid({"radius": 0.6, "grading": 1.8}).manifold.split_by_plane((0.0, 0.0, 1.0), 10.0)
    assert upper.volume() > 1.5 * lower.volume()


def test_cells_have_their_known_struts():
    # per cell of its own: 8 in BCC, 24 halves on faces and the octahedron's 12 in octet, 36 edges of the Kelvin cell
    assert {name: len(struts) for name, struts in CELLS.items()} == {"bcc": 8, "fcc": 24, "octet": 36, "kelvin": 36}
    for struts in CELLS.values():
        assert len(np.unique(np.linalg.norm(struts[:, 1] - struts[:, 0], axis=1).round(9))) == 1


def test_every_strut_is_there_once():
    values = {"cell": "fcc", "cells": 2, "width": 20.0, "height": 22.0, "plate": 1.0}
    starts, ends = lattice_segments(values)
    keys = {tuple(sorted((tuple(a.round(6)), tuple(b.round(6))))) for a, b in zip(starts, ends, strict=True)}
    assert len(keys) == len(starts) == 8 * 24 - 12 * 4  # of 48 shared face struts (12 faces of 4) one each is left


@pytest.mark.parametrize("surface", sorted(CELL_AREA))
@pytest.mark.parametrize("grading", [1.0, 1.6])
def test_tpms_volume_is_that_of_its_field(surface, grading):
    shell = family("tpms_shell", width=10.0, height=10.0, envelope="cylinder" if grading == 1.0 else "box")
    design = {"surface": surface, "cells": 1, "thickness": 0.8, "grading": grading}
    solid = shell.solid(design)
    values = {**shell.fixed, **design}
    low, high = np.array([-5.0, -5.0, 0.0]), np.array([5.0, 5.0, 10.0])
    points = stratified(low, high, 40)
    wall = np.minimum(*wall_depths(values)(*points.T)) >= 0
    plates = (points[:, 2] <= 1.0) | (points[:, 2] >= 9.0)
    expected = ((wall | plates) & in_envelope(values, points)).mean() * 1000.0
    assert solid.volume_mm3 == pytest.approx(expected, rel=5e-3)
    assert len(solid.bodies()) == 1 and solid.to_trimesh().is_watertight
    np.testing.assert_allclose(solid.bounds_mm, [low, high], atol=0.1)


@pytest.mark.parametrize("surface", sorted(CELL_AREA))
@pytest.mark.parametrize("error", [0.05, 0.02])
def test_tpms_mesh_keeps_to_its_chord_error(surface, error):
    shell = family("tpms_shell", width=10.0, height=10.0, chord_error=error)
    design = {"surface": surface, "cells": 1, "thickness": 1.0, "grading": 1.4}
    vertices, faces = shell.solid(design).arrays()
    depths = wall_depths({**shell.fixed, **design})
    corners = vertices[faces]
    walls = np.abs(corners[..., :2]).max(axis=2).min(axis=1) < 4.999
    walls &= (corners[..., 2].min(axis=1) > 1.001) & (corners[..., 2].max(axis=1) < 8.999)
    shares = np.random.default_rng(1).dirichlet(np.ones(3), size=(int(walls.sum()), 4))
    points = np.einsum("fpc,fcx->fpx", shares, corners[walls]).reshape(-1, 3)
    off = np.abs(np.minimum(*depths(*points.T)))
    assert 0.1 * error < off.max() <= error


def test_a_wall_thinner_than_the_grid_has_no_holes():
    # 0.3 mm at the top, in cubes of half a millimetre or so
    shell = family("tpms_shell", width=10.0, height=10.0, chord_error=0.5)
    solid = shell.solid({"surface": "gyroid", "cells": 1, "thickness": 0.6, "grading": 0.5})
    fine = family("tpms_shell", width=10.0, height=10.0, chord_error=0.02)
    exact = fine.solid({"surface": "gyroid", "cells": 1, "thickness": 0.6, "grading": 0.5})
    assert solid.manifold.genus() == exact.manifold.genus()
    assert solid.volume_mm3 == pytest.approx(exact.volume_mm3, rel=5e-3)


def test_cells_that_close_are_refused():
    with pytest.raises(
        DesignError, match=r"struts up to 4 mm thick close cells of 4 mm; choose a radius up to 0\.5 mm"
    ):
        family("strut_lattice", cells=5).solid({"cell": "bcc", "radius": 1.0, "grading": 2.0})
    with pytest.raises(DesignError, match="walls up to 4 mm thick close cells of 5 mm"):
        family("tpms_shell", cells=4).solid({"surface": "gyroid", "thickness": 2.0, "grading": 2.0})
    with pytest.raises(DesignError, match="leave no room in a height of 4 mm"):
        family("strut_lattice", height=4.0, plate=2.0).solid({"cell": "bcc", "cells": 2, "radius": 0.5, "grading": 1.0})
    with pytest.raises(
        DesignError, match=r"cell = 'bbc' is no choice of strut_lattice; choose bcc, fcc, octet or kelvin"
    ):
        family("strut_lattice").solid({"cell": "bbc", "cells": 2, "radius": 0.5, "grading": 1.0})
