"""Findings name a place, a number and a limit, and only where something is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from manifold3d import Manifold

from toughopt.geometry import Solid, check_solid, from_arrays, intersections
from toughopt.geometry.intersections import self_intersections
from toughopt.profiles import Bed, PrinterProfile, SliceSettings

PROFILE = PrinterProfile(name="test")
BLOCK = Manifold.cube((20.0, 20.0, 10.0))


def found(solid, profile=PROFILE):
    return {finding.code: finding for finding in check_solid(solid, profile)}


def test_a_block_has_no_findings():
    assert check_solid(Solid(BLOCK), PROFILE) == ()


def test_separate_bodies():
    finding = found(Solid(Manifold.compose([BLOCK, Manifold.cube((1, 1, 1)).translate((30, 0, 0))])))["bodies"]
    assert finding.severity == "error" and finding.value == 2 and finding.limit == 1
    assert finding.place_mm == pytest.approx((30.5, 0.5, 0.5))


def test_self_intersection_has_a_place():
    other = BLOCK.translate((5.0, 7.0, 3.0)).to_mesh64()
    mesh = BLOCK.to_mesh64()
    vertices = np.vstack([mesh.vert_properties, other.vert_properties])
    solid = from_arrays(vertices, np.vstack([mesh.tri_verts, other.tri_verts + len(mesh.vert_properties)]))
    pairs, points = self_intersections(*solid.arrays())
    finding = found(solid)["self_intersection"]
    assert finding.severity == "error" and finding.value == len(pairs) > 0
    low, high = np.array([5.0, 7.0, 3.0]), np.array([20.0, 20.0, 10.0])
    assert ((points >= low - 1e-9) & (points <= high + 1e-9)).all()
    united = Solid(BLOCK + BLOCK.translate((5.0, 7.0, 3.0)))
    assert len(self_intersections(*united.arrays())[0]) == 0


@pytest.mark.timeout(60)
def test_more_faces_than_cells_are_searched_all_the_same(monkeypatch):
    """However large the cells are made, each face is in one at least."""
    ball, other = Manifold.sphere(5.0, 24).to_mesh(), Manifold.sphere(5.0, 24).translate((6.0, 0.31, 0.23)).to_mesh()
    vertices = np.vstack([ball.vert_properties, other.vert_properties])
    faces = np.vstack([ball.tri_verts, other.tri_verts + len(ball.vert_properties)])
    expected, _ = self_intersections(vertices, faces)
    monkeypatch.setattr(intersections, "_MOST_CELLS", len(faces) // 2)
    pairs, _ = self_intersections(vertices, faces)
    assert len(pairs) > 0 and np.array_equal(pairs, expected)


def test_too_large_for_the_bed():
    finding = found(Solid(BLOCK.scale((20.0, 1.0, 1.0))))["bed"]
    assert (finding.value, finding.limit, finding.unit) == (400.0, 250.0, "mm") and "along x" in finding.message
    tall = found(Solid(BLOCK.scale((1.0, 1.0, 30.0))))["bed"]
    assert tall.value == 300.0 and "high" in tall.message
    round_bed = PrinterProfile(name="delta", bed=Bed(shape="circle", size_mm=(25.0, 25.0)))
    corner = found(Solid(BLOCK), round_bed)["bed"]
    assert corner.value == pytest.approx(20 * np.sqrt(2)) and corner.limit == 25.0


def test_a_thin_wall_is_measured():
    tube = Manifold.cylinder(10.0, 10.0, 10.0, 96) - Manifold.cylinder(10.0, 9.8, 9.8, 96)
    finding = found(Solid(tube))["wall"]
    assert finding.value == pytest.approx(0.2, abs=0.02) and finding.limit == 0.34
    assert np.hypot(*finding.place_mm[:2]) == pytest.approx(9.9, abs=0.15)
    vase = PROFILE.model_copy(update={"slicing": SliceSettings(mode="vase")})
    assert "wall" not in found(Solid(tube), vase)
    enough = Manifold.cylinder(10.0, 10.0, 10.0, 96) - Manifold.cylinder(10.0, 9.6, 9.6, 96)
    assert "wall" not in found(Solid(enough))


def test_overhang_and_bridge():
    cone = Manifold.cylinder(5.0, 3.0, 15.0, 64)
    finding = found(Solid(cone))["overhang"]
    assert finding.value == pytest.approx(np.degrees(np.arctan(12 / 5)), abs=0.5) and finding.limit == 60.0
    assert "overhang" not in found(Solid(Manifold.cylinder(12.0, 3.0, 15.0, 64)))
    table = Manifold.cube((20, 20, 2)).translate((0, 0, 10)) + Manifold.cube((8, 20, 11))
    bridge = found(Solid(table))["bridge"]
    assert bridge.value == pytest.approx(12 * 20) and bridge.place_mm[2] == pytest.approx(10.0)


def test_contact_and_stability():
    needle = found(Solid(Manifold.cube((2.0, 2.0, 40.0))))
    assert needle["contact"].value == pytest.approx(4.0) and needle["slender"].value == pytest.approx(20.0)
    leaning = BLOCK + Manifold.cube((60.0, 20.0, 10.0)).translate((10.0, 0.0, 8.0))
    finding = found(Solid(leaning))["stability"]
    assert finding.severity == "error" and finding.value > 5.0
    assert check_solid(Solid(leaning), PROFILE)[0].severity == "error"
