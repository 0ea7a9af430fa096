"""What limits a search of the published pool: how a model fares that knows its landscape beforehand, as none does.

    TOUGHOPT_DATA=FOLDER python benchmarks/known_landscape.py

Length scales, linear trend and signal are the most likely ones given the means of all 600 designs, the noise is that
of their replicates. The searches start from the same designs and meet the same draws as in `sample_efficiency.py`.
This chooses no setting: it tells how far off the best conceivable is for a Gaussian process with such a kernel. The
page of `sample_efficiency.py` shows what it found.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from efficiency_statistics import BUDGET
from efficiency_tasks import pool_task, published_tests
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from toughopt.optimizer import Encoder
from toughopt.optimizer.acquisition import expected_improvement, upper_confidence_bound
from toughopt.optimizer.kernels import matern52

RESULTS = Path("benchmarks/results/known_landscape.jsonl")
RULES = ("mean + 1 std", "mean + 1.5 std", "mean + 2 std", "expected improvement")
_VAGUE = 1.0  # variance of the constant, in that of the data


@dataclass(frozen=True)
class Landscape:
    """A Gaussian process: mean and spread of the values, (d,) length scales, and variances in that of the values.

    noise : of one test
    slopes : of those of a linear trend
    """

    mean: float
    spread: float
    lengths: np.ndarray
    signal: float
    noise: float
    slopes: float

    def covariance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """(n, m) prior covariance of the rows of `a` (n, d) and `b` (m, d)."""
        return np.asarray(self.signal * matern52(a, b, self.lengths) + self.slopes * ((a - 0.5) @ (b - 0.5).T) + _VAGUE)


def most_likely(x: np.ndarray, tests: np.ndarray) -> Landscape:
    """The landscape most likely given the mean of the tests (r, n) of each of the designs (n, d)."""
    d, replicates = x.shape[1], len(tests)
    mean, spread = float(tests.mean()), float(tests.std())
    noise = float(tests.var(axis=0, ddof=1).mean()) / spread**2
    y = (tests.mean(axis=0) - mean) / spread

    def of(logs: np.ndarray) -> Landscape:
        return Landscape(mean, spread, np.exp(logs[:d]), float(np.exp(logs[d])), noise, float(np.exp(logs[d + 1])))

    def cost(logs: np.ndarray) -> float:
        factor = cho_factor(of(logs).covariance(x, x) + noise / replicates * np.eye(len(y)), lower=True)
        return float(0.5 * y @ cho_solve(factor, y) + np.log(np.diag(factor[0])).sum())

    found = minimize(cost, np.zeros(d + 2), method="L-BFGS-B", bounds=[(-4.0, 4.0)] * (d + 2))
    return of(found.x)


def search(landscape: Landscape, x: np.ndarray, rule: str, seed: int) -> tuple[int, int]:
    """Tests to a top-1 % design, and how many of the best 5 % are found in 50 tests."""
    task = pool_task("crossed_barrel", seed)
    y = (task.drawn - landscape.mean) / landscape.spread
    order = task.first(seed)
    while len(order) < BUDGET:
        free = np.setdiff1d(np.arange(len(x)), order)
        tested = landscape.covariance(x[order], x[order])
        factor = cho_factor(tested + landscape.noise * np.eye(len(order)), lower=True)
        cross = landscape.covariance(x[free], x[order])
        known = cho_solve(factor, y[order])
        mean, before = cross @ known, np.diag(landscape.covariance(x[free], x[free]))
        std = np.sqrt(np.maximum(before - (cross * cho_solve(factor, cross.T).T).sum(axis=1), 1e-12))
        if rule == "expected improvement":
            scores = expected_improvement(mean, std, float((tested @ known).max()))
        else:
            scores = upper_confidence_bound(mean, std, float(rule.split()[2]))
        order.append(int(free[np.argmax(scores)]))
    ranked = np.argsort(-task.truth)
    best = set(ranked[: len(x) // 100].tolist())
    first = next((i + 1 for i, design in enumerate(order) if design in best), BUDGET + 1)
    return first, len(set(ranked[: len(x) // 20].tolist()) & set(order[:50]))


def main() -> None:
    """Parse and do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    space = pool_task("crossed_barrel", 0).space
    x = Encoder(space).encode(space.pool_columns)
    landscape = most_likely(x, published_tests())
    print(landscape)
    rows = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for rule in RULES:
            found = np.array(list(pool.map(partial(search, landscape, x, rule), range(options.seeds))))
            rows.append({"rule": rule, "first_top1": found[:, 0].tolist(), "top5": found[:, 1].tolist()})
            print(f"{rule:22s} {np.median(found[:, 0]):5.1f} tests, {found[:, 1].mean():5.1f} found", flush=True)
    options.results.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
