"""The virtual press against the published crossed barrels: fit, closed form, and the whole way through G-code.

    python benchmarks/press.py closed            the closed form on both halves of the designs, in seconds
    python benchmarks/press.py fit               repeats the fit on one half, judges it on the other
    python benchmarks/press.py gcode -j 2        meshes, slices, reconstructs from G-code and crushes every design;
                                                 with --seconds in portions, each of which goes on from the cache

The table is `crossed_barrel.csv` in the folder that `TOUGHOPT_DATA` names (n, theta, r, t, toughness; one row a test).
The halves are drawn with seed 0. The form of the model, and the amount of scatter, were chosen looking at both halves.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import spearmanr

from toughopt.virtual.anatomy import Structure
from toughopt.virtual.character import character
from toughopt.virtual.mechanics import (
    PUBLISHED,
    StrutConstants,
    nominal_toughness,
    scattered,
    strut_response,
    toughness_j,
)
from toughopt.virtual.press import SHARED
from toughopt.virtual.sections import Sections
from toughopt.virtual.struts import Struts

if TYPE_CHECKING:
    from toughopt.gcode.deposit import Deposit

FITTED = [
    "yield_mpa",
    "modulus_mpa",
    "lean_weakening",
    "lean_crossings",
    "lean_power",
    "lean_softening",
    "slender_break",
    "slender_upright",
    "slender_lean",
    "slender_radius",
    "slender_steepness",
    "brittle_strain",
    "brittle_power",
    "ductile_strain",
    "plateau_drop",
    "plateau_strain",
    "hardening",
    "hardening_wall",
    "hardening_crossings",
    "dense_strain",
    "dense_power",
    "seat_compliance_mm_per_n",
]


def table() -> tuple[np.ndarray, np.ndarray]:
    """(600, 4) designs and (600, 3) toughness, J."""
    folder = os.environ.get("TOUGHOPT_DATA")
    if not folder:
        raise SystemExit("set TOUGHOPT_DATA to the folder that holds crossed_barrel.csv")
    tests: dict[tuple[float, ...], list[float]] = {}
    with (Path(folder) / "crossed_barrel.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            tests.setdefault(tuple(float(row[key]) for key in ("n", "theta", "r", "t")), []).append(
                float(row["toughness"])
            )
    return np.array(list(tests)), np.array(list(tests.values()))


def halves(count: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(0).permutation(count)
    return order[: count // 2], order[count // 2 :]


def agreement(model: np.ndarray, measured: np.ndarray) -> str:
    share = 1.0 - np.sum((model - measured) ** 2) / np.sum((measured - measured.mean()) ** 2)
    return f"Spearman {spearmanr(model, measured)[0]:.3f}  R2 {share:.2f}"


def scatter_by_quartile(tests: np.ndarray) -> np.ndarray:
    """Pooled standard deviation of replicates, J, in each quartile of the tests' own means."""
    mean, variance = tests.mean(axis=1), tests.var(axis=1, ddof=1)
    quartile = np.argsort(np.argsort(mean)) * 4 // len(mean)
    return np.array([np.sqrt(variance[quartile == k].mean()) for k in range(4)])


def closed() -> None:
    designs, tests = table()
    model, mean = nominal_toughness(*designs.T), tests.mean(axis=1)
    replicates = closed_replicates(designs, 12)
    seen, unseen = halves(len(designs))
    for name, rows in (("all", slice(None)), ("fitted half", seen), ("other half", unseen)):
        print(f"{name:12} {agreement(model[rows], mean[rows])}")
        judge_scatter(replicates[rows], tests[rows])


def closed_replicates(designs: np.ndarray, count: int) -> np.ndarray:
    """(designs, count) toughness in J of specimens that scatter as the press's do, without noise of the frame."""
    n, theta, r, t = designs.T
    twist, area = np.radians(theta) * 0.9, np.pi * (r**2 - (r - t) ** 2)
    nominal = strut_response(n, twist, r, area, 18.0, 10.0, n * twist / (2.0 * np.pi))
    no_sections = Sections(*(np.ones(1) for _ in range(6)))
    found = [
        Structure(no_sections, Struts(int(c), 2, x, rr, tt, a, 10.0, 18.0, 1.0, 0.0, 0.5, 210.0))
        for c, x, rr, tt, a in zip(n, twist, r, t, area, strict=True)
    ]
    shared = np.vstack([SHARED * np.array([character(each) for each in found]).T, np.zeros(len(n))])
    rng, seat = np.random.default_rng(4), PUBLISHED.seat_compliance_mm_per_n
    each = [
        toughness_j(scattered(nominal, shared + rng.standard_normal(shared.shape)), 5000.0, seat) for _ in range(count)
    ]
    return np.stack(each, axis=1)


def fit(evaluations: int) -> None:
    designs, tests = table()
    mean = tests.mean(axis=1)
    seen, unseen = halves(len(designs))
    start = np.log([getattr(PUBLISHED, name) for name in FITTED])

    def constants(logs: np.ndarray) -> StrutConstants:
        return replace(PUBLISHED, **dict(zip(FITTED, np.exp(logs).tolist(), strict=True)))

    def residuals(logs: np.ndarray) -> np.ndarray:
        model = nominal_toughness(*designs[seen].T, constants=constants(logs))
        # errors count relative to size as well; a weak prior keeps constants that the data do not tell in place
        return np.concatenate([(model - mean[seen]) / (4.0 + 0.15 * mean[seen]), 0.15 * (logs - start)])

    found = least_squares(residuals, start, max_nfev=evaluations, diff_step=3e-3)
    fitted = constants(found.x)
    model = nominal_toughness(*designs.T, constants=fitted)
    print(json.dumps({name: float(f"{getattr(fitted, name):.4g}") for name in FITTED}, indent=1))
    print(f"fitted half  {agreement(model[seen], mean[seen])}")
    print(f"other half   {agreement(model[unseen], mean[unseen])}")


def reconstructed(number: int, design: tuple[float, ...], folder: Path | None) -> Deposit:
    """The part as its own G-code lays it down, from the folder of earlier ones where it is there."""
    from toughopt.families.registry import family
    from toughopt.gcode import deposit, taken_at_its_word, write_program
    from toughopt.gcode.deposit import Deposit, LayerTable
    from toughopt.profiles import load_profile
    from toughopt.slicing.native import NativeSlicer

    kept = None if folder is None else folder / f"{number}.npz"
    if kept is not None and kept.exists():
        held = np.load(kept)
        none = np.zeros(len(held["layer"]))
        beads = [held[name].astype(np.float64) for name in ("start", "end", "width", "height", "area", "volume")]
        layer, nozzle = held["layer"].astype(np.int64), held["nozzle"].astype(np.float64)
        return Deposit(*beads, layer, none.astype(np.int64), nozzle, none, none, LayerTable(*held["table"]))
    n, theta, r, t = design
    profile = load_profile("virtual")
    solid = family("crossed_barrel").solid({"n": int(n), "theta": theta, "r": r, "t": t})
    program = write_program(NativeSlicer().slice(solid, profile), profile, date=datetime(2020, 1, 1, tzinfo=UTC))
    part = deposit(taken_at_its_word(program, profile))
    if kept is not None:
        names = ("z_mm", "height_mm", "volume_mm3", "nozzle_c", "start_s", "end_s")
        beads = {name: getattr(part, f"{name}_mm") for name in ("start", "end", "width", "height")}
        beads |= {"area": part.area_mm2, "volume": part.volume_mm3, "layer": part.layer, "nozzle": part.nozzle_c}
        beside = kept.with_suffix(".part.npz")
        np.savez_compressed(beside, table=np.array([getattr(part.layers, name) for name in names]), **beads)
        beside.replace(kept)
    return part


def through_gcode(
    job: tuple[int, tuple[float, ...], int, Path | None],
) -> tuple[int, list[float], list[float], list[float]]:
    """Toughness of replicates in J, what was found, and the seconds that each crush took."""
    from toughopt.virtual.anatomy import structure
    from toughopt.virtual.press import PressSettings, simulate_structure

    number, design, replicates, folder = job
    part = reconstructed(number, design, folder)
    joules, seconds = [], []
    began = time.process_time()
    whole = structure(part)
    simulate_structure(whole, np.random.default_rng(0), PressSettings())
    seconds.append(time.process_time() - began)
    for replicate in range(replicates):
        rng = np.random.default_rng([number, replicate])
        displacement, force, _ = simulate_structure(whole, rng, PressSettings())
        joules.append(float(np.trapezoid(force, displacement)) / 1000.0)
    struts = whole.struts
    found = (
        [] if struts is None else [struts.count, float(np.degrees(struts.twist_rad)), struts.radius_mm, struts.wall_mm]
    )
    return number, joules, [float(value) for value in found], seconds


def gcode(
    jobs: int, limit: int, replicates: int, cache: Path, seconds: float, folder: Path | None, results_to: Path | None
) -> None:
    """Go on with the designs that the cache does not hold, for so long; judge all that it then holds."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    designs, tests = table()
    order = np.random.default_rng(5).permutation(len(designs))[:limit]
    results = recorded(cache)
    work = [(int(i), tuple(float(v) for v in designs[i]), replicates, folder) for i in order if int(i) not in results]
    end = time.monotonic() + seconds
    with ProcessPoolExecutor(jobs) as pool:
        while work and time.monotonic() < end:
            portion, work = work[: 2 * jobs], work[2 * jobs :]
            for number, joules, found, times in pool.map(through_gcode, portion):
                results[number] = (joules, found, times)
                with cache.open("a") as file:
                    entry = {"design": number, "joules": joules, "found": found, "seconds": times}
                    file.write(json.dumps(entry) + "\n")
    rows = np.array(sorted(results))
    crushed, mean = np.array([results[i][0] for i in rows]), tests.mean(axis=1)
    unseen = np.isin(rows, halves(len(designs))[1])
    print(f"{len(rows)} designs, {crushed.shape[1]} replicates each, through G-code; {len(work)} are left")
    verdict: dict[str, object] = {"designs": len(rows), "replicates": crushed.shape[1], "left": len(work)}
    for name, chosen in (("all", np.ones(len(rows), bool)), ("fitted half", ~unseen), ("other half", unseen)):
        print(f"{name:12} {agreement(crushed[chosen].mean(axis=1), mean[rows][chosen])}")
        ratio = judge_scatter(crushed[chosen], tests[rows][chosen])
        rank = float(spearmanr(crushed[chosen].mean(axis=1), mean[rows][chosen])[0])
        verdict[name] = {"spearman": round(rank, 4), "scatter_over_published_by_quartile": ratio.round(3).tolist()}
    wrong = [
        (designs[i].tolist(), [round(v, 2) for v in results[i][1]])
        for i in rows
        if not results[i][1] or results[i][1][0] != designs[i][0] or abs(results[i][1][1] - 0.9 * designs[i][1]) > 4.0
    ]
    print(f"struts miscounted or twist off by more than 4 degrees: {len(wrong)}", wrong[:10])
    crush_s = float(np.median([s for _, _, each in results.values() for s in each]))
    print(f"crush, CPU s: median {crush_s:.3f}")
    verdict |= {"struts_misread": len(wrong), "crush_cpu_s_median": round(crush_s, 3)}
    if results_to is not None:
        results_to.write_text(json.dumps(verdict, indent=1) + "\n", encoding="utf-8")


def recorded(cache: Path) -> dict[int, tuple[list[float], list[float], list[float]]]:
    """What earlier runs found: replicates in J, struts, seconds."""
    if not cache.exists():
        return {}
    lines = [json.loads(line) for line in cache.read_text().splitlines()]
    return {line["design"]: (line["joules"], line["found"], line.get("seconds", [])) for line in lines}


def judge_scatter(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Scatter of replicates over the published by quartile; says how well that is known: 90 % of 500 resamplings."""
    mine = np.sqrt(
        np.mean([scatter_by_quartile(ours[:, k : k + 3]) ** 2 for k in range(0, ours.shape[1] - 2, 3)], axis=0)
    )
    published = scatter_by_quartile(theirs)
    rng = np.random.default_rng(6)
    again = [scatter_by_quartile(theirs[rng.integers(0, len(theirs), len(theirs))]) for _ in range(500)]
    low, high = np.quantile(again, [0.05, 0.95], axis=0)
    print(f"    scatter, J: press {mine.round(2)}, published {published.round(2)}, ratio {(mine / published).round(2)}")
    print(f"    published, 90 % interval: {low.round(2)} to {high.round(2)}")
    return np.asarray(mine / published)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("closed", "fit", "gcode"))
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("--limit", type=int, default=600, help="designs to take, at random")
    parser.add_argument("--replicates", type=int, default=12)
    parser.add_argument("--evaluations", type=int, default=25)
    parser.add_argument("--cache", type=Path, default=Path("press.jsonl"), help="results so far, and those to come")
    parser.add_argument(
        "--seconds", type=float, default=1e9, help="how long to go on; the next run takes it from there"
    )
    parser.add_argument("--deposits", type=Path, help="folder that keeps what G-code lays down, for another reading")
    parser.add_argument("--results", type=Path, help="JSON to write the verdict to")
    given = parser.parse_args()
    if given.what == "closed":
        closed()
    elif given.what == "fit":
        fit(given.evaluations)
    else:
        gcode(given.jobs, given.limit, given.replicates, given.cache, given.seconds, given.deposits, given.results)


if __name__ == "__main__":
    main()
