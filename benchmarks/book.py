"""The performance book: runs the benchmarks, keeps what they measured, and writes docs/performance.md.

    python benchmarks/book.py                          everything, some twenty minutes on a quiet machine
    python benchmarks/book.py --only start slicing     these; the rest of the table stays as it was
    python benchmarks/book.py --only growth            how cost grows with size, and its picture
    python benchmarks/book.py --write                  only the page, from the results that are kept

Each ratio is measured within one run, ours and the peer's in turn, `--repeats` runs, the median counts. Results are
kept in `benchmarks/results/book.json`; the page compares them with the last committed ones. Printcore runs under the
Python that TOUGHOPT_PRINTRUN_PYTHON names, pandas under that of TOUGHOPT_PANDAS_PYTHON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chapters import CHAPTERS, GROWTH, Figure

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "benchmarks" / "results" / "book.json"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "pictures" / "cost.png"


def main() -> None:
    """Measure what was asked for, keep it, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=[*CHAPTERS, "growth"], default=[*CHAPTERS, "growth"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="measure nothing")
    options = parser.parse_args()
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    growth: list[dict[str, Any]] = kept.pop("growth", [])
    if "growth" in options.only and not options.write:
        growth = [asdict(found) for measure in GROWTH for found in measure()]
        draw(growth)
    for name in () if options.write else (name for name in options.only if name != "growth"):
        runs = [list(CHAPTERS[name]()) for _ in range(options.repeats)]
        kept[name] = {
            "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
            "machine": _machine(),
            "runs": options.repeats,
            "figures": [_median(same) for same in zip(*runs, strict=True)],
        }
        _keep({**kept, "growth": growth})
    _keep({**kept, "growth": growth})
    PAGE.write_text(page(kept, growth, committed()), encoding="utf-8")


def _keep(found: dict[str, Any]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def page(kept: dict[str, Any], growth: list[dict[str, Any]], before: dict[str, Any]) -> str:
    """docs/performance.md, from what is kept and what was committed before."""
    old = {
        figure["name"]: figure["value"]
        for name, chapter in before.items()
        if name != "growth"
        for figure in chapter["figures"]
    }
    lines = [
        "# Performance",
        "",
        "Written by `python benchmarks/book.py` (`make bench`). Ratios are taken within one run on one machine, ours",
        "and the peer's in turn; medians. A promise that is not kept says so.",
        "",
        "| what | measured | promised | kept | peer | last committed |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for chapter in kept.values():
        for entry in chapter["figures"]:
            figure = Figure(**entry)
            last = f"{old[figure.name]:.3g}" if figure.name in old else ""
            lines.append(
                f"| {figure.name} | {figure.value:.3g} {figure.unit} | {figure.sense} {figure.wanted:g} | "
                f"{'yes' if figure.met else '**no**'} | {figure.peer} | {last} |"
            )
    lines += ["", "## Where and when", "", "| chapter | day | machine | runs |", "| --- | --- | --- | --- |"]
    lines += [f"| {name} | {c['measured']} | {c['machine']} | {c['runs']} |" for name, c in kept.items()]
    if growth:
        lines += ["", "## Cost against size", "", f"![Seconds against size](pictures/{PICTURE.name})", ""]
        lines += ["| what | of | sizes | seconds |", "| --- | --- | --- | --- |"]
        for entry in growth:
            sizes = ", ".join(f"{size:,}" for size in entry["sizes"])
            seconds = ", ".join(f"{value:.3g}" for value in entry["seconds"])
            lines.append(f"| {entry['name']} | {entry['size_of']} | {sizes} | {seconds} |")
    lines += ["", _OTHERS]
    return "\n".join(lines)


def draw(growth: list[dict[str, Any]]) -> None:
    """Seconds against size, a panel for each thing that is counted, logarithmic over decades; promises are crosses."""
    from matplotlib.figure import Figure as Drawing

    kinds = list(dict.fromkeys(entry["size_of"] for entry in growth))
    drawing = Drawing(figsize=(10.0, 6.0), layout="constrained")
    for kind, axes in zip(kinds, drawing.subplots(2, -(-len(kinds) // 2)).flat, strict=False):
        for entry in (entry for entry in growth if entry["size_of"] == kind):
            (line,) = axes.plot(entry["sizes"], entry["seconds"], "o-", label=entry["name"])
            if entry["most_size"]:
                axes.plot(entry["most_size"], entry["most_s"], "x", color=line.get_color(), markersize=9)
        if max(entry["sizes"][-1] / entry["sizes"][0] for entry in growth if entry["size_of"] == kind) > 10:
            axes.set(xscale="log", yscale="log")
        else:
            axes.set_ylim(bottom=0.0)
        axes.set_xlabel(kind)
        axes.set_ylabel("time [s]")
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    drawing.savefig(PICTURE, dpi=110)


_OTHERS = """\
## What has a page or a script of its own

| question | script |
| --- | --- |
| tests to the best designs, beside other optimizers | `benchmarks/sample_efficiency.py` |
| seconds for the next design, up to 25,000 tests | `benchmarks/ask_latency.py` |
| do structures get tougher, over seeds | `benchmarks/closed_loop.py` |
| the virtual press against published tests | `benchmarks/press.py` |
| test machines' files: speed, accuracy, coverage, damage | `benchmarks/curves.py` |
| faulty lines: what is lost, doubled, altered | `benchmarks/faults.py` |
| reading of G-code, beside Printrun's | `benchmarks/gcode.py` |
| commands on a campaign of 25,000 experiments | `benchmarks/journal.py` |
| a month of five printers on a virtual clock | `benchmarks/fleet.py month` |
| how much programs weigh against their solids | `benchmarks/deposition.py` |
| random designs of each family, meshed and compared | `benchmarks/geometry.py --only exactness` |
"""


def committed() -> dict[str, Any]:
    """The results as they were last committed; empty where there are none, or no git."""
    if shutil.which("git") is None:
        return {}
    name = KEPT.relative_to(ROOT).as_posix()
    done = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def _median(same: tuple[Figure, ...]) -> dict[str, Any]:
    return asdict(same[0]) | {"value": round(statistics.median(figure.value for figure in same), 4)}


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
