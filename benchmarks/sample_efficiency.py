"""How many tests it takes: our policies and named peers on the same tasks, the same first designs and the same draws.

    python benchmarks/sample_efficiency.py run --tasks crossed_barrel --policies default,random --seeds 50
    python benchmarks/sample_efficiency.py run --policies botorch_logei,skopt_gp --peers-python VENV/bin/python
    python benchmarks/sample_efficiency.py report --page docs/optimizer-results.md

Every finished run is one line of the results file, so that a stopped benchmark goes on where it was; `--minutes` stops
it by itself. The peers of `peers.py` run in the Python that `--peers-python` names. The published table is read from
the folder that TOUGHOPT_DATA names. `default+features`, `default+prior` hand over what the crossed barrel's family and
the virtual press know, `default+literature` what textbooks expect (`literature_press.py`); with `+start` it also
chooses the first five designs itself. `half0` to `half9` are the halves of the published designs to which that press
was not fitted. ``--tasks table:FILE:COLUMN`` plays on a table of your own, one row a test, its other columns the design
(``table:FILE:-COLUMN`` where smaller is better); give it a ``--results`` of its own, too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from efficiency_report import report
from efficiency_statistics import BUDGET
from efficiency_tasks import FIRST, SPLITS, SYNTHETIC, box_task, pool_task
from literature_press import textbook_toughness
from peers import PEERS, BoxPeer, PoolPeer, versions

RESULTS = Path("benchmarks/results/sample_efficiency.jsonl")


def run_pool(name: str, policy: str, seed: int) -> dict[str, Any]:
    """One campaign on a pool: the order in which designs were tested, and what that found."""
    task = pool_task(name, seed)
    if len(task.designs) < BUDGET:
        raise SystemExit(f"{name} has {len(task.designs)} designs; {BUDGET} are tested")
    order, seconds = task.first(seed), []
    if policy in PEERS:
        from toughopt.optimizer import Encoder

        peer = PoolPeer(policy, Encoder(task.space).encode(task.space.pool_columns), seed)
        peer.tell(order, task.drawn[order].tolist())
        while len(order) < BUDGET:
            begin = time.perf_counter()
            order.append(peer.ask())
            peer.tell(order[-1:], [float(task.drawn[order[-1]])])
            seconds.append(time.perf_counter() - begin)
    else:
        from toughopt.optimizer import Optimizer

        bare, *knowledge = policy.split("+")
        own_start = "start" in knowledge
        prior = textbook_toughness if "literature" in knowledge else task.prior if "prior" in knowledge else None
        optimizer = Optimizer(
            task.space,
            bare,
            seed=seed,
            initial=FIRST if own_start else 0,
            features=task.features if "features" in knowledge else None,
            prior=prior,
        )
        index = {key: i for i, key in enumerate(task.space.pool_keys)}
        if own_start:
            order = []
        optimizer.tell([task.designs[i] for i in order], task.drawn[order].tolist())
        while len(order) < BUDGET:
            begin = time.perf_counter()
            design = optimizer.ask()[0]
            order.append(index[task.space.key(design)])
            optimizer.tell([design], [float(task.drawn[order[-1]])])
            seconds.append(time.perf_counter() - begin)
    ranked, n = np.argsort(-task.truth), len(task.designs)
    top5 = set(ranked[: n // 20].tolist())
    return {
        "order": order,
        "pool": n,
        "first_top1": _first(order, set(ranked[: max(n // 100, 1)].tolist())),
        "first_best": _first(order, {int(ranked[0])}),
        "first_90": _first(order, set(np.flatnonzero(task.truth >= 0.9 * task.truth.max()).tolist())),
        "top5": [len(top5 & set(order[: i + 1])) for i in range(len(order))],
        "best": float(task.truth[order[:50]].max() / task.truth.max()),
        "ask_median_s": float(np.median(seconds)),
    }


def run_box(name: str, policy: str, seed: int) -> dict[str, Any]:
    """One campaign in a box, of 50 tests."""
    task = box_task(name, seed)
    designs, seconds = task.first(seed), []
    values = [task.test(design, i) for i, design in enumerate(designs)]
    optimizer: Any
    if policy in PEERS:
        optimizer = BoxPeer(policy, task.problem.spec, seed)
        for design, value in zip(designs, values, strict=True):
            optimizer.tell(design, value, False)
    else:
        from toughopt.optimizer import Optimizer

        optimizer = Optimizer(task.problem.space, policy, seed=seed, initial=0)
        optimizer.tell(designs, values)
    while len(designs) < 50:
        begin = time.perf_counter()
        designs.append(optimizer.ask() if policy in PEERS else optimizer.ask()[0])
        value = task.test(designs[-1], len(designs) - 1)
        if policy in PEERS:
            optimizer.tell(designs[-1], value, True)
        else:
            optimizer.tell(designs[-1:], [value])
        seconds.append(time.perf_counter() - begin)
    truth = [task.truth(design) for design in designs]
    top1 = next((i + 1 for i, value in enumerate(truth) if value >= task.threshold), None)
    return {"first_top1": top1, "best": max(truth) / task.best, "ask_median_s": float(np.median(seconds))}


def _first(order: list[int], wanted: set[int]) -> int | None:
    return next((i + 1 for i, design in enumerate(order) if design in wanted), None)


def run_all(options: argparse.Namespace) -> None:
    """All tasks, policies and seeds that have no line yet, seed by seed."""
    done = set()
    if options.results.exists():
        done = {(r["task"], r["policy"], r["seed"]) for r in map(json.loads, options.results.read_text().splitlines())}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    policies = options.policies.split(",")
    if options.peers_python and (theirs := [p for p in policies if p in PEERS]):
        policies = [p for p in policies if p not in PEERS]
        arguments = [options.peers_python, __file__, "run", "--policies", ",".join(theirs)]
        for name in ("results", "tasks", "seeds", "first_seed", "minutes"):
            arguments += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
        root = str(Path(__file__).parent.parent)
        subprocess.run(arguments, check=True, env={**os.environ, "PYTHONPATH": root})
    software = {"python": platform.python_version(), **versions()}
    print("versions:", software, flush=True)
    end = time.monotonic() + 60.0 * options.minutes
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for name in options.tasks.split(","):
            for policy in policies:
                if (name, policy, seed) in done:
                    continue
                if time.monotonic() > end:
                    print("the minutes are used up; run again to go on")
                    return
                found = run_box(name[4:], policy, seed) if name.startswith("box:") else run_pool(name, policy, seed)
                row = {"task": name, "policy": policy, "seed": seed, **found, "versions": software}
                with options.results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"{name:16s} {policy:18s} seed {seed:3d}  top 1 % after {found['first_top1']}", flush=True)


def main() -> None:
    """Parse and do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["run", "report"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--tasks", default="crossed_barrel," + ",".join(SYNTHETIC), help=f"also half0..{SPLITS - 1}")
    parser.add_argument("--policies", default="default,random")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=240.0)
    parser.add_argument("--peers-python", help="a Python that has the peers")
    parser.add_argument("--page", type=Path, help="write the report there instead of printing it")
    options = parser.parse_args()
    if options.verb == "run":
        run_all(options)
        return
    beside = options.results.with_name
    text = report(options.results, beside("ask_latency.jsonl"), beside("known_landscape.jsonl"))
    if options.page:
        options.page.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
