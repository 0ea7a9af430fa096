"""Speed, accuracy, honesty of the stated uncertainty, and robustness of the compression room.

python benchmarks/curves.py speed [--rows 1000000] [--pandas PYTHON]
python benchmarks/curves.py accuracy
python benchmarks/curves.py coverage [--cases 1000]
python benchmarks/curves.py fuzz [--files 20000] [--cache fuzz.jsonl] [--seconds 240]   goes on from the cache
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toughopt.compression import AnalysisSettings, Curve, analyze

HERE = Path(__file__).parent
PORTION = 500  # damaged files
FloatArray = NDArray[np.float64]
Figures = dict[str, Any]


def load_module(path: Path) -> ModuleType:
    """A module from its file, wherever that lies."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Case:
    """A made curve, what its toughness and efficiency truly are, and how it is to be analysed."""

    curve: Curve
    toughness_j: float
    efficiency: float
    height_mm: float
    settings: AnalysisSettings
    kind: str
    extras: dict[str, float] = field(default_factory=dict)


def shape(kind: str, d: FloatArray, travel: float, peak: float) -> FloatArray:
    """Force at the displacements d after contact, N."""
    u = d / travel
    match kind:
        case "linear":
            f = u
        case "elastic-plastic":
            f = np.minimum(u / 0.08, 1.0 + 0.1 * (u - 0.08))
        case "softening":
            f = np.where(u < 0.08, u / 0.08, 0.45 + 0.55 * np.exp(-(u - 0.08) / 0.2))
        case "densifying":
            f = np.minimum(u / 0.06, 1.0) * 0.4 + 0.6 * u**7
        case "brittle":
            f = np.where(u < 0.6, u / 0.6, 0.0)
        case _:
            raise ValueError(kind)
    return np.where(d > 0, f, 0.0) * peak


KINDS = ("linear", "elastic-plastic", "softening", "densifying", "brittle")


def make_case(rng: np.random.Generator, noise: float, *, most: int = 20_000, noise_mm: float = 0.0) -> Case:
    """A random curve: slack, tare, drift, compliance, a rebound tap, 1 to 1000 Hz; `noise` as a share of the peak."""
    kind = str(rng.choice(KINDS))
    peak, travel = float(10 ** rng.uniform(2.0, 3.7)), float(rng.uniform(4.0, 15.0))
    speed = float(rng.uniform(0.02, 0.06))  # mm/s
    slack = float(rng.uniform(0.1, 0.9)) if rng.random() < 0.7 else 0.0
    tare = float(rng.uniform(0.0, 2.3)) if slack else 0.0
    drift = 0.0  # N per mm
    if rng.random() < 1 / 3 and (slack or noise):  # the zero moves by up to a hundredth of the peak; seen in air only
        drift = float(rng.uniform(-1.0, 1.0)) * 0.01 * peak / (travel + slack)
    compliance = float(rng.uniform(0.0, 1e-4)) if rng.random() < 0.4 else 0.0
    duration = (travel + slack) / speed
    rate = float(10 ** rng.uniform(0.0, 3.0))
    samples = int(np.clip(duration * rate, 100, most))
    x = np.linspace(0.0, travel + slack, samples)
    d = np.maximum(x - slack, 0.0)
    force = shape(kind, d, travel, peak)
    fine = np.linspace(0.0, travel, 400_001)
    exact = shape(kind, fine, travel, peak)
    energy = np.concatenate([[0.0], np.cumsum(0.5 * (exact[1:] + exact[:-1]) * np.diff(fine))])
    height = travel / float(rng.uniform(0.4, 0.8))
    highest = np.maximum.accumulate(exact)
    ratio = np.max(energy[1:] / (highest[1:] * height))
    recorded = force + tare + drift * x + rng.normal(0.0, 1.0, samples) * noise * peak
    seen = x + compliance * force
    if noise_mm:
        seen = seen + rng.normal(0.0, noise_mm, samples)
    if rng.random() < 0.2:  # a rebound tap: back by 8 mm, and once more onto the specimen
        back = np.linspace(seen[-1] - 8.0, seen[-1] - 0.5, 40)
        seen = np.concatenate([seen, back])
        recorded = np.concatenate([recorded, np.linspace(0, 0.1 * peak, 40) + rng.normal(0, 1, 40) * noise * peak])
    settings = AnalysisSettings(compliance_mm_per_n=compliance)
    extras = {"slack": slack, "tare": tare, "drift": drift, "compliance": compliance, "samples": samples, "peak": peak}
    sign = -1.0 if rng.random() < 0.3 else 1.0
    time_s = np.arange(seen.size) / rate
    curve = Curve(sign * seen, sign * recorded, time_s)
    return Case(curve, float(energy[-1]) / 1e3, float(ratio), height, settings, kind, extras)


def accuracy(cases: int) -> Figures:
    """Without noise: toughness within 0.5 %, efficiency within 0.005."""
    rng = np.random.default_rng(1)
    worst: dict[str, tuple[float, float]] = dict.fromkeys(KINDS, (0.0, 0.0))
    bad = told = 0
    for number in range(cases):
        case = make_case(rng, 0.0)
        result = analyze(case.curve, height_mm=case.height_mm, settings=case.settings)
        if result.toughness_j is None or result.energy_absorbing_efficiency is None:
            print(number, case.kind, case.extras, result.warnings)
            bad += 1
            continue
        off = abs(result.toughness_j / case.toughness_j - 1)
        off_k = abs(result.energy_absorbing_efficiency - case.efficiency)
        if off > 0.005 or off_k > 0.005:
            bad += 1
            stated = off_k <= 0.005 and abs(result.toughness_j - case.toughness_j) <= 1.96 * (
                result.toughness_std_j or 0.0
            )
            told += stated and any(finding.code == "COARSE_SAMPLING" for finding in result.findings)
            print(number, case.kind, f"{100 * off:.2f} % {off_k:.4f}", case.extras, result.warnings)
        worst[case.kind] = (max(worst[case.kind][0], off), max(worst[case.kind][1], off_k))
    for kind, (a, b) in worst.items():
        print(f"{kind:16s} toughness within {100 * a:.3f} %, efficiency within {b:.4f}")
    print(
        f"{bad} of {cases} outside 0.5 % or 0.005; {told} of them break between two samples, are within what is stated"
    )
    print("and are told to be sampled too coarsely")
    within = {kind: {"toughness": round(a, 5), "efficiency": round(b, 5)} for kind, (a, b) in worst.items()}
    return {"cases": cases, "outside": bad, "outside_and_told": told, "largest_error": within}


def coverage(cases: int, seed: int = 2, noise_mm: float = 0.0, verbose: bool = False) -> Figures:
    """Share of noisy cases whose true toughness lies within 1.96 stated standard deviations."""
    rng = np.random.default_rng(seed)
    scores, kinds, levels, efficiencies = [], [], [], []
    lost = 0
    for _ in range(cases):
        level = float(10 ** rng.uniform(-3.0, np.log10(0.02)))
        case = make_case(rng, level, most=5_000, noise_mm=noise_mm)
        result = analyze(case.curve, height_mm=case.height_mm, settings=case.settings)
        if result.toughness_j is None or result.toughness_std_j is None or not result.toughness_std_j:
            lost += 1
            scores.append(np.inf)
            print("lost", case.kind, level, case.extras, result.warnings)
        else:
            scores.append((result.toughness_j - case.toughness_j) / result.toughness_std_j)
            efficiencies.append((result.energy_absorbing_efficiency or 0.0) - case.efficiency)
            if verbose and abs(scores[-1]) > 3:
                print(f"{scores[-1]:.1f} {level:.4f}", case.kind, case.extras, result.warnings)
        kinds.append(case.kind)
        levels.append(level)
    score = np.array(scores)
    inside = np.abs(score) <= 1.96
    for kind in KINDS:
        mine = np.array(kinds) == kind
        print(
            f"{kind:16s} {100 * inside[mine].mean():5.1f} % of {mine.sum()}, mean score {np.median(score[mine]):+.2f}"
        )
    for low, high in ((1e-3, 3e-3), (3e-3, 1e-2), (1e-2, 2e-2)):
        mine = (np.array(levels) >= low) & (np.array(levels) < high)
        finite = score[mine & np.isfinite(score)]
        shares = f"{100 * inside[mine].mean():5.1f} % of {mine.sum()}"
        print(f"noise {low:.3f}-{high:.3f}   {shares}, spread {np.std(finite):.2f}")
    off = np.abs(efficiencies)
    tail = f"{np.quantile(off, 0.95):.4f} at the 95th percentile, {off.max():.4f} most"
    print(f"efficiency off by {np.median(off):.4f} median, {tail}")
    print(f"coverage {100 * inside.mean():.1f} % of {cases} cases, {lost} without a number")
    return {"cases": cases, "inside_stated": round(float(inside.mean()), 4), "without_a_number": lost}


OURS = """
import sys, time
from pathlib import Path
from toughopt.compression import analyze, read_curves
rows = b"".join(b"%d.5,%d.25,%d.5\\n" % (i, i, i) for i in range(20000))
read_curves(b"Time,Extension,Load\\n(s),(mm),(N)\\n" + rows)
def peak():
    status = Path("/proc/self/status")
    return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 if status.exists() else 0
before = peak()
best = read = 1e9
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    curve = read_curves(sys.argv[1])[0]
    middle = time.perf_counter()
    result = analyze(curve, height_mm=50.0)
    if time.perf_counter() - begun < best:
        best, read = time.perf_counter() - begun, middle - begun
grown = peak() - before
print(best, read, grown, result.toughness_j)
"""
PANDAS = """
import sys, time
import numpy, pandas
best = 1e9
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    table = pandas.read_csv(sys.argv[1], skiprows=[1])
    energy = numpy.trapezoid(table["Load"].to_numpy(), table["Extension"].to_numpy()) / 1e3
    best = min(best, time.perf_counter() - begun)
print(best, energy)
"""


def speed(rows: int, pandas_python: str, times: int = 5) -> Figures:
    """Time and peak memory against pandas.read_csv and a trapezoid, each in a process of its own; their ratio."""
    rng = np.random.default_rng(0)
    t = np.arange(rows) * 0.001
    x = t * 33.3 / t[-1]
    f = shape("softening", x, 33.3, 1800.0) + rng.normal(0.0, 1.0, rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        body = "".join(f"{a:.5f},{b:.5f},{c:.5f}\n" for a, b, c in zip(t.tolist(), x.tolist(), f.tolist(), strict=True))
        path.write_text("Time,Extension,Load\n(s),(mm),(N)\n" + body, encoding="ascii")
        size = path.stat().st_size
        ours = _timed(sys.executable, OURS, path, times)
        peers = _timed(pandas_python, PANDAS, path, times) if pandas_python else [float("nan"), float("nan")]
        ours = min(ours, _timed(sys.executable, OURS, path, times))
        if pandas_python:
            peers = min(peers, _timed(pandas_python, PANDAS, path, times))
    peak = f"peak {ours[2] / size:.1f} times the file"
    print(f"{rows} rows, {size / 1e6:.1f} MB: ours {ours[0]:.3f} s (reading {ours[1]:.3f}), {peak}")
    print(f"pandas.read_csv and trapezoid {peers[0]:.3f} s: ours takes {ours[0] / peers[0]:.2f} times that")
    print(f"toughness {ours[3]:.4f} J, pandas {peers[1]:.4f} J")
    figures = {"rows": rows, "ours_s": round(ours[0], 3), "pandas_and_trapezoid_s": round(peers[0], 3)}
    return {**figures, "ratio": round(ours[0] / peers[0], 2), "peak_memory_over_file": round(ours[2] / size, 1)}


def _timed(python: str, script: str, path: Path, times: int) -> list[float]:
    done = subprocess.run([python, "-c", script, str(path), str(times)], check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def fuzz(files: int, cache: Path, seconds: float) -> Figures:
    """Damaged files: what becomes of them, and every one that gave a wrong number in silence.

    Portions of `PORTION` files, each with a seed of its own; those that the cache holds are not made again.
    """
    folder = HERE.parent / "tests" / "compression"
    layouts, makers = load_module(folder / "layouts.py"), load_module(folder / "makers.py")
    made = load_module(HERE / "curve_fuzz.py")
    names = {**layouts.LAYOUTS, **makers.MAKERS}
    encodings = {name: layout.encoding for name, layout in makers.MAKERS.items()}
    done = [json.loads(line) for line in cache.read_text().splitlines()] if cache.exists() else []
    end = time.monotonic() + seconds
    for seed in range(len(done), -(-files // PORTION)):
        if time.monotonic() > end:
            break
        tally = made.run(names, layouts.crush, PORTION, seed, encodings)
        single = made.run_samples(layouts.crush, PORTION // 20, seed)
        outcomes = [[kind, result, count] for (kind, result), count in tally.outcomes.items()]
        samples = [single.worth_telling, single.told, single.too_far]
        told = {"outcomes": outcomes, "failures": tally.failures, "slowest_s": tally.slowest_s, "samples": samples}
        done.append(told)
        with cache.open("a") as file:
            file.write(json.dumps(told) + "\n")
    total: Counter[tuple[str, str]] = Counter()
    for portion in done:
        for kind, result, count in portion["outcomes"]:
            total[kind, result] += count
    results = ("error", "rejected", "told", "right", "SILENT")
    print(f"{'':14s}" + "".join(f"{result:>10s}" for result in results))
    for kind in sorted({kind for kind, _ in total}):
        print(f"{kind:14s}" + "".join(f"{total[kind, result]:10d}" for result in results))
    failures = [failure for portion in done for failure in portion["failures"]]
    slowest = max(portion["slowest_s"] for portion in done)
    print(f"{sum(total.values())} files, {len(names)} layouts; slowest {slowest:.3f} s; {len(failures)} failures")
    for failure in failures[:60]:
        print(failure[:400])
    worth, said, far = (sum(portion["samples"][k] for portion in done) for k in range(3))
    print(f"single samples: {said} of {worth} told, {far} moved the toughness too far")
    swapped = {result: total["unit swapped", result] for result in results}
    others = {r: sum(n for (kind, o), n in total.items() if o == r and kind != "unit swapped") for r in results}
    return {
        "files": sum(total.values()),
        "layouts": len(names),
        "outcomes": others,
        "one_valid_unit_into_another": swapped,
        "failures": len(failures),
        "slowest_s": slowest,
        "single_samples": {"worth_telling": worth, "told": said, "moved_too_far": far},
    }


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "accuracy", "coverage", "fuzz"))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--cache", type=Path, default=Path("fuzz.jsonl"), help="portions of damaged files so far")
    parser.add_argument(
        "--seconds", type=float, default=1e9, help="how long to go on; the next run takes it from there"
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pandas", default="", help="a Python that has pandas")
    parser.add_argument("--noise-mm", type=float, default=0.0)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("--results", type=Path, help="JSON of all four, in which this one's figures are replaced")
    args = parser.parse_args()
    match args.what:
        case "accuracy":
            figures = accuracy(args.cases)
        case "speed":
            figures = speed(args.rows, args.pandas)
        case "fuzz":
            figures = fuzz(args.files, args.cache, args.seconds)
        case _:
            figures = coverage(args.cases, noise_mm=args.noise_mm, verbose=args.v)
    if args.results is not None:
        held = json.loads(args.results.read_text(encoding="utf-8")) if args.results.exists() else {}
        args.results.write_text(json.dumps({**held, args.what: figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
