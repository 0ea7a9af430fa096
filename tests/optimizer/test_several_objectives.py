"""Toughness against mass: asking, telling, the front, and decisions that are derived again."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from toughopt.errors import ConfigError, ObservationError
from toughopt.optimizer import Decision, Objective, Optimizer, Space, Stopping, decide
from toughopt.optimizer.hypervolume import hypervolume, nondominated

SPEC = {
    "r": {"type": "real", "low": 0.0, "high": 1.0},
    "t": {"type": "real", "low": 0.0, "high": 1.0},
}


def mass(columns):
    return 1.0 + 2.0 * np.asarray(columns["t"], dtype=float) + np.asarray(columns["r"], dtype=float) ** 2


def toughness(design):
    return 10.0 * design["t"] * math.exp(-8.0 * (design["r"] - 0.5) ** 2) + 2.0 * design["r"]


TOUGH = Objective("toughness_j")
LIGHT = Objective("mass_g", "min", known=mass)
WEIGHED = Objective("mass_g", "min")


def truth(designs):
    columns = {name: np.array([d[name] for d in designs]) for name in SPEC}
    return np.column_stack([[toughness(d) for d in designs], -mass(columns)])


def play(optimizer, tests, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(tests):
        (design,) = optimizer.ask()
        value = {"toughness_j": toughness(design) + noise * rng.standard_normal()}
        if optimizer.objectives[1].known is None:
            value["mass_g"] = float(mass({n: np.array([v]) for n, v in design.items()})[0])
        optimizer.tell([design], [value])
    return optimizer


def volume(optimizer):
    return hypervolume(truth([o.design for o in optimizer.observations]), np.array([0.0, -4.0]))


@pytest.mark.parametrize("second", [LIGHT, WEIGHED], ids=["known", "measured"])
def test_it_dominates_more_than_a_search_at_random_and_than_one_for_toughness_alone(second):
    objectives = [Objective("toughness_j", reference=0.0), Objective("mass_g", "min", 4.0, second.known)]
    found = {
        name: volume(play(Optimizer(Space.from_dict(SPEC), name, 1, objectives=objectives, initial=5), 16))
        for name in ("ehvi", "random", "log_ei")
    }
    assert found["ehvi"] > found["random"] and found["ehvi"] > found["log_ei"]


def test_the_default_policy_of_several_objectives_is_ehvi():
    optimizer = Optimizer(Space.from_dict(SPEC), objectives=[TOUGH, LIGHT])
    assert optimizer.policy.name == "ehvi" and not optimizer.minimize
    assert Optimizer(Space.from_dict(SPEC), objectives=[WEIGHED, TOUGH]).minimize


def test_the_front_holds_tested_designs_none_of_which_beats_another():
    optimizer = play(Optimizer(Space.from_dict(SPEC), seed=2, objectives=[TOUGH, WEIGHED], initial=5), 16)
    front = optimizer.front()
    tested = [o.design for o in optimizer.observations]
    means = np.array([[m.mean["toughness_j"], -m.mean["mass_g"]] for m in front.members])
    assert nondominated(means).all() and (np.diff(means[:, 0]) <= 0.0).all()
    for member in front.members:
        assert member.design in tested and member.tests == 1 and 0.0 <= member.probability <= 1.0
        for name in ("toughness_j", "mass_g"):
            low, high = member.interval[name]
            assert low <= member.mean[name] <= high and member.std[name] >= 0.0
    assert front.reference["mass_g"] >= max(o.others["mass_g"] for o in optimizer.observations)
    assert front.reference["toughness_j"] <= min(o.value for o in optimizer.observations)
    inside = np.array([front.reference["toughness_j"], -front.reference["mass_g"]])
    assert front.hypervolume == pytest.approx(hypervolume(means, inside))
    best = optimizer.recommend()
    assert best.design == front.members[0].design and best.mean == pytest.approx(front.members[0].mean["toughness_j"])


def test_a_search_that_began_in_one_corner_leaves_it():
    optimizer = Optimizer(Space.from_dict(SPEC), seed=1, objectives=[TOUGH, LIGHT], initial=0)
    corner = [{"r": 0.5 + 0.01 * i, "t": 1.0 - 0.01 * i} for i in range(4)]
    optimizer.tell(corner, [toughness(d) for d in corner])
    assert optimizer.front().reference["mass_g"] == pytest.approx(4.0, abs=0.2)
    for _ in range(6):
        design = optimizer.ask()[0]
        optimizer.tell([design], [toughness(design)])
    assert min(o.design["t"] for o in optimizer.observations) < 0.3


def test_what_is_known_without_a_test_has_no_interval_and_need_not_be_told():
    optimizer = play(Optimizer(Space.from_dict(SPEC), seed=2, objectives=[TOUGH, LIGHT], initial=4), 8)
    for member in optimizer.front().members:
        exact = float(mass({n: np.array([v]) for n, v in member.design.items()})[0])
        assert member.interval["mass_g"] == pytest.approx((exact, exact)) and member.std["mass_g"] == 0.0


@pytest.mark.parametrize("objectives", [[TOUGH, LIGHT], [TOUGH, WEIGHED], [WEIGHED, TOUGH]])
def test_a_logged_decision_is_derived_again_and_a_campaign_resumed(objectives):
    space, known = Space.from_dict(SPEC), {"mass_g": mass}
    optimizer = Optimizer(space, seed=5, objectives=objectives, initial=4)
    rng = np.random.default_rng(1)
    for _ in range(7):
        (design,) = optimizer.ask()
        exact = float(mass({n: np.array([v]) for n, v in design.items()})[0])
        optimizer.tell([design], [{"toughness_j": toughness(design) + 0.1 * rng.standard_normal(), "mass_g": exact}])
    seen = optimizer.observations
    designs = optimizer.ask(2)
    record = json.loads(optimizer.last_decision.to_json())
    again = decide(
        space, seen, record["pending"], record["policy"], record["settings"], record["rng_before"],
        record["start_hyperparameters"], record["k"], known=known,
    )  # fmt: skip
    assert list(again.designs) == designs and again.rng_after == record["rng_after"]
    assert set(again.fitted_hyperparameters["objectives"]) == {o.name for o in objectives if o.known is None}
    restored = Optimizer.restore(space, Decision.from_dict(record), seen, after=True, known=known)
    told = [{"toughness_j": 3.0, "mass_g": 2.0}] * 2
    for each in (optimizer, restored):
        each.tell(designs, told)
    assert restored.ask() == optimizer.ask()


def test_a_batch_spreads_along_the_front_and_repeats_nothing():
    optimizer = play(Optimizer(Space.from_dict(SPEC), seed=3, objectives=[TOUGH, LIGHT], initial=5), 10)
    batch = optimizer.ask(4)
    keys = {optimizer.space.key(d) for d in batch} | {optimizer.space.key(o.design) for o in optimizer.observations}
    assert len(keys) == 14
    masses = mass({n: np.array([d[n] for d in batch]) for n in SPEC})
    assert np.ptp(masses) > 0.2


def test_a_pool_failures_and_values_that_are_missing():
    pool = [{"r": i / 9, "t": j / 9} for i in range(10) for j in range(10)]
    optimizer = Optimizer(Space(pool=pool), seed=1, objectives=[TOUGH, WEIGHED], initial=4)
    for turn in range(12):
        (design,) = optimizer.ask()
        assert design in pool
        if design["r"] > 0.8:
            optimizer.tell([design], [None], failed=True)
        elif turn % 3:
            optimizer.tell([design], [toughness(design)])
        else:
            optimizer.tell([design], [{"toughness_j": toughness(design), "mass_g": 1.0 + 2.0 * design["t"]}])
    assert optimizer.last_decision.fallback is None
    assert optimizer.front().members


def test_while_an_objective_was_never_told_the_loop_goes_on_and_says_so():
    optimizer = Optimizer(Space.from_dict(SPEC), seed=1, objectives=[TOUGH, WEIGHED], initial=1)
    optimizer.tell(optimizer.ask(), [1.0])
    optimizer.ask()
    assert optimizer.last_decision.fallback == "lhs" and "no mass_g" in optimizer.last_decision.reason
    with pytest.raises(ObservationError, match="no test told all of toughness_j, mass_g"):
        optimizer.front()


def test_scales_a_million_times_apart_change_nothing():
    def first(scale):
        objectives = [Objective("a"), Objective("b", "min")]
        optimizer = Optimizer(Space.from_dict(SPEC), seed=4, objectives=objectives, initial=0)
        designs = optimizer.space.designs(optimizer.space.sample(12, np.random.default_rng(0)))
        optimizer.tell(designs, [{"a": toughness(d), "b": scale * (1.0 + d["t"] + d["r"])} for d in designs])
        return optimizer.ask()[0]

    plain, scaled = first(1.0), first(1e6)
    assert all(plain[name] == pytest.approx(scaled[name], abs=1e-3) for name in SPEC)


def test_three_objectives_and_a_stop():
    objectives = [TOUGH, LIGHT, Objective("height_mm", "min")]
    optimizer = Optimizer(Space.from_dict(SPEC), seed=4, objectives=objectives, initial=4)
    for _ in range(8):
        (design,) = optimizer.ask()
        optimizer.tell([design], [{"toughness_j": toughness(design), "height_mm": (design["r"] - 0.2) ** 2}])
    assert len(optimizer.front().reference) == 3
    assert Stopping(budget=8).check(optimizer).rule == "budget"


def test_what_makes_no_sense_is_refused():
    space = Space.from_dict(SPEC)
    with pytest.raises(ConfigError, match="neither 'max' nor 'min'"):
        Objective("x", "up")
    with pytest.raises(ConfigError, match="reference = nan"):
        Objective("x", reference=math.nan)
    with pytest.raises(ConfigError, match="two objectives are called 'x'"):
        Optimizer(space, objectives=[Objective("x"), Objective("x")])
    with pytest.raises(ConfigError, match="the only objective"):
        Optimizer(space, objectives=[TOUGH])
    with pytest.raises(ConfigError, match="known without a test"):
        Optimizer(space, objectives=[LIGHT, TOUGH])
    with pytest.raises(ConfigError, match="each has its own goal"):
        Optimizer(space, objectives=[TOUGH, LIGHT], minimize=True)
    optimizer = Optimizer(space, objectives=[TOUGH, LIGHT])
    design = {"r": 0.5, "t": 0.5}
    with pytest.raises(ObservationError, match="no objective 'mass'"):
        optimizer.tell([design], [{"toughness_j": 1.0, "mass": 2.0}])
    with pytest.raises(ObservationError, match="mass_g = nan"):
        optimizer.tell([design], [{"toughness_j": 1.0, "mass_g": math.nan}])
    with pytest.raises(ObservationError, match="value = None"):
        optimizer.tell([design], [{"mass_g": 2.0}])
    with pytest.raises(ObservationError, match="single objective"):
        Optimizer(space).tell([design], [{"toughness_j": 1.0}])
    with pytest.raises(ObservationError, match="single objective"):
        Optimizer(space).front()
    with pytest.raises(ObservationError, match="there is no front"):
        optimizer.front()
    assert not optimizer.observations
