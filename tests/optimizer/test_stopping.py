"""Stopping rules, recommendations and what the model has learned."""

from __future__ import annotations

import math

import numpy as np
import pytest

from toughopt.errors import ConfigError, ObservationError
from toughopt.optimizer import Optimizer, Space, Stopping
from toughopt.optimizer.insight import effects_beside_mass, importances, parity, partial_dependence, total_effects
from toughopt.optimizer.posterior import FitFailed

SPEC = {"x": {"type": "real", "low": 0.0, "high": 1.0}, "y": {"type": "real", "low": 0.0, "high": 1.0}}


def hill(design):
    return 20.0 * math.exp(-8.0 * (design["x"] - 0.6) ** 2) + 0.1 * design["y"]


def told(n, noise=0.2, minimize=False, seed=0):
    rng = np.random.default_rng(seed)
    optimizer = Optimizer(Space.from_dict(SPEC), "default", seed=1, initial=0, minimize=minimize)
    designs = optimizer.space.designs(optimizer.space.sample(n, rng))
    sign = -1.0 if minimize else 1.0
    optimizer.tell(designs, [sign * (hill(d) + noise * rng.standard_normal()) for d in designs])
    return optimizer


def test_budget_and_time_stop_with_a_reason():
    optimizer = told(5)
    assert Stopping(budget=6).check(optimizer) is None
    assert Stopping(budget=5).check(optimizer).rule == "budget"
    assert Stopping(hours=2.0).check(optimizer, hours=1.9) is None
    stop = Stopping(hours=2.0).check(optimizer, hours=2.1)
    assert stop.rule == "hours" and "2.1 h" in stop.reason


@pytest.mark.parametrize("minimize", [False, True])
def test_a_target_stops_when_it_is_reached_for_sure(minimize):
    optimizer = told(30, minimize=minimize)
    sign = -1.0 if minimize else 1.0
    assert Stopping(target=sign * 19.0).check(optimizer).rule == "target"
    assert Stopping(target=sign * 21.5).check(optimizer) is None
    assert Stopping(target=sign * 19.0, fewest=31).check(optimizer) is None


def test_small_gains_and_narrow_intervals_stop():
    optimizer = told(40)
    assert Stopping(smallest_gain=2.0).check(optimizer).rule == "gain"
    assert Stopping(smallest_gain=0.0).check(optimizer) is None
    assert Stopping(interval=5.0).check(optimizer).rule == "interval"
    assert Stopping(interval=1e-6).check(optimizer) is None


def test_impossible_rules_are_refused():
    with pytest.raises(ConfigError, match="budget = -1"):
        Stopping(budget=-1)
    with pytest.raises(ConfigError, match="target_confidence"):
        Stopping(target=1.0, target_confidence=1.0)


@pytest.mark.parametrize("value", [math.nan, "12", True])
@pytest.mark.parametrize("name", ["budget", "hours", "target", "smallest_gain", "interval"])
def test_rules_that_are_no_numbers_are_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name} = .* is not a number"):
        Stopping(**{name: value})


def test_no_target_is_reached_for_sure_where_no_model_can_be_fitted(monkeypatch):
    def unfit(*given):
        raise FitFailed("no use")

    optimizer = told(12)
    monkeypatch.setattr(type(optimizer.policy), "surrogate", unfit)
    assert math.isnan(optimizer.recommend().std)
    assert Stopping(target=1.0).check(optimizer) is None


def test_a_recommendation_is_by_mean_or_by_the_lower_end():
    with pytest.raises(ConfigError, match='by = \'best\' is neither "mean" nor "lower"'):
        told(5).recommend(by="best")


def test_what_was_the_same_in_every_test_has_no_relevance():
    context = {"type": "categorical", "values": ["p", "q"], "context": True}
    space = Space.from_dict({**SPEC, "kind": {"type": "categorical", "values": ["only"]}, "printer": context})
    rng = np.random.default_rng(0)
    optimizer = Optimizer(space, prior=lambda c: c["x"] - 1e6)  # so far off that it is clipped everywhere
    designs = optimizer.space.designs(optimizer.space.sample(10, rng))
    optimizer.tell(designs, [hill(d) + 0.2 * rng.standard_normal() for d in designs])
    found = importances(optimizer)
    assert found["kind"] == found["context"] == found["prior"] == 0.0
    assert found["x"] + found["y"] == pytest.approx(1.0)


def test_masses_that_are_missing_or_no_numbers_are_left_out():
    optimizer = told(14)
    rng = np.random.default_rng(1)
    mass = {i: 3.0 + rng.standard_normal() for i in range(12)}
    assert effects_beside_mass(optimizer, {**mass, 12: None, 13: math.nan}) == effects_beside_mass(optimizer, mass)
    with pytest.raises(ObservationError, match="masses are a mapping"):
        effects_beside_mass(optimizer, [3.0] * 14)


def test_the_recommendation_is_not_the_luckiest_test():
    optimizer = told(40, noise=0.3)
    lucky = {"x": 0.05, "y": 0.5}
    optimizer.tell([lucky], [24.0])
    near = [{"x": 0.05 + 0.004 * i, "y": 0.5} for i in range(1, 6)]
    optimizer.tell(near, [hill(d) for d in near])
    found = optimizer.recommend()
    assert abs(found.design["x"] - 0.6) < 0.15
    assert found.interval[0] < hill(found.design) < found.interval[1] + 0.3
    assert 0.0 <= found.probability_top <= 1.0


def test_the_best_of_a_well_known_space_is_surely_near_the_top():
    pool = [{"x": i / 49, "y": 0.0} for i in range(50)]
    optimizer = Optimizer(Space(pool=pool), "default", seed=1, initial=0)
    rng = np.random.default_rng(0)
    optimizer.tell(pool, [100.0 * d["x"] + 0.01 * rng.standard_normal() for d in pool])
    assert optimizer.recommend().design == pool[-1]
    assert optimizer.recommend().probability_top > 0.9


def test_the_parameter_that_matters_is_found_and_its_effect_drawn():
    optimizer = told(50, noise=0.1)
    assert importances(optimizer)["x"] > 0.8
    effects = total_effects(optimizer)
    assert effects["x"] > 0.9 and effects["y"] < 0.1
    curve = partial_dependence(optimizer, "x", points=11)
    assert curve.values[int(np.argmax(curve.mean))] == pytest.approx(0.6, abs=0.11)
    assert (curve.std >= 0).all()
    with pytest.raises(ObservationError, match="'z'"):
        partial_dependence(optimizer, "z")


def test_intervals_of_left_out_tests_hold_about_as_often_as_they_say():
    found = parity(told(60, noise=0.5))
    assert 0.85 <= found.coverage <= 1.0
    assert np.corrcoef(found.measured, found.predicted)[0, 1] > 0.95
    assert (found.low < found.predicted).all() and (found.predicted < found.high).all()
    shares = found.calibration(np.array([0.1, 0.5, 0.9]))
    assert (np.diff(shares) > 0).all()


def test_the_effect_beside_mass_is_told_from_the_effect_through_it():
    rng = np.random.default_rng(0)
    optimizer = Optimizer(Space.from_dict(SPEC), "default", seed=1, initial=0)
    designs = optimizer.space.designs(optimizer.space.sample(60, rng))
    mass = {i: 1.0 + 2.0 * d["x"] + 0.3 * rng.standard_normal() for i, d in enumerate(designs)}
    optimizer.tell(designs, [5.0 * mass[i] + 3.0 * d["y"] for i, d in enumerate(designs)])
    found = effects_beside_mass(optimizer, mass)
    assert found["x"][0] == pytest.approx(0.0, abs=1e-6)
    assert found["y"][0] == pytest.approx(3.0, abs=1e-6)


def test_categories_are_held_constant_and_a_parameter_that_did_not_vary_has_no_effect_to_tell():
    rng = np.random.default_rng(0)
    space = Space.from_dict({**SPEC, "kind": {"type": "categorical", "values": ["a", "b", "c"]}})
    optimizer = Optimizer(space, "default", seed=1, initial=0)
    designs = [{"x": float(rng.random()), "y": 0.5, "kind": "abc"[i % 3]} for i in range(40)]
    for design in designs:  # what has a longer strut is mostly of kind c, which is tough whatever its strut
        design["x"] = 0.5 * design["x"] + (0.5 if design["kind"] == "c" else 0.0)
    mass = {i: 1.0 + d["x"] + 0.2 * rng.standard_normal() for i, d in enumerate(designs)}
    optimizer.tell(designs, [2.0 * d["x"] + 5.0 * mass[i] + 4.0 * (d["kind"] == "c") for i, d in enumerate(designs)])
    found = effects_beside_mass(optimizer, mass)
    assert set(found) == {"x", "y"}
    assert found["x"][0] == pytest.approx(2.0, abs=1e-6)
    assert math.isnan(found["y"][0]) and math.isnan(found["y"][1])


def test_masses_that_were_computed_from_the_parameters_are_refused():
    optimizer = told(20)
    mass = {i: 1.0 + 2.0 * o.design["x"] - o.design["y"] for i, o in enumerate(optimizer.observations)}
    with pytest.raises(ObservationError, match="weigh the specimens"):
        effects_beside_mass(optimizer, mass)


def test_parity_shows_what_was_measured_also_where_a_prior_expected_something():
    rng = np.random.default_rng(3)
    space = Space.from_dict(SPEC)
    optimizer = Optimizer(space, seed=1, initial=0, prior=lambda c: 15.0 + 4.0 * np.asarray(c["x"]))
    designs = space.designs(space.sample(25, rng))
    values = [hill(d) + 0.1 * rng.standard_normal() for d in designs]
    optimizer.tell(designs, values)
    found = parity(optimizer)
    assert found.measured == pytest.approx(values)
    assert np.corrcoef(found.measured, found.predicted)[0, 1] > 0.9
    assert (found.low < found.predicted).all() and (found.predicted < found.high).all()


def test_parity_leaves_out_tests_that_gave_only_a_bound():
    optimizer = told(20)
    optimizer.tell([{"x": 0.6, "y": 0.9}, {"x": 0.62, "y": 0.8}], [15.0, 15.0], censored=True)
    found = parity(optimizer)
    assert len(found.measured) == 20
    assert found.measured == pytest.approx([o.value for o in optimizer.observations[:20]])


def test_a_cautious_recommendation_prefers_what_is_known():
    pool = [{"x": 0.0}, {"x": 0.5}, {"x": 1.0}]
    optimizer = Optimizer(Space(pool=pool), seed=1, initial=0)
    optimizer.tell([{"x": 0.0}] * 6, [9.0, 10.0, 11.0, 9.5, 10.5, 10.0])
    optimizer.tell([{"x": 0.5}] * 6, [1.0, 2.0, 1.5, 1.2, 1.8, 1.1])
    optimizer.tell([{"x": 1.0}], [10.8], noise_std=6.0)
    sure, bold = optimizer.recommend(by="lower"), optimizer.recommend()
    assert sure.design == {"x": 0.0}
    assert sure.interval[0] >= bold.interval[0] and bold.mean >= sure.mean


def test_too_little_data_is_said_to_be_too_little():
    with pytest.raises(ObservationError, match="fewer than three"):
        importances(told(2))
    with pytest.raises(ObservationError, match="have a mass"):
        effects_beside_mass(told(4), {0: 1.0})


def test_a_design_too_strong_for_the_test_is_recommended_and_stops_a_campaign_only_on_demand():
    space = Space.from_dict({"x": {"type": "real", "low": 0.0, "high": 1.0}})
    optimizer = Optimizer(space, seed=1, initial=0)
    x = np.linspace(0.0, 1.0, 16)
    value = np.where(x < 0.7, 10.0 + 20.0 * x, 30.0)
    optimizer.tell([{"x": float(v)} for v in x], value.tolist(), censored=(x >= 0.7).tolist())
    assert optimizer.recommend().design["x"] < 0.7
    assert optimizer.recommend(too_strong=True).design["x"] >= 0.7
    assert Stopping(target=27.0).check(optimizer) is None
    assert Stopping(target=18.0).check(optimizer) is not None


def test_where_every_test_was_censored_the_best_of_them_is_recommended():
    optimizer = Optimizer(Space.from_dict({"x": {"type": "real", "low": 0.0, "high": 1.0}}), seed=1, initial=0)
    optimizer.tell([{"x": 0.1}, {"x": 0.5}, {"x": 0.9}], [1.0, 2.0, 3.0], censored=True)
    assert optimizer.recommend().design == {"x": 0.9}
