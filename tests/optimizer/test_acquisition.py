"""Acquisition functions against plain Monte Carlo and each other."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.optimizer.acquisition import (
    expected_improvement,
    knowledge_gradient,
    log_expected_improvement,
    log_improvement_in_units,
    noisy_expected_improvement,
    probability_of_improvement,
)
from toughopt.optimizer.transforms import Transform

RNG = np.random.default_rng(0)
MEAN = np.array([-1.0, 0.0, 0.5, 2.0])
STD = np.array([0.5, 1.0, 0.1, 0.7])
DRAWS = MEAN + STD * RNG.standard_normal((400_000, 4))


def test_expected_improvement_and_its_logarithm_and_probability_agree_with_monte_carlo():
    ei = expected_improvement(MEAN, STD, 0.3)
    np.testing.assert_allclose(ei, np.maximum(DRAWS - 0.3, 0).mean(axis=0), atol=4e-3)
    np.testing.assert_allclose(log_expected_improvement(MEAN, STD, 0.3), np.log(ei), rtol=1e-9)
    np.testing.assert_allclose(probability_of_improvement(MEAN, STD, 0.3), (DRAWS > 0.3).mean(axis=0), atol=3e-3)


def test_the_logarithm_orders_designs_far_below_the_incumbent_and_is_continuous():
    z = -np.array([0.9, 0.999999, 1.000001, 5.0, 30.0, 999.0, 1001.0, 1e6])
    values = log_expected_improvement(z, np.ones(8), 0.0)
    assert np.isfinite(values).all() and (np.diff(values) < 0).all()
    assert values[1] == pytest.approx(values[2], abs=1e-4)


@pytest.mark.parametrize("power", [1.0, 0.5, 0.0])
def test_improvement_in_units_is_that_of_the_objective(power):
    transform = Transform.of(np.array([2.0, 5.0, 9.0, 30.0]), power)
    objective = transform.inverse(DRAWS)
    best = float(transform.inverse(np.array([0.3]))[0])
    found = np.exp(log_improvement_in_units(MEAN, STD, 0.3, transform))
    np.testing.assert_allclose(found, np.maximum(objective - best, 0).mean(axis=0), rtol=0.05, atol=1e-2)


@pytest.mark.parametrize("power", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_transforms_invert_rise_and_have_the_slope_that_they_say(power, sign):
    y = sign * np.array([2.0, 5.0, 9.0, 30.0])
    transform = Transform.of(y, power)
    z = transform.forward(y)
    np.testing.assert_allclose(transform.inverse(z), y, rtol=1e-9)
    assert (np.diff(z) * np.diff(y) > 0).all()
    np.testing.assert_allclose((transform.forward(y + 1e-6) - z) / 1e-6, transform.slope(y), rtol=1e-4)
    np.testing.assert_allclose(transform.inverse_slope(z) * transform.slope(y), 1.0, rtol=1e-9)


def test_knowledge_gradient_agrees_with_monte_carlo():
    rng = np.random.default_rng(1)
    root = rng.standard_normal((5, 5))
    covariance, mean, noise = root @ root.T, rng.standard_normal(5), np.full(5, 0.3)
    found = knowledge_gradient(mean, covariance, noise)
    z = rng.standard_normal(200_000)
    for j in range(5):
        slope = covariance[:, j] / np.sqrt(covariance[j, j] + noise[j])
        simulated = (mean + z[:, None] * slope).max(axis=1).mean() - mean.max()
        assert found[j] == pytest.approx(simulated, abs=0.01)


def test_noisy_expected_improvement_is_the_plain_one_where_the_incumbent_is_known():
    draws = np.zeros((3, 1))
    known = np.full((3, 1), 0.3)
    found = noisy_expected_improvement(MEAN, STD, np.zeros((4, 1)), known, draws)
    np.testing.assert_allclose(found, expected_improvement(MEAN, STD, 0.3))
