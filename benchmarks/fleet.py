"""How fast whole campaigns are simulated, and how busy a simulated fleet keeps its bottleneck.

    python benchmarks/fleet.py month     one campaign, five printers around one press: --experiments 1000
    python benchmarks/fleet.py speedup   many campaigns with two worker processes over one: --campaigns 100

`month` uses the small specimen, whose print takes minutes, so that the hands and the press are what limits the lab; the
bound is the busiest machine's share of the time. Its policy chooses ten designs at once, so that it refits once in ten
results, and ten programs can be worked out side by side. Where other work shares the cores, the processor time says
more than the wall: half of it, on two cores, is what the wall cannot fall below. Results go to --json FILE as well.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from toughopt.executor import completed, open_executor
from toughopt.loop.simulate import Simulated, Simulation, begun, simulate, simulate_one
from toughopt.virtual import small_campaign
from toughopt.virtual.fleet import Mishaps


def month(experiments: int, policy: str, batch: int, folder: Path) -> dict[str, object]:
    mishaps = Mishaps(print_stops=0.02, jam=0.01, grab_fails=0.005)
    begun(folder, small_campaign(budget=experiments, policy=policy, initial=5, batch=batch, printers=5))
    started = time.perf_counter()
    with open_executor("processes", workers=2) as executor:
        result = simulate(folder, Simulation(mishaps=mishaps), elsewhere=executor)
    wall_s = time.perf_counter() - started
    worked = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "experiments": result.complete,
        "failed": result.failed,
        "policy": policy,
        "batch": batch,
        "wall_min": wall_s / 60,
        "processor_s_each": sum(used.ru_utime + used.ru_stime for used in worked) / experiments,
        "days_simulated": result.days,
        "a_day": result.per_day,
        "print_to_crush_min": result.print_to_crush_min,
        "bottleneck": result.bottleneck,
        "utilisation": result.utilisation,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def speedup(campaigns: int, budget: int) -> dict[str, object]:
    seconds: dict[int, float] = {}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            orders = [
                (
                    Path(folder) / str(i),
                    small_campaign(seed=i, budget=budget, policy="random", printers=2),
                    Simulation(),
                    None,
                )
                for i in range(campaigns)
            ]
            with open_executor("processes", workers=workers) as executor:
                list(completed(executor, _warm, [()] * workers))  # imports are not what is compared
                started = time.perf_counter()
                done: list[tuple[int, Simulated]] = list(completed(executor, simulate_one, orders))
            seconds[workers] = time.perf_counter() - started
            assert len(done) == campaigns
    return {
        "campaigns": campaigns,
        "budget": budget,
        "one_worker_s": seconds[1],
        "two_workers_s": seconds[2],
        "speedup": seconds[1] / seconds[2],
    }


def _warm() -> None:
    with tempfile.TemporaryDirectory() as folder:
        simulate_one(Path(folder) / "warm", small_campaign(budget=1, policy="random"), Simulation(), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["month", "speedup"], nargs="?", default="speedup")
    parser.add_argument("--experiments", type=int, default=100)
    parser.add_argument("--campaigns", type=int, default=8)
    parser.add_argument("--budget", type=int, default=4)
    parser.add_argument("--policy", default="default")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.what == "speedup":
        answer = speedup(options.campaigns, options.budget)
    elif options.folder is not None:
        answer = month(options.experiments, options.policy, options.batch, options.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            answer = month(options.experiments, options.policy, options.batch, Path(folder) / "fleet")
    text = json.dumps(answer, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
