"""How many tests it takes: our policies and named peers on the same pools, the same first designs and the same draws.

    python benchmarks/sample_efficiency.py run --tasks crossed_barrel --policies default,skopt,random --seeds 20
    python benchmarks/sample_efficiency.py report

Every finished run is one line of the results file, so that a stopped benchmark goes on where it was. BoTorch may live
in an environment of its own: run the script with that environment's Python and PYTHONPATH set to the checkout. The
published table is read from the folder that TOUGHOPT_DATA names. "NAME+features" hands a policy the family's features.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import sys
import time
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from problems import PROBLEMS, random_nature

from toughopt.optimizer import Optimizer, Space

BUDGET = 60
FIRST = 5
POOL = 600
RANDOM_TASKS = ("random3", "random4", "random6")


def table_task(data: Path) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray, Space]:
    """Designs, true means (600,), tests (3, 600) and the space of the published table."""
    tests: dict[tuple[float, ...], list[float]] = defaultdict(list)
    with (data / "crossed_barrel.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            tests[tuple(float(row[c]) for c in ("n", "theta", "r", "t"))].append(float(row["toughness"]))
    designs = [{"n": int(n), "theta": theta, "r": r, "t": t} for n, theta, r, t in tests]
    values = np.array([v[:3] for v in tests.values()]).T
    return designs, values.mean(axis=0), values, Space(pool=designs)


def task(name: str, seed: int, data: Path | None) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray, Space]:
    """Designs, true means, three tests of each and the space; synthetic pools differ from seed to seed."""
    if name == "crossed_barrel":
        if data is None:
            raise SystemExit("crossed_barrel: set TOUGHOPT_DATA to the folder that holds crossed_barrel.csv")
        return table_task(data)
    problem = random_nature(int(name.removeprefix("random")), 1000 + seed) if name in RANDOM_TASKS else PROBLEMS[name]
    designs = problem.pool(POOL, 1000 + seed)
    space = Space(problem.space.parameters, pool=designs)
    columns = space.pool_columns
    return designs, problem.truth(columns), problem.tests(columns, 3, np.random.default_rng([seed, 5])), space


def run(name: str, policy: str, seed: int, data: Path | None) -> dict[str, Any]:
    """One campaign: the order in which designs were tested, and what that found."""
    designs, truth, tests, space = task(name, seed, data)
    drawn = tests[np.random.default_rng([seed, 9]).integers(0, 3, len(designs)), np.arange(len(designs))]
    features = None
    bare = policy.removesuffix("+features")
    if bare != policy:
        from toughopt.families import family

        features = family("crossed_barrel").features
    optimizer = Optimizer(space, bare, seed=seed, initial=0, features=features)
    index = {key: i for i, key in enumerate(space.pool_keys)}
    order = [int(i) for i in np.random.default_rng([seed, 3]).permutation(len(designs))[:FIRST]]
    optimizer.tell([designs[i] for i in order], drawn[order].tolist())
    seconds = []
    while len(order) < BUDGET:
        begin = time.perf_counter()
        design = optimizer.ask()[0]
        order.append(index[space.key(design)])
        optimizer.tell([design], [float(drawn[order[-1]])])
        seconds.append(time.perf_counter() - begin)
    ranked = np.argsort(-truth)
    return {
        "task": name,
        "policy": policy,
        "seed": seed,
        "order": order,
        "first_top1": _first(order, set(ranked[: len(designs) // 100].tolist())),
        "first_best": _first(order, {int(ranked[0])}),
        "first_90": _first(order, set(np.flatnonzero(truth >= 0.9 * truth.max()).tolist())),
        "top5_in_50": len(set(order[:50]) & set(ranked[: len(designs) // 20].tolist())),
        "ask_median_s": float(np.median(seconds)),
    }


def _first(order: list[int], wanted: set[int]) -> int | None:
    return next((i + 1 for i, design in enumerate(order) if design in wanted), None)


def exact_random(pool: int, wanted: int) -> float:
    """Median number of draws without replacement until one of `wanted` among `pool` is met."""
    left, draws = 1.0, 0
    while left > 0.5:
        left *= (pool - wanted - draws) / (pool - draws)
        draws += 1
    return float(draws)


def interval(values: np.ndarray, statistic: Any) -> tuple[float, float]:
    """Bootstrap 95 % interval of a statistic."""
    rng = np.random.default_rng(0)
    found = [statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(2000)]
    return float(np.percentile(found, 2.5)), float(np.percentile(found, 97.5))


def report(results: Path) -> None:
    """Medians with intervals, a table a task; runs that never got there count as one test more than the budget."""
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    by: dict[str, dict[str, dict[int, dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        by[row["task"]][row["policy"]][row["seed"]] = row
    print(f"random, exact: top-1 % design after {exact_random(POOL, 6):.0f} tests (median); top-30 in 50: 2.5")
    for name, policies in by.items():
        print(f"\n### {name}\n")
        print(
            "| policy | seeds | tests to top 1 % | top-30 in 50 | tests to the best | tests to 90 % of it | ask, ms |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for policy, runs in policies.items():
            cells = []
            for key in ("first_top1", "top5_in_50", "first_best", "first_90"):
                v = np.array([BUDGET + 1 if r[key] is None else r[key] for r in runs.values()], dtype=float)
                of = np.mean if key == "top5_in_50" else np.median
                low, high = interval(v, of)
                mark = ">" if of(v) > BUDGET else ""
                cells.append(f"{mark}{of(v):.1f} ({low:.1f}–{high:.1f})")
            ms = 1e3 * float(np.median([r["ask_median_s"] for r in runs.values()]))
            print(f"| {policy} | {len(runs)} | " + " | ".join(cells) + f" | {ms:.0f} |")


def main() -> None:
    """Parse and do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["run", "report"])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/sample_efficiency.jsonl"))
    parser.add_argument("--tasks", default=",".join(["crossed_barrel", *PROBLEMS, *RANDOM_TASKS]))
    parser.add_argument("--policies", default="default,random,skopt,forest,log_ei")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    if options.verb == "report":
        report(options.results)
        return
    data = Path(os.environ["TOUGHOPT_DATA"]) if os.environ.get("TOUGHOPT_DATA") else None
    done = set()
    if options.results.exists():
        done = {(r["task"], r["policy"], r["seed"]) for r in map(json.loads, options.results.read_text().splitlines())}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    versions = {p: metadata.version(p) for p in ("numpy", "scipy", "scikit-optimize") if _installed(p)}
    versions |= {p: metadata.version(p) for p in ("botorch", "torch") if _installed(p)}
    print("versions:", {"python": platform.python_version(), **versions}, flush=True)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for name in options.tasks.split(","):
            for policy in options.policies.split(","):
                if (name, policy, seed) in done:
                    continue
                found = run(name, policy, seed, data) | {"versions": versions}
                with options.results.open("a") as file:
                    file.write(json.dumps(found) + "\n")
                print(
                    f"{name:16s} {policy:18s} seed {seed:3d}  top 1 % after {found['first_top1']}, "
                    f"top-30 in 50: {found['top5_in_50']}, ask {1e3 * found['ask_median_s']:.0f} ms",
                    flush=True,
                )


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
