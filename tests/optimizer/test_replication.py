"""When a design is tested again."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.errors import ConfigError
from toughopt.optimizer import Decision, Optimizer, Space, decide, policy

#: Two designs far apart that are close to each other in value; everything else is far below.
POOL = [{"x": x} for x in (0.0, 0.25, 0.5, 0.75, 1.0)]
TRUTH = {0.0: 10.0, 0.25: 2.0, 0.5: 1.0, 0.75: 2.5, 1.0: 10.6}


def told(replicate, noise, seed, tests=0, k=1):
    rng = np.random.default_rng(seed)
    optimizer = Optimizer(
        Space(pool=POOL + [{"x": 0.5 + 0.001 * i} for i in range(1, 40)]),
        policy("default", replicate=replicate),
        seed=seed,
        initial=0,
    )

    def test(designs):
        values = [TRUTH[min(TRUTH, key=lambda x: abs(x - d["x"]))] + noise * rng.standard_normal() for d in designs]
        optimizer.tell(designs, values)

    test(POOL)
    for _ in range(tests):
        test(optimizer.ask(k))
    return optimizer


def repeats(optimizer):
    keys = [optimizer.space.key(o.design) for o in optimizer.observations]
    return len(keys) - len(set(keys))


def test_of_two_close_noisy_designs_the_better_is_found_by_testing_both_again():
    right = {}
    for rule in ("never", "gain"):
        found = [told(rule, 0.8, seed, tests=12) for seed in range(12)]
        right[rule] = sum(o.recommend().design["x"] == 1.0 for o in found)
        again = [repeats(o) for o in found]
        assert max(again) == 0 if rule == "never" else min(again) >= 3
    assert right["gain"] >= 10 and right["gain"] > right["never"]


def test_what_is_known_exactly_is_not_tested_again():
    pool = [*POOL, *({"x": 0.5 + 0.01 * i} for i in range(1, 9))]
    optimizer = Optimizer(Space(pool=pool), policy("default", replicate="gain"), seed=1, initial=0)
    optimizer.tell(POOL, [TRUTH[d["x"]] for d in POOL], noise_std=1e-3)
    for _ in range(4):
        optimizer.tell(optimizer.ask(), [1.0], noise_std=1e-3)
    assert repeats(optimizer) == 0


def test_a_repeat_is_told_as_one_and_derived_again_with_the_rest_of_the_batch():
    optimizer = told("gain", 0.8, 2)
    seen, designs = optimizer.observations, optimizer.ask(3)
    record = optimizer.last_decision
    keys = {optimizer.space.key(d) for d in designs}
    assert len(keys) == 3 and keys & {optimizer.space.key(o.design) for o in seen}
    assert "tested again, which promises more than a new design" in record.reason
    known = [optimizer.space.key(d) in {optimizer.space.key(o.design) for o in seen} for d in designs]
    assert [reason.startswith("tested again") for reason in record.reasons] == known
    assert Decision.from_json(record.to_json()).reasons == record.reasons
    again = decide(
        optimizer.space, seen, record.pending, record.policy, record.settings, record.rng_before,
        record.start_hyperparameters, record.k,
    )  # fmt: skip
    assert list(again.designs) == designs and again.acquisition == record.acquisition
    for design in optimizer.ask(2):  # what is on its way is not tested again at the same time
        assert optimizer.space.key(design) not in keys


def test_what_fails_to_print_or_is_not_allowed_any_more_is_not_tested_again():
    optimizer = told("gain", 0.8, 2)
    assert optimizer.ask()[0]["x"] in (0.0, 1.0)
    optimizer = told("gain", 0.8, 2)
    within = optimizer.space.with_constraint(lambda c: (c["x"] > 0.1) & (c["x"] < 0.9))
    record = decide(
        within, optimizer.observations, [], "default", optimizer.settings, optimizer._rng_state, {}, 2,
    )  # fmt: skip
    assert all(0.1 < d["x"] < 0.9 for d in record.designs)
    for _ in range(6):
        optimizer.tell([{"x": 1.0}, {"x": 0.0}], [None, None], failed=True)
    assert optimizer.ask()[0]["x"] not in (0.0, 1.0)


def test_only_rules_that_exist_are_taken_and_other_surrogates_do_without():
    with pytest.raises(ConfigError, match="replicate = 'often' is none of never, gain"):
        policy("default", replicate="often")
    optimizer = Optimizer(Space(pool=POOL), policy("forest", replicate="gain"), seed=1, initial=0)
    optimizer.tell(POOL[:3], [1.0, 2.0, 3.0])
    assert optimizer.ask()[0] in POOL[3:]
