"""Earlier campaigns as sources: what they bring, that they may mislead, and what a decision records of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from toughopt.errors import InputError, ObservationError
from toughopt.optimizer import Decision, Optimizer, Source, Space, decide, first_generator_state

POOL = [{"x": i / 15, "y": j / 15} for i in range(16) for j in range(16)]


def hill(design):
    return 20.0 * float(np.exp(-8.0 * (design["x"] - 0.8) ** 2 - 8.0 * (design["y"] - 0.2) ** 2)) + 1.0


def earlier(function, name="coarse"):
    rng = np.random.default_rng(1)
    designs = [POOL[i] for i in rng.permutation(len(POOL))[:40]]
    return Source(name, designs, [function(d) * float(np.exp(0.1 * rng.standard_normal())) for d in designs])


def count_until_near_the_top(sources, seed):
    rng = np.random.default_rng(seed)
    optimizer = Optimizer(Space(pool=POOL), "default", seed=seed, initial=0, sources=sources)
    first = [POOL[i] for i in rng.permutation(len(POOL))[:4]]
    optimizer.tell(first, [hill(d) for d in first])
    for count in range(5, 40):
        design = optimizer.ask()[0]
        if hill(design) > 20.0:
            return count
        optimizer.tell([design], [hill(design) * float(np.exp(0.1 * rng.standard_normal()))])
    return 40


def test_a_source_that_resembles_saves_tests_and_one_that_misleads_costs_few():
    seeds = range(4)
    alone = np.mean([count_until_near_the_top([], s) for s in seeds])
    # another material: half as tough, in other units, the optimum a little elsewhere
    like = earlier(lambda d: 500.0 * hill({"x": d["x"] - 0.05, "y": d["y"] + 0.05}) + 100.0)
    unlike = earlier(lambda d: 25.0 - hill(d))
    assert np.mean([count_until_near_the_top([like], s) for s in seeds]) < alone
    assert np.mean([count_until_near_the_top([unlike], s) for s in seeds]) < 1.5 * alone + 2.0


def test_a_decision_names_its_sources_and_is_derived_again_only_with_them():
    space = Space(pool=POOL)
    sources = [earlier(hill), earlier(lambda d: d["x"], "other printer")]
    optimizer = Optimizer(space, seed=3, initial=2, sources=sources)
    optimizer.tell(optimizer.ask(3), [1.0, 5.0, 2.0])
    observations = optimizer.observations
    designs = optimizer.ask()
    record = Decision.from_json(optimizer.last_decision.to_json())
    assert [s["name"] for s in record.sources] == ["coarse", "other printer"]
    assert [s["sha256"] for s in record.sources] == [s.sha256 for s in sources]
    assert Optimizer.restore(space, record, observations, sources=sources).ask() == designs
    again = decide(
        space,
        observations,
        record.pending,
        record.policy,
        record.settings,
        record.rng_before,
        record.start_hyperparameters,
        sources=sources,
    )
    assert list(again.designs) == designs
    with pytest.raises(InputError, match="drew on the sources coarse"):
        Optimizer.restore(space, record, observations, sources=sources[:1])


def test_records_from_before_there_were_sources_are_still_read():
    decision = decide(Space(pool=POOL), [], [], "random", {}, first_generator_state(1), {})
    record = json.loads(decision.to_json())
    del record["sources"]
    assert Decision.from_dict(record).sources == ()


def test_sources_that_say_nothing_or_the_wrong_thing_are_refused():
    with pytest.raises(ObservationError, match="2 designs and 1 values"):
        Source("a", POOL[:2], [1.0])
    with pytest.raises(ObservationError, match="at least 3"):
        Source("a", POOL[:2], [1.0, 2.0])
    for value in (float("nan"), None, "strong"):
        with pytest.raises(ObservationError, match="is not a finite number; leave it out"):
            Source("a", POOL[:3], [1.0, 2.0, value])
    space = Space.from_dict(
        {"x": {"type": "real", "low": 0.0, "high": 1.0}, "kind": {"type": "categorical", "values": ["a", "b"]}}
    )
    with pytest.raises(ObservationError, match="lacks 'kind'"):
        Optimizer(space, sources=[Source("s", [{"x": 0.0}] * 3, [1.0, 2.0, 3.0])])
    with pytest.raises(ObservationError, match="x = 'thin' is not a finite number"):
        Optimizer(space, sources=[Source("s", [{"x": "thin", "kind": "a"}] * 3, [1.0, 2.0, 3.0])])
    with pytest.raises(ObservationError, match="'c' is none of a, b"):
        Optimizer(space, sources=[Source("s", [{"x": 0.0, "kind": "c"}] * 3, [1.0, 2.0, 3.0])])


def test_a_source_may_lie_outside_the_bounds_and_be_constant():
    space = Space.from_dict({"x": {"type": "real", "low": 0.0, "high": 1.0}})
    sources = [Source("wide", [{"x": v} for v in (-1.0, 0.5, 2.0)], [3.0, 3.0, 3.0])]
    optimizer = Optimizer(space, initial=0, sources=sources)
    optimizer.tell([{"x": 0.1}, {"x": 0.9}], [1.0, 2.0])
    assert 0.0 <= optimizer.ask()[0]["x"] <= 1.0


def test_the_first_designs_are_by_turns_what_is_thought_best_and_what_fills_the_space():
    space = Space(pool=POOL)
    by_prior = Optimizer(space, seed=1, initial=4, prior=lambda c: c["x"] + c["y"])
    by_source = Optimizer(space, seed=1, initial=4, sources=[earlier(lambda d: d["x"] + d["y"])])
    for optimizer in (by_prior, by_source):
        designs = optimizer.ask(4)
        assert designs[0]["x"] + designs[0]["y"] > 1.9  # the very best
        assert designs[2]["x"] + designs[2]["y"] > 1.5  # among the best twentieth, but elsewhere
        assert abs(designs[2]["x"] - designs[0]["x"]) + abs(designs[2]["y"] - designs[0]["y"]) > 0.2
        assert min(d["x"] + d["y"] for d in (designs[1], designs[3])) < 1.4
        assert len({str(d) for d in designs}) == 4
        assert "thought best" in optimizer.last_decision.reason
    minimised = Optimizer(space, seed=1, initial=4, prior=lambda c: c["x"] + c["y"], minimize=True)
    assert minimised.ask() == [{"x": 0.0, "y": 0.0}]
