"""The tasks of `sample_efficiency.py`: pools and boxes with noisy tests, and what is known of them beforehand."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from problems import PROBLEMS, Problem, random_nature, trend_nature
from random_boxes import RandomBox
from random_pools import RandomPool, random_pool
from uneven_pools import uneven_pool

from toughopt.optimizer import Space

POOL = 600
FIRST = 5  # random designs that every policy starts from
SPLITS = 10
RANDOM_TASKS = {
    **{f"random{d}": partial(random_nature, d) for d in (3, 4, 6)},
    **{f"trend{d}": partial(trend_nature, d) for d in (3, 4, 6)},
}
ANY = "any"  # a pool or box of whatever sort, another one for each seed
DRAWN: Mapping[str, Callable[[int], RandomPool]] = {ANY: random_pool, "uneven": uneven_pool}
SYNTHETIC = (*PROBLEMS, *RANDOM_TASKS, *DRAWN)
TABLE = "table:"  # a table of one's own
_REFERENCE = 4096  # designs of a box that tell what its best 1 % are

Design = dict[str, Any]


@dataclass(frozen=True)
class PoolTask:
    """A finite pool: designs, true means (n,), the one test (n,) that each would get, and the space."""

    designs: list[Design]
    truth: np.ndarray
    drawn: np.ndarray
    space: Space
    features: Callable[[Mapping[str, Any]], Any] | None = None
    prior: Callable[[Mapping[str, Any]], Any] | None = None

    def first(self, seed: int) -> list[int]:
        """The designs to start from."""
        return [int(i) for i in np.random.default_rng([seed, 3]).permutation(len(self.designs))[:FIRST]]


@dataclass(frozen=True)
class BoxTask:
    """A box: any design of the space may be tested, and again."""

    problem: Problem | RandomBox
    threshold: float
    best: float
    seed: int

    def first(self, seed: int) -> list[Design]:
        """The designs to start from."""
        space = self.problem.space
        return space.designs(space.sample(FIRST, np.random.default_rng([seed, 3])))

    def test(self, design: Design, number: int) -> float:
        """Result of the test of that number."""
        columns = self.problem.space.columns([design])
        return float(self.problem.test(columns, np.random.default_rng([self.seed, 9, number]))[0])

    def truth(self, design: Design) -> float:
        """True mean."""
        return float(self.problem.truth(self.problem.space.columns([design]))[0])


def pool_task(name: str, seed: int) -> PoolTask:
    """The pool of that name; synthetic pools differ from seed to seed."""
    if name == "crossed_barrel" or name.startswith("half"):
        return _published(name, seed)
    if name.startswith(TABLE):
        return _table_of(name.removeprefix(TABLE), seed)
    if name in DRAWN:
        drawn = DRAWN[name](1000 + seed)
        designs = [{f"x{j}": float(value) for j, value in enumerate(row)} for row in drawn.x]
        return PoolTask(designs, drawn.truth, _one_each(drawn.tests, seed), Space(pool=designs))
    problem = _problem(name, seed)
    designs = problem.pool(POOL, 1000 + seed)
    space = Space(problem.space.parameters, pool=designs)
    columns = space.pool_columns
    tests = problem.tests(columns, 3, np.random.default_rng([seed, 5]))
    return PoolTask(designs, problem.truth(columns), _one_each(tests, seed), space)


def box_task(name: str, seed: int) -> BoxTask:
    """The box of that name, without its prefix ``box:``."""
    problem = RandomBox(1000 + seed) if name == ANY else _problem(name, seed)
    reference = problem.space.sample(_REFERENCE, np.random.default_rng(0))
    truth = np.sort(problem.truth(reference))
    return BoxTask(problem, float(truth[-_REFERENCE // 100]), float(truth[-1]), seed)


def _table_of(told: str, seed: int) -> PoolTask:
    """``FILE:COLUMN``, one row a test, all other columns the design; ``FILE:-COLUMN`` where smaller is better."""
    path, _, column = told.rpartition(":")
    sign, column = (-1.0, column[1:]) if column.startswith("-") else (1.0, column)
    tests: dict[tuple[float | str, ...], list[float]] = defaultdict(list)
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        names = [name for name in rows.fieldnames or () if name != column]
        for row in rows:
            tests[tuple(_number_or_text(row[name]) for name in names)].append(sign * float(row[column]))
    designs: list[Design] = [dict(zip(names, values, strict=True)) for values in tests]
    rng = np.random.default_rng([seed, 9])
    drawn = np.array([values[rng.integers(len(values))] for values in tests.values()])
    return PoolTask(designs, np.array([np.mean(values) for values in tests.values()]), drawn, Space(pool=designs))


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _problem(name: str, seed: int) -> Problem:
    return RANDOM_TASKS[name](1000 + seed) if name in RANDOM_TASKS else PROBLEMS[name]


def _one_each(tests: np.ndarray, seed: int) -> np.ndarray:
    n = tests.shape[1]
    return np.asarray(tests[np.random.default_rng([seed, 9]).integers(0, 3, n), np.arange(n)])


def _published(name: str, seed: int) -> PoolTask:
    """The published table, or with ``half0`` to ``half9`` the half of it to which the prior was not fitted."""
    from toughopt.families import family

    designs, tests = _table()
    matrix = np.array([[d[key] for key in ("n", "theta", "r", "t")] for d in designs])
    split = 0 if name == "crossed_barrel" else int(name.removeprefix("half"))
    order = np.random.default_rng(split).permutation(len(designs))
    fitted, judged = order[: len(designs) // 2], order[len(designs) // 2 :]

    def prior(columns: Mapping[str, Any]) -> Any:
        from toughopt.virtual.mechanics import nominal_toughness

        return nominal_toughness(
            *(np.asarray(columns[key], dtype=float) for key in ("n", "theta", "r", "t")),
            constants=_fitted(split, matrix[fitted].tobytes(), tests[:, fitted].mean(axis=0).tobytes()),
        )

    rows = np.arange(len(designs)) if name == "crossed_barrel" else np.sort(judged)
    pool = [designs[i] for i in rows]
    features = family("crossed_barrel").model_features
    return PoolTask(
        pool, tests[:, rows].mean(axis=0), _one_each(tests, seed)[rows], Space(pool=pool), _padded(features), prior
    )


def _padded(features: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The family's features where only the four published parameters vary and the rest are its defaults."""
    from toughopt.families import family

    defaults = {p.name: p.default for p in family("crossed_barrel").parameters}

    def padded(columns: Mapping[str, Any]) -> Any:
        n = len(np.asarray(columns["n"]))
        return features({**{k: np.full(n, v) for k, v in defaults.items()}, **columns})

    return padded


def published_tests() -> np.ndarray:
    """(3, 600) toughness of the published designs in J, in the order of their pool."""
    return _table()[1]


@cache
def _table() -> tuple[list[Design], np.ndarray]:
    """600 designs and (3, 600) toughness in J."""
    folder = os.environ.get("TOUGHOPT_DATA")
    if not folder:
        raise SystemExit("set TOUGHOPT_DATA to the folder that holds crossed_barrel.csv")
    tests: dict[tuple[float, ...], list[float]] = defaultdict(list)
    with (Path(folder) / "crossed_barrel.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            tests[tuple(float(row[c]) for c in ("n", "theta", "r", "t"))].append(float(row["toughness"]))
    designs = [{"n": int(n), "theta": theta, "r": r, "t": t} for n, theta, r, t in tests]
    return designs, np.array([v[:3] for v in tests.values()]).T


@cache
def _fitted(split: int, designs: bytes, means: bytes) -> Any:
    """Constants of the press from one half of the designs; those that it comes with are from the half of split 0."""
    from press import FITTED
    from scipy.optimize import least_squares

    from toughopt.virtual.mechanics import PUBLISHED, nominal_toughness

    if split == 0:
        return PUBLISHED
    table, mean = np.frombuffer(designs).reshape(-1, 4), np.frombuffer(means)
    start = np.log([getattr(PUBLISHED, name) for name in FITTED])

    def constants(logs: np.ndarray) -> Any:
        return replace(PUBLISHED, **dict(zip(FITTED, np.exp(logs).tolist(), strict=True)))

    def residuals(logs: np.ndarray) -> np.ndarray:
        errors = (nominal_toughness(*table.T, constants=constants(logs)) - mean) / (4.0 + 0.15 * mean)
        return np.concatenate([errors, 0.15 * (logs - start)])

    return constants(least_squares(residuals, start, max_nfev=12, diff_step=3e-3).x)
