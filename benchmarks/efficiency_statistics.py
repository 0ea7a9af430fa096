"""Medians, ratios and bootstrap intervals of the runs that `sample_efficiency.py` keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

BUDGET = 60  # tests of a run
FEWEST = 3  # seeds below which a policy is not told
_DRAWS = 4000

Runs = dict[int, dict[str, Any]]
Statistic = Callable[[np.ndarray], Any]


def interval(values: np.ndarray, statistic: Statistic) -> tuple[float, float]:
    """Bootstrap 95 % interval of a statistic of the rows of `values`."""
    rng = np.random.default_rng(0)
    found = [statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(_DRAWS)]
    return float(np.percentile(found, 2.5)), float(np.percentile(found, 97.5))


def exact_random(pool: int, wanted: int) -> int:
    """Median number of draws without replacement until one of `wanted` among `pool` is met."""
    left, draws = 1.0, 0
    while left > 0.5:
        left *= (pool - wanted - draws) / (pool - draws)
        draws += 1
    return draws


def values_of(runs: Runs, key: str) -> np.ndarray:
    """(n,) float: one figure of each run; a run that never got there counts as one test more than the budget."""
    if key == "top5":
        return np.array([run["top5"][49] for run in runs.values()], dtype=float)
    return np.array([BUDGET + 1 if run[key] is None else run[key] for run in runs.values()], dtype=float)


def cell(values: np.ndarray, of: Statistic, digits: int = 1) -> str:
    """A statistic of the rows of `values` and its interval, as text."""
    low, high = interval(values, of)
    return f"{of(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def ratio(ours: Runs, theirs: Runs, key: str, of: Statistic) -> tuple[float, float, float] | None:
    """Ratio of a statistic of ours to that of theirs over the seeds that both have, and its interval.

    None where they share too few.
    """
    seeds = sorted(set(ours) & set(theirs))
    if len(seeds) < FEWEST:
        return None
    both = np.column_stack([values_of({s: runs[s] for s in seeds}, key) for runs in (ours, theirs)])

    def of_both(rows: np.ndarray) -> float:
        return float(of(rows[:, 0]) / max(of(rows[:, 1]), 1e-9))

    return of_both(both), *interval(both, of_both)


def paired(ours: Runs, theirs: Runs, key: str, of: Statistic) -> str:
    """Their `ratio` as text."""
    return ratio_text(ratio(ours, theirs, key, of))


def ratio_text(found: tuple[float, float, float] | None) -> str:
    """A ratio and its interval; a dash where there is none."""
    return "–" if found is None else f"{found[0]:.2f} ({found[1]:.2f}–{found[2]:.2f})"
