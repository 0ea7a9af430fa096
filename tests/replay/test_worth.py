from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from toughopt.optimizer import Optimizer, Space
from toughopt.replay import worth_it

_SPACE = {"a": {"type": "real", "low": 0.0, "high": 1.0}, "b": {"type": "real", "low": 0.0, "high": 1.0}}


def bowl(design: dict[str, float]) -> float:
    return -((design["a"] - 0.31) ** 2) - (design["b"] - 0.62) ** 2


def told(*, minimize: bool = False, noise: float = 0.0) -> Optimizer:
    """Twenty tests over the square, then one a tenth away from the optimum: 3.1 % of the square is as good."""
    optimizer = Optimizer(Space.from_dict(_SPACE), "default", 1, minimize=minimize)
    rng = np.random.default_rng(3)
    designs = [{"a": float(a), "b": float(b)} for a, b in rng.random((20, 2)) if math.hypot(a - 0.31, b - 0.62) > 0.15]
    designs.append({"a": 0.41, "b": 0.62})
    sign = -1.0 if minimize else 1.0
    optimizer.tell(designs, [sign * bowl(d) + noise * float(rng.standard_normal()) for d in designs])
    return optimizer


def test_random_search_needs_as_many_tests_as_the_share_of_good_designs_says() -> None:
    found = worth_it(told())
    assert found.best == {"a": 0.41, "b": 0.62}
    assert found.found_at == found.tests
    assert found.share_as_good == pytest.approx(math.pi * 0.1**2, rel=0.35)
    assert found.random is not None and found.random.value is not None
    assert found.random.value == pytest.approx(math.log(0.5) / math.log(1.0 - math.pi * 0.1**2), rel=0.4)
    assert found.random.low is not None and found.random.high is not None
    assert found.random.low < found.random.value < found.random.high


def test_the_grid_is_the_smallest_one_with_such_a_design() -> None:
    found = worth_it(told())
    best = math.hypot(0.1, 0.0)
    first = next(
        k
        for k in range(2, 40)
        if min(math.hypot(a - 0.31, b - 0.62) for a in np.linspace(0, 1, k) for b in np.linspace(0, 1, k)) <= best
    )
    assert found.grid is not None
    assert found.grid.value == first**2


def test_a_smooth_landscape_without_noise_is_called_one() -> None:
    found = worth_it(told())
    assert found.skill is not None and found.skill > 0.8
    assert found.noise_share is not None and found.noise_share < 0.1
    assert found.ruggedness is not None and found.ruggedness < 0.2


def test_noise_is_seen_and_widens_what_is_said() -> None:
    sure, unsure = worth_it(told()), worth_it(told(noise=0.15))
    assert sure.noise_share is not None and unsure.noise_share is not None
    assert unsure.noise_share > sure.noise_share
    assert sure.skill is not None and unsure.skill is not None
    assert unsure.skill < sure.skill


def test_minimising_is_the_mirror_of_maximising() -> None:
    up, down = worth_it(told()), worth_it(told(minimize=True))
    assert down.best == up.best
    assert up.share_as_good is not None
    assert down.share_as_good == pytest.approx(up.share_as_good, rel=0.3)


def test_on_a_pool_the_grid_is_the_whole_pool() -> None:
    pool = [{"a": a / 9, "b": b / 9} for a in range(10) for b in range(10)]
    optimizer = Optimizer(Space(pool=pool), "default", 1)
    tested = [pool[i] for i in np.random.default_rng(0).permutation(100)[:40]]
    optimizer.tell(tested, [bowl(d) for d in tested])
    found = worth_it(optimizer)
    assert found.grid is not None and found.grid.value == 100
    better = sum(bowl(d) >= max(bowl(t) for t in tested) - 1e-12 for d in pool)
    assert found.share_as_good == pytest.approx(better / 100, abs=0.02)


def test_it_is_the_same_every_time_and_fit_for_json() -> None:
    assert worth_it(told()) == worth_it(told())
    json.dumps(asdict(worth_it(told())), allow_nan=False)


def test_before_there_is_anything_to_learn_from_it_says_so() -> None:
    optimizer = Optimizer(Space.from_dict(_SPACE), "default", 1)
    optimizer.tell([{"a": 0.5, "b": 0.5}], [1.0])
    found = worth_it(optimizer)
    assert found.random is None and found.best is None
    assert "are needed" in found.verdict
