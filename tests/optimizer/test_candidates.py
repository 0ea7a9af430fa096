"""Where a policy looks for its next design in a box: not where it has been."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.optimizer import Optimizer, Space


def box(d: int) -> Space:
    """A cube of `d` parameters of different ranges, so that distances must be relative to those."""
    return Space.from_dict({f"x{i}": {"type": "real", "low": 0.0, "high": 10.0**i} for i in range(d)})


def told(space: Space, n: int, seed: int, policy: str = "default", **said: float) -> tuple[Optimizer, np.ndarray]:
    """An optimizer that knows `n` tests of a hill in a corner, and their points of the unit cube."""
    unit = np.random.default_rng(seed).random((n, len(space.parameters)))
    optimizer = Optimizer(space, policy, seed=seed, initial=0, settings=said)
    optimizer.tell(space.designs(space.from_unit(unit)), unit.sum(axis=1).tolist())
    return optimizer, unit


def nearest(space: Space, designs: list[dict[str, object]], unit: np.ndarray) -> np.ndarray:
    """(k,) root mean square distance of each design to the nearest of the points."""
    at = space.to_unit(space.columns(designs))
    return np.asarray(np.sqrt(((at[:, None, :] - unit) ** 2).mean(axis=2)).min(axis=1))


@settings(max_examples=15, deadline=None)
@given(d=st.integers(2, 6), n=st.integers(3, 25), seed=st.integers(0, 99))
def test_what_is_proposed_is_no_tested_design_over_again(d: int, n: int, seed: int) -> None:
    space = box(d)
    optimizer, unit = told(space, n, seed)
    for _ in range(3):
        designs = optimizer.ask()
        assert nearest(space, designs, unit).min() >= 0.05
        unit = np.vstack([unit, space.to_unit(space.columns(designs))])
        optimizer.tell(designs, [float(unit[-1].sum())])


def test_designs_chosen_at_once_or_awaited_differ_as_well() -> None:
    space = box(3)
    optimizer, unit = told(space, 10, 1)
    designs = optimizer.ask(4) + optimizer.ask(3)
    for index, design in enumerate(designs):
        others = space.to_unit(space.columns(designs[:index] + designs[index + 1 :]))
        assert nearest(space, [design], np.vstack([unit, others]))[0] >= 0.05


def test_where_tests_have_filled_the_space_they_may_lie_closer_together() -> None:
    space = box(1)
    optimizer, unit = told(space, 400, 2)
    (distance,) = nearest(space, optimizer.ask(), unit)
    assert 0.0 < distance < 0.05


@pytest.mark.parametrize(("apart", "closer"), [(0.0, True), (0.1, False)])
def test_the_distance_is_the_policys_setting(apart: float, closer: bool) -> None:
    space = box(2)
    optimizer, unit = told(space, 12, 3, apart=apart)
    distances = []
    for _ in range(6):
        designs = optimizer.ask()
        distances.append(float(nearest(space, designs, unit)[0]))
        unit = np.vstack([unit, space.to_unit(space.columns(designs))])
        optimizer.tell(designs, [float(unit[-1].sum())])
    assert (min(distances) < 0.05) == closer
    assert closer or min(distances) >= 0.1
