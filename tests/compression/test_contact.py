from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression import AnalysisSettings, Curve, analyze
from toughopt.compression.contact import find_contact


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
