from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression import AnalysisSettings, Curve, analyze, analyze_cycles, prepare
from toughopt.errors import CurveError


def codes(result) -> set[str]:
    return {finding.code for finding in result.findings}


def test_figures_of_a_curve_that_can_be_worked_out_by_hand(crushed):
    result = analyze(crushed, height_mm=20.0, mass_g=5.0, area_mm2=100.0)
    energy_j = (
        500.0 + 9000.0 + 2000.0 + 500.0 * 8.0 / 3.0
    ) / 1e3  # triangle, level part, level under the rise, the rise
    assert result.toughness_j == pytest.approx(energy_j, rel=1e-3)
    assert result.specific_energy_j_per_g == pytest.approx(energy_j / 5.0, rel=1e-3)
    assert result.stiffness_n_per_mm == pytest.approx(1000.0, rel=1e-3)
    assert result.contact_mm == pytest.approx(0.5, abs=0.005)
    assert result.plateau_stress_mpa == pytest.approx(10.0, rel=1e-3)
    assert result.yield_force_n == pytest.approx(1000.0, rel=0.01)
    assert result.energy_absorbing_efficiency == pytest.approx(9500.0 / (1000.0 * 20.0), abs=0.005)
    assert result.densification_strain == pytest.approx(0.5, abs=0.01)
    assert result.crush_force_efficiency == pytest.approx(0.95, abs=0.01)
    assert result.peak_force_n == pytest.approx(3000.0)
    assert result.max_displacement_mm == pytest.approx(12.5)
    assert result.verdict == "accepted"


@pytest.mark.parametrize("path", ["test.csv", None, 3])
def test_what_is_no_curve_is_told_how_to_become_one(path):
    with pytest.raises(CurveError, match="read_curves"):
        analyze(path)


def test_a_record_that_lies_above_the_force_limit_has_no_toughness_rather_than_none_at_all():
    x = np.linspace(0.0, 5.0, 800)
    result = analyze(Curve(x, 6000.0 + 1000.0 * x), settings=AnalysisSettings(force_limit_n=5000.0))
    assert result.toughness_j is None and result.verdict == "rejected"
    assert any("ABOVE_LIMIT" in warning and "force_limit_n" in warning for warning in result.warnings)


@pytest.mark.parametrize("limit", [None, 2000.0])
def test_a_record_that_ends_where_the_efficiency_is_best_is_told(limit):
    x = np.linspace(0.0, 5.0, 800)
    curve = Curve(x, np.where(x > 0.5, 400.0 * (x - 0.5), 0.0) * (2000.0 / 1800.0))
    settings = AnalysisSettings(force_limit_n=limit)
    told = [f for f in analyze(curve, height_mm=20.0, settings=settings).findings if f.code == "EFFICIENCY_AT_LIMIT"]
    assert [(f.severity, f.effect) for f in told] == [("warning", "warn")]
    assert ("limit of 2000 N" in told[0].message) == (limit is not None)
    assert "EFFICIENCY_AT_LIMIT" not in codes(analyze(curve, settings=settings))  # without a height there is none


def test_an_efficiency_that_was_passed_before_the_end_hides_none(crushed):
    assert "EFFICIENCY_AT_LIMIT" not in codes(analyze(crushed, height_mm=20.0))


def test_what_needs_height_mass_or_area_is_none_without(crushed):
    result = analyze(crushed)
    assert result.specific_energy_j_per_g is None
    assert result.energy_absorbing_efficiency is None
    assert result.densification_strain is None
    assert result.plateau_stress_mpa is None
    assert result.toughness_j is not None


@pytest.mark.parametrize(("sign_x", "sign_f", "shift"), [(-1, 1, 0), (1, -1, 40), (-1, -1, 300), (-1, 1, -55.5)])
def test_sign_and_offset_of_the_record_do_not_matter(crushed, sign_x, sign_f, shift):
    turned = Curve(sign_x * crushed.displacement_mm + shift, sign_f * crushed.force_n)
    assert analyze(turned).toughness_j == pytest.approx(analyze(crushed).toughness_j, rel=1e-9)


def test_analytic_curves_are_within_half_a_percent_and_the_efficiency_within_five_thousandths(cases):
    rng = np.random.default_rng(11)
    for _ in range(60):
        case = cases.make_case(rng, 0.0, most=6000)
        result = analyze(case.curve, height_mm=case.height_mm, settings=case.settings)
        sharp = case.kind in ("brittle", "softening") and case.extras["samples"] < 1000  # a peak between two samples
        if "COARSE_SAMPLING" in codes(result):
            assert case.kind == "brittle"
            assert abs(result.toughness_j - case.toughness_j) <= 1.96 * result.toughness_std_j
        else:
            assert result.toughness_j == pytest.approx(case.toughness_j, rel=0.005), case
        assert result.energy_absorbing_efficiency == pytest.approx(case.efficiency, abs=0.01 if sharp else 0.005), case


@pytest.mark.parametrize(("samples", "coarse"), [(150, True), (1500, False)])
def test_a_break_between_two_samples_is_told_where_it_matters_and_lies_within_what_is_stated(samples, coarse):
    """The force rises evenly to 1,000 N at 6 mm, where the part breaks; nothing tells where between two samples."""
    inside = []
    for shift in np.linspace(0.0, 1.0, 21):
        x = (np.arange(samples) + shift) * 10.0 / samples
        result = analyze(Curve(x, np.where(x < 6.0, 1000.0 * x / 6.0, 0.0)))
        assert ("COARSE_SAMPLING" in codes(result)) is coarse
        inside.append(abs(result.toughness_j - 3.0) <= 1.96 * result.toughness_std_j)
    assert np.mean(inside) >= 0.9


def test_the_stated_uncertainty_is_honest_with_and_without_drift(cases):
    rng = np.random.default_rng(12)
    inside: dict[bool, list[bool]] = {True: [], False: []}
    for _ in range(200):
        case = cases.make_case(rng, float(10 ** rng.uniform(-3, np.log10(0.02))), most=800)
        result = analyze(case.curve, height_mm=case.height_mm, settings=case.settings)
        assert result.toughness_j is not None
        off = abs(result.toughness_j - case.toughness_j)
        inside[case.extras["drift"] != 0].append(off <= 1.96 * result.toughness_std_j)
    assert len(inside[True]) > 40
    assert np.mean(inside[True]) >= 0.85
    assert 0.91 <= np.mean(inside[True] + inside[False]) <= 0.99


def test_a_single_wrong_sample_is_told_and_moves_no_more_than_its_own_trapezoids(fuzz, layouts):
    tally = fuzz.run_samples(layouts.crush, 60, seed=5)
    assert tally.told == tally.worth_telling > 20
    assert tally.too_far == 0


def test_a_wrong_displacement_does_not_end_the_loading(crushed):
    x = crushed.displacement_mm.copy()
    x[400] = 1e4
    result = analyze(Curve(x, crushed.force_n, crushed.time_s))
    assert "OUTLIER" in codes(result)
    assert result.toughness_j == pytest.approx(analyze(crushed).toughness_j, rel=1e-3)
    assert result.max_displacement_mm == 1e4


def test_a_rebound_tap_is_cut_off(crushed):
    back = np.linspace(4.0, 12.0, 60)
    tapped = Curve(np.append(crushed.displacement_mm, back), np.append(crushed.force_n, np.linspace(0, 300, 60)))
    result = analyze(tapped)
    assert "REBOUND" in codes(result)
    assert result.toughness_j == pytest.approx(analyze(crushed).toughness_j)


def test_a_jump_back_that_more_loading_follows_is_doubted(crushed):
    longer = np.concatenate([crushed.displacement_mm[:1200], crushed.displacement_mm[500:] + 1.0])
    result = analyze(Curve(longer, np.concatenate([crushed.force_n[:1200], 2 * crushed.force_n[500:]])))
    assert any(finding.code == "REBOUND" and finding.effect == "warn" for finding in result.findings)


def test_machine_compliance_is_taken_out_as_a_number_or_a_curve(crushed):
    soft = Curve(crushed.displacement_mm + 2e-4 * crushed.force_n, crushed.force_n)
    wanted = analyze(crushed).toughness_j
    assert analyze(soft).toughness_j > 1.01 * wanted
    number = AnalysisSettings(compliance_mm_per_n=2e-4)
    table = AnalysisSettings(compliance_curve=((0.0, 0.0), (1000.0, 0.2), (2000.0, 0.4)))
    assert analyze(soft, settings=number).toughness_j == pytest.approx(wanted, rel=1e-3)
    assert analyze(soft, settings=table).toughness_j == pytest.approx(wanted, rel=1e-3)


def test_toe_compensation_zeroes_where_the_steepest_line_meets_zero():
    d = np.linspace(0, 4, 2001)
    toe = np.where(d < 1.0, 500.0 * d**2, 500.0 + 1000.0 * (d - 1.0))
    settings = AnalysisSettings(toe="astm_d695")
    ready = prepare(Curve(d, toe), settings=settings)
    assert ready.displacement_mm[-1] == pytest.approx(3.5, abs=0.01)


@pytest.mark.parametrize(
    ("rule", "value", "energy_j"),
    [("displacement", 5.0, 4.5), ("force", 900.0, 0.405), ("strain", 0.25, 4.5), ("densification", None, 9.606)],
)
def test_the_area_ends_where_it_is_told(crushed, rule, value, energy_j):
    settings = AnalysisSettings(end=rule, end_value=value)
    result = analyze(crushed, height_mm=20.0, settings=settings)
    assert result.toughness_j == pytest.approx(energy_j, rel=0.003)


def test_the_area_ends_at_the_first_break():
    d = np.linspace(0, 10, 1001)
    force = np.where(d < 2, 500 * d, np.where(d < 6, 100.0, 900.0))
    whole, first = analyze(Curve(d, force)), analyze(Curve(d, force), settings=AnalysisSettings(end="first_break"))
    assert first.toughness_j == pytest.approx(1.0, rel=0.01)
    assert whole.toughness_j > 4 * first.toughness_j


def test_too_strong_counts_as_published_or_as_a_lower_bound():
    d = np.linspace(0, 1, 400)
    stiff = Curve(d, 5100.0 * d)
    published = analyze(stiff, settings=AnalysisSettings(force_limit_n=5000.0))
    censored = analyze(stiff, settings=AnalysisSettings(force_limit_n=5000.0, too_strong="censored"))
    energy_j = 0.5 * 5000.0 * (5000 / 5100) / 1e3
    assert (published.verdict, published.censored) == ("accepted", False)
    assert (censored.verdict, censored.censored) == ("censored", True)
    assert published.toughness_j == pytest.approx(energy_j, rel=1e-3)
    assert censored.toughness_j == published.toughness_j
    assert {"TOO_STRONG"} <= codes(published) & codes(censored)


def test_one_that_yields_and_then_densifies_up_to_the_limit_is_not_too_strong(crushed):
    result = analyze(crushed, settings=AnalysisSettings(force_limit_n=2500.0, too_strong="censored"))
    assert "TOO_STRONG" not in codes(result)
    assert result.verdict == "accepted"


def rejected(curve: Curve) -> set[str]:
    result = analyze(curve)
    assert result.verdict == "rejected"
    assert result.toughness_j is None
    return codes(result)


def test_what_cannot_be_a_test_is_rejected_with_its_extremes():
    rng = np.random.default_rng(0)
    line = np.linspace(0.0, 5.0, 200)
    assert "NO_CONTACT" in rejected(Curve(line, 0 * line))
    assert "NO_TRAVEL" in rejected(Curve(0 * line, line * 100))
    assert "TOO_FEW_POINTS" in rejected(Curve(line[:6], line[:6] * 100))
    assert "DISPLACEMENT_ERRATIC" in rejected(Curve(rng.random(200), line * 100))
    assert "NOT_A_NUMBER" in rejected(Curve(line, np.where(np.arange(200) % 5, line * 100, np.nan)))
    assert "DISPLACEMENT_JUMPS" in rejected(Curve(line + 2.0 * (line > 2.5), line * 100))
    assert "TIME_BACKWARDS" in rejected(Curve(line, line * 100, rng.random(200)))
    assert analyze(Curve(0 * line - 3.0, line * 100)).peak_force_n == pytest.approx(500.0)
    assert analyze(Curve(0 * line - 3.0, line * 100)).max_displacement_mm == pytest.approx(3.0)


def test_a_saturated_load_cell_makes_a_lower_bound():
    rng = np.random.default_rng(0)
    d = np.linspace(0, 10, 800)
    result = analyze(Curve(d, np.minimum(800 * d + rng.normal(0, 3, 800), 5000.0)))
    assert "SATURATED" in codes(result)
    assert result.verdict == "censored"
    assert analyze(Curve(d, 400 * d), settings=AnalysisSettings(load_cell_n=4000.0)).verdict == "censored"


def test_a_travel_beyond_the_height_is_doubted(crushed):
    assert "BEYOND_HEIGHT" in codes(analyze(crushed, height_mm=0.5 * float(np.ptp(crushed.displacement_mm))))
    assert "BEYOND_HEIGHT" not in codes(analyze(crushed, height_mm=50.0))


def test_many_jumps_before_the_loading_are_one_finding(crushed):
    before = np.repeat([3.9, 3.6, 3.3, 3.0], 10) + np.tile(np.linspace(0, 0.01, 10), 4)
    x = np.concatenate([before, crushed.displacement_mm])
    findings = analyze(Curve(x, np.concatenate([np.full(40, 30.0), crushed.force_n]))).findings
    assert [finding.code for finding in findings].count("ZEROED_IN_PRELOAD") == 1


def test_a_force_in_coarse_steps_was_not_saturated():
    d = np.linspace(0, 10, 800)
    result = analyze(Curve(d, np.round(np.minimum(0.4 * d, 1.7) + 0.02 * np.sin(40 * d), 1)))
    assert "SATURATED" not in codes(result)
    assert "FLAT_TOP" not in codes(result)


def test_a_displacement_that_was_zeroed_in_the_preload_is_cut_there(crushed):
    before = np.full(30, 3.0) + np.linspace(0, 0.01, 30)
    x = np.concatenate([before, crushed.displacement_mm])
    result = analyze(Curve(x, np.concatenate([np.full(30, 30.0), crushed.force_n])))
    assert "ZEROED_IN_PRELOAD" in codes(result)
    assert result.toughness_j == pytest.approx(analyze(crushed).toughness_j, rel=1e-3)


def test_a_record_that_ends_under_load_says_so_unless_the_limit_is_known(crushed):
    assert "ENDS_UNDER_LOAD" in codes(analyze(crushed))
    assert "ENDS_UNDER_LOAD" not in codes(analyze(crushed, settings=AnalysisSettings(force_limit_n=3000.0)))


def test_a_record_that_begins_under_load_says_so_and_one_that_begins_at_zero_does_not():
    d = np.linspace(0, 6, 120)
    assert "STARTS_UNDER_LOAD" not in codes(analyze(Curve(d, 400 * d)))
    assert "STARTS_UNDER_LOAD" in codes(analyze(Curve(d, 400 * d + 150)))


def test_doubled_rows_change_nothing(crushed):
    doubled = Curve(
        np.insert(crushed.displacement_mm, 0, crushed.displacement_mm[0]),
        np.insert(crushed.force_n, 0, crushed.force_n[0]),
        np.insert(crushed.time_s, 0, crushed.time_s[0]),
    )
    result = analyze(doubled)
    assert "DOUBLED_ROWS" in codes(result)
    assert result.toughness_j == analyze(crushed).toughness_j


def test_a_curve_without_time_and_with_integers_is_fine():
    assert analyze(Curve(range(40), [3 * i for i in range(40)])).toughness_j == pytest.approx(0.5 * 39 * 117 / 1e3)


def test_cycles_are_analysed_one_by_one():
    down = np.linspace(0, 2, 100)
    x = np.concatenate([down, down[::-1], down * 1.5, 1.5 * down[::-1], down * 2])
    force = np.concatenate([500 * down, 400 * down[::-1], 750 * down, 600 * down[::-1], 1000 * down])
    curve = Curve(x, force)
    parts = analyze_cycles(curve)
    assert [round(part.peak_force_n) for part in parts] == [1000, 1500, 2000]
    assert [part.toughness_j for part in parts] == pytest.approx([1.0, 2.25, 4.0], rel=0.02)
    assert "CYCLIC" in codes(analyze(curve))


def test_a_monotonic_test_has_no_cycles(crushed):
    assert analyze_cycles(crushed) == ()


@pytest.mark.parametrize("name", ["height_mm", "mass_g", "area_mm2"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_sizes_are_refused(crushed, name, value):
    with pytest.raises(CurveError, match=name):
        analyze(crushed, **{name: value})


def test_a_strain_without_height_is_refused(crushed):
    with pytest.raises(CurveError, match="height_mm"):
        analyze(crushed, settings=AnalysisSettings(end="strain", end_value=0.3))
