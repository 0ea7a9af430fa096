"""The crossed barrel is what its parameters say, whatever the mesh."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import DesignError
from toughopt.families import SMALL_SPECIMEN, family
from toughopt.geometry import Solid, combine
from toughopt.geometry.intersections import self_intersections

BARREL = family("crossed_barrel")
DESIGN = {"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0}

any_design = st.fixed_dictionaries(
    {
        "n": st.sampled_from([6, 8, 10, 12]),
        "theta": st.floats(0.0, 200.0),
        "r": st.floats(1.5, 2.5),
        "t": st.floats(0.7, 1.4),
    }
)
some = settings(deadline=None, derandomize=True, max_examples=5)


def material(design: dict[str, float], points: np.ndarray, walls: bool = False) -> np.ndarray:
    """(m,) bool: which points of the default barrel are material, from its definition alone."""
    x, y, z = points.T
    radius = np.hypot(x, y)
    struts, bores, rings = (np.zeros(len(points), dtype=bool) for _ in range(3))
    for i in range(int(design["n"])):
        angle = 2 * np.pi * i / design["n"] + (-1) ** i * np.radians(design["theta"]) * z / 20.0
        distance = np.hypot(x - 10 * np.cos(angle), y - 10 * np.sin(angle))
        struts |= distance <= design["r"]
        bores |= distance < design["r"] - design["t"]
        rings |= (distance <= design["r"]) & (distance >= design["r"] - design["t"])
    plates = (radius <= 13.0) & ((z <= 1.0) | (z >= 19.0))
    return ((struts | plates) & ~bores) | (rings if walls else False)


def sampled_volume(inside, seed: int = 0, cells: int = 60) -> float:
    """Stratified: one random point in each of `cells`^3 equal cells of the bounding box."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    low, high = np.array([-13.0, -13.0, 0.0]), np.array([13.0, 13.0, 20.0])
    points = low + (grid + rng.random(grid.shape)) / cells * (high - low)
    return float(inside(points).mean() * np.prod(high - low))


def difference(first: Solid, second: Solid) -> float:
    """Volume that only one of the two has."""
    both = combine([first.manifold, second.manifold], "intersect").volume()
    return first.volume_mm3 + second.volume_mm3 - 2 * both


@some
@given(any_design)
def test_volume_is_that_of_the_definition(design):
    expected = sampled_volume(lambda points: material(design, points))
    assert BARREL.solid(design).volume_mm3 == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("theta", [20.0, 45.0, 170.0])
def test_walls_stay_inside_the_bores_they_cross(theta):
    design = DESIGN | {"theta": theta}
    solid = family("crossed_barrel", bores="walls").solid(design)
    assert solid.volume_mm3 == pytest.approx(sampled_volume(lambda p: material(design, p, walls=True)), rel=5e-3)
    assert len(solid.bodies()) == 1


@some
@given(any_design)
def test_every_design_is_one_closed_body_in_its_box(design):
    solid = BARREL.solid(design)
    mesh = solid.to_trimesh()
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert len(solid.bodies()) == 1
    np.testing.assert_allclose(solid.bounds_mm, [[-13, -13, 0], [13, 13, 20]], atol=0.02)


@some
@given(any_design)
def test_mesh_stays_within_the_chord_error(design):
    solid = family("crossed_barrel", chord_error=0.05).solid(design)
    vertices, faces = solid.arrays()
    corners = vertices[faces]
    points = np.concatenate(
        [vertices, corners.mean(axis=1), *(0.5 * (corners[:, i] + corners[:, i - 1]) for i in range(3))]
    )
    points = points[(points[:, 2] > 1.01) & (points[:, 2] < 18.99)]
    nearest = np.full(len(points), np.inf)
    for i in range(design["n"]):
        angle = 2 * np.pi * i / design["n"] + (-1) ** i * np.radians(design["theta"]) * points[:, 2] / 20.0
        distance = np.hypot(points[:, 0] - 10 * np.cos(angle), points[:, 1] - 10 * np.sin(angle))
        for radius in (design["r"], design["r"] - design["t"]):
            nearest = np.minimum(nearest, np.abs(distance - radius))
    assert nearest.max() <= 0.05


@some
@given(any_design, st.floats(1.0, 1.3))
def test_thicker_walls_never_weigh_less(design, factor):
    thicker = design | {"t": min(design["t"] * factor, 1.4)}
    assert BARREL.solid(thicker).volume_mm3 >= BARREL.solid(design).volume_mm3 - 1e-6


@some
@given(any_design)
def test_a_turn_by_two_struts_and_a_mirror_map_it_onto_itself(design):
    solid = BARREL.solid(design)
    slack = 1e-5 * solid.volume_mm3
    assert difference(solid, solid.rotated(z_deg=720.0 / design["n"])) < slack
    mirrored = solid.mirrored((0.0, 1.0, 0.0))
    assert difference(mirrored, solid.rotated(z_deg=360.0 / design["n"])) < slack


@given(st.sampled_from([6, 8, 10, 12]), st.floats(1.5, 2.5), st.floats(0.7, 1.4))
@some
def test_untwisted_struts_are_straight_prisms(n, r, t):
    solid = BARREL.solid({"n": n, "theta": 0.0, "r": r, "t": t})
    ring = n * np.pi * (r**2 - (r - t) ** 2)
    for z in (1.5, 10.0, 18.5):
        assert solid.cross_section(z).area() == pytest.approx(ring, rel=1e-4)
    assert solid.volume_mm3 == pytest.approx(18 * ring + 2 * np.pi * (13**2 - n * (r - t) ** 2), rel=1e-4)


@some
@given(any_design)
def test_volume_is_known_before_meshing(design):
    for bores in ("open", "walls"):
        barrel = family("crossed_barrel", bores=bores)
        features = dict(zip(barrel.feature_names, barrel.features({k: [v] for k, v in design.items()})[0], strict=True))
        solid = barrel.solid(design)
        assert features["volume_mm3"] == pytest.approx(solid.volume_mm3, rel=1e-3)
        assert features["mass_g"] == pytest.approx(1.24e-3 * solid.volume_mm3, rel=1e-3)


def test_features_tell_what_a_printer_and_a_model_ask():
    row = dict(zip(BARREL.feature_names, BARREL.features({k: [v] for k, v in DESIGN.items()})[0], strict=True))
    assert row["wall_area_mm2"] == pytest.approx(8 * np.pi * 3)
    assert row["crossings"] == pytest.approx(8 * 100 / 360)
    assert row["overhang_deg"] == pytest.approx(np.degrees(np.arctan(10 * np.radians(100) / 20)))
    assert row["minimum_feature_mm"] == 1.0
    assert row["log_wall_area"] == pytest.approx(np.log(row["wall_area_mm2"]))
    assert row["log_slenderness"] == pytest.approx(np.log(row["slenderness"]))
    model = BARREL.model_features({k: [v] for k, v in DESIGN.items()})
    assert model.shape == (1, 3) and np.isfinite(model).all()


def test_a_wall_as_thick_as_the_radius_makes_a_solid_strut():
    full = family("crossed_barrel", t=2.0, senses="right").solid({"n": 6, "theta": 90.0, "r": 2.0})
    assert full.volume_mm3 == pytest.approx(18 * 6 * np.pi * 2.0**2 + 2 * np.pi * 13**2, rel=1e-4)
    thicker = family("crossed_barrel", t=3.0, senses="right").solid({"n": 6, "theta": 90.0, "r": 2.0})
    assert thicker.volume_mm3 == pytest.approx(full.volume_mm3)


def test_the_small_specimen_is_small():
    small = family("crossed_barrel", **SMALL_SPECIMEN)
    solid = small.solid(DESIGN)
    assert solid.bounds_mm[1, 2] == pytest.approx(6.0)
    assert solid.triangle_count < 8000


def test_same_sense_struts_do_not_cross():
    barrel = family("crossed_barrel", senses="left")
    assert barrel.solid(DESIGN).volume_mm3 == pytest.approx(
        18 * 8 * np.pi * 3 + 2 * np.pi * (13**2 - 8 * 1.0), rel=1e-4
    )


@pytest.mark.parametrize("bores", ["open", "walls"])
def test_struts_that_lean_alike_and_touch_are_one_surface(bores):
    close = 2.0 / np.sin(np.pi / 6) * (1.0 + 1e-12)
    barrel = family("crossed_barrel", senses="right", bores=bores, barrel_radius=close)
    solid = barrel.solid({"n": 6, "theta": 60.0, "r": 2.0, "t": 0.7})
    assert len(self_intersections(*solid.arrays())[0]) == 0 and len(solid.bodies()) == 1
    ring = np.pi * (2.0**2 - 1.3**2)
    assert solid.volume_mm3 == pytest.approx(18 * 6 * ring + 2 * np.pi * (13**2 - 6 * 1.3**2), rel=5e-4)


@pytest.mark.parametrize("n", [6, 8, 10, 12])
def test_no_slivers_are_left_between_mirrored_struts(n):
    vertices, faces = BARREL.solid(DESIGN | {"n": n}).arrays()
    edges = vertices[faces] - vertices[np.roll(faces, 1, axis=1)]
    assert np.linalg.norm(edges, axis=2).min() > 1e-6  # what single precision tells apart


@pytest.mark.parametrize(
    ("fixed", "design", "words"),
    [
        ({"barrel_radius": 8.0}, {"n": 12, "theta": 0.0, "r": 2.5, "t": 1.0}, "merge on a barrel radius of 8 mm"),
        ({"platform_radius": 11.0}, DESIGN, "platform_radius of at least 12 mm"),
        ({"platform_thickness": 10.0}, DESIGN, "leave no struts in a height of 20 mm"),
    ],
)
def test_impossible_combinations_say_why(fixed, design, words):
    barrel = family("crossed_barrel", **fixed)
    columns = {name: np.array([value]) for name, value in design.items()}
    assert not barrel.is_valid(columns)[0]
    assert words in barrel.reasons(columns)[0]
    with pytest.raises(DesignError, match=words):
        barrel.solid(design)
    assert np.isnan(barrel.features(columns)).all()


def test_the_solid_carries_its_design():
    metadata = BARREL.solid(DESIGN).metadata
    assert json.loads(metadata["design"]) == DESIGN
    assert metadata["family"] == "crossed_barrel" and json.loads(metadata["fixed"])["height"] == 20.0
