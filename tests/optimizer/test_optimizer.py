"""Ask and tell."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from toughopt.errors import ConfigError, DesignError, InputError, ObservationError, SpaceError, UnknownName
from toughopt.optimizer import Decision, Optimizer, Space, decide, policy

FAST = ["default", "ei", "log_ei", "noisy_ei", "ucb", "pi", "max_variance", "thompson", "bear2020", "mamabear"]
SEQUENCES = ["random", "grid", "lhs", "sobol"]
BARREL = {
    "n": {"type": "integer", "low": 6, "high": 12, "step": 2},
    "theta": {"type": "real", "low": 0.0, "high": 200.0},
    "t": {"type": "real", "low": 0.7, "high": 1.4},
}


def toughness(design):
    return 20.0 * math.exp(-(((design["theta"] - 120.0) / 60.0) ** 2)) + design["n"] * design["t"]


def run(optimizer, n):
    found = []
    for _ in range(n):
        for design in optimizer.ask():
            optimizer.tell([design], [toughness(design)])
            found.append(design)
    return found


@pytest.mark.parametrize("name", FAST + SEQUENCES)
def test_designs_are_plain_numbers_within_bounds_steps_and_constraints_and_never_pending_twice(name):
    space = Space.from_dict(BARREL, constraints=[lambda c: c["theta"] * c["t"] < 200.0])
    optimizer = Optimizer(space, name, seed=3, initial=4)
    seen = set()
    for k in (1, 3, 1, 4, 1, 2):
        designs = optimizer.ask(k)
        assert len(designs) == k
        for design in designs:
            assert json.loads(json.dumps(design)) == design
            assert type(design["n"]) is int and design["n"] in (6, 8, 10, 12)
            assert 0.0 <= design["theta"] <= 200.0 and 0.7 <= design["t"] <= 1.4
            assert design["theta"] * design["t"] < 200.0
            assert space.key(design) not in seen
            seen.add(space.key(design))
        optimizer.tell(designs[1:], [toughness(d) for d in designs[1:]])  # the first stays pending
    assert len(optimizer.pending) == 6


@pytest.mark.parametrize("name", FAST)
def test_a_logged_decision_is_derived_again_alone_and_a_resumed_campaign_goes_on_as_if_uninterrupted(name):
    space = Space.from_dict(BARREL)
    optimizer = Optimizer(space, name, seed=5, initial=4)
    run(optimizer, 8)
    record = json.loads(optimizer.last_decision.to_json())
    seen = optimizer.observations[: record["n_observations"]]
    again = Optimizer.restore(space, record, seen)
    assert again.ask(record["k"]) == list(optimizer.last_decision.designs)
    resumed = Optimizer.restore(space, record, optimizer.observations, after=True)
    assert run(resumed, 3) == run(optimizer, 3)


def test_decide_does_not_depend_on_anything_but_its_arguments():
    space = Space.from_dict(BARREL)
    optimizer = Optimizer(space, "default", seed=5, initial=4)
    run(optimizer, 7)
    last = optimizer.last_decision
    again = decide(
        Space.from_dict(BARREL),
        optimizer.observations[: last.n_observations],
        last.pending,
        last.policy,
        last.settings,
        last.rng_before,
        last.start_hyperparameters,
        last.k,
    )
    assert again.to_dict() == last.to_dict()
    assert Decision.from_json(last.to_json()).to_json() == last.to_json()


def test_the_model_beats_chance():
    space = Space.from_dict(BARREL)
    best = {
        name: np.median([max(map(toughness, run(Optimizer(space, name, seed=s), 18))) for s in range(3)])
        for name in ("default", "random")
    }
    assert best["default"] > 36.0 > best["random"]


def test_minimising_is_maximising_the_negative():
    space = Space.from_dict(BARREL)
    optimizer = Optimizer(space, "log_ei", seed=2, minimize=True, initial=5)
    for _ in range(18):
        design = optimizer.ask()[0]
        optimizer.tell([design], [(design["theta"] - 50.0) ** 2 + design["t"]])
    found = optimizer.recommend()
    assert abs(found.design["theta"] - 50.0) < 5.0
    assert found.interval[0] <= found.mean <= found.interval[1]


def test_a_pool_is_all_that_is_proposed_and_each_member_once():
    pool = [{"n": n, "t": t} for n in (6, 8, 10) for t in (0.7, 1.0, 1.4)]
    optimizer = Optimizer(Space(pool=pool), "default", seed=1, initial=3)
    proposed = run_pool(optimizer, 9)
    assert sorted(map(str, proposed)) == sorted(map(str, pool))
    with pytest.raises(SpaceError, match="9 designs"):
        optimizer.ask()


def run_pool(optimizer, n):
    found = []
    for _ in range(n):
        design = optimizer.ask()[0]
        optimizer.tell([design], [design["n"] * design["t"]])
        found.append(design)
    return found


def test_forgetting_makes_a_design_available_again():
    optimizer = Optimizer(Space(pool=[{"t": 1.0}]), "random", seed=1)
    assert optimizer.ask() == [{"t": 1.0}]
    with pytest.raises(SpaceError):
        optimizer.ask()
    optimizer.forget({"t": 1.0})
    assert optimizer.ask() == [{"t": 1.0}]


@pytest.mark.parametrize(
    ("designs", "values", "error", "message"),
    [
        ([{"n": 8, "theta": 1.0, "t": 1.0}], [math.nan], ObservationError, "not finite"),
        ([{"n": 8, "theta": 1.0, "t": 1.0}], [math.inf], ObservationError, "not finite"),
        ([{"n": 8, "theta": 1.0, "t": 1.0}], [None], ObservationError, "failed=True"),
        ([{"n": 8, "theta": 1.0, "t": 1.0}], [1.0, 2.0], ObservationError, "2 designs and 3 values"),
        ([{"n": 7, "theta": 1.0, "t": 1.0}], [1.0], DesignError, "n = 7"),
        ([{"n": 8, "theta": 201.0, "t": 1.0}], [1.0], DesignError, "theta = 201"),
        ([{"n": 8, "theta": 1.0}], [1.0], DesignError, "lacks 't'"),
        ([{"n": 8, "theta": 1.0, "t": 1.0, "q": 1}], [1.0], DesignError, "'q'"),
    ],
)
def test_a_wrong_result_is_refused_whole_with_a_reason(designs, values, error, message):
    optimizer = Optimizer(Space.from_dict(BARREL))
    good = {"n": 6, "theta": 0.0, "t": 0.7}
    with pytest.raises(error, match=message):
        optimizer.tell([good, *designs], [1.0, *values])
    assert optimizer.observations == ()


@pytest.mark.parametrize(
    "values",
    [
        [3.0],
        [5.0] * 6,
        [0.0] * 6,
        [1e-6, 1.0, 1e6, 2.0, 3.0, 1e6],
        [-1e6, 1e6, 0.0, 1.0, 2.0, 3.0],
        [1e-300, 1e300, 1.0, 1.0, 1.0, 1.0],
    ],
)
def test_odd_values_still_lead_to_a_design(values):
    space = Space.from_dict(BARREL)
    optimizer = Optimizer(space, "default", seed=1, initial=0)
    for i, value in enumerate(values):
        optimizer.tell([{"n": 6 + 2 * (i % 4), "theta": 30.0 * i, "t": 0.7 + 0.1 * i}], [value])
    for _ in range(3):
        design = optimizer.ask()[0]
        assert space.check(design) == design


def test_contradicting_duplicates_and_a_parameter_without_variation_are_taken_as_noise():
    space = Space.from_dict(BARREL | {"r": {"type": "real", "low": 2.0, "high": 2.0}})
    design = {"n": 8, "theta": 50.0, "t": 1.0, "r": 2.0}
    optimizer = Optimizer(space, "default", seed=1, initial=0)
    optimizer.tell([design] * 4, [1.0, 40.0, 3.0, 30.0])
    assert optimizer.ask()[0]["r"] == 2.0
    assert 1.0 < optimizer.recommend().mean < 40.0
    assert optimizer.recommend().tests == 4


def test_only_failures_so_far_still_lead_to_a_design_and_say_what_was_done():
    optimizer = Optimizer(Space.from_dict(BARREL), "default", seed=1, initial=2)
    for _ in range(3):
        optimizer.tell(optimizer.ask(), [None], failed=True)
    optimizer.ask()
    assert optimizer.last_decision.fallback == "lhs"
    with pytest.raises(ObservationError, match="no value"):
        optimizer.recommend()


def test_failures_are_avoided():
    space = Space.from_dict(BARREL)
    optimizer = Optimizer(space, "default", seed=1, initial=6)
    rng = np.random.default_rng(0)
    for design in space.designs(space.sample(40, rng)):
        bad = design["theta"] > 100.0
        optimizer.tell([design], [None if bad else toughness(design)], failed=bad)
    asked = optimizer.ask(6)
    assert sum(d["theta"] > 110.0 for d in asked) == 0  # though all the toughest would be there


def test_a_context_is_observed_and_not_chosen():
    spec = BARREL | {"printer": {"type": "categorical", "values": ["a", "b", "c"], "context": True}}
    space = Space.from_dict(spec)
    optimizer = Optimizer(space, "default", seed=1, initial=4)
    for i in range(8):
        design = optimizer.ask(context={"printer": "ab"[i % 2]})[0]
        assert "printer" not in design
        optimizer.tell([design], [toughness(design)], context={"printer": "ab"[i % 2]})
    assert optimizer.last_decision.context == {"printer": "b"}
    with pytest.raises(DesignError, match="printer"):
        optimizer.ask(context={"printer": "z"})


def test_wrong_names_and_settings_are_refused():
    space = Space.from_dict(BARREL)
    with pytest.raises(UnknownName, match="thompson"):
        Optimizer(space, "thomson")
    with pytest.raises(ConfigError, match="beeta"):
        policy("ucb", beeta=3.0)
    with pytest.raises(ConfigError, match="must be of type float"):
        policy("ucb", beta="3")
    with pytest.raises(InputError, match="hash"):
        optimizer = Optimizer(space)
        run(optimizer, 2)
        Optimizer.restore(space, optimizer.last_decision, optimizer.observations)


def test_settings_given_or_carried_by_a_policy_are_recorded():
    optimizer = Optimizer(Space.from_dict(BARREL), policy("ucb", beta=5), seed=9, initial=2)
    run(optimizer, 3)
    assert optimizer.last_decision.settings["beta"] == 5.0
    assert optimizer.last_decision.settings["seed"] == 9
