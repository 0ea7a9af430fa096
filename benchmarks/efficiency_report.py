"""The page of `sample_efficiency.py`: medians and ratios with bootstrap intervals, paired by seed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from efficiency_published import on_published
from efficiency_statistics import BUDGET, FEWEST, Runs, cell, exact_random, paired, ratio, ratio_text, values_of
from efficiency_tried import LOOKS, TRIED
from peers import PEERS

_DRAWN = {
    "any": "Pools of `random_pools.py`, of 300 to 1,000 designs, another one for each seed.",
    "uneven": "Pools of `uneven_pools.py`, of 90 to 260 designs, spread and valued as the tables of laboratories are, "
    "another one for each seed. One to two designs are the top 1 %, 4 to 13 the best 5 %.",
}


def report(results: Path, latency: Path, known: Path) -> str:
    """Markdown, of the results of this benchmark, of `ask_latency.py` and of `known_landscape.py`.

    Runs that never got there count as one test more than the budget.
    """
    rows = _rows(results)
    by: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    software: dict[str, str] = {}
    for row in rows:
        by[row["task"]][row["policy"]][row["seed"]] = row
        software |= row.get("versions", {})
    by = {
        name: {policy: runs for policy, runs in told.items() if len(runs) >= (0 if name.startswith("half") else FEWEST)}
        for name, told in by.items()
    }
    by = {name: policies for name, policies in by.items() if policies}
    lines = [
        "# Tests to the toughest design",
        "",
        "Written by `benchmarks/sample_efficiency.py report`. Every policy starts from the same five random designs "
        "and meets the same draws; a design of a pool is tested once. Brackets are bootstrap 95 % intervals over "
        "seeds; ratios are paired by seed. A run that never got there counts as 61 tests. Settings of `default` were "
        "chosen on synthetic problems with other seeds than those here. " + LOOKS,
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in sorted(software.items())) + ".",
    ]
    for name in sorted(by, key=lambda n: (n != "crossed_barrel", n.startswith("box:"), n.startswith("half"), n)):
        if not name.startswith("half"):
            lines += _box(name, by[name]) if name.startswith("box:") else _pool(name, by[name])
    halves = {name: runs for name, runs in by.items() if name.startswith("half")}
    if halves:
        lines += _pool(
            f"the halves of the published designs to which the press was not fitted ({len(halves)} splits)",
            _merged(halves),
        )
    lines += _together(by) + _rivals(by)
    if "crossed_barrel" in by:
        lines += on_published(by["crossed_barrel"], _rows(known) if known.exists() else [])
    lines += ["", "## What was tried", ""]
    lines += [
        "On synthetic pools of 600 designs, 9 to 12 problems, and on pools of `random_pools.py`, seeds other than "
        "above but where they are named: geometric mean of the tests to a top-1 % design, relative to the first row of "
        "the group (about ±0.06), and the best 5 % found in 50 tests (about ±0.5; of thirty).",
        "",
        "| choice | tests | found |",
        "| --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in TRIED),
    ]
    if latency.exists():
        lines += _latency(_rows(latency))
    return "\n".join(lines) + "\n"


def _pool(name: str, policies: Mapping[str, Runs]) -> list[str]:
    size = next(iter(next(iter(policies.values())).values())).get("pool", 600)
    lines = ["", f"## {name}", ""]
    lines += [
        _DRAWN.get(
            name,
            f"{size} designs; best 5 % are {size // 20}. Random, exact: median "
            f"{exact_random(size, max(size // 100, 1))} tests to a top-1 % design, "
            f"{50 * (size // 20) / size:.1f} of the best 5 % in 50.",
        ),
        "",
        "| policy | seeds | tests to a top-1 % design, median | best 5 % found in 50 tests, mean "
        "| `default`'s tests over this one's | `default`'s finds over this one's | ask, ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    ours = policies.get("default", {})
    for policy in sorted(policies, key=lambda p: (p in PEERS, not p.startswith("default"), p)):
        runs = policies[policy]
        tests, found = values_of(runs, "first_top1"), values_of(runs, "top5")
        ratios = ["", ""]
        if policy != "default":
            ratios = [paired(ours, runs, "first_top1", np.median), paired(ours, runs, "top5", np.mean)]
        ms = 1e3 * float(np.median([run["ask_median_s"] for run in runs.values()]))
        cells = [cell(tests, np.median), cell(found, np.mean), *ratios]
        lines.append(f"| {policy} | {len(runs)} | " + " | ".join(cells) + f" | {ms:.0f} |")
    return lines


def _box(name: str, policies: Mapping[str, Runs]) -> list[str]:
    lines = ["", f"## {name.removeprefix('box:')}, any design of the box", ""]
    sort = "Boxes of `random_boxes.py`, another one for each seed. " if name == "box:any" else ""
    lines += [
        f"{sort}50 tests. A top-1 % design is better than all but 1 % of the space; true means are told over that of "
        "the best of 4,096 designs.",
        "",
        "| policy | seeds | tests to a top-1 % design, median | best true mean in 50 tests, mean "
        "| `default`'s tests over this one's | ask, ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    ours = policies.get("default", {})
    for policy in sorted(policies, key=lambda p: (p in PEERS, p != "default", p)):
        runs = policies[policy]
        best = np.array([run["best"] for run in runs.values()])
        beside = "" if policy == "default" else paired(ours, runs, "first_top1", np.median)
        ms = 1e3 * float(np.median([run["ask_median_s"] for run in runs.values()]))
        lines.append(
            f"| {policy} | {len(runs)} | {cell(values_of(runs, 'first_top1'), np.median)} | {cell(best, np.mean, 3)} "
            f"| {beside} | {ms:.0f} |"
        )
    return lines


def _together(by: Mapping[str, Mapping[str, Runs]]) -> list[str]:
    """`default` beside each peer over all synthetic tasks at once."""
    lines = [
        "",
        "## All synthetic tasks together",
        "",
        "Ratios of `default` to each peer over all tasks and seeds that both ran: geometric mean for the tests to a "
        "top-1 % design, means for the rest. Below 1 is better for tests, above 1 for finds and means.",
        "",
        "| peer | where | runs | tests to a top-1 % design | best 5 % found in 50 tests | best true mean |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    tasks = [name for name in by if name != "crossed_barrel" and not name.startswith(("half", "table:"))]
    for peer in sorted({policy for name in tasks for policy in by[name] if policy in PEERS}):
        for where, boxes in (("pools", False), ("boxes", True)):
            pairs = [
                (by[name]["default"][seed], by[name][peer][seed])
                for name in tasks
                if name.startswith("box:") == boxes and {peer, "default"} <= set(by[name])
                for seed in sorted(set(by[name]["default"]) & set(by[name][peer]))
            ]
            if len(pairs) < FEWEST:
                continue
            tests = np.log([[run["first_top1"] or BUDGET + 1 for run in pair] for pair in pairs])
            cells = [cell(tests, lambda rows: float(np.exp(np.mean(rows[:, 0] - rows[:, 1]))), 2), "", ""]
            gained = np.array(
                [[run["best"] if boxes else run["top5"][49] for run in pair] for pair in pairs], dtype=float
            )
            cells[2 if boxes else 1] = cell(gained, lambda rows: float(rows[:, 0].mean() / rows[:, 1].mean()), 2)
            lines.append(f"| {peer} | {where} | {len(pairs)} | " + " | ".join(cells) + " |")
    return lines


def _rivals(by: Mapping[str, Mapping[str, Runs]]) -> list[str]:
    """`default` beside the peer that is best on each task."""
    lines = [
        "",
        "## Beside the best peer of each task",
        "",
        "The peer that needs the fewest tests to a top-1 % design, in the median of the seeds that it and `default` "
        "ran. Behind or ahead is `default` where the whole interval of the tests' ratio is above or below 1.",
        "",
        "| task | best peer | seeds | `default`'s tests over its | `default`'s finds, or best true mean, over its | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, policies in sorted(by.items()):
        ours = policies.get("default", {})
        both = {p: {s: r for s, r in runs.items() if s in ours} for p, runs in policies.items() if p in PEERS}
        both = {p: runs for p, runs in both.items() if len(runs) >= FEWEST}
        if not both:
            continue
        best = min(both, key=lambda p: (float(np.median(values_of(both[p], "first_top1"))), p))
        tests = ratio(ours, both[best], "first_top1", np.median)
        gained = paired(ours, both[best], "best" if name.startswith("box:") else "top5", np.mean)
        verdict = "level" if tests is None else "behind" if tests[1] > 1.0 else "ahead" if tests[2] < 1.0 else "level"
        lines.append(f"| {name} | {best} | {len(both[best])} | {ratio_text(tests)} | {gained} | {verdict} |")
    return lines


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _latency(rows: list[dict[str, Any]]) -> list[str]:
    newest = {(row["d"], row["n"], row["policy"]): row for row in rows}
    lines = [
        "",
        "## Seconds of one tell and ask",
        "",
        "In a box, the model warm as in a running campaign; by `benchmarks/ask_latency.py`, one thread.",
        "",
        "| parameters | tests | policy | median, s | 95th percentile, s | memory, MiB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (d, n, policy), row in sorted(newest.items()):
        middle, high = np.percentile(row["seconds"], [50, 95])
        lines.append(f"| {d} | {n} | {policy} | {middle:.3f} | {high:.3f} | {row['mib']:.0f} |")
    return lines


def _merged(halves: Mapping[str, Mapping[str, Runs]]) -> dict[str, Runs]:
    """Runs of all splits under one seed each."""
    found: dict[str, Runs] = defaultdict(dict)
    for name, policies in halves.items():
        for policy, runs in policies.items():
            for seed, run in runs.items():
                found[policy][1000 * int(name.removeprefix("half")) + seed] = run
    return found
