"""Do structures get tougher? Whole virtual campaigns, serial line and all, over many seeds.

    python benchmarks/closed_loop.py --seeds 20 --experiments 25

For each seed, the median toughness of the last ten experiments is compared with that of the first five. The small
specimen (6 mm high, 0.3 mm layers) is the default; `--full` takes the 20 mm specimen that `toughopt run` makes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from toughopt import Campaign
from toughopt.cli.setup import campaign_text

_SMALL = """\
seed = {seed}
budget = {experiments}
optimizer = {{ policy = "{policy}" }}

[family]
name = "crossed_barrel"
fixed = {{ height = 6.0, platform_thickness = 0.6 }}

[[printers]]
name = "printer-1"
profile = "virtual_small"
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One campaign: the values in the order in which they came, and how long it took."""

    seed: int
    values: tuple[float, ...]
    seconds: float

    @property
    def first(self) -> float:
        """Median of the first five."""
        return statistics.median(self.values[:5])

    @property
    def last(self) -> float:
        """Median of the last ten."""
        return statistics.median(self.values[-10:])


def campaign(seed: int, experiments: int, policy: str, full: bool) -> Outcome:
    """Run one campaign to its end in a folder that is thrown away."""
    text = _SMALL.format(seed=seed, experiments=experiments, policy=policy)
    if full:
        text = campaign_text(seed=seed, budget=experiments, policy=policy)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with Campaign.create(Path(folder) / "campaign", text) as made:
            made.run()
            values = tuple(e.value for e in made.state.complete if e.value is not None)
    return Outcome(seed, values, time.perf_counter() - begun)


def main() -> None:
    """Run, and print one line a seed and the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--experiments", type=int, default=25)
    parser.add_argument("--policy", default="default")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    risen = 0
    print("seed  median of first 5  median of last 10     best  seconds")
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        count = options.seeds
        arguments = [
            range(1, count + 1),
            *([value] * count for value in (options.experiments, options.policy, options.full)),
        ]
        for outcome in pool.map(campaign, *arguments):
            risen += outcome.last > outcome.first
            figures = f"{outcome.first:17.2f}  {outcome.last:17.2f}  {max(outcome.values):7.2f}  {outcome.seconds:7.0f}"
            print(f"{outcome.seed:4d}  {figures}", flush=True)
    print(f"the last ten are above the first five in {risen} of {options.seeds} seeds")


if __name__ == "__main__":
    main()
