"""How much of the true Pareto front, toughness against mass, a search finds: `python benchmarks/pareto.py [SEEDS]`.

Judged by the true means of the designs tested: the hypervolume that they dominate, as a share of what 20,000 designs
dominate. Results are kept by problem, search and seed in benchmarks/results/pareto.jsonl, so that it resumes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from problems import PROBLEMS, Problem

from toughopt.optimizer import Objective, Optimizer
from toughopt.optimizer.hypervolume import hypervolume, nondominated

RESULTS = Path(__file__).parent / "results" / "pareto.jsonl"
NAMES = ("ridge2", "waves3", "struts4", "shells11")
TESTS, MOMENTS = 40, (10, 20, 40)
WORST = np.array([0.0, -3.0])  # no toughness at all, a mass of 3
Columns = Mapping[str, np.ndarray]


def mass_of(problem: Problem) -> Callable[[Columns], np.ndarray]:
    """Mass between 1 and 3: some parameters cost more than others, and two of them together."""
    weight = 1.0 + np.sin(2.0 * np.arange(len(problem.spec)))
    weight /= weight.sum()

    def mass(columns: Columns) -> np.ndarray:
        unit = np.column_stack([p.encode(np.asarray(columns[p.name]))[:, 0] for p in problem.space.parameters])
        return np.asarray(1.0 + 1.5 * unit @ weight + 0.5 * unit[:, 0] * unit[:, -1])

    return mass


def searches(problem: Problem, mass: Callable[[Columns], np.ndarray]) -> dict[str, Callable[[int], Any]]:
    """Each makes an optimizer from a seed."""
    tough, light = Objective("toughness", reference=0.0), Objective("mass", "min", 3.0)
    known = Objective("mass", "min", 3.0, mass)

    def several(policy: str, *objectives: Objective) -> Callable[[int], Any]:
        return lambda seed: Optimizer(problem.space, policy, seed, objectives=objectives)

    return {
        "ehvi, mass known": several("ehvi", tough, known),
        "ehvi, mass measured": several("ehvi", tough, light),
        "random weights (ParEGO)": lambda seed: Weighted(problem, seed),
        "log EI, toughness alone": several("log_ei", tough, known),
        "random": several("random", tough, known),
    }


class Weighted:
    """A new weighting of the two objectives before each test, then log EI of the augmented Chebyshev sum.

    Knowles, IEEE Trans. Evol. Comput. 10, 50 (2006).
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.seed = problem, seed
        self.rng = np.random.default_rng([seed, 5])
        self.first = Optimizer(problem.space, "log_ei", seed)
        self.designs: list[dict[str, Any]] = []
        self.values: list[tuple[float, float]] = []

    def ask(self) -> list[dict[str, Any]]:
        if len(self.designs) < self.first.settings["initial"]:
            return self.first.ask()
        y = np.array(self.values) * (1.0, -1.0)
        scaled = (y - y.max(axis=0)) / np.maximum(np.ptp(y, axis=0), 1e-12)
        share = self.rng.random()
        parts = scaled * (share, 1.0 - share)
        again = Optimizer(self.problem.space, "log_ei", self.seed, initial=0)
        again.tell(self.designs, (parts.min(axis=1) + 0.05 * parts.sum(axis=1)).tolist())
        return again.ask()

    def tell(self, designs: list[dict[str, Any]], values: list[dict[str, float]]) -> None:
        self.designs += designs
        self.values += [(v["toughness"], v["mass"]) for v in values]
        if self.first.pending:
            self.first.tell(designs, [v["toughness"] for v in values])


def volume(problem: Problem, mass: Callable[[Columns], np.ndarray], columns: Columns) -> float:
    """Hypervolume of the true means, without what a few draws more or less make of a dominated design."""
    points = np.column_stack([problem.truth(columns), -mass(columns)])
    inside = points[(points > WORST).all(axis=1)]
    return hypervolume(inside[nondominated(inside)], WORST) if len(inside) else 0.0


def play(problem: Problem, make: Callable[[int], Any], mass: Callable[[Columns], np.ndarray], seed: int) -> list[float]:
    """Hypervolume after each of `MOMENTS` tests."""
    search, rng = make(seed), np.random.default_rng([seed, 3])
    designs: list[dict[str, Any]] = []
    found = []
    for test in range(1, TESTS + 1):
        designs += search.ask()
        columns = problem.space.columns(designs[-1:])
        weighed = float(mass(columns)[0] * (1.0 + 0.01 * rng.standard_normal()))
        search.tell(designs[-1:], [{"toughness": float(problem.test(columns, rng)[0]), "mass": weighed}])
        if test in MOMENTS:
            found.append(volume(problem, mass, problem.space.columns(designs)))
    return found


def main(seeds: int) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    kept = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(r["problem"], r["search"], r["seed"]) for r in kept}
    for seed in range(seeds):
        for name in NAMES:
            problem = PROBLEMS[name]
            mass = mass_of(problem)
            for search, make in searches(problem, mass).items():
                if (name, search, seed) in done:
                    continue
                row = {"problem": name, "search": search, "seed": seed, "volume": play(problem, make, mass, seed)}
                kept.append(row)
                with RESULTS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    summary(kept)


def summary(rows: list[dict[str, Any]]) -> None:
    """Median share of the attainable hypervolume, with a bootstrap 95 % interval."""
    rng = np.random.default_rng(0)
    print("| problem | search | " + " | ".join(f"{m} tests" for m in MOMENTS) + " |")
    print("| --- | --- |" + " --- |" * len(MOMENTS))
    for name in NAMES:
        problem = PROBLEMS[name]
        mass = mass_of(problem)
        most = volume(problem, mass, problem.space.sample(20000, np.random.default_rng(1)))
        for search in searches(problem, mass):
            found = np.array([r["volume"] for r in rows if r["problem"] == name and r["search"] == search]) / most
            if not len(found):
                continue
            draws = np.median(found[rng.integers(0, len(found), (2000, len(found)))], axis=1)
            low, high = np.percentile(draws, [2.5, 97.5], axis=0)
            cells = [f"{m:.2f} ({a:.2f}–{b:.2f})" for m, a, b in zip(np.median(found, axis=0), low, high, strict=True)]
            print(f"| {name} | {search} | " + " | ".join(cells) + f" | {len(found)} seeds")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
