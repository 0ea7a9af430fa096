"""The performance book: runs the benchmarks, keeps what they measured, and writes docs/performance.md.

    python benchmarks/book.py                          everything, some ten minutes on a quiet machine
    python benchmarks/book.py --only start slicing     these; the rest of the table stays as it was
    python benchmarks/book.py --write                  only the page, from the results that are kept

Each ratio is measured within one run, ours and the peer's in turn, `--repeats` runs, the median counts. Results are
kept in `benchmarks/results/book.json`; the page compares them with the last committed ones. Printcore runs under the
Python that TOUGHOPT_PRINTRUN_PYTHON names.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "benchmarks" / "results" / "book.json"
PAGE = ROOT / "docs" / "performance.md"
PRINTRUN = "TOUGHOPT_PRINTRUN_PYTHON"


@dataclass(frozen=True)
class Figure:
    """One number that was promised: at least or at most `wanted`."""

    name: str
    value: float
    unit: str
    sense: str  # "at least" or "at most"
    wanted: float
    peer: str = ""

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.value >= self.wanted if self.sense == "at least" else self.value <= self.wanted


def start() -> Iterator[Figure]:
    """Processor time of an import and of --help."""
    found = json.loads(_run("imports.py", "--repeats", "5"))
    yield Figure("import toughopt", found["import_s"], "s", "at most", 0.4)
    yield Figure("toughopt --help, over import click", found["help_over_click_s"], "s", "at most", 0.15, _of("click"))


def geometry() -> Iterator[Figure]:
    """The union of a crossed barrel's columns."""
    found = json.loads(_run("geometry.py", "--only", "union", "--json"))
    union = found.get("union", found)
    yield Figure("crossed barrel, a watertight solid", union["ours_ms"], "ms", "at most", 150.0)
    yield Figure("the same, how many times faster", union["ratio"], "x", "at least", 5.0, _of("trimesh"))


def slicing() -> Iterator[Figure]:
    """A crossed barrel with a wall of 1 mm, beside PrusaSlicer."""
    (line,) = _run("slicing.py", "--walls", "1.0", "--repeat", "1", "--no-quality").splitlines()
    found = json.loads(line)
    if "in_process_ratio" in found:
        peer = _prusaslicer()
        yield Figure(
            "slicing, mesh to text, share of the peer's time", found["in_process_ratio"], "", "at most", 0.35, peer
        )
        yield Figure("toughopt slice, share of the peer's time", found["command_ratio"], "", "at most", 0.8, peer)


def streaming() -> Iterator[Figure]:
    """Lines a second over a pseudo-terminal, beside Printrun's printcore."""
    rows = json.loads(_run("streaming.py", "--lines", "3000", "--rounds", "1", "--json"))
    at = {(row["baud"], row["host"]): row for row in rows}
    peer = "Printrun's printcore" if os.environ.get(PRINTRUN) else ""
    for host, wanted in (("one in flight", 5.0), ("window", 12.0)):
        row = at[0, f"toughopt, {host}"]
        if row["ratio"] is not None:
            yield Figure(f"lines a second, {host}", row["ratio"], "x", "at least", wanted, peer)
            yield Figure(f"processor time a line, {host}", row["cpu_ratio"], "", "at most", 0.5, peer)
    for baud in (115200, 250000):
        row = at[baud, "toughopt, window"]
        share = row["lines_per_s"] * row["bytes_per_line"] * 10 / baud
        yield Figure(f"share of a wire of {baud} baud, window", share, "", "at least", 0.95)


CHAPTERS: dict[str, Callable[[], Iterator[Figure]]] = {
    "start": start,
    "geometry": geometry,
    "slicing": slicing,
    "streaming": streaming,
}


def main() -> None:
    """Measure what was asked for, keep it, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(CHAPTERS), default=list(CHAPTERS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="measure nothing")
    options = parser.parse_args()
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for name in () if options.write else options.only:
        runs = [list(CHAPTERS[name]()) for _ in range(options.repeats)]
        kept[name] = {
            "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
            "machine": _machine(),
            "runs": options.repeats,
            "figures": [_median(same) for same in zip(*runs, strict=True)],
        }
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept, committed()), encoding="utf-8")


def page(kept: dict[str, Any], before: dict[str, Any]) -> str:
    """docs/performance.md, from what is kept and what was committed before."""
    old = {figure["name"]: figure["value"] for chapter in before.values() for figure in chapter["figures"]}
    lines = [
        "# Performance",
        "",
        "Written by `python benchmarks/book.py` (`make bench`). Ratios are taken within one run on one machine, ours",
        "and the peer's in turn; medians. A promise that is not kept says so. These were taken while others worked on",
        "the same two cores, which slows whatever takes milliseconds.",
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
    lines += ["", _OTHERS]
    return "\n".join(lines)


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
| reading and writing of G-code | `benchmarks/gcode.py` |
| the virtual printer's answers | `benchmarks/virtual_printer.py` |
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


def _run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _of(package: str) -> str:
    from importlib.metadata import version

    return f"{package} {version(package)}"


def _prusaslicer() -> str:
    slicer = shutil.which("prusa-slicer")
    if slicer is None:
        return ""
    said = subprocess.run([slicer, "--help"], capture_output=True, text=True, check=False).stdout
    named = [line for line in said.splitlines() if line.startswith("PrusaSlicer")]
    return named[0].split("+")[0] if named else "PrusaSlicer"


if __name__ == "__main__":
    main()
