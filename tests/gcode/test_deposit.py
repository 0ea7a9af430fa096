from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import ProgramError
from toughopt.gcode import ExecutedPath, Program, deposit, taken_at_its_word
from toughopt.slicing.base import Toolpaths

AREA = np.pi * 1.75**2 / 4
Make = Callable[..., Toolpaths]
Write = Callable[..., Program]
Path_ = Callable[..., ExecutedPath]
PER_MM = 0.45 * 0.2 / AREA  # filament for one mm of a bead of 0.45 x 0.2 mm


def executed(toolpaths: Toolpaths, write: Write) -> ExecutedPath:
    return taken_at_its_word(write(toolpaths), toolpaths.profile)


def test_the_part_has_the_volume_of_its_lines(tube: Make, write: Write) -> None:
    toolpaths = tube(skirt=True)
    laid = deposit(executed(toolpaths, write))
    assert laid.total_volume_mm3 == pytest.approx(toolpaths.volume_mm3, rel=1e-6)
    assert laid.mass_g(1.24) == pytest.approx(toolpaths.volume_mm3 * 1.24e-3, rel=1e-6)
    assert np.allclose(laid.layers.z_mm, 0.2 * np.arange(1, 11))
    assert np.allclose(laid.layers.height_mm, 0.2)
    assert np.allclose(laid.layers.volume_mm3, toolpaths.volume_mm3 / 10, rtol=1e-5)
    assert np.allclose(laid.width_mm, 0.45, rtol=1e-3)
    assert laid.height_of_part_mm == pytest.approx(2.0)


def test_priming_line_and_skirt_are_left_out(tube: Make, write: Write) -> None:
    toolpaths = tube(skirt=True)
    path = executed(toolpaths, write)
    laid = deposit(path)
    assert laid.left_out_mm3 == pytest.approx(path.filament_mm.sum() * AREA - toolpaths.volume_mm3, rel=1e-6)
    assert laid.left_out_mm3 > 0
    assert np.allclose(laid.bounds_mm[:, :2], [[115, 95], [135, 115]], atol=1e-3)


def test_the_layers_area_counts_overlaps_once(tube: Make, write: Write) -> None:
    areas = deposit(executed(tube(), write)).area_of_layers_mm2
    assert np.allclose(areas, 20**2 - 18.2**2, rtol=0.02)


def test_short_segments_are_as_wide_as_long_ones(path_of_beads: Path_) -> None:
    rows = [(x * 0.05, 0, 0.2, (x + 1) * 0.05, 0, 0.2, 0.05 * PER_MM) for x in range(100)]
    laid = deposit(path_of_beads(rows))
    assert np.allclose(laid.width_mm, 0.45)
    assert laid.area_of_layers_mm2[0] == pytest.approx(5 * 0.45, rel=0.05)


def test_heat_and_time_of_layers(tube: Make, write: Write) -> None:
    laid = deposit(executed(tube(), write))
    assert laid.layers.nozzle_c.tolist() == pytest.approx([215, *[210] * 9])
    assert np.all(laid.layers.end_s > laid.layers.start_s)
    assert np.all(laid.layers.start_s[1:] >= laid.layers.end_s[:-1])


def test_comments_change_nothing(tube: Make, write: Write) -> None:
    program = write(tube(skirt=True))
    bare = "\n".join(line.partition(";")[0] for line in program.text.splitlines())
    one = deposit(taken_at_its_word(program, tube().profile))
    other = deposit(taken_at_its_word(replace(program, text=bare), tube().profile))
    assert np.array_equal(one.volume_mm3, other.volume_mm3)
    assert np.array_equal(one.layer, other.layer)


@pytest.mark.parametrize("skip", [(4,), (0,), (3, 4, 5)])
def test_skipped_layers_are_seen(tube: Make, write: Write, skip: tuple[int, ...]) -> None:
    laid = deposit(executed(tube(layers=12, skip=skip), write))
    assert laid.layers.count == 12
    assert np.flatnonzero(laid.layers.missing).tolist() == list(skip)
    assert np.allclose(laid.layers.height_mm, 0.2)
    assert np.isnan(laid.layers.nozzle_c[list(skip)]).all()


def test_too_little_extrusion_is_no_skipped_layer(tube: Make, write: Write) -> None:
    path = executed(tube(), write)
    starved = replace(path, filament_mm=path.filament_mm * 0.4)
    laid = deposit(starved)
    assert not laid.layers.missing.any()
    assert laid.total_volume_mm3 == pytest.approx(0.4 * tube().volume_mm3, rel=1e-6)
    assert np.allclose(laid.width_mm, 0.18, rtol=1e-3)


def test_a_thicker_first_layer_is_no_gap(tube: Make, write: Write) -> None:
    path = executed(tube(), write)
    raised = [np.where(z[:, 2:] > 0, z + np.array([0, 0, 0.15]), z) for z in (path.start_mm, path.end_mm)]
    filament = path.filament_mm * np.where(np.abs(path.end_mm[:, 2] - 0.2) < 1e-6, 1.75, 1.0)
    laid = deposit(replace(path, start_mm=raised[0], end_mm=raised[1], filament_mm=filament))
    assert laid.layers.count == 10
    assert laid.layers.height_mm[0] == pytest.approx(0.35)


@pytest.mark.parametrize("lobes", [0.0, 0.45])
def test_the_turns_of_a_spiral_are_layers(spiral: Make, write: Write, lobes: float) -> None:
    toolpaths = spiral(turns=20, lobes=lobes)
    laid = deposit(executed(toolpaths, write))
    assert laid.layers.count == 21
    assert np.allclose(laid.layers.height_mm, 0.2, atol=2e-3)
    assert laid.total_volume_mm3 == pytest.approx(toolpaths.volume_mm3, rel=1e-5)
    assert np.ptp(laid.layers.volume_mm3) < 0.02 * laid.layers.volume_mm3.mean()


def test_what_stopped_half_way_is_still_there(tube: Make, write: Write) -> None:
    path = executed(tube(layers=20, skirt=True), write)
    half = len(path.filament_mm) // 2
    cut = ExecutedPath(
        path.start_mm[:half], path.end_mm[:half], path.filament_mm[:half], path.nozzle_c[:half],
        path.speed_mm_s[:half], path.time_s[:half], path.tool[:half],
    )  # fmt: skip
    laid = deposit(cut)
    assert 8 <= laid.layers.count <= 12
    assert laid.bounds_mm[0, 0] == pytest.approx(115, abs=1e-3)


def test_an_empty_path_is_an_empty_deposit(path_of_beads: Path_) -> None:
    laid = deposit(path_of_beads([]))
    assert laid.count == 0
    assert laid.layers.count == 0
    assert laid.height_of_part_mm == 0
    assert laid.area_of_layers_mm2.tolist() == []
    travel_only = deposit(path_of_beads([(0, 0, 0.2, 10, 0, 0.2, 0.0)]))
    assert travel_only.count == 0


@pytest.mark.parametrize(
    ("row", "said"),
    [((0, 0, 0.2, np.nan, 0, 0.2, 1.0), "end_mm of segment 0"), ((0, 0, 0.2, 1, 0, 0.2, -1.0), "never negative")],
)
def test_a_path_that_cannot_be_is_refused(path_of_beads: Path_, row: tuple[float, ...], said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        deposit(path_of_beads([row]))


@settings(deadline=None, derandomize=True, max_examples=25)
@given(seed=st.integers(0, 999), flow=st.floats(0.3, 2.0))
def test_no_filament_is_lost(seed: int, flow: float) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(5, 60))
    points = np.cumsum(rng.normal(scale=3, size=(count + 1, 2)), axis=0)
    z = 0.2 * (1 + np.arange(count) // 20)
    path = ExecutedPath(
        np.column_stack([points[:-1], z]), np.column_stack([points[1:], z]), rng.random(count) * flow,
        np.full(count, 210.0), np.full(count, 40.0), np.arange(1.0, count + 1), np.zeros(count, dtype=np.int64),
    )  # fmt: skip
    laid = deposit(path)
    whole = path.filament_mm.sum() * AREA
    assert laid.total_volume_mm3 + laid.left_out_mm3 == pytest.approx(whole)
    assert np.allclose(laid.area_mm2, laid.width_mm * laid.height_mm)
    assert laid.layers.volume_mm3.sum() == pytest.approx(laid.total_volume_mm3)
    assert sorted(np.concatenate([laid.beads_of(layer) for layer in range(laid.layers.count)])) == list(
        range(laid.count)
    )


def test_a_drop_on_the_part_counts_and_one_beside_it_does_not(path_of_beads: Path_) -> None:
    wall = [(0, 0, 0.2 * k, 20, 0, 0.2 * k, 20 * PER_MM) for k in range(1, 6)]
    on_it = (10, 0, 0.6, 10, 0, 0.6, 0.5)
    beside = (10, 30, 0.2, 10, 30, 0.2, 0.5)
    in_the_air = (50, 50, 30, 50, 50, 30, 0.5)
    laid = deposit(path_of_beads([in_the_air, beside, *wall[:3], on_it, *wall[3:]]))
    assert laid.left_out_mm3 == pytest.approx(2 * 0.5 * AREA)
    assert laid.total_volume_mm3 == pytest.approx((100 * PER_MM + 0.5) * AREA)
    assert laid.layers.count == 5
