"""The press answers to what was laid down the way that parts do, and records it the way that frames do."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.gcode.base import ExecutedPath
from toughopt.gcode.deposit import deposit
from toughopt.virtual import PressSettings, crush, structure
from toughopt.virtual.response import respond

QUIET = PressSettings(scatter=0.0, noise_n=0.0, noise_share=0.0, tare_n=(0.0, 0.0), slack_mm=(0.3, 0.3))


def toughness(curve) -> float:
    return float(np.trapezoid(curve.force_n, curve.displacement_mm)) / 1000.0


def test_the_same_seed_gives_the_same_curve_and_another_one_another(barrel):
    part = barrel(8, 100.0, 2.0, 1.0)
    first, again, other = (crush(part, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.force_n, again.force_n)
    np.testing.assert_array_equal(first.displacement_mm, again.displacement_mm)
    assert len(first.force_n) != len(other.force_n) or not np.array_equal(first.force_n, other.force_n)


def test_a_curve_looks_as_a_frame_records_it(barrel):
    curve = crush(barrel(8, 200.0, 2.4, 1.05), 3)
    settings = PressSettings()
    np.testing.assert_allclose(np.diff(curve.time_s), 1.0 / settings.sample_hz, rtol=1e-6)
    np.testing.assert_allclose(curve.displacement_mm, curve.time_s * 2.0 / 60.0, atol=settings.resolution_mm)
    before = curve.force_n[curve.displacement_mm < settings.slack_mm[0]]
    assert np.all(np.abs(before) < 5.0)  # slack, tare and noise
    assert np.std(before) > 0.05
    assert settings.force_limit_n <= np.max(curve.force_n) < 1.01 * settings.force_limit_n
    assert np.argmax(curve.force_n) == len(curve.force_n) - 1


def test_the_limits_of_force_travel_and_speed_are_kept(barrel):
    part = barrel(8, 125.0, 2.2, 1.05)
    weak = crush(part, 3, PressSettings(force_limit_n=1000.0))
    assert np.max(weak.force_n[:-1]) < 1000.0 <= weak.force_n[-1]
    short = crush(part, 3, PressSettings(travel_limit_mm=1.0, force_limit_n=1e9))
    assert short.displacement_mm[-1] == pytest.approx(1.0, abs=0.01)
    fast = crush(part, 3, PressSettings(speed_mm_per_min=20.0))
    assert fast.displacement_mm[-1] / fast.time_s[-1] == pytest.approx(20.0 / 60.0, rel=0.01)


def test_nothing_on_the_plate_gives_no_force():
    empty = np.zeros((0, 3))
    nothing = np.zeros(0)
    path = ExecutedPath(empty, empty, nothing, nothing, nothing, nothing, np.zeros(0, dtype=np.int64))
    curve = crush(deposit(path), 1)
    assert np.max(np.abs(curve.force_n)) < 5.0
    assert curve.displacement_mm[-1] == pytest.approx(18.0, abs=0.01)


@pytest.mark.parametrize("design", [(8, 100.0, 2.0, 1.0), (6, 0.0, 1.5, 0.7), (10, 150.0, 2.1, 1.4)], ids=str)
def test_a_fifth_less_material_is_weaker_and_softer_as_its_lost_wall_predicts(barrel, design):
    full, _ = respond(structure(barrel(*design)))
    poor, _ = respond(structure(barrel(*design, flow=0.8)))
    assert float(poor.yield_force_n / full.yield_force_n) == pytest.approx(0.8, rel=0.05)
    assert float(full.compliance_mm_per_n / poor.compliance_mm_per_n) == pytest.approx(0.8, rel=0.05)


def test_a_fifth_less_material_shows_in_the_recorded_curve(barrel):
    full, poor = (crush(barrel(8, 100.0, 2.0, 1.0, flow=flow), 1, QUIET) for flow in (1.0, 0.8))

    def slope(curve) -> float:
        rising = (curve.force_n > 500.0) & (curve.displacement_mm < 0.9)
        first = np.flatnonzero(rising)[:6]
        return float(np.polyfit(curve.displacement_mm[first], curve.force_n[first], 1)[0])

    assert slope(poor) / slope(full) == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("design", [(8, 100.0, 2.0, 1.0), (10, 125.0, 1.9, 1.05), (6, 200.0, 2.1, 0.7)], ids=str)
def test_five_missing_layers_cost_a_third_of_the_toughness(barrel, design):
    whole = crush(barrel(*design), 1, QUIET)
    holed = crush(barrel(*design, missing=range(48, 53)), 1, QUIET)
    assert float(structure_force(barrel(*design))) < 5000.0  # it stays below the limit
    assert toughness(holed) < 0.7 * toughness(whole)


def structure_force(part) -> float:
    return float(respond(structure(part))[0].yield_force_n)


def test_one_missing_layer_costs_less_than_five(barrel):
    whole, one, five = (
        toughness(crush(barrel(8, 100.0, 2.0, 1.0, missing=gap), 1, QUIET))
        for gap in (range(0), range(50, 51), range(48, 53))
    )
    assert five < one < whole


def test_a_part_too_strong_for_the_limit_scores_higher_when_weakened(barrel):
    strong = barrel(12, 0.0, 2.0, 1.4)
    weaker = barrel(12, 0.0, 2.0, 1.4, flow=0.5)
    assert structure_force(strong) > 5000.0 > structure_force(weaker)
    assert toughness(crush(weaker, 1, QUIET)) > 1.5 * toughness(crush(strong, 1, QUIET))


def test_layers_printed_cold_hold_less(barrel):
    warm, cold = (structure_force(barrel(8, 100.0, 2.0, 1.0, cold=range(first, first + 5))) for first in (200, 50))
    assert cold < 0.7 * warm


def test_replicates_scatter_and_share_what_belongs_to_the_structure(barrel):
    part = barrel(6, 100.0, 2.1, 1.05)
    values = [toughness(crush(part, seed)) for seed in range(12)]
    assert np.std(values) > 0.3
    assert toughness(crush(part, 0, PressSettings(scatter=0.0))) == pytest.approx(
        toughness(crush(part, 1, PressSettings(scatter=0.0))), rel=0.01
    )


def test_a_thicker_tube_is_stronger_and_a_hole_in_it_weaker(tube):
    thin, thick = (structure_force(tube(8.0, wall)) for wall in (0.8, 1.2))
    holed = structure_force(tube(8.0, 0.8, missing=range(18, 23)))
    assert holed < thin < thick
    assert structure_force(tube(8.0, 0.8, flow=0.8)) < 0.85 * thin


def test_a_solid_block_is_stiffer_than_a_tube_and_stops_at_the_limit(tube):
    block, shell = crush(tube(6.0, 6.0), 1, QUIET), crush(tube(6.0, 0.8), 1, QUIET)
    assert block.displacement_mm[-1] < shell.displacement_mm[-1]
    assert block.force_n[-1] >= 5000.0
