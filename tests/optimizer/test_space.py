"""Spaces: what may be chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import DesignError, SpaceError
from toughopt.optimizer import Space

SPEC = {
    "n": {"type": "integer", "low": 6, "high": 12, "step": 2},
    "r": {"type": "real", "low": 0.1, "high": 10.0, "log": True},
    "kind": {"type": "categorical", "values": ["a", "b", "c"]},
    "layers": {"type": "integer", "low": 1, "high": 3},
}


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4))
def test_every_point_of_the_unit_cube_is_a_design_and_leads_back_to_itself(point):
    space = Space.from_dict(SPEC)
    columns = space.from_unit(np.array([point]))
    design = space.designs(columns)[0]
    assert space.check(design) == design
    again = space.designs(space.from_unit(space.to_unit(columns)))[0]
    assert again["r"] == pytest.approx(design["r"])
    assert {k: v for k, v in again.items() if k != "r"} == {k: v for k, v in design.items() if k != "r"}


def test_a_space_survives_its_dictionary():
    spec = SPEC | {"printer": {"type": "categorical", "values": ["x", "y"], "context": True}}
    assert Space.from_dict(spec).to_dict() == spec


def test_a_log_parameter_is_spread_evenly_over_its_decades():
    found = Space.from_dict({"r": SPEC["r"]}).sample(256, np.random.default_rng(0))["r"]
    assert np.mean(found < 1.0) == pytest.approx(0.5, abs=0.02)


def test_counts_and_grids():
    space = Space.from_dict({k: v for k, v in SPEC.items() if k != "r"})
    assert space.count == 4 * 3 * 3
    assert len({space.key(d) for d in space.grid(36)}) == 36
    assert Space.from_dict(SPEC).count == np.inf


def test_keys_forgive_rounding_and_nothing_else():
    space = Space.from_dict(SPEC)
    design = {"n": 6, "r": 0.3, "kind": "a", "layers": 2}
    assert space.key(design) == space.key(design | {"r": 0.1 + 0.2, "n": 6.0})
    assert space.key(design) != space.key(design | {"r": 0.3001})


def test_constraints_hold_in_samples_and_grids():
    space = Space.from_dict(SPEC, constraints=[lambda c: c["n"] * c["layers"] <= 18])
    columns = space.sample(200, np.random.default_rng(0))
    assert len(columns["n"]) == 200 and (columns["n"] * columns["layers"] <= 18).all()
    assert all(d["n"] * d["layers"] <= 18 for d in space.grid(100))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Space.from_dict({}), "no parameter"),
        (lambda: Space(pool=[]), "pool is empty"),
        (lambda: Space.from_dict({"a": {"type": "reel"}}), "a: type = 'reel'"),
        (lambda: Space.from_dict({"a": {"type": "real", "low": 2, "high": 1}}), "a: low = 2 is above high = 1"),
        (lambda: Space.from_dict({"a": {"type": "real", "low": 0, "high": 1, "log": True}}), "low > 0"),
        (lambda: Space.from_dict({"a": {"type": "real", "low": 0, "high": float("inf")}}), "finite"),
        (lambda: Space.from_dict({"a": {"type": "real", "low": 0}}), "high = None must be a number"),
        (lambda: Space.from_dict({"a": {"type": "real", "low": 0, "high": 1, "stepp": 1}}), "'stepp'"),
        (lambda: Space.from_dict({"a": {"type": "integer", "low": 0, "high": 5, "step": 2}}), "multiple of step"),
        (lambda: Space.from_dict({"a": {"type": "categorical", "values": []}}), "at least one value"),
        (lambda: Space.from_dict({"a": {"type": "categorical", "values": ["x", "x"]}}), "twice"),
        (lambda: Space(pool=[{"a": 1}, {"b": 2}]), "lacks 'a'"),
        (lambda: Space(pool=[{"a": 1}], constraints=[lambda c: c["a"] > 5]), "none of the 1 designs"),
    ],
)
def test_a_space_that_contradicts_itself_is_refused_with_a_reason(make, message):
    with pytest.raises(SpaceError, match=message):
        make()


def test_contradictory_and_malformed_constraints_are_refused():
    never = Space.from_dict(SPEC, constraints=[lambda c: c["r"] < 0.0])
    with pytest.raises(SpaceError, match="contradict"):
        never.sample(10, np.random.default_rng(0))
    scalar = Space.from_dict(SPEC, constraints=[lambda c: True])
    with pytest.raises(SpaceError, match="shape"):
        scalar.sample(10, np.random.default_rng(0))


@pytest.mark.parametrize(
    "constraint",
    [
        lambda c: c["r"] - 2.0,
        lambda c: np.full(len(c["r"]), np.nan),
        lambda c: np.where(c["r"] < 2.0, "yes", "no"),
        lambda c: [None] * len(c["r"]),
    ],
)
def test_a_constraint_that_answers_with_no_truth_values_would_allow_everything_and_is_refused(constraint):
    space = Space.from_dict(SPEC, constraints=[constraint])
    with pytest.raises(SpaceError, match="instead of True or False"):
        space.sample(10, np.random.default_rng(0))


@pytest.mark.parametrize("kind", [bool, int, float, object])
def test_truth_values_may_come_as_zeros_and_ones_and_as_objects(kind):
    space = Space.from_dict(SPEC, constraints=[lambda c: (c["r"] < 2.0).astype(kind)])
    assert space.sample(50, np.random.default_rng(0))["r"].max() < 2.0


def test_a_pool_reads_its_own_bounds_and_keeps_whole_numbers_whole():
    space = Space(pool=[{"n": 6, "t": 0.7, "k": "a"}, {"n": 8, "t": 1.4, "k": "b"}, {"n": 6, "t": 0.7, "k": "a"}])
    assert space.count == 2
    assert type(space.pool[0]["n"]) is int
    with pytest.raises(DesignError, match="n = 9"):
        space.check({"n": 9, "t": 1.0, "k": "a"})
