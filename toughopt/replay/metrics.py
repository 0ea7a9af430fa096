"""How well policies did: shares of the best designs found, acceleration and enhancement, with bootstrap intervals.

Definitions: Liang et al., npj Computational Materials 7, 188 (2021), doi 10.1038/s41524-021-00656-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toughopt.replay.backtest import Game
from toughopt.replay.table import Pool

_TOP = 0.05  # the share of the designs that counts as the best ones
_LEVELS = tuple(round(0.1 * i, 1) for i in range(1, 11))
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Band:
    """A curve over the tests: its mean over the seeds, with the bootstrap 95 % interval of that mean."""

    mean: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over seeds with its bootstrap 95 % interval; None where it was not reached."""

    value: float | None
    low: float | None
    high: float | None


def top_share(pool: Pool, games: Sequence[Game]) -> NDArray[np.float64]:
    """(seeds, tests) float: share of the best 5 % of the designs, by mean, found after each test."""
    best = pool.best(_TOP)
    rows = []
    for game in games:
        seen: set[int] = set()
        found = []
        for index in game.order:
            if index in best:
                seen.add(index)
            found.append(len(seen) / len(best))
        rows.append(found)
    return np.array(rows)


def enhancement_factor(pool: Pool, games: Sequence[Game]) -> dict[str, Estimate]:
    """EF(i) = share found by the policy after i tests / share that random testing finds, i / n on average."""
    shares = top_share(pool, games)
    tests = np.arange(1, shares.shape[1] + 1)
    random = np.minimum(tests / len(pool.designs), 1.0)
    at = sorted({*range(10, shares.shape[1] + 1, 10), shares.shape[1]})
    return {str(i): _estimate(shares[:, i - 1] / random[i - 1]) for i in at}


def acceleration_factor(pool: Pool, games: Sequence[Game]) -> dict[str, Estimate]:
    """AF(y) = tests that random testing needs for a share y, on average y n / tests that the policy needs."""
    shares = top_share(pool, games)
    n = len(pool.designs)
    resampled = _resampled(shares)
    found = {}
    for level in _LEVELS:
        point = _first(shares.mean(axis=0)[None, :], level)[0]
        if np.isnan(point):
            continue
        spread = _first(resampled, level)
        factors = level * n / spread[np.isfinite(spread)]
        low, high = np.quantile(factors, (0.025, 0.975))
        found[f"{level:g}"] = Estimate(float(level * n / point), float(low), float(high))
    return found


def needed_for(pool: Pool, games: Sequence[Game], share: float) -> Estimate:
    """Median number of tests until one of the best `share` of the designs was tested; None where most never did."""
    return _needed(games, pool.best(share))


def needed_to_reach(pool: Pool, games: Sequence[Game], target: float) -> Estimate:
    """Median number of tests until a design was tested whose true mean is `target` or better; None as above."""
    sign = -1.0 if pool.minimize else 1.0
    return _needed(games, frozenset(np.flatnonzero(pool.scores >= sign * target).tolist()))


def _needed(games: Sequence[Game], best: frozenset[int]) -> Estimate:
    counts = np.array([next((i for i, d in enumerate(g.order, 1) if d in best), np.inf) for g in games])
    rng = np.random.default_rng(0)
    medians = np.median(counts[rng.integers(len(counts), size=(_RESAMPLES, len(counts)))], axis=1)
    ends = np.quantile(medians, (0.025, 0.975), method="nearest")
    value, low, high = (float(x) if np.isfinite(x) else None for x in (np.median(counts), *ends))
    return Estimate(value, low, high)


def simple_regret(pool: Pool, games: Sequence[Game]) -> NDArray[np.float64]:
    """(seeds, tests) float: how far the best design tested is from the best of all, by mean."""
    top = float(pool.means.min() if pool.minimize else pool.means.max())
    return np.abs(top - np.array([game.best_so_far for game in games]))


def cumulative_regret(pool: Pool, games: Sequence[Game]) -> NDArray[np.float64]:
    """(seeds, tests) float: how far all designs tested so far are from the best of all together, by mean."""
    scores = pool.scores
    short = scores.max() - scores
    return np.cumsum(short[np.array([game.order for game in games])], axis=1)


def report(pool: Pool, games: dict[str, list[Game]], target: float | None = None) -> dict[str, Any]:
    """Everything that a backtest says, fit for JSON; of `target`, after how many tests it was reached."""
    policies: dict[str, dict[str, Any]] = {}
    for name, played in games.items():
        seconds = np.array([s for game in played for s in game.ask_seconds])
        policies[name] = {
            "seeds": [game.seed for game in played],
            "order": [list(game.order) for game in played],
            "best_so_far": [list(game.best_so_far) for game in played],
            "acceleration_factor": {k: asdict(v) for k, v in acceleration_factor(pool, played).items()},
            "enhancement_factor": {k: asdict(v) for k, v in enhancement_factor(pool, played).items()},
            "tests_to_top_1_percent": asdict(needed_for(pool, played, 0.01)),
            "top_5_percent_found": _counts(pool, played),
            "top_share": asdict(_band(top_share(pool, played))),
            "simple_regret": asdict(_band(simple_regret(pool, played))),
            "cumulative_regret": asdict(_band(cumulative_regret(pool, played))),
            "ask_seconds": {
                "median": float(np.median(seconds)) if len(seconds) else None,
                "p95": float(np.quantile(seconds, 0.95)) if len(seconds) else None,
            },
        }
        if target is not None:
            policies[name]["tests_to_target"] = asdict(needed_to_reach(pool, played, target))
    compared = [asdict(pair) for pair in paired(pool, games)]
    return {"designs": list(pool.designs), "objective": pool.objective, "policies": policies, "paired": compared}


def _counts(pool: Pool, games: Sequence[Game]) -> dict[str, float]:
    shares = top_share(pool, games).mean(axis=0) * len(pool.best(_TOP))
    return {str(i): float(shares[i - 1]) for i in (25, 50, 100) if i <= len(shares)}


def _resampled(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """(resamples, tests) float: means over seeds that are drawn anew, of (seeds, tests)."""
    seeds = len(curves)
    picks = np.random.default_rng(0).integers(seeds, size=(_RESAMPLES, seeds))
    weights = np.zeros((_RESAMPLES, seeds))
    np.add.at(weights, (np.arange(_RESAMPLES)[:, None], picks), 1.0 / seeds)  # all curves at once would fill the memory
    return weights @ curves


def _band(curves: NDArray[np.float64]) -> Band:
    low, high = np.quantile(_resampled(curves), (0.025, 0.975), axis=0)
    return Band(curves.mean(axis=0).tolist(), low.tolist(), high.tolist())


def _estimate(values: NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(_resampled(values[:, None]), (0.025, 0.975))
    return Estimate(float(values.mean()), float(low), float(high))


def _first(curves: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """For each row, the first test (from 1) at which it reaches `level`; NaN where it never does."""
    reached = curves >= level - 1e-12
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.nan)


@dataclass(frozen=True, slots=True)
class Paired:
    """One policy against another, seed by seed: the same initial designs, the same draws.

    difference : mean over seeds of the first's best true mean less the second's, averaged over the tests; positive
        where the first is better
    p_value : of the Wilcoxon signed-rank test that there is no difference; None where all seeds are equal
    wins, losses : seeds in which the first ended better, and worse
    """

    first: str
    second: str
    difference: Estimate
    p_value: float | None
    wins: int
    losses: int


def paired(pool: Pool, games: dict[str, list[Game]]) -> list[Paired]:
    """Every two policies compared over the seeds that both played."""
    from itertools import combinations

    from scipy.stats import wilcoxon

    sign = -1.0 if pool.minimize else 1.0
    found = []
    for first, second in combinations(games, 2):
        theirs = {game.seed: np.array(game.best_so_far) for game in games[second]}
        both = [(sign * np.array(g.best_so_far), sign * theirs[g.seed]) for g in games[first] if g.seed in theirs]
        gaps = np.array([float((ours - other).mean()) for ours, other in both])
        ends = np.array([float(ours[-1] - other[-1]) for ours, other in both])
        p_value = float(wilcoxon(gaps).pvalue) if len(gaps) > 1 and np.any(gaps != 0.0) else None
        found.append(Paired(first, second, _estimate(gaps), p_value, int((ends > 0).sum()), int((ends < 0).sum())))
    return found
