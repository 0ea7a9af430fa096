"""What other policies would have found among designs that were measured already."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from toughopt.errors import InputError
from toughopt.executor import completed, open_executor
from toughopt.replay.table import Pool


@dataclass(frozen=True, slots=True)
class Rules:
    """How a backtest is played; `budget` counts the initial tests.

    observe : "replicate" draws one recorded replicate for each test, "mean" tells the mean of them all
    retest : whether a design may be tested again
    """

    initial: int = 5
    budget: int = 100
    batch: int = 1
    observe: Literal["replicate", "mean"] = "replicate"
    retest: bool = False


@dataclass(frozen=True, slots=True)
class Game:
    """One policy's tests with one seed.

    order : index of the design of each test
    best_so_far : best true mean among the designs tested, after each test
    ask_seconds : how long each choice took
    """

    policy: str
    seed: int
    order: tuple[int, ...]
    best_so_far: tuple[float, ...]
    ask_seconds: tuple[float, ...] = field(repr=False)


def play(pool: Pool, policy: str, seed: int, rules: Rules, settings: Mapping[str, Any] | None = None) -> Game:
    """Let one policy choose among the pool's designs.

    The initial designs and the draws depend on the seed alone, so that every policy meets the same luck.

    Raises
    ------
    InputError
        If the rules do not fit the pool.
    UnknownName, ConfigError
        If there is no such policy, or it does not know a setting.
    """
    from toughopt.optimizer import Optimizer, Space

    _check(pool, rules)
    rng = np.random.default_rng([seed, 0])
    order = [int(i) for i in rng.permutation(len(pool.designs))[: rules.initial]]
    draws = _Draws(pool, seed, rules.observe)
    told = dict(settings or {})
    if rules.retest:
        told["retest"] = True
    optimizer = Optimizer(
        Space(pool=pool.designs), policy, seed, minimize=pool.minimize, initial=rules.initial, settings=told
    )
    index_of = {tuple(design.values()): index for index, design in enumerate(pool.designs)}
    optimizer.tell([pool.designs[i] for i in order], [draws.take(i) for i in order])
    seconds = []
    while len(order) < rules.budget:
        count = min(rules.batch, rules.budget - len(order))
        begun = time.perf_counter()
        designs = optimizer.ask(count)
        seconds.append(time.perf_counter() - begun)
        chosen = [index_of[tuple(design[name] for name in pool.designs[0])] for design in designs]
        optimizer.tell(designs, [draws.take(i) for i in chosen])
        order += chosen
    best = np.maximum.accumulate(pool.scores[order])
    best = -best if pool.minimize else best
    return Game(policy, seed, tuple(order), tuple(best.tolist()), tuple(seconds))


def play_all(
    pool: Pool,
    policies: Sequence[str],
    seeds: Sequence[int],
    rules: Rules,
    *,
    workers: int | None = None,
    dask: str | None = None,
    on_game: Callable[[Game], None] = lambda game: None,
) -> dict[str, list[Game]]:
    """Every policy with every seed, on all cores, or where `dask` is a scheduler's address, on its workers.

    The result does not depend on how many there are.

    Raises
    ------
    InputError, UnknownName
        As `play`.
    ConfigError, DeviceError
        As `open_executor`, of a Dask scheduler.
    """
    from toughopt.optimizer import policy as named

    _check(pool, rules)
    for name in policies:
        named(name)
    tasks = [(pool, policy, seed, rules) for policy in policies for seed in seeds]
    count = min(workers or os.cpu_count() or 1, len(tasks))
    games: dict[tuple[str, int], Game] = {}
    with open_executor(dask or ("serial" if count == 1 else "processes"), workers=count) as executor:
        for _, game in completed(executor, play, tasks):
            games[game.policy, game.seed] = game
            on_game(game)
    return {policy: [games[policy, seed] for seed in seeds] for policy in policies}


class _Draws:
    """The recorded replicates of each design, in an order drawn from the seed, over and over."""

    def __init__(self, pool: Pool, seed: int, observe: str) -> None:
        self._pool, self._observe = pool, observe
        self._next = [0] * len(pool.designs)
        rng = np.random.default_rng([seed, 1])
        self._order = [rng.permutation(len(values)) for values in pool.replicates]

    def take(self, index: int) -> float:
        values = self._pool.replicates[index]
        if self._observe == "mean":
            return float(np.mean(values))
        turn = self._next[index]
        self._next[index] += 1
        return float(values[self._order[index][turn % len(values)]])


def _check(pool: Pool, rules: Rules) -> None:
    n = len(pool.designs)
    if not 1 <= rules.initial <= rules.budget:
        raise InputError(f"--initial {rules.initial} must be between 1 and --budget {rules.budget}")
    if not rules.retest and rules.budget > n:
        raise InputError(f"--budget {rules.budget} is more than the {n} designs of the pool; lower it, or add --retest")
