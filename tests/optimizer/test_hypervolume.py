"""Fronts, their volume, and what a test is expected to add to it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.optimizer.acquisition import expected_improvement
from toughopt.optimizer.hypervolume import expected_hypervolume_improvement, hypervolume, nondominated

FEW = settings(deadline=None, derandomize=True, max_examples=40)


def whole_points(k, most=7):
    return st.lists(st.tuples(*[st.integers(0, 6)] * k), min_size=1, max_size=most).map(lambda p: np.array(p, float))


def counted(points):
    """Volume beyond the origin by counting unit cells."""
    cells = itertools.product(range(6), repeat=points.shape[1])
    return sum(any(all(c < x for c, x in zip(cell, p, strict=True)) for p in points) for cell in cells)


@FEW
@given(st.one_of(whole_points(1), whole_points(2), whole_points(3), whole_points(4, 5)))
def test_the_volume_is_that_of_counted_cells(points):
    assert hypervolume(points, np.zeros(points.shape[1])) == pytest.approx(counted(points))


@FEW
@given(st.one_of(whole_points(2), whole_points(3)))
def test_a_front_is_what_nothing_dominates_and_dominates_all_the_rest(points):
    def dominates(a, b):
        return bool((a >= b).all() and (a > b).any())

    on = nondominated(points)
    for i, point in enumerate(points):
        assert on[i] == (not any(dominates(other, point) for other in points))
        assert on[i] or any(dominates(other, point) for other in points[on])
    assert hypervolume(points[on], np.zeros(points.shape[1])) == hypervolume(points, np.zeros(points.shape[1]))


@FEW
@given(whole_points(2), st.integers(0, 1000))
def test_the_expected_gain_is_never_negative_and_a_certain_one_is_the_gain(points, seed):
    rng = np.random.default_rng(seed)
    reference = np.zeros(2)
    mean, std = rng.uniform(-1.0, 8.0, (20, 2)), rng.uniform(0.0, 2.0, (20, 2))
    assert (expected_hypervolume_improvement(mean, std, points, reference) >= 0.0).all()
    certain = expected_hypervolume_improvement(mean, np.zeros((20, 2)), points, reference)
    before = hypervolume(points, reference)
    gains = [hypervolume(np.vstack([points, m]), reference) - before for m in mean]
    assert certain == pytest.approx(gains, abs=1e-9)


def test_a_certain_dominated_design_gains_nothing():
    front = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    dominated = np.array([[1.5, 1.5], [3.0, 1.0], [0.5, 3.0]])
    assert (expected_hypervolume_improvement(dominated, np.zeros((3, 2)), front, np.zeros(2)) == 0.0).all()


def drawn_gains(draws, front, reference):
    """What each draw adds: its own box, less what it shares with those of the front, by inclusion and exclusion."""
    gains = np.prod(np.maximum(draws - reference, 0.0), axis=1)
    for size in range(1, len(front) + 1):
        for members in itertools.combinations(front, size):
            shared = np.minimum(np.min(members, axis=0), draws)
            gains = gains + (-1.0) ** size * np.prod(np.maximum(shared - reference, 0.0), axis=1)
    return gains


@pytest.mark.parametrize("k", [2, 3])
def test_the_expected_gain_is_what_draws_find(k):
    rng = np.random.default_rng(4)
    front, reference = rng.uniform(0.5, 3.0, (5, k)), np.full(k, 0.2)
    mean, std = np.vstack([front[:2] + 0.1, np.full((1, k), 2.0)]), rng.uniform(0.2, 0.8, (3, k))
    std[1, 0] = 0.0  # one that is known
    exact = expected_hypervolume_improvement(mean, std, front, reference)
    for i in range(3):
        draws = mean[i] + std[i] * rng.standard_normal((200_000, k))
        assert exact[i] == pytest.approx(drawn_gains(draws, front, reference).mean(), rel=0.01)


def test_with_a_known_objective_it_is_one_expected_improvement_a_strip():
    front, reference = np.array([[2.0, 1.0], [1.0, 2.0]]), np.zeros(2)
    mean, std = np.array([[1.5, 1.7]]), np.array([[0.6, 0.0]])
    at = lambda best: expected_improvement(mean[:, 0], std[:, 0], best)[0]  # noqa: E731
    by_hand = 1.0 * at(2.0) + 0.7 * at(1.0)  # strips of the known one: 0 to 1 and 1 to 1.7
    assert expected_hypervolume_improvement(mean, std, front, reference)[0] == pytest.approx(by_hand)


def test_one_objective_alone_is_plain_expected_improvement_over_the_best():
    mean, std = np.array([[0.3], [2.5]]), np.array([[0.5], [0.1]])
    found = expected_hypervolume_improvement(mean, std, np.array([[1.0], [2.0]]), np.array([0.0]))
    assert found == pytest.approx(expected_improvement(mean[:, 0], std[:, 0], 2.0))


def test_without_a_front_everything_beyond_the_reference_counts():
    found = expected_hypervolume_improvement(
        np.array([[3.0, 2.0]]), np.zeros((1, 2)), np.zeros((0, 2)), np.array([1.0, 1.0])
    )
    assert found[0] == pytest.approx(2.0)
