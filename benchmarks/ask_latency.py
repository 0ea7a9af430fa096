"""Seconds of one tell + ask, median and 95th percentile, against the number of tests; scikit-optimize beside it.

    python benchmarks/ask_latency.py --sizes 50,200,1000,25000 --repeats 5

A peer is left out beyond the size at which one of its asks would take minutes. Each finished size is one line of the
results file, from which `sample_efficiency.py report` makes its table.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from toughopt.optimizer import Optimizer, Space

PEERS = {"skopt": 200, "botorch": 200}  # largest number of tests that each is tried with


def objective(unit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A smooth hill with ten percent noise."""
    value = 20.0 * np.exp(-3.0 * ((unit - 0.6) ** 2)[:, :4].sum(axis=1)) + 1.0
    return value * np.exp(0.1 * rng.standard_normal(len(unit)))


def measure(policy: str, d: int, n: int, repeats: int) -> np.ndarray:
    """Seconds of each tell + ask, the model warm as in a running campaign."""
    space = Space.from_dict({f"x{i}": {"type": "real", "low": 0.0, "high": 1.0} for i in range(d)})
    rng = np.random.default_rng(n + d)
    columns = space.from_unit(rng.random((n, d)))
    optimizer = Optimizer(space, policy, seed=1, initial=0)
    optimizer.tell(space.designs(columns), objective(space.to_unit(columns), rng).tolist())
    designs = optimizer.ask()
    seconds = []
    for _ in range(repeats):
        value = objective(space.to_unit(space.columns(designs)), rng).tolist()
        begin = time.perf_counter()
        optimizer.tell(designs, value)
        designs = optimizer.ask()
        seconds.append(time.perf_counter() - begin)
    return np.array(seconds)


def peak_mib() -> float:
    """Largest resident memory of this process so far, in MiB."""
    import psutil

    memory = psutil.Process().memory_info()
    return float(getattr(memory, "peak_wset", memory.rss)) / 2**20


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="50,200,1000,25000")
    parser.add_argument("--dimensions", default="4,11")
    parser.add_argument("--policies", default="default,skopt")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/ask_latency.jsonl"))
    options = parser.parse_args()
    options.results.parent.mkdir(parents=True, exist_ok=True)
    print("| d | tests | policy | median, s | 95th percentile, s | memory, MiB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for d in map(int, options.dimensions.split(",")):
        for n in map(int, options.sizes.split(",")):
            for policy in options.policies.split(","):
                if n > PEERS.get(policy, n):
                    continue
                seconds = measure(policy, d, n, options.repeats)
                print(
                    f"| {d} | {n} | {policy} | {np.median(seconds):.3f} | {np.percentile(seconds, 95):.3f} "
                    f"| {peak_mib():.0f} |",
                    flush=True,
                )
                row = {"d": d, "n": n, "policy": policy, "seconds": seconds.tolist(), "mib": peak_mib()}
                with options.results.open("a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
