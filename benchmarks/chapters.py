"""What the performance book measures: promised figures, chapter by chapter, and how cost grows with size.

A chapter yields `Figure`s of one run; `GROWTH` are functions that give the seconds of one thing at several sizes.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PRINTRUN = "TOUGHOPT_PRINTRUN_PYTHON"
PANDAS = "TOUGHOPT_PANDAS_PYTHON"


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


@dataclass(frozen=True)
class Growth:
    """Seconds of one thing at several sizes; `most_s` is promised at `most_size`, where something is."""

    name: str
    size_of: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    most_size: int = 0
    most_s: float = 0.0


def start() -> Iterator[Figure]:
    """Processor time of an import and of --help."""
    found = json.loads(run("imports.py", "--repeats", "5"))
    yield Figure("import toughopt", found["import_s"], "s", "at most", 0.4)
    yield Figure("toughopt --help, over import click", found["help_over_click_s"], "s", "at most", 0.15, _of("click"))


def geometry() -> Iterator[Figure]:
    """The union of a crossed barrel's columns."""
    found = json.loads(run("geometry.py", "--only", "union", "--json"))
    union = found.get("union", found)
    yield Figure("crossed barrel, a watertight solid", union["ours_ms"], "ms", "at most", 150.0)
    yield Figure("the same, how many times faster", union["ratio"], "x", "at least", 5.0, _of("trimesh"))


def slicing() -> Iterator[Figure]:
    """A crossed barrel with a wall of 1 mm, beside PrusaSlicer."""
    (line,) = run("slicing.py", "--walls", "1.0", "--repeat", "1", "--no-quality").splitlines()
    found = json.loads(line)
    if "in_process_ratio" in found:
        peer = _prusaslicer()
        yield Figure(
            "slicing, mesh to text, share of the peer's time", found["in_process_ratio"], "", "at most", 0.35, peer
        )
        yield Figure("toughopt slice, share of the peer's time", found["command_ratio"], "", "at most", 0.8, peer)


def streaming() -> Iterator[Figure]:
    """Lines a second over a pseudo-terminal, beside Printrun's printcore."""
    rows = json.loads(run("streaming.py", "--lines", "3000", "--rounds", "1", "--json"))
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


def printer() -> Iterator[Figure]:
    """The virtual printer's answers, one line in flight, over a pseudo-terminal."""
    from virtual_printer import numbered, over_pty, program

    lines, _ = over_pty(numbered(program(20_000)), [])
    yield Figure("virtual printer, lines a second", lines, "/s", "at least", 4000.0)


def programs() -> Iterator[Figure]:
    """Reading and checking a program of a million lines, in a process of its own."""
    seconds, peak = _checked(1_000_000)
    yield Figure("a program of 10^6 lines, read and checked", seconds, "s", "at most", 4.0)
    yield Figure("the same, peak memory", peak, "MiB", "at most", 1024.0)


def curves() -> Iterator[Figure]:
    """Reading and analysing a file of a million rows, beside pandas and a trapezoid where pandas is."""
    from curves import speed

    if python := os.environ.get(PANDAS, ""):
        found = speed(1_000_000, python, times=2)
        yield Figure(
            "a file of 10^6 rows, read and analysed", found["ratio"], "x", "at most", 2.0, "pandas.read_csv + trapezoid"
        )
        yield Figure("the same, peak memory over the file", found["peak_memory_over_file"], "x", "at most", 10.0)


def journal() -> Iterator[Figure]:
    """A campaign of 25,000 experiments: opened and folded, and one event more."""
    from journal import appending, make, open_and_fold, seconds

    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large", Path(folder) / "small"
        make(large, 25_000)
        make(small, 10)
        least = seconds(lambda: open_and_fold(large), 2)
        yield Figure("25,000 experiments opened and folded", least, "s", "at most", 3.0)
        ratio = appending(large) / appending(small)
        yield Figure("one more event, over one after 10 experiments", ratio, "x", "at most", 1.5)


def asking() -> Iterator[Figure]:
    """One tell and ask, as `ask_latency.py` measured it last."""
    for (d, n), (seconds, wanted) in _asked().items():
        yield Figure(f"next of {d} parameters after {n:,} tests", seconds, "s", "at most", wanted)


def fleet() -> Iterator[Figure]:
    """Whole virtual campaigns in two processes over one."""
    from fleet import speedup

    found = speedup(8, 4)["speedup"]
    assert isinstance(found, float)
    yield Figure("8 virtual campaigns, two processes over one", found, "x", "at least", 1.7)


CHAPTERS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    function.__name__: function
    for function in (start, geometry, slicing, programs, streaming, printer, curves, journal, asking, fleet)
}


def designs_growth() -> Iterator[Growth]:
    """Validity and features of many designs at once."""
    from geometry import scaling

    found = scaling()
    for name in dict.fromkeys(key.rsplit(" ", 1)[0] for key in found):
        rows = {int(float(key.rsplit(" ", 1)[1])): row for key, row in found.items() if key.startswith(name + " ")}
        cost = tuple(row["is_valid_cpu_s"] + row["features_cpu_s"] for row in rows.values())
        yield Growth(f"{name}: valid? features", "designs", tuple(rows), cost, 10**6, 5.0)


def slicing_growth() -> Iterator[Growth]:
    """Meshing and slicing barrels of more and more columns."""
    import time

    from toughopt.families import family
    from toughopt.profiles import load_profile
    from toughopt.slicing import slicer

    barrel, profile, native = family("crossed_barrel"), load_profile("virtual"), slicer("native")
    counts, meshing, cutting = (6, 8, 10, 12), [], []
    native.slice(barrel.solid({"n": 6, "theta": 0.0, "r": 1.5, "t": 0.7}), profile)  # imports
    for n in counts:
        began = time.perf_counter()
        solid = barrel.solid({"n": n, "theta": 100.0, "r": 2.0, "t": 1.0})
        made = time.perf_counter()
        native.slice(solid, profile)
        meshing.append(made - began)
        cutting.append(time.perf_counter() - made)
    yield Growth("a barrel meshed", "columns", counts, tuple(meshing), 8, 0.15)
    yield Growth("a barrel sliced", "columns", counts, tuple(cutting))


def programs_growth() -> Iterator[Growth]:
    """Reading and checking longer and longer programs."""
    sizes = (10_000, 100_000, 1_000_000)
    yield Growth("a program read, checked", "lines", sizes, tuple(_checked(n)[0] for n in sizes), 10**6, 4.0)


def curves_growth() -> Iterator[Growth]:
    """Reading and analysing longer and longer files."""
    from curves import speed

    sizes = (10_000, 100_000, 1_000_000)
    yield Growth("a curve read, analysed", "rows", sizes, tuple(speed(n, "", times=2)["ours_s"] for n in sizes))


def journal_growth() -> Iterator[Growth]:
    """Opening and folding larger and larger campaigns."""
    from journal import make, open_and_fold, seconds

    sizes, found = (100, 1_000, 5_000, 25_000), []
    with tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            campaign = Path(folder) / str(n)
            make(campaign, n)
            found.append(seconds(lambda campaign=campaign: open_and_fold(campaign), 2))  # type: ignore[misc]
    yield Growth("a campaign opened, folded", "experiments", sizes, tuple(found), 25_000, 3.0)


def asking_growth() -> Iterator[Growth]:
    """The next design after more and more tests, as `ask_latency.py` measured it last."""
    found = _asked()
    for d in dict.fromkeys(d for d, _ in found):
        sizes = tuple(n for e, n in found if e == d)
        seconds = tuple(found[d, n][0] for n in sizes)
        yield Growth(f"the next design, {d} parameters", "tests", sizes, seconds, 25_000, 5.0)


GROWTH: tuple[Callable[[], Iterator[Growth]], ...] = (
    designs_growth,
    slicing_growth,
    programs_growth,
    curves_growth,
    journal_growth,
    asking_growth,
)


def run(script: str, *arguments: str) -> str:
    """What a script of this folder prints."""
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True).stdout


def _asked() -> dict[tuple[int, int], tuple[float, float]]:
    """Median seconds and the promise, by parameters and tests."""
    wanted = {50: 0.1, 200: 0.3, 1000: 1.5, 25_000: 5.0}
    rows = [json.loads(line) for line in (HERE / "results" / "ask_latency.jsonl").read_text().splitlines()]
    return {
        (row["d"], row["n"]): (statistics.median(row["seconds"]), wanted[row["n"]])
        for row in rows
        if row["policy"] == "default" and row["n"] in wanted
    }


def _checked(lines: int) -> tuple[float, float]:
    """Seconds and peak MiB of reading and checking a program of so many lines."""
    from gcode import CHECK, rings

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rings.gcode"
        file.write_text(rings(lines), encoding="utf-8")
        done = subprocess.run([sys.executable, "-c", CHECK, str(file)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return found["read_s"] + found["check_s"], found["peak_mib"]


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
