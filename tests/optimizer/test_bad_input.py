"""What people and machines hand in by mistake: a clear error and nothing changed, or a sensible design."""

from __future__ import annotations

import math

import numpy as np
import pytest

from toughopt.errors import ConfigError, DesignError, InputError, ObservationError, SpaceError
from toughopt.optimizer import Decision, Optimizer, Space

REAL = {"type": "real", "low": 0.0, "high": 1.0}
PLANE = {"x": REAL, "y": REAL}
HERE = {"x": 0.5, "y": 0.5}


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, None, "3", b"3", [1.0], 1 + 1j, 10**400, np.array([1.0, 2.0])]
)
def test_what_is_no_finite_number_is_refused_and_nothing_is_told(value):
    optimizer = Optimizer(Space.from_dict(PLANE))
    with pytest.raises(ObservationError, match="of design"):
        optimizer.tell([{"x": 0.1, "y": 0.1}, HERE], [1.0, value])
    assert not optimizer.observations


@pytest.mark.parametrize("noise", [math.nan, math.inf, -1.0, "a", [1.0, 2.0]])
def test_a_noise_that_is_none_is_refused(noise):
    optimizer = Optimizer(Space.from_dict(PLANE))
    with pytest.raises(ObservationError, match="noise_std"):
        optimizer.tell([HERE], [1.0], noise_std=[noise])
    assert not optimizer.observations


@pytest.mark.parametrize(
    "design",
    [None, 3, "x", {}, {"x": 0.5}, {**HERE, "z": 1}, {"x": math.nan, "y": 0.5}, {"x": "a", "y": 0.5}, {"x": 2, "y": 0}],
)
def test_what_is_no_design_is_refused_wherever_it_is_handed_in(design):
    optimizer = Optimizer(Space.from_dict(PLANE))
    for hand_in in (lambda: optimizer.tell([design], [1.0]), lambda: optimizer.expect(design)):
        with pytest.raises(DesignError):
            hand_in()
    assert not optimizer.observations and not optimizer.pending


@pytest.mark.parametrize(
    ("designs", "values"), [(HERE, 1.0), ([HERE], 1.0), (HERE, [1.0]), ("x", [1.0]), (3, [1.0]), ([HERE], "1")]
)
def test_what_is_no_list_is_refused_and_the_message_shows_one(designs, values):
    optimizer = Optimizer(Space.from_dict(PLANE))
    with pytest.raises(ObservationError, match=r"tell\(\[design\], \[value\]\)"):
        optimizer.tell(designs, values)
    assert not optimizer.observations


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "2", None])
def test_only_a_whole_number_of_designs_can_be_asked_for(k):
    optimizer = Optimizer(Space.from_dict(PLANE))
    with pytest.raises(ConfigError, match="cannot be asked for"):
        optimizer.ask(k)
    assert not optimizer.pending
    assert len(optimizer.ask(np.int64(2))) == 2


@pytest.mark.parametrize(
    "spec",
    [
        [("x", REAL)],
        {"x": (0.0, 1.0)},
        {"x": None},
        {3: REAL},
        {"x": {"type": ["real"]}},
        {"x": {"type": "integer", "low": math.nan, "high": 3}},
        {"x": {"type": "integer", "low": 0, "high": math.inf}},
        {"x": {"type": "integer", "low": 0, "high": 10**30}},
        {"x": {"type": "real", "low": -1e308, "high": 1e308}},
        {"x": {"type": "categorical", "values": 5}},
        {"x": {"type": "categorical", "values": "abc"}},
    ],
)
def test_what_makes_no_space_is_refused(spec):
    with pytest.raises(SpaceError):
        Space.from_dict(spec)


def test_numbers_of_numpy_are_numbers_of_a_space():
    space = Space.from_dict(
        {
            "n": {"type": "integer", "low": np.int64(6), "high": np.float32(12), "step": np.int32(2)},
            "t": {"type": "real", "low": np.float32(0.5), "high": np.int64(2)},
        }
    )
    design = Optimizer(space, seed=0).ask()[0]
    assert type(design["n"]) is int and type(design["t"]) is float


def test_spaces_with_nothing_in_them_are_refused():
    with pytest.raises(SpaceError, match="pool is empty"):
        Space(pool=[])
    with pytest.raises(SpaceError, match="none of the 1 designs"):
        Space(pool=[HERE], constraints=[lambda c: c["x"] > 0.6])
    with pytest.raises(SpaceError, match="contradict each other"):
        Optimizer(Space.from_dict(PLANE, constraints=[lambda c: c["x"] > 0.6, lambda c: c["x"] < 0.4])).ask()
    whole = Space.from_dict({"n": {"type": "integer", "low": 0, "high": 5}})
    with pytest.raises(SpaceError, match="contradict each other"):
        Optimizer(whole, constraint=lambda c: c["n"] > 9).ask()
    tested = Optimizer(Space(pool=[{"x": 1.0}]), initial=0)
    tested.tell([{"x": 1.0}], [2.0])
    with pytest.raises(SpaceError, match="enlarge the space"):
        tested.ask()


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ConfigError, match="seed = "):
        Optimizer(Space.from_dict(PLANE), seed=seed)
    assert Optimizer(Space.from_dict(PLANE), seed=np.int64(3)).settings["seed"] == 3


@pytest.mark.parametrize("name", ["default", "ei", "noisy_ei", "ucb", "thompson", "knowledge_gradient", "ehvi"])
@pytest.mark.parametrize(
    ("spec", "values"),
    [
        (PLANE, [3.0]),
        (PLANE, [3.0, 3.0, 3.0, 3.0]),
        (PLANE, [1e6, 1.0, 1e-6, -1e6]),
        ({"x": REAL, "y": {"type": "real", "low": 2.0, "high": 2.0}}, [1.0, 2.0, 3.0]),
        ({"x": {"type": "real", "low": 0.0, "high": 1e6}, "y": {"type": "real", "low": 0.0, "high": 1e-6}}, [1.0, 2.0]),
        ({"a": {"type": "categorical", "values": ["p", "q", "r"]}}, [1.0, 2.0]),
        ({f"p{i}": {"type": "categorical", "values": list("abcdefgh")} for i in range(5)}, [1.0, 2.0, 3.0]),
        ({f"x{i}": REAL for i in range(11)}, [1.0, 5.0, 2.0]),
    ],
    ids=["one", "equal", "scales", "constant", "units", "category", "categories", "11-d"],
)
def test_meagre_data_and_odd_spaces_lead_to_a_design_and_a_recommendation(name, spec, values):
    space = Space.from_dict(spec)
    optimizer = Optimizer(space, name, seed=1, initial=0)
    columns = space.sample(len(values), np.random.default_rng(0)) if len(spec) > 1 else {"a": np.array(["p", "q"])}
    designs = space.designs(columns)
    optimizer.tell(designs, values)
    (chosen,) = optimizer.ask()
    assert space.check(chosen) == chosen and chosen not in designs
    assert optimizer.last_decision.fallback is None
    found = optimizer.recommend()
    assert found.design in designs and math.isfinite(found.mean)
    assert math.isfinite(optimizer.expected_gain())


@pytest.mark.parametrize("pool", [[{"x": float(i)} for i in range(9)], [{"x": c} for c in "abcdef"]])
def test_a_pool_of_a_single_column_is_searched_to_its_end(pool):
    optimizer = Optimizer(Space(pool=pool), seed=1, initial=2)
    for _ in pool:
        optimizer.tell(optimizer.ask(), [1.0])
    assert len({optimizer.space.key(o.design) for o in optimizer.observations}) == len(pool)


@pytest.mark.parametrize("noise_std", [None, 1e-9, 0.0])
def test_contradicting_tests_of_one_design_lead_on_whatever_was_said_of_their_noise(noise_std):
    optimizer = Optimizer(Space.from_dict(PLANE), seed=1, initial=0)
    optimizer.tell([HERE] * 4 + [{"x": 0.1, "y": 0.2}], [1.0, 100.0, -5.0, 7.0, 3.0], noise_std=noise_std)
    assert optimizer.ask()[0] != HERE
    assert -5.0 < optimizer.recommend().mean < 100.0


@pytest.mark.parametrize(
    "told", [{"noise_std": np.float32(0.1)}, {"censored": np.bool_(False)}, {"failed": np.bool_(True)}]
)
def test_one_of_numpys_scalars_holds_for_all_designs(told):
    optimizer = Optimizer(Space.from_dict(PLANE))
    optimizer.tell([HERE, HERE], [1.0, 2.0], **told)
    assert len(optimizer.observations) == 2


def test_what_is_neither_for_one_nor_for_all_is_refused():
    optimizer = Optimizer(Space.from_dict(PLANE))
    with pytest.raises(ObservationError, match=r"noise_std = '0\.1' is neither one for all"):
        optimizer.tell([HERE], [1.0], noise_std="0.1")
    with pytest.raises(DesignError, match="is no context; give a mapping"):
        optimizer.ask(context=[{"printer": "a"}])


@pytest.mark.parametrize("what", ["features", "prior"])
def test_features_and_priors_in_words_are_refused(what):
    def words(columns):
        return ["soft"] * len(columns["x"])

    with pytest.raises(SpaceError, match=f"{what} answered with what are no numbers"):
        Optimizer(Space.from_dict(PLANE), initial=1, **{what: words}).ask()


@pytest.mark.parametrize("text", ["nope", "[1]", "null", "{}", '{"format": 1'])
def test_what_is_no_decision_is_refused(text):
    with pytest.raises(InputError, match="decision"):
        Decision.from_json(text)
