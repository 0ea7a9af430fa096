"""What the page of `sample_efficiency.py` says of the published pool: aims, limits, headline and factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from efficiency_statistics import BUDGET, Runs, cell, values_of
from peers import PEERS

_GRID = 1800  # tests of the published grid: 600 designs, three times each


def on_published(policies: Mapping[str, Runs], known: list[dict[str, Any]]) -> list[str]:
    """Markdown.

    known : rows of `known_landscape.py`; none, and that section is left out
    """
    return [*_aims(policies), *(_limits(known) if known else []), *_headline(policies), *_factors(policies)]


def _aims(policies: Mapping[str, Runs]) -> list[str]:
    """Aims on the published pool, and whether they are met, against the peers of this run."""
    peers = {name: runs for name, runs in policies.items() if name in PEERS}
    if not peers:
        return []
    seeds = set.intersection(*(set(runs) for runs in peers.values()))
    peers = {name: {seed: runs[seed] for seed in seeds} for name, runs in peers.items()}
    fewest = min(float(np.median(values_of(runs, "first_top1"))) for runs in peers.values())
    most = max(float(np.mean(values_of(runs, "top5"))) for runs in peers.values())
    lines = [
        "",
        "## Aims on the published pool",
        "",
        f"The best peers here need {fewest:.1f} tests and find {most:.1f} designs, over the {len(seeds)} seeds that "
        "all of them ran; ours are taken over the same seeds. With features and the press as prior the press has been "
        "fitted to the means of 300 of these 600 designs; on the other half alone it is judged above, where that was "
        "run. With `literature` the prior is what textbooks expect of a barrel (`literature_press.py`), fitted to "
        "nothing. `+start`: the first five designs are its own choice, too.",
        "",
        "| policy | tests over the best peer's | aim | finds over the best peer's | aim |",
        "| --- | --- | --- | --- | --- |",
    ]
    for policy, tests_aim, finds_aim in (
        ("default", 0.8, 1.2),
        ("default+literature", 0.5, 1.6),
        ("default+features+literature", 0.5, 1.6),
        ("default+features+prior", 0.5, 1.6),
        ("default+prior+start", 0.5, 1.6),
    ):
        if policy in policies:
            ours = {seed: run for seed, run in policies[policy].items() if seed in seeds}
            tests = float(np.median(values_of(ours, "first_top1"))) / fewest
            finds = float(np.mean(values_of(ours, "top5"))) / most
            marks = ["met" if good else "missed" for good in (tests <= tests_aim, finds >= finds_aim)]
            lines.append(
                f"| {policy} | {tests:.2f} | {tests_aim}, {marks[0]} | {finds:.2f} | {finds_aim}, {marks[1]} |"
            )
    return lines


def _limits(rows: list[dict[str, Any]]) -> list[str]:
    """What a model would need that knows the published landscape beforehand."""
    lines = [
        "",
        "## What limits it",
        "",
        "A Gaussian process that knows of the published landscape what no campaign can know before its end: the length "
        "scales, the trend and the noise that are most likely given all 1,800 tests (`known_landscape.py`). It chooses "
        "no setting; it tells what is left to gain by learning these better.",
        "",
        "| rule | seeds | tests to a top-1 % design, median | best 5 % found in 50 tests, mean |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        tests, found = np.array(row["first_top1"], dtype=float), np.array(row["top5"], dtype=float)
        lines.append(f"| {row['rule']} | {len(tests)} | {cell(tests, np.median)} | {cell(found, np.mean)} |")
    return lines


def _headline(policies: Mapping[str, Runs]) -> list[str]:
    lines = [
        "",
        "## Against the grid of 1,800 tests",
        "",
        "Tests until the design with the highest mean of the 600 was tested, and until one within 90 % of it was; the "
        "factor is 1,800 over that.",
        "",
        "| policy | seeds | tests to the best | factor | tests to 90 % of it | factor |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for policy, runs in policies.items():
        cells = []
        for key in ("first_best", "first_90"):
            values = values_of(runs, key)
            if np.median(values) > BUDGET:
                cells += [f"over {BUDGET}", f"under {_GRID / BUDGET:.0f}"]
            else:
                cells += [cell(values, np.median, 0), cell(values, lambda v: _GRID / np.median(v), 0)]
        lines.append(f"| {policy} | {len(runs)} | " + " | ".join(cells) + " |")
    return lines


def _factors(policies: Mapping[str, Runs]) -> list[str]:
    lines = [
        "",
        "## Acceleration and enhancement",
        "",
        "Share of the best 5 % of designs found: enhancement at i tests is this share over that of random choice; "
        "acceleration at a share is how many more tests random choice needs for it (Liang et al., npj Computational "
        "Materials 7, 188, 2021). Random choice is taken analytically; seeds are averaged before the ratio.",
        "",
        "| policy | enhancement at 20 | at 30 | at 50 | acceleration at 10 % | at 20 % | at 30 % |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for policy, runs in policies.items():
        curves = np.array([run["top5"] for run in runs.values()], dtype=float)
        pool = next(iter(runs.values()))["pool"]
        share = curves / (pool // 20)
        cells = [cell(share[:, i - 1] / (i / pool), np.mean) for i in (20, 30, 50)]
        for level in (0.1, 0.2, 0.3):
            cells.append(_acceleration(share, level, pool))
        lines.append(f"| {policy} | " + " | ".join(cells) + " |")
    return lines


def _acceleration(share: np.ndarray, level: float, pool: int) -> str:
    def tests(rows: np.ndarray) -> float:
        curve = rows.mean(axis=0)
        reached = np.flatnonzero(curve >= level)
        return level * pool / (reached[0] + 1 if len(reached) else len(curve) + 1)

    return cell(share, tests) if share.mean(axis=0)[-1] >= level else "–"
