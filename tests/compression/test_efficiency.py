from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from toughopt.compression import energy_absorbing_efficiency
from toughopt.compression.efficiency import densification, may_be_hidden, running_energy, with_corner
from toughopt.errors import CurveError


def brute(x: np.ndarray, f: np.ndarray, height: float) -> float:
    """Every recorded force as a threshold, by the definition."""
    best = 0.0
    for threshold in f[f > 1e-3 * f.max()]:
        above = np.flatnonzero(f > threshold)
        stop = above[0] if above.size else f.size
        energy = np.trapezoid(f[:stop], x[:stop]) if stop > 1 else 0.0
        best = max(best, energy / (threshold * height))
    return best


@settings(deadline=None, derandomize=True, max_examples=60)
@given(hnp.arrays(np.float64, st.integers(3, 60), elements=st.floats(1.5, 1e3)), st.floats(5, 50))
def test_only_running_maxima_can_be_the_best_threshold(force, height):
    x = np.linspace(0, 4, force.size)
    assert energy_absorbing_efficiency(x, force, height).value == pytest.approx(brute(x, force, height), rel=1e-9)


def test_an_ideal_absorber_reaches_one():
    x = np.linspace(0, 20, 2000)
    assert energy_absorbing_efficiency(x, np.full(2000, 300.0), 20.0).value == pytest.approx(1.0)


def test_a_spring_reaches_half_of_its_strain():
    x = np.linspace(0, 10, 1000)
    found = energy_absorbing_efficiency(x, 50 * x, 20.0)
    assert (found.value, found.displacement_mm, found.threshold_n) == pytest.approx((0.25, 10.0, 500.0))


def test_nothing_to_take_up_is_refused():
    with pytest.raises(CurveError, match="height_mm"):
        energy_absorbing_efficiency(np.arange(5.0), np.ones(5), 0.0)
    with pytest.raises(CurveError, match="never rises"):
        energy_absorbing_efficiency(np.arange(5.0), np.zeros(5), 1.0)
    with pytest.raises(CurveError, match="1 points"):
        energy_absorbing_efficiency(np.zeros(1), np.ones(1), 1.0)


def test_densification_is_where_the_rise_begins_and_none_without_one():
    x = np.linspace(0, 10, 1001)
    level = np.minimum(500 * x, 100.0)
    assert x[densification(x, level + 400 * np.maximum(x - 7, 0))] == pytest.approx(7.0, abs=0.05)
    assert densification(x, level) is None
    assert densification(x, 500 * x) is None


@pytest.mark.parametrize("shift", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_sharp_peak_between_two_samples_is_where_its_flanks_meet(shift):
    x = (np.arange(126) - shift) / 125.0
    force = np.where(x < 0.08, 1000.0 * x / 0.08, 450.0 + 550.0 * np.exp(-(x - 0.08) / 0.2))
    x, force = x[1:], force[1:]
    sharp_x, sharp_f = with_corner(x, force, 0.0)
    assert np.max(sharp_f) == pytest.approx(1000.0, rel=3e-3)
    if sharp_x.size > x.size:
        assert sharp_x[np.argmax(sharp_f)] == pytest.approx(0.08, abs=3e-4)
    assert (np.diff(sharp_x) > 0).all()


def test_no_corner_is_made_of_noise_or_of_a_round_peak():
    x = np.linspace(0.0, 2.0, 400)
    noisy = 1000.0 * np.sin(x) + np.random.default_rng(0).normal(0.0, 5.0, 400)
    assert with_corner(x, noisy, 5.0)[1].size == 400
    assert with_corner(x, 1000.0 * np.sin(x), 0.0)[1].size == 400
    assert with_corner(x[:3], x[:3], 0.0)[1].size == 3


def test_a_best_efficiency_at_the_end_of_a_rising_record_may_hide_a_better_one():
    x = np.linspace(0, 10, 1001)
    broken = np.where(x < 4, 500 * x, 20.0)
    passed = np.minimum(500 * x, 100.0) + 400 * np.maximum(x - 7, 0)
    for force, hidden in ((500 * x, True), (np.full(1001, 300.0), True), (broken, False), (passed, False)):
        assert may_be_hidden(energy_absorbing_efficiency(x, force, 20.0), x, force) is hidden


def test_the_running_energy_ends_at_the_trapezoidal_integral():
    rng = np.random.default_rng(0)
    x, f = np.cumsum(rng.random(50)), rng.random(50)
    assert running_energy(x, f)[-1] == pytest.approx(np.trapezoid(f, x))
    assert running_energy(x, f)[0] == 0.0
