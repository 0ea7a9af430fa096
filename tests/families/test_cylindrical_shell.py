"""The generalized cylindrical shell has the sections, perimeters and volume that it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from manifold3d import CrossSection, FillRule, JoinType

from toughopt.errors import DesignError
from toughopt.families import family, spiral_wall, spiral_walls
from toughopt.families.lobes import enclosed_area, least_shape, shape, unit_perimeter
from toughopt.families.shell_mesh import ShellSurface, outer_body
from toughopt.families.shell_slope import steepest_wall_deg
from toughopt.geometry.intersections import self_intersections

SHELL = family("cylindrical_shell", chord_error=0.05)


def true_radius(design, phi, level):
    """The definition, with a perimeter by brute force."""
    base = 2 * design["mass"] / (1.2e-3 * design["height"] * design["thickness"] * (1 + design["perimeter_ratio"]))
    c4 = design["c4_base"] + level * (design["c4_top"] - design["c4_base"])
    c8 = design["c8_base"] + level * (design["c8_top"] - design["c8_base"])
    fine = np.linspace(0, 2 * np.pi, 20_001)
    r = 1 + c4 * np.cos(4 * fine) + c8 * np.cos(8 * fine)
    length = np.hypot(np.diff(r * np.cos(fine)), np.diff(r * np.sin(fine))).sum()
    r0 = base * (1 + level * (design["perimeter_ratio"] - 1)) / length
    turn = design["twist_linear"] * level + design["twist_amplitude"] * np.sin(
        2 * np.pi * design["twist_cycles"] * level
    )
    return r0 * (1 + c4 * np.cos(4 * (phi + turn)) + c8 * np.cos(8 * (phi + turn)))


def perimeter(section) -> float:
    (rim,) = section.to_polygons()
    return float(np.linalg.norm(np.roll(rim, -1, axis=0) - rim, axis=1).sum())


@pytest.mark.parametrize("seed", range(2))
def test_sections_volume_and_height_are_those_of_the_definition(designs, seed):
    (design,) = designs(SHELL, 1, seed)
    solid = SHELL.solid(design)
    phi = 2 * np.pi * (np.arange(1000) + 0.5) / 1000
    areas = []
    for level in np.linspace(0.05, 0.95, 7):
        r = true_radius(design, phi, level)
        area = solid.cross_section(level * design["height"]).area()
        assert area == pytest.approx(np.pi * np.mean(r**2), rel=3e-3)
        areas.append(area)
    levels = np.linspace(0, 1, 101)
    inside = [np.pi * np.mean(true_radius(design, phi, level) ** 2) for level in levels]
    assert solid.volume_mm3 == pytest.approx(np.trapezoid(inside, levels) * design["height"], rel=2e-3)
    assert solid.bounds_mm[1, 2] == pytest.approx(design["height"]) and solid.bounds_mm[0, 2] == 0.0
    assert solid.to_trimesh().is_watertight and len(solid.bodies()) == 1


def test_perimeters_are_those_asked_for(designs):
    for design in designs(SHELL, 2, 11):
        solid = SHELL.solid(design)
        row = dict(zip(SHELL.feature_names, SHELL.features({k: [v] for k, v in design.items()})[0], strict=True))
        for level in (0.001, 0.5, 0.999):
            asked = row["base_perimeter_mm"] * (1 + level * (design["perimeter_ratio"] - 1))
            assert perimeter(solid.cross_section(level * design["height"])) == pytest.approx(asked, rel=1e-2)
        assert row["top_perimeter_mm"] == pytest.approx(row["base_perimeter_mm"] * design["perimeter_ratio"])


def test_a_plain_cylinder_is_one():
    flat = dict.fromkeys(("c4_base", "c8_base", "c4_top", "c8_top", "twist_linear", "twist_amplitude"), 0.0)
    design = flat | {"twist_cycles": 0.0, "perimeter_ratio": 1.0, "mass": 2.0, "height": 20.0, "thickness": 0.8}
    radius = 2.0 / (1.2e-3 * 20 * 0.8) / (2 * np.pi)
    assert SHELL.solid(design).volume_mm3 == pytest.approx(np.pi * radius**2 * 20, rel=1e-4)
    wall = family("cylindrical_shell", wall="solid", chord_error=0.02).solid(design)
    assert wall.volume_mm3 == pytest.approx(np.pi * (radius**2 - (radius - 0.8) ** 2) * 20, rel=5e-3)
    assert wall.manifold.genus() == 1  # open at both ends
    row = dict(zip(SHELL.feature_names, SHELL.features({k: [v] for k, v in design.items()})[0], strict=True))
    assert row["overhang_deg"] == 0.0 and row["least_radius_mm"] == pytest.approx(radius, rel=1e-6)


def test_the_mesh_stays_within_the_chord_error(designs):
    for design in designs(SHELL, 1, 21):
        vertices, faces = SHELL.solid(design).arrays()
        corners = vertices[faces]
        sides = np.ptp(corners[:, :, 2], axis=1) > 1e-9
        points = np.concatenate([corners.mean(axis=1), *(0.5 * (corners[:, i] + corners[:, i - 1]) for i in range(3))])
        points = points[np.tile(sides, 4)]
        points = points[np.random.default_rng(0).choice(len(points), 1500, replace=False)]
        surface = ShellSurface.of({**SHELL.fixed, **design})
        level = points[:, 2] / design["height"]
        phi = np.arctan2(points[:, 1], points[:, 0])

        def radius(angle, share, surface=surface):
            r0, c4, c8 = surface.lobes(np.clip(share, 0, 1))
            return r0 * shape(angle + surface.turn(share), c4, c8)

        r = radius(phi, level)
        along, up = (radius(phi + 1e-6, level) - r) / 1e-6, (radius(phi, level + 1e-6) - r) / 1e-6 / design["height"]
        distance = np.abs(np.hypot(points[:, 0], points[:, 1]) - r) / np.sqrt(1 + (along / r) ** 2 + up**2)
        assert np.quantile(distance, 0.999) <= 0.05


def test_a_twisted_wall_has_the_volume_of_its_perimeters():
    # inside curves without corners, t off an outer one of perimeter P: P t - pi t^2, by Steiner's formula
    design = SHELL.complete(
        {"c4_base": 0.1, "c8_base": 0.0, "c4_top": 0.02, "c8_top": 0.02, "twist_linear": 2.0, "thickness": 0.8,
         "twist_amplitude": 0.5, "twist_cycles": 1.5, "perimeter_ratio": 1.2, "mass": 2.0, "height": 25.0},
    )  # fmt: skip
    wall = family("cylindrical_shell", wall="solid").solid(design)
    expected = 2.0 / 1.2e-3 - np.pi * 0.8**2 * 25.0
    assert wall.volume_mm3 == pytest.approx(expected, rel=2.5e-3)
    assert len(wall.bodies()) == 1


def inside_wall(design, points):
    """(m,) bool: outer boundary within the thickness, by distance to a fine polygon of the section at each height."""
    from scipy.spatial import cKDTree

    answer = np.zeros(len(points), dtype=bool)
    phi = np.linspace(0, 2 * np.pi, 4001)
    for z in np.unique(points[:, 2]):
        here = points[:, 2] == z
        xy = points[here, :2]
        r = true_radius(design, phi, z / design["height"])
        distance, _ = cKDTree(np.column_stack([r * np.cos(phi), r * np.sin(phi)])).query(xy)
        inside = np.hypot(*xy.T) <= true_radius(design, np.arctan2(xy[:, 1], xy[:, 0]), z / design["height"])
        answer[here] = inside & (distance <= design["thickness"])
    return answer


def test_the_solid_wall_is_as_thick_as_asked(designs):
    walls = family("cylindrical_shell", wall="solid", chord_error=0.05, mass=(1.0, 1.6), c4_base=(0.0, 0.5))
    assert walls.print_mode == "solid" and SHELL.print_mode == "vase"
    (design,) = designs(walls, 1, 2)
    solid = walls.solid(design)
    low, high = solid.bounds_mm
    rng = np.random.default_rng(0)
    zs = (np.arange(25) + rng.random(25)) / 25 * design["height"]
    cells = np.stack(np.meshgrid(np.arange(120), np.arange(120), indexing="ij"), -1).reshape(-1, 2)
    xy = low[:2] + (cells + rng.random(cells.shape)) / 120 * (high - low)[:2]
    points = np.concatenate([np.column_stack([xy, np.full(len(xy), z)]) for z in zs])
    expected = inside_wall(design, points).mean() * np.prod(high - low)
    assert solid.volume_mm3 == pytest.approx(expected, rel=2e-2)
    assert len(solid.bodies()) == 1 and solid.to_trimesh().is_watertight


def test_the_lean_known_before_meshing_is_that_of_the_mesh(designs):
    for design in designs(SHELL, 2, 5):
        vertices, faces = outer_body({**SHELL.fixed, **design}).arrays()
        corners = vertices[faces]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area = np.linalg.norm(normal, axis=1)
        lean = np.degrees(np.arcsin(np.abs(normal[:, 2]) / area))
        sides = np.ptp(corners[:, :, 2], axis=1) > 1e-9
        steepest = np.quantile(lean[sides], 0.9995)
        told = float(steepest_wall_deg({**SHELL.fixed, **design}))
        assert told == pytest.approx(steepest, abs=4.0)


def test_what_the_shell_refuses_and_why():
    good = SHELL.complete({}, fill=True)
    for change, words in (
        ({"mass": 1.0, "height": 30.0, "thickness": 1.0}, r"the base is .* mm around, too small"),
        ({"c4_top": 1.2, "c8_top": 0.0}, r"comes within -.* mm of its axis"),
        ({"twist_linear": 6.0, "twist_amplitude": 3.0, "twist_cycles": 3.0}, r"walls lean up to \d+ deg"),
    ):
        with pytest.raises(DesignError, match=words):
            SHELL.solid(good | change)
    narrow = family("cylindrical_shell", nozzle=1.8)
    assert "cannot be laid in one line by a nozzle of 1.8 mm" in narrow.reasons({k: [v] for k, v in good.items()})[0]
    # steep walls are a matter of printing, not of geometry
    steep = {k: [v] for k, v in (good | {"twist_amplitude": 3.0, "twist_cycles": 3.0}).items()}
    assert SHELL.is_valid(steep, "geometric").tolist() == [True] and SHELL.is_valid(steep).tolist() == [False]
    with pytest.raises(DesignError, match=r"answer = 'geometry' is no answer.*choose printable or geometric"):
        SHELL.is_valid(steep, "geometry")


def test_lobes_by_brute_force():
    rng = np.random.default_rng(0)
    psi = np.linspace(0, 2 * np.pi, 40_001)
    for c4, c8 in rng.uniform((0, -1), (1.2, 1), (20, 2)):
        r = shape(psi, c4, c8)
        assert least_shape(c4, c8) == pytest.approx(r.min(), abs=1e-6)
        length = np.hypot(np.diff(r * np.cos(psi)), np.diff(r * np.sin(psi))).sum()
        assert unit_perimeter(c4, c8) == pytest.approx(length, rel=1e-3)
        assert enclosed_area(2.0, c4, c8) == pytest.approx(np.trapezoid(0.5 * (2 * r) ** 2, psi), rel=1e-9)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_the_authors_package_agrees(columns, need):
    python = os.environ.get("TOUGHOPT_GCS_PYTHON", "")
    need("gcs-shape", Path(python).is_file())
    shells = family("cylindrical_shell")
    drawn = columns(shells, 200, 7)
    geometric = shells.is_valid(drawn, "geometric")
    meshed = set(np.flatnonzero(shells.is_valid(drawn))[:8].tolist())
    questions = [
        {"design": {name: float(column[i]) for name, column in drawn.items()}, "mesh": i in meshed} for i in range(200)
    ]
    told = subprocess.run(
        [python, str(Path(__file__).with_name("gcs_oracle.py"))],
        input="\n".join(map(json.dumps, questions)),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert [answer["valid"] for answer in answers] == geometric.tolist()
    phi = np.arange(0, 2 * np.pi, 0.01)[::37]
    for i in sorted(meshed):
        design, answer = questions[i]["design"], answers[i]
        solid = shells.solid(design)
        assert solid.volume_mm3 == pytest.approx(answer["volume"], rel=1e-3)
        assert np.ptp(solid.bounds_mm[:, 2]) == pytest.approx(answer["height"], rel=1e-3)
        surface = ShellSurface.of({**shells.fixed, **design})
        for step, radii in answer["radii"].items():
            np.testing.assert_allclose(surface.radius(phi, np.array([int(step) / 30]))[0], radii, rtol=1e-3)


@pytest.mark.parametrize("thickness", [0.4, 0.407, 0.41, 0.42, 0.45, 0.6, 0.9])
def test_walls_that_all_but_meet_inside_are_one_body(thickness):
    """The bore of this slender, deeply lobed shell closes up as its wall grows: slivers come before nothing."""
    slender = {
        "c4_base": 0.3531, "c8_base": 0.6641, "c4_top": 0.8628, "c8_top": 0.7717, "twist_linear": 3.306,
        "twist_amplitude": 0.1134, "twist_cycles": 1.689, "perimeter_ratio": 2.437, "height": 22.16,
    }  # fmt: skip
    wall = family("cylindrical_shell", wall="solid", mass=(0.05, 100.0))
    design = {**slender, "thickness": thickness, "mass": 1.46249 * thickness}
    solid, full = wall.solid(design), outer_body({**wall.fixed, **design})
    assert len(solid.bodies()) == 1
    assert 0.0 < solid.volume_mm3 <= full.volume_mm3 * 1.001


SLITS = {
    "c4_base": 0.052, "c8_base": 0.909, "c4_top": 0.563, "c8_top": 0.878, "twist_linear": 2.55,
    "twist_amplitude": 0.389, "twist_cycles": 0.314, "perimeter_ratio": 1.43, "mass": 3.184,
    "height": 16.472, "thickness": 0.946,
}  # fmt: skip
NARROWING = {
    "c4_base": 0.161, "c8_base": -0.245, "c4_top": 0.183, "c8_top": -0.433, "twist_linear": 5.583,
    "twist_amplitude": 1.904, "twist_cycles": 1.004, "perimeter_ratio": 1.116, "mass": 1.58, "height": 25.667,
    "thickness": 0.858,
}  # fmt: skip


def test_slits_that_twist_do_not_run_through_themselves():
    pairs, _ = self_intersections(*family("cylindrical_shell", wall="solid").solid(SLITS).arrays())
    assert len(pairs) == 0


@pytest.mark.parametrize("design", [SLITS, NARROWING], ids=["slits", "narrowing"])
def test_walls_are_as_thick_as_asked_for_all_around(design):
    """Against fine sections of the outline, shrunk by the thickness and summed over the height."""
    made = family("cylindrical_shell", wall="solid")
    surface = ShellSurface.of({**made.fixed, **design})
    psi = np.linspace(0.0, 2.0 * np.pi, 3000, endpoint=False)
    walls = []
    for r0, c4, c8 in zip(*surface.lobes((np.arange(60) + 0.5) / 60), strict=True):
        radius = r0 * shape(psi, c4, c8)
        outline = CrossSection([np.stack([radius * np.cos(psi), radius * np.sin(psi)], axis=-1)], FillRule.Positive)
        walls.append(outline.area() - outline.offset(-design["thickness"], JoinType.Round, 2.0, 300).area())
    assert made.solid(design).volume_mm3 == pytest.approx(np.mean(walls) * design["height"], rel=1e-3)


def test_the_wall_of_a_spiral_has_the_mass_that_was_asked_for_and_a_solid_has_none():
    design = SHELL.complete({}, fill=True)
    wall = spiral_wall(SHELL, design)
    assert (wall.mass_g, wall.thickness_mm) == (design["mass"], design["thickness"])
    envelope_g = SHELL.solid(design).volume_mm3 * SHELL.fixed["density"] / 1000.0
    assert envelope_g > 2.0 * wall.mass_g
    assert spiral_wall(family("cylindrical_shell", wall="solid"), design) is None
    impossible = design | {"c4_base": 1.2, "c8_base": 1.0}
    assert spiral_walls(SHELL, [impossible, design]) == [None, wall]
