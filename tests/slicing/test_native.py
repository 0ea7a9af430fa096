"""What the native slicer promises: volume, coverage, place, order, determinism, and refusals that help."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import CrossSection, Manifold

from toughopt.errors import MeshError
from toughopt.geometry import Solid
from toughopt.profiles import load_profile
from toughopt.slicing import NativeSlicer, Role, Slicer, Toolpaths, slicer


def all_lines(paths):
    return [line for layer in paths.layers for line in layer.lines]


def test_it_is_a_slicer_and_the_one_called_native():
    assert isinstance(NativeSlicer(), Slicer)
    assert isinstance(slicer("native"), NativeSlicer)


@pytest.mark.parametrize("wall", [0.5, 0.7, 1.0, 1.05, 1.2, 1.4, 1.9, 2.4, 2.6, 2.8, 3.0, 3.3, 4.0])
def test_a_tube_is_filled_exactly_whatever_its_wall(profile, tube, coverage, on_bed, wall):
    solid = tube(wall=wall)
    paths = NativeSlicer().slice(solid, profile)
    assert paths.volume_mm3 == pytest.approx(solid.volume_mm3, rel=0.005)
    found = coverage(paths.layers[3], on_bed(solid, paths)[3])
    assert found.covered >= 0.97
    assert found.outside <= 0.02
    assert found.doubled <= 0.02


@pytest.mark.parametrize("wall", [0.8, 1.5, 2.3, 2.8, 3.0])
def test_a_box_is_filled_exactly_whatever_its_wall(profile, coverage, on_bed, wall):
    hollow = Manifold.cube((20.0, 14.0, 1.0)) - Manifold.cube((20.0 - 2 * wall, 14.0 - 2 * wall, 1.0)).translate(
        (wall, wall, 0.0)
    )
    solid = Solid(hollow.rotate((0.0, 0.0, 17.3)))
    paths = NativeSlicer().slice(solid, profile)
    assert paths.volume_mm3 == pytest.approx(solid.volume_mm3, rel=0.005)
    found = [coverage(paths.layers[k], on_bed(solid, paths)[k]) for k in (2, 3)]
    assert np.mean([one.covered for one in found]) >= 0.97
    assert np.mean([one.outside for one in found]) <= 0.02
    assert np.mean([one.doubled for one in found]) <= 0.02


@pytest.mark.parametrize("wall", [3.0, 3.2])
def test_both_sides_of_walls_that_cross_are_filled_alike(profile, coverage, on_bed, wall):
    bar = Manifold.cube((20.0, wall, 1.0), center=True).translate((0.0, 0.0, 0.5))
    solid = Solid((bar + bar.rotate((0.0, 0.0, 70.0))).rotate((0.0, 0.0, 17.3)))
    paths = NativeSlicer().slice(solid, profile)
    found = [coverage(paths.layers[k], on_bed(solid, paths)[k]) for k in (2, 3)]
    assert np.mean([one.covered for one in found]) >= 0.97
    assert np.mean([one.doubled for one in found]) <= 0.02


def test_solid_fill_closes_up_with_the_walls_around_it(profile, coverage, on_bed):
    parts = (Manifold.cube((6.0, 6.0, 1.0)), Manifold.cylinder(1.0, 5.0, circular_segments=96))
    for body in parts:
        solid = Solid(body.rotate((0.0, 0.0, 17.3)))
        paths = NativeSlicer().slice(solid, profile)
        for k in (2, 3):
            found = coverage(paths.layers[k], on_bed(solid, paths)[k])
            assert found.covered >= 0.97
            assert found.outside <= 0.02
            assert found.doubled <= 0.02


@pytest.mark.parametrize("wall", [0.7, 1.0, 1.4])
def test_crossing_columns_are_filled_without_gaps_or_doubling(profile, crossed, coverage, on_bed, wall):
    solid = crossed(wall)
    paths = NativeSlicer().slice(solid, profile)
    sections = on_bed(solid, paths)
    assert paths.volume_mm3 == pytest.approx(solid.volume_mm3, rel=0.005)
    found = [coverage(paths.layers[k], sections[k], pixel=0.05) for k in (2, 8, 14, 20, 27)]
    assert np.mean([one.covered for one in found]) >= 0.97
    assert np.mean([one.outside for one in found]) <= 0.02
    assert np.mean([one.doubled for one in found]) <= 0.02


def test_every_layer_carries_the_volume_of_its_section(profile, crossed, on_bed):
    solid = crossed(1.05)
    paths = NativeSlicer().slice(solid, profile)
    for layer, section in zip(paths.layers, on_bed(solid, paths), strict=True):
        assert sum(line.volume_mm3 for line in layer.lines) == pytest.approx(section.area() * layer.height_mm, rel=0.02)


def test_what_ends_inside_a_layer_is_made_up_for_by_the_next_ones(profile):
    floor = Manifold.cube((12.0, 12.0, 0.5), center=True).translate((0.0, 0.0, 0.25))  # two layers and a half of 0.2 mm
    solid = Solid(floor + Manifold.cylinder(8.0, 3.0, circular_segments=64))
    paths = NativeSlicer().slice(solid, profile)
    assert paths.volume_mm3 == pytest.approx(solid.volume_mm3, rel=0.002)


def test_a_single_line_serves_a_wall_that_is_too_thin_for_two(profile, tube):
    paths = NativeSlicer().slice(tube(wall=0.45), profile)
    for layer in paths.layers:
        assert len(layer.lines) == 1
        radius = np.hypot(*(layer.lines[0].points_mm[:, :2] - [125.0, 105.0]).T)
        assert radius == pytest.approx(8.0 - 0.225, abs=0.03)


def test_line_widths_stay_within_the_nozzles_limits_along_plain_walls(profile, tube):
    for wall in np.arange(0.45, 2.3, 0.15):
        for line in all_lines(NativeSlicer().slice(tube(wall=float(wall), height=0.4), profile)):
            assert profile.nozzle.line_width_min_mm * 0.95 <= line.width_mm <= profile.nozzle.line_width_max_mm * 1.05


def test_layers_have_the_profiles_heights_and_rise(profile, block, with_settings):
    paths = NativeSlicer().slice(block(z=2.0), with_settings(first_layer_height_mm=0.3, layer_height_mm=0.17))
    tops = [layer.top_mm for layer in paths.layers]
    assert tops[0] == 0.3
    assert np.diff(tops) == pytest.approx(0.17)
    assert tops[-1] == pytest.approx(2.0, abs=0.1)
    for layer in paths.layers:
        for line in layer.lines:
            assert np.all(line.points_mm[:, 2] == layer.top_mm)
            assert line.height_mm == layer.height_mm


def test_the_part_is_centred_on_the_bed_wherever_it_was_modelled(profile, block):
    home = NativeSlicer().slice(block(), profile)
    moved = NativeSlicer().slice(Solid(block().manifold.translate((-40.0, 17.0, 5.0))), profile)
    for one, other in zip(all_lines(home), all_lines(moved), strict=True):
        assert one.points_mm == pytest.approx(other.points_mm, abs=1e-6)
    points = np.concatenate([line.points_mm for line in all_lines(home)])
    assert (points.min(axis=0) + points.max(axis=0))[:2] / 2 == pytest.approx([125.0, 105.0], abs=0.05)


def test_a_bed_with_its_origin_in_the_middle_gets_the_part_there(profile, block):
    centred = profile.model_copy(update={"bed": profile.bed.model_copy(update={"origin": "center"})})
    here, there = NativeSlicer().slice(block(), profile), NativeSlicer().slice(block(), centred)
    for one, other in zip(all_lines(here), all_lines(there), strict=True):
        assert one.points_mm - [125.0, 105.0, 0.0] == pytest.approx(other.points_mm, abs=1e-6)


def test_nothing_is_extruded_outside_the_outline_by_more_than_half_a_line(profile, crossed, on_bed):
    solid = crossed(1.0)
    paths = NativeSlicer().slice(solid, profile)
    for layer, section in zip(paths.layers[::3], on_bed(solid, paths)[::3], strict=True):
        allowed = section.offset(profile.nozzle.line_width_mm / 2.0)
        for line in layer.lines:
            for start, end in zip(line.points_mm[:-1, :2], line.points_mm[1:, :2], strict=True):
                along = end - start
                side = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9) * 1e-3
                strip = CrossSection([np.array([start + side, start - side, end - side, end + side])])
                assert (strip - allowed).area() < 0.02 * max(strip.area(), 1e-4)


def test_two_runs_give_the_same_lines(profile, crossed):
    one, other = (NativeSlicer().slice(crossed(1.0), profile) for _ in range(2))
    for a, b in zip(all_lines(one), all_lines(other), strict=True):
        assert np.array_equal(a.points_mm, b.points_mm)
        assert np.array_equal(a.flow_mm2, b.flow_mm2)


def test_the_seam_moves_no_length_and_no_volume(crossed, with_settings):
    found = {
        seam: NativeSlicer().slice(crossed(1.0), with_settings(seam=seam))
        for seam in ("nearest", "rear", "aligned", "random")
    }
    lengths = {seam: sum(line.lengths_mm.sum() for line in all_lines(paths)) for seam, paths in found.items()}
    assert max(lengths.values()) == pytest.approx(min(lengths.values()), rel=1e-9)
    for paths in found.values():
        assert paths.volume_mm3 == pytest.approx(found["rear"].volume_mm3, rel=1e-6)


def test_a_rear_seam_lies_at_the_back_and_an_aligned_one_stays_in_place(tube, with_settings):
    for seam, spread in (("rear", 0.2), ("aligned", 0.4)):
        paths = NativeSlicer().slice(tube(), with_settings(seam=seam))
        outer = [max(layer.lines, key=lambda line: np.ptp(line.points_mm[:, 0])) for layer in paths.layers]
        starts = np.array([line.points_mm[0, :2] for line in outer])
        assert np.ptp(starts, axis=0).max() < spread
    rear = NativeSlicer().slice(tube(), with_settings(seam="rear"))
    for line in all_lines(rear):
        assert line.points_mm[0, 1] == pytest.approx(line.points_mm[:, 1].max(), abs=1e-9)


def test_walls_come_before_the_fill_that_leans_on_them(profile, block):
    for layer in NativeSlicer().slice(block(), profile).layers:
        roles = [line.role for line in layer.lines]
        first_fill = roles.index(Role.SOLID_INFILL)
        assert all(role is Role.SOLID_INFILL for role in roles[first_fill:])
        assert roles.count(Role.EXTERNAL_PERIMETER) == 1


def test_the_fill_turns_from_layer_to_layer(profile, block):
    paths = NativeSlicer().slice(block(), profile)
    angles = []
    for layer in paths.layers:
        line = next(line for line in layer.lines if line.role is Role.SOLID_INFILL)
        longest = int(np.argmax(line.lengths_mm))
        way = line.points_mm[longest + 1] - line.points_mm[longest]
        angles.append(np.degrees(np.arctan2(way[1], way[0])) % 180.0)
    assert np.abs(np.diff(angles)) == pytest.approx(90.0, abs=0.1)


def test_a_plate_over_air_is_bridged_and_its_rim_is_an_overhang(profile, crossed):
    paths = NativeSlicer().slice(crossed(1.0, height=6.0), profile)
    first_over_air = paths.layers[25]
    roles = {line.role for line in first_over_air.lines}
    assert Role.BRIDGE in roles
    assert Role.OVERHANG_PERIMETER in roles
    assert Role.BRIDGE not in {line.role for line in paths.layers[2].lines}
    assert all(line.speed_mm_s <= profile.speeds.bridge for line in first_over_air.lines if line.role is Role.BRIDGE)


def test_small_layers_are_slowed_down_to_the_minimum_layer_time(tube, with_settings):
    paths = NativeSlicer().slice(tube(outer=3.0), with_settings(minimum_layer_time_s=4.0, minimum_speed_mm_s=2.0))
    for layer in paths.layers:
        seconds = sum(float(line.lengths_mm.sum()) / line.speed_mm_s for line in layer.lines)
        assert seconds == pytest.approx(4.0, rel=0.02)
    held = NativeSlicer().slice(tube(outer=3.0), with_settings(minimum_layer_time_s=60.0, minimum_speed_mm_s=8.0))
    assert all(line.speed_mm_s == pytest.approx(8.0) for line in all_lines(held))


def test_the_first_layer_is_slow_and_without_fan(profile, block):
    paths = NativeSlicer().slice(block(), profile)
    assert all(line.speed_mm_s <= profile.speeds.first_layer for line in paths.layers[0].lines)
    assert [layer.fan for layer in paths.layers[:3]] == [0.0, 1.0, 1.0]


def test_short_ways_are_travelled_without_retraction(crossed, profile):
    position = None
    for line in all_lines(NativeSlicer().slice(crossed(1.0), profile)):
        if position is not None:
            away = float(np.hypot(*(line.points_mm[0, :2] - position)))
            assert line.retract == (away > profile.slicing.retract_above_mm)
        position = line.points_mm[-1, :2]


def test_skirt_and_brim_surround_the_first_layer_and_count_for_nothing(block, with_settings):
    plain = NativeSlicer().slice(block(), with_settings())
    ringed = NativeSlicer().slice(block(), with_settings(skirt_loops=2, brim_mm=2.0))
    rings = [line for line in ringed.layers[0].lines if line.role is Role.SKIRT]
    assert len(rings) == 2 + 5
    assert ringed.layers[0].lines[: len(rings)] == tuple(rings)
    assert ringed.volume_mm3 == pytest.approx(plain.volume_mm3, rel=1e-6)
    assert not any(line.role is Role.SKIRT for layer in ringed.layers[1:] for line in layer.lines)
    for line in rings:
        assert np.all(np.abs(line.points_mm[:, :2] - [125.0, 105.0]).max(axis=0) > [6.0, 4.0])


def test_a_looser_tolerance_needs_fewer_points(tube, with_settings):
    count = [
        sum(
            len(line.points_mm)
            for line in all_lines(NativeSlicer().slice(tube(segments=400), with_settings(tolerance_mm=mm)))
        )
        for mm in (0.003, 0.0125, 0.05)
    ]
    assert count[0] > 1.4 * count[1] > 1.8 * count[2]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            lambda: Manifold.cube((260.0, 10.0, 1.0)),
            r"does not fit on the bed of virtual: it measures 260\.0 x 10\.0 mm",
        ),
        (lambda: Manifold.cube((10.0, 10.0, 201.0)), r"201\.0 mm high, virtual prints up to 200 mm"),
        (lambda: Manifold.cube((10.0, 10.0, 0.05)), r"0\.05 mm high, less than half of the first layer"),
        (lambda: Manifold.cube((10.0, 0.12, 2.0)), r"z = 0\.20 mm .*0\.12 mm.*0\.34 mm"),
        (
            lambda: Manifold.cube((5.0, 5.0, 1.0)) + Manifold.cube((5.0, 5.0, 1.0)).translate((0.0, 0.0, 2.0)),
            r"z = 1\.20 mm .*no area",
        ),
    ],
)
def test_what_cannot_be_printed_is_refused_with_the_reason(profile, body, says):
    with pytest.raises(MeshError, match=says):
        NativeSlicer().slice(Solid(body()), profile)


def test_a_layer_that_lines_hardly_fill_is_told_of(profile):
    wedge = CrossSection([np.array([[0.0, -0.3], [12.0, 0.0], [0.0, 0.3]])]).extrude(1.0)
    (warning,) = NativeSlicer().slice(Solid(wedge), profile).warnings
    assert "5 layers" in warning
    assert "narrower than a line" in warning
    assert NativeSlicer().slice(Solid(Manifold.cube((6.0, 6.0, 1.0))), profile).warnings == ()


def test_walls_of_a_comb_that_no_line_fits_are_refused(profile):
    comb = Manifold.cube((6.0, 1.0, 1.0))
    for k in range(12):
        comb += Manifold.cube((0.2, 5.0, 1.0)).translate((0.5 * k, 0.9, 0.0))
    with pytest.raises(MeshError, match=r"z = 0\.20 mm the wall is 0\.20 mm thick"):
        NativeSlicer().slice(Solid(comb), profile)


def test_a_round_bed_takes_only_what_its_diameter_takes(profile):
    round_bed = profile.model_copy(
        update={"bed": profile.bed.model_copy(update={"shape": "circle", "size_mm": (100.0, 100.0)})}
    )
    NativeSlicer().slice(Solid(Manifold.cube((70.0, 70.0, 0.4))), round_bed)
    with pytest.raises(MeshError, match="round bed 100 mm"):
        NativeSlicer().slice(Solid(Manifold.cube((72.0, 72.0, 0.4))), round_bed)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    corners=st.lists(st.tuples(st.floats(2.0, 12.0), st.floats(0.05, 1.0)), min_size=4, max_size=12),
    hole=st.floats(0.1, 0.8),
)
def test_any_star_with_a_hole_is_filled_with_its_own_volume(corners, hole):
    turns = np.cumsum([turn for _, turn in corners])
    angle = 2.0 * np.pi * turns / turns[-1]
    radius = np.array([reach for reach, _ in corners])
    outline = np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))
    star = CrossSection([outline]).offset(1.0)
    section = star - star.offset(-hole * 4.0).offset(0.01)
    if section.is_empty():
        return
    solid = Solid(section.extrude(0.6))
    try:
        paths = NativeSlicer().slice(solid, load_profile("virtual"))
    except MeshError:
        assert hole * 4.0 < 0.5
        return
    assert isinstance(paths, Toolpaths)
    assert len(paths.layers) == 3
    if hole * 4.0 > 0.6:
        assert paths.volume_mm3 == pytest.approx(solid.volume_mm3, rel=0.05)
    for line in all_lines(paths):
        assert np.all(np.isfinite(line.points_mm))
        assert len(line.points_mm) >= 2
        assert np.all(np.asarray(line.flow_mm2) > 0.0)


def test_a_part_that_stands_on_a_point_is_refused_and_not_printed_over_air(profile):
    on_a_point = Solid(Manifold.cube((20.0, 15.0, 10.0)).rotate((40.0, 20.0, 0.0)))
    with pytest.raises(MeshError, match="turn it so that it stands on a face"):
        NativeSlicer().slice(on_a_point, profile)


@pytest.mark.parametrize("height_mm", [10.05, 10.1, 10.15, 10.19])
def test_a_tip_is_printed_as_far_as_there_is_something_of_it_whatever_its_height(profile, height_mm):
    cone = Solid(Manifold.cylinder(height_mm, 8.0, 0.0, 64))
    paths = NativeSlicer().slice(cone, profile)
    assert paths.volume_mm3 == pytest.approx(cone.volume_mm3, rel=0.005)
    assert paths.layers[-1].top_mm == pytest.approx(height_mm, abs=0.2)
