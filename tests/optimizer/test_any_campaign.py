"""Whatever the space and whatever was told: the next designs are valid, new, and the same again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.optimizer import Optimizer, Space, decide

FEW = settings(deadline=None, derandomize=True, max_examples=12)

reals = st.tuples(st.floats(-1e3, 1e3), st.floats(0.0, 1e3)).map(
    lambda t: {"type": "real", "low": t[0], "high": t[0] + t[1]}
)
logs = st.floats(1e-3, 1e3).map(lambda low: {"type": "real", "low": low, "high": 50.0 * low, "log": True})
integers = st.tuples(st.integers(-5, 5), st.integers(1, 4), st.integers(1, 6)).map(
    lambda t: {"type": "integer", "low": t[0], "high": t[0] + t[1] * t[2], "step": t[1]}
)
categories = st.integers(2, 4).map(lambda n: {"type": "categorical", "values": list("abcd")[:n]})
specs = st.lists(st.one_of(reals, logs, integers, categories), min_size=1, max_size=5).map(
    lambda entries: {f"p{i}": entry for i, entry in enumerate(entries)}
)
results = st.lists(
    st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-9, 7.0])), min_size=0, max_size=12
)


@FEW
@given(specs, results, st.booleans(), st.integers(0, 1000))
def test_the_next_designs_are_valid_new_and_derived_again(spec, told, minimize, seed):
    space = Space.from_dict(spec)
    optimizer = Optimizer(space, seed=seed, initial=2, minimize=minimize)
    columns = space.sample(12, np.random.default_rng(seed))
    for design, value in zip(space.designs(columns), told, strict=False):
        optimizer.tell([design], [value], failed=value is None)
    known = {space.key(o.design) for o in optimizer.observations}
    if space.count <= len(known) + 2:
        return  # nothing new may be left
    observations, designs = optimizer.observations, optimizer.ask(2)
    keys = [space.key(d) for d in designs]
    assert len({*keys}) == 2 and not known & {*keys}
    assert all(space.check(d) == d for d in designs)
    record = optimizer.last_decision
    again = decide(
        optimizer.space,
        observations,
        record.pending,
        record.policy,
        record.settings,
        record.rng_before,
        record.start_hyperparameters,
        record.k,
    )
    assert list(again.designs) == designs
    assert again.fitted_hyperparameters == record.fitted_hyperparameters


@FEW
@given(st.integers(0, 1000), st.integers(1, 3))
def test_constraints_hold_for_every_design_asked_for(seed, k):
    spec = {name: {"type": "real", "low": 0.0, "high": 1.0} for name in "xyz"}
    space = Space.from_dict(spec).with_constraint(lambda c: c["x"] + c["y"] <= 1.0)
    optimizer = Optimizer(space, seed=seed, initial=3, constraint=lambda c: np.sin(9.0 * c["z"]) > -0.5)
    for _ in range(4):
        designs = optimizer.ask(k)
        for d in designs:
            assert d["x"] + d["y"] <= 1.0 and np.sin(9.0 * d["z"]) > -0.5
        optimizer.tell(designs, [d["x"] + d["z"] for d in designs])
