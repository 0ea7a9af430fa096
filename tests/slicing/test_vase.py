"""Spiral vase: one unbroken line that rises all the way, with flat ends."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from manifold3d import CrossSection, Manifold

from toughopt.errors import MeshError
from toughopt.geometry import Solid
from toughopt.profiles import load_profile
from toughopt.slicing import NativeSlicer, Role


@pytest.fixture(scope="module")
def shells():
    return load_profile("makergear_m3_vase")


@pytest.fixture(scope="module")
def lobed():
    phi = np.linspace(0.0, 2.0 * np.pi, 240, endpoint=False)
    radius = 12.0 * (1.0 + 0.25 * np.cos(4.0 * phi))
    outline = CrossSection([np.column_stack((radius * np.cos(phi), radius * np.sin(phi)))])
    return Solid(outline.extrude(12.1, 60, 45.0, (0.8, 0.8)))


@pytest.fixture(scope="module")
def path(lobed, shells):
    return NativeSlicer().slice(lobed, shells)


def points_of(paths):
    return np.concatenate([line.points_mm for layer in paths.layers for line in layer.lines])


def test_the_line_never_breaks_and_never_sinks(path):
    ends = [line for layer in path.layers for line in layer.lines]
    for one, other in pairwise(ends):
        assert one.points_mm[-1] == pytest.approx(other.points_mm[0], abs=1e-6)
    assert np.all(np.diff(points_of(path)[:, 2]) >= -1e-9)
    assert not any(line.retract for line in ends[1:])


def test_it_begins_and_ends_flat(path):
    first, last = path.layers[0].lines[0], path.layers[-1].lines[-1]
    assert np.ptp(first.points_mm[:, 2]) == 0.0
    assert np.ptp(last.points_mm[:, 2]) < 1e-9
    assert first.points_mm[0, 2] == 0.3
    assert last.points_mm[0, 2] == pytest.approx(12.1)


def test_each_turn_rises_by_one_layer(path):
    for layer in path.layers[1:-1]:
        line = layer.lines[0]
        assert line.points_mm[-1, 2] - line.points_mm[0, 2] == pytest.approx(0.2)
        assert np.diff(line.points_mm[:, 2]).max() < 0.02


def test_the_flow_grows_over_the_first_turn_and_fades_over_the_last(path):
    rising, falling = path.layers[1].lines[0].flow_mm2, path.layers[-1].lines[-1].flow_mm2
    full = path.layers[5].lines[0].flow_mm2
    assert np.all(np.diff(rising) > 0.0)
    assert np.all(np.diff(falling) < 0.0)
    assert rising[0] < 0.05 * full.max()
    assert falling[-1] < 0.05 * full.max()
    assert np.ptp(full) < 1e-3 * full.max()


def test_it_lays_down_the_volume_of_the_shell(path, lobed, shells):
    spacing = shells.nozzle.line_width_mm - 0.2 * (1.0 - np.pi / 4.0)
    shell = 0.0
    for z in np.arange(0.05, 12.1, 0.1):
        section = lobed.cross_section(z)
        shell += (section.area() - section.offset(-spacing).area()) * 0.1
    assert path.part_volume_mm3 == pytest.approx(shell, rel=0.005)
    assert path.volume_mm3 == pytest.approx(path.part_volume_mm3, rel=0.002)


def test_lobes_narrower_than_two_lines_are_filled_from_both_sides_without_doubling(shells):
    """A plate thinner than two lines: the walls of both sides are all of it, which its mesh's volume tells."""
    spacing = shells.nozzle.line_width_mm - 0.2 * (1.0 - np.pi / 4.0)
    plate = Solid(CrossSection.square((30.0, 1.2 * spacing)).extrude(6.1))
    laid = NativeSlicer().slice(plate, shells)
    assert laid.volume_mm3 == pytest.approx(plate.volume_mm3, rel=0.01)


def test_a_spiral_is_as_high_as_the_part_whatever_the_layers(shells):
    for height in (5.02, 5.09, 5.13):
        paths = NativeSlicer().slice(Solid(Manifold.cylinder(height, 10.0, circular_segments=96)), shells)
        assert points_of(paths)[:, 2].max() == pytest.approx(height, abs=1e-5)
        tops = np.array([layer.top_mm for layer in paths.layers])
        assert np.diff(tops) == pytest.approx(0.2, abs=0.01)


def test_the_wall_follows_the_outline_at_half_a_line(path, lobed, shells):
    centre = np.array([101.5, 127.0])
    for layer in path.layers[3:-1:10]:
        line = layer.lines[0]
        middle = line.points_mm[len(line.points_mm) // 2]
        section = lobed.cross_section(float(middle[2]) - 0.1)
        lines_width = shells.nozzle.line_width_mm / 2.0
        outline = np.concatenate([np.asarray(polygon) for polygon in section.to_polygons()]) + centre
        away = np.hypot(*(outline - middle[:2]).T).min()
        assert away == pytest.approx(lines_width, abs=0.12)


def test_solid_layers_lie_under_the_spiral_where_the_profile_wants_a_bottom(lobed, shells, with_settings):
    bottom = NativeSlicer().slice(lobed, with_settings(shells, vase_bottom_layers=2))
    for layer in bottom.layers[:2]:
        assert Role.SOLID_INFILL in {line.role for line in layer.lines}
    assert {line.role for layer in bottom.layers[2:] for line in layer.lines} == {Role.EXTERNAL_PERIMETER}
    assert [layer.top_mm for layer in bottom.layers] == pytest.approx([0.3 + 0.2 * k for k in range(60)])


def test_holes_are_left_out_with_a_warning(shells):
    body = Manifold.cylinder(4.0, 10.0) - Manifold.cylinder(4.0, 5.0)
    paths = NativeSlicer().slice(Solid(body), shells)
    assert "holes in 20 layers are not printed" in paths.warnings[0] or "holes in 19 layers" in paths.warnings[0]


def test_two_towers_are_no_vase(shells):
    towers = Manifold.cylinder(4.0, 3.0) + Manifold.cylinder(4.0, 3.0).translate((10.0, 0.0, 0.0))
    with pytest.raises(MeshError, match=r"2 separate pieces.*mode = .solid"):
        NativeSlicer().slice(Solid(towers), shells)
