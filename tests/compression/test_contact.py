from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression import AnalysisSettings, Curve, analyze
from toughopt.compression.contact import USUAL_DRIFT, find_contact


def ramp(slack: float = 0.6, tare: float = 0.0, drift: float = 0.0, noise: float = 0.0, samples: int = 1000):
    rng = np.random.default_rng(4)
    x = np.linspace(0.0, 5.0, samples)
    return x, 400.0 * np.maximum(x - slack, 0.0) + tare + drift * x + rng.normal(0.0, 1.0, samples) * noise


@pytest.mark.parametrize("tare", [0.0, 2.3, -1.5])
@pytest.mark.parametrize("samples", [60, 500, 5000])
def test_the_contact_is_found_between_samples_whatever_the_load_cell_reads(tare, samples):
    x, f = ramp(tare=tare, samples=samples)
    contact = find_contact(x, f, 0.0)
    assert contact.displacement_mm == pytest.approx(0.6, abs=1e-6)
    assert contact.baseline.offset_n == pytest.approx(tare)


def test_a_drift_in_the_air_is_followed():
    x, f = ramp(tare=1.0, drift=0.5)
    contact = find_contact(x, f, 0.0)
    assert contact.baseline.slope_n_per_mm == pytest.approx(0.5, rel=1e-3)
    assert contact.displacement_mm == pytest.approx(0.6, abs=1e-3)


@pytest.mark.parametrize("noise", [1.0, 5.0, 20.0])
def test_noise_blurs_the_contact_by_what_it_must(noise):
    x, f = ramp(tare=2.0, noise=noise)
    contact = find_contact(x, f, noise)
    assert contact.displacement_mm == pytest.approx(0.6, abs=3 * noise / 400.0 + 0.01)
    assert contact.baseline.offset_n == pytest.approx(2.0, abs=5 * contact.baseline.offset_std_n)


def test_a_record_that_begins_under_load_has_no_baseline():
    x, f = ramp(slack=0.0)
    contact = find_contact(x, f + 50.0, 0.0)
    assert contact.index == 0
    assert contact.baseline.samples == 0


def test_nothing_is_subtracted_when_told_not_to():
    x, f = ramp(tare=0.5)
    assert find_contact(x, f, 0.0, AnalysisSettings(baseline="none")).baseline.offset_n == 0.0


def test_air_alone_is_no_contact():
    x = np.linspace(0, 5, 500)
    assert find_contact(x, np.random.default_rng(0).normal(0, 5.0, 500), 5.0) is None


@pytest.mark.parametrize("tare", [0.0, 2.0])
@pytest.mark.parametrize("peak", [3.0, 8.0, 20.0])
def test_a_specimen_hardly_stronger_than_the_contact_threshold_keeps_its_energy(peak, tare):
    x = np.linspace(0.0, 10.0, 700)
    force = peak * np.minimum(np.maximum(x - 0.5, 0.0) / 1.4, 1.0)
    exact = peak * (0.7 + 8.1) / 1e3
    assert analyze(Curve(x, force + tare)).toughness_j == pytest.approx(exact, rel=5e-3)


def test_a_weak_record_that_begins_under_load_says_so():
    x = np.linspace(0.0, 10.0, 700)
    result = analyze(Curve(x, 2.0 + 8.0 * np.minimum(x, 1.0)))
    assert any(finding.code == "STARTS_UNDER_LOAD" for finding in result.findings)


@pytest.mark.parametrize("share", [-0.01, 0.002, 0.01])
def test_a_drift_without_noise_costs_nothing(share):
    x, f = ramp(slack=0.3, tare=-1.0, drift=share * 1880.0 / 5.0)
    result = analyze(Curve(x, f))
    assert result.toughness_j == pytest.approx(0.5 * 400.0 * 4.7**2 / 1e3, rel=1e-5)
    assert any(finding.code == "FORCE_DRIFT" for finding in result.findings)


@pytest.mark.parametrize("share", [-0.008, 0.0, 0.008])
def test_a_drift_that_noise_hides_is_within_what_is_stated_and_not_told_as_a_finding(share):
    x, f = ramp(tare=1.0, drift=share * 1760.0 / 5.0, noise=9.0)
    baseline = find_contact(x, f, 9.0).baseline
    usual = USUAL_DRIFT * f.max() / 5.0
    assert 0.9 * usual < baseline.slope_std_n_per_mm < usual
    assert not baseline.drifts
    result = analyze(Curve(x, f))
    assert abs(result.toughness_j - 0.5 * 400.0 * 4.4**2 / 1e3) < 1.96 * result.toughness_std_j
    assert not any(finding.code == "FORCE_DRIFT" for finding in result.findings)


def test_long_air_tells_a_drift_better_than_the_assumption_does():
    x = np.linspace(0.0, 10.0, 4000)
    f = 400.0 * np.maximum(x - 6.0, 0.0) + 0.5 * x + np.random.default_rng(1).normal(0.0, 1.0, x.size)
    baseline = find_contact(x, f, 1.0).baseline
    error = 1.0 * np.sqrt(12.0 / 2400.0) / 6.0  # of a line's slope through 2400 samples over 6 mm
    assert baseline.slope_std_n_per_mm == pytest.approx(error, rel=0.15)
    assert baseline.slope_n_per_mm == pytest.approx(0.5, abs=4.0 * error)


def test_without_air_the_zero_may_have_drifted_by_what_is_usual():
    x, f = ramp(slack=0.0)
    assert find_contact(x, f, 0.0).baseline.slope_std_n_per_mm == pytest.approx(USUAL_DRIFT * 2000.0 / 5.0)
    for told in ("none", "constant"):
        assert find_contact(x, f, 0.0, AnalysisSettings(baseline=told)).baseline.slope_std_n_per_mm == 0.0


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_long_even_toe_is_no_drift(noise):
    """20 N/mm over the first half millimetre, 400 N/mm after: taken for drift, it would be a 20th of the peak."""
    x = np.linspace(0.0, 10.0, 2000)
    f = 20.0 * x + 380.0 * np.maximum(x - 0.5, 0.0)
    exact = (20.0 * 10.0**2 + 380.0 * 9.5**2) / 2e3
    seen = f + np.random.default_rng(2).normal(0.0, 1.0, x.size) * noise
    assert analyze(Curve(x, seen)).toughness_j == pytest.approx(exact, rel=5e-3)


def test_what_is_stated_does_not_depend_on_where_the_displacement_is_zero():
    x, f = ramp(tare=1.0, noise=4.0)
    stated = [analyze(Curve(x + shift, f)).toughness_std_j for shift in (0.0, 40.0, -40.0)]
    assert stated[1:] == pytest.approx(stated[:1] * 2, rel=1e-6)
