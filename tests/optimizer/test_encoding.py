from __future__ import annotations

import numpy as np
import pytest

from toughopt.errors import SpaceError
from toughopt.optimizer import Optimizer, Space
from toughopt.optimizer.insight import partial_dependence, total_effects


def _half(columns):
    return np.asarray(columns["x"]) <= 0.5


def _known_where_allowed(columns):
    x = np.asarray(columns["x"], dtype=float)
    return np.where(x <= 0.5, x**2, np.nan)


@pytest.fixture
def space():
    made = Space.from_dict({name: {"type": "real", "low": 0.0, "high": 1.0} for name in "xy"})
    return made.with_constraint(_half)


def test_features_may_be_unknown_where_a_design_cannot_be_made(space):
    optimizer = Optimizer(space, seed=1, features=_known_where_allowed)
    rng = np.random.default_rng(2)
    for design in space.designs(space.sample(8, rng)):
        optimizer.tell([design], [design["x"] + design["y"]])
    assert optimizer.ask(1)[0]["x"] <= 0.5
    assert np.isfinite(optimizer.encoder.encode({"x": np.array([0.2, 0.9]), "y": np.array([0.5, 0.5])})).all()
    assert np.isfinite(list(total_effects(optimizer).values())).all()
    assert np.isfinite(partial_dependence(optimizer, "x", points=4).mean).all()


def test_features_that_are_unknown_where_a_design_can_be_made_are_refused(space):
    with pytest.raises(SpaceError, match="finite wherever"):
        Optimizer(space, seed=1, features=lambda columns: np.where(np.asarray(columns["x"]) < 0.2, np.nan, 1.0)).ask(1)
