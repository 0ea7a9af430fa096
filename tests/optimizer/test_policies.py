"""Policies by name, and the parts that all of them share."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import numpy as np
import pytest

from toughopt.errors import ConfigError, ExtensionError, SpaceError
from toughopt.optimizer import (
    Observation,
    Optimizer,
    Policy,
    Proposal,
    Space,
    available_policies,
    observations_sha256,
    policy,
)
from toughopt.optimizer.designs import initial_designs
from toughopt.optimizer.feasibility import Feasibility, log_preference

SPEC = {"x": {"type": "real", "low": 0.0, "high": 1.0}, "y": {"type": "real", "low": 0.0, "high": 1.0}}


class _Foreign:
    """A policy of another package that chooses the corner, and what goes wrong in its kin."""

    name, settings, needs_observations = "foreign", {}, False

    def propose(self, task):
        return self.answer([{"x": 1.0, "y": 1.0}] * task.k)

    def answer(self, designs, mean=None, **rest):
        unknown = [None] * len(designs)
        return Proposal(designs, mean or unknown, unknown, unknown, "the corner", **rest)

    def surrogate(self, task):
        raise KeyError("no such model")


class _Raises(_Foreign):
    def propose(self, task):
        return 1 / 0


class _Few(_Foreign):
    def propose(self, task):
        return self.answer([])


class _Outside(_Foreign):
    def propose(self, task):
        return self.answer([{"x": 9.0, "y": 1.0}] * task.k)


class _Listed(_Foreign):
    def propose(self, task):
        return [{"x": 1.0, "y": 1.0}]


class _Wordy(_Foreign):
    def propose(self, task):
        return self.answer([{"x": 1.0, "y": 1.0}], mean=["good"])


class _Arrayed(_Foreign):
    def propose(self, task):
        return self.answer([{"x": 1.0, "y": 1.0}], hyperparameters={"scale": np.ones(2)})


class _NumPys(_Foreign):
    def propose(self, task):
        return self.answer([{"x": np.float32(1.0), "y": np.float32(0.5)}], mean=[np.float32(np.nan)])


class _Renamed(_Foreign):
    name = "another"


class _Set(_Foreign):
    settings = {"path": object()}  # noqa: RUF012


class _Half:
    name = "half"


def _unlicensed():
    raise RuntimeError("no licence server")


@pytest.fixture
def foreign(monkeypatch):
    """`foreign("_Few")` -> an optimizer whose policy is that of this file."""

    def install(code):
        points = [EntryPoint("foreign", f"{__name__}:{code}", "toughopt.policies")]
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points if "policies" in group else [])
        return Optimizer(Space.from_dict(SPEC), "foreign")

    return install


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("Gone", "cannot be imported: AttributeError"),
        ("SPEC", "is a dict, which cannot be called"),
        ("_unlicensed", "cannot be used: RuntimeError: no licence server"),
        ("_Half", "made a _Half, which lacks what a Policy has: needs_observations, propose, settings, surrogate"),
        ("_Renamed", "calls itself 'another'"),
        ("_Set", "settings cannot be written as JSON"),
    ],
)
def test_a_policy_of_another_package_that_cannot_be_used_says_whose_it_is(foreign, code, why):
    with pytest.raises(ConfigError, match=f"policy 'foreign' .{__name__}:{code}.*{why}"):
        foreign(code)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("_Raises", "could not choose: ZeroDivisionError.*test_policies.py, line"),
        ("_Few", "has 0 for designs; 1 designs were asked for"),
        ("_Outside", "none of the space: x = 9 is outside 0 to 1"),
        ("_Listed", "answered with a list instead of a Proposal"),
        ("_Wordy", "'good' for mean is neither a number nor None"),
        ("_Arrayed", "hyperparameters cannot be written as JSON"),
    ],
)
def test_a_proposal_that_is_none_is_told_with_the_policys_name(foreign, code, why):
    optimizer = foreign(code)
    with pytest.raises(ExtensionError, match=f"policy 'foreign' .{__name__}.{code}.*{why}"):
        optimizer.ask()
    assert optimizer.pending == ()


def test_a_proposal_in_numpys_numbers_is_written_in_plain_ones(foreign):
    optimizer = foreign("_NumPys")
    assert optimizer.ask() == [{"x": 1.0, "y": 0.5}]
    assert optimizer.last_decision.predicted_mean == (None,)
    optimizer.last_decision.to_json()


def test_a_model_of_another_package_that_fails_is_told_with_the_policys_name(foreign):
    optimizer = foreign("_Foreign")
    optimizer.tell([{"x": 1.0, "y": 1.0}], [1.0])
    optimizer._policy.needs_observations = True
    for asked in (optimizer.surrogate, optimizer.recommend, optimizer.expected_gain):
        with pytest.raises(
            ExtensionError, match=r"policy 'foreign' .*could not fit its model: KeyError: 'no such model'"
        ):
            asked()


def test_two_packages_that_add_a_policy_of_one_name_are_both_named(monkeypatch):
    points = [EntryPoint("foreign", code, "toughopt.policies") for code in ("lab:One", "lab:One", "hall:Other")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    with pytest.raises(ConfigError, match=r"\(lab:One\) and policy 'foreign' \(hall:Other\) have the same name"):
        policy("foreign")


def test_every_name_answers_to_a_policy_that_its_settings_make_again():
    for name in available_policies():
        made = policy(name)
        assert isinstance(made, Policy) and made.name == name
        assert policy(name, **made.settings).settings == made.settings


def test_a_policy_of_another_package_is_found_through_its_entry_point(monkeypatch):
    class Corner:
        name, settings, needs_observations = "corner", {}, False

        def propose(self, task):
            from toughopt.optimizer import Proposal

            return Proposal([{"x": 1.0, "y": 1.0}], [None], [None], [None], "always the corner")

        def surrogate(self, task):
            return None

    class Entry:
        name, value = "corner", "corners:Corner"

        def load(self):
            return Corner

    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: [Entry()] if group.endswith("policies") else []
    )
    optimizer = Optimizer(Space.from_dict(SPEC), "corner")
    assert optimizer.ask() == [{"x": 1.0, "y": 1.0}]
    assert optimizer.last_decision.reason == "always the corner"


@pytest.mark.parametrize("name", ["skopt", "forest", "knowledge_gradient"])
def test_the_slow_policies_find_the_top_of_a_small_pool(name):
    pool = [{"x": i / 6, "y": j / 6} for i in range(7) for j in range(7)]
    optimizer = Optimizer(Space(pool=pool), name, seed=1, initial=6)
    best = 0.0
    for _ in range(16):
        design = optimizer.ask()[0]
        value = 1.0 - (design["x"] - 0.5) ** 2 - (design["y"] - 0.5) ** 2
        optimizer.tell([design], [value])
        best = max(best, value)
    assert best > 0.97


def test_retesting_is_a_setting():
    pool = [{"x": 0.0}, {"x": 1.0}]
    optimizer = Optimizer(Space(pool=pool), policy("default", retest=True), seed=1, initial=0)
    optimizer.tell(pool, [1.0, 9.0])
    assert optimizer.ask() == [{"x": 1.0}]


def test_the_first_designs_differ_even_where_retests_are_wanted():
    optimizer = Optimizer(Space.from_dict(SPEC), "bear2020", seed=1, initial=4)
    for _ in range(4):
        optimizer.tell(optimizer.ask(), [1.0])
    assert len({str(o.design) for o in optimizer.observations}) == 4


def test_features_let_the_model_see_what_the_parameters_hide():
    pool = [{"x": i / 40, "y": j / 9} for i in range(41) for j in range(10)]

    def wave(columns):
        return np.sin(25.0 * columns["x"])

    def tests_to_the_top(features):
        optimizer = Optimizer(Space(pool=pool), "default", seed=2, initial=5, features=features)
        for i in range(25):
            design = optimizer.ask()[0]
            value = float(np.sin(25.0 * design["x"])) + 0.2 * design["y"]
            optimizer.tell([design], [value])
            if value > 1.17:
                return i
        return 25

    assert tests_to_the_top(wave) < tests_to_the_top(None)


def test_features_and_priors_of_the_wrong_shape_or_not_finite_are_refused():
    space = Space.from_dict(SPEC)
    with pytest.raises(SpaceError, match="features answered with shape"):
        Optimizer(space, features=lambda c: np.zeros(3))
    with pytest.raises(SpaceError, match="not finite"):
        Optimizer(space, features=lambda c: np.log(c["x"] * 0.0))
    optimizer = Optimizer(space, prior=lambda c: np.zeros((2, 2)), initial=0)
    optimizer.tell([{"x": 0.5, "y": 0.5}], [1.0])
    with pytest.raises(SpaceError, match="prior answered with shape"):
        optimizer.ask()


def test_initial_designs_fill_the_space_and_a_pool_and_repeat_with_the_seed():
    space = Space.from_dict(SPEC)
    designs = initial_designs(space, 8, seed=3)
    assert designs == initial_designs(space, 8, seed=3) != initial_designs(space, 8, seed=4)
    assert sorted(int(d["x"] * 8) for d in designs) == list(range(8))
    pool = [{"x": i / 10, "y": j / 10} for i in range(11) for j in range(11)]
    chosen = initial_designs(Space(pool=pool), 8, seed=3)
    assert all(d in pool for d in chosen) and len({str(d) for d in chosen}) == 8


def test_failures_are_learned_and_a_threshold_shuns_them():
    rng = np.random.default_rng(0)
    x = rng.random((60, 2))
    model = Feasibility.fit(x, x[:, 0] < 0.5)
    p = model(np.array([[0.1, 0.5], [0.9, 0.5]]))
    assert p[0] > 0.8 and p[1] < 0.2
    assert Feasibility.fit(x, np.ones(60, dtype=bool)) is None
    shun = log_preference(p, 0.5)
    assert shun[0] > -0.1 and shun[1] < -3.0


def test_the_hash_of_observations_tells_their_order_and_every_part():
    a, b = Observation({"x": 1.0}, 2.0), Observation({"x": 1.5}, 2.0)
    hashes = {
        observations_sha256(o)
        for o in ([a, b], [b, a], [a], [Observation({"x": 1.0}, 2.0, 0.1)], [Observation({"x": 1.0}, 2.0, None, True)])
    }
    assert len(hashes) == 5
    assert observations_sha256([Observation.from_dict(a.to_dict())]) == observations_sha256([a])


def test_many_pending_designs_spread_out():
    optimizer = Optimizer(Space.from_dict(SPEC), "default", seed=1, initial=0)
    rng = np.random.default_rng(0)
    designs = optimizer.space.designs(optimizer.space.sample(12, rng))
    optimizer.tell(designs, [float(np.cos(12.5 * d["x"]) + 0.2 * rng.standard_normal()) for d in designs])
    batch = optimizer.ask(5)
    points = np.array([[d["x"], d["y"]] for d in batch])
    gaps = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))[np.triu_indices(5, 1)]
    assert gaps.max() > 0.3  # not five times the same hill
    assert np.median(gaps) > 0.05


def test_the_policy_of_2020_has_one_length_scale_and_that_of_the_shells_one_per_input():
    rng = np.random.default_rng(0)
    space = Space.from_dict(SPEC)
    designs = space.designs(space.sample(20, rng))
    scales = {}
    for name in ("bear2020", "mamabear"):
        optimizer = Optimizer(space, name, seed=1, initial=0)
        optimizer.tell(designs, [float(np.sin(6.0 * d["x"])) for d in designs])
        assert optimizer.surrogate().settings.kernel == "squared_exponential"
        scales[name] = optimizer.surrogate().length_scales
    assert scales["bear2020"][0] == pytest.approx(scales["bear2020"][1])
    assert scales["mamabear"][1] > 2.0 * scales["mamabear"][0]
    with pytest.raises(ConfigError, match="kernel = 'cubic' is none of matern52"):
        policy("default", kernel="cubic")


def test_the_default_policy_looks_farther_in_a_box_than_in_a_pool_unless_told_otherwise():
    box, pool = Space.from_dict({"x": {"type": "real", "low": 0.0, "high": 1.0}}), Space(pool=[{"x": 0.0}, {"x": 1.0}])

    def found(space, policy="default", **settings):
        used = Optimizer(space, policy, settings=settings).settings
        return used["expect"], used["beta"]

    assert found(box) == ("rugged", 1.5)
    assert found(pool) == ("rough", 1.0)
    assert found(box, beta=0.5) == ("rugged", 0.5)
    assert found(box, policy("default", beta=0.5)) == ("rough", 0.5)
    assert found(box, "ucb") == found(pool, "ucb") == ("rough", 2.0)
    optimizer = Optimizer(box, "random", initial=0)
    optimizer.use("default")
    assert optimizer.settings["beta"] == 1.5
