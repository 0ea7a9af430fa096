"""How long a journal of 25,000 experiments takes to open, fold, append to, show, plot and export.

Makes such a journal with a script (about 270,000 events, each like those of a real campaign), then measures:
    python benchmarks/journal.py [--experiments 25000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from toughopt import Campaign
from toughopt.cli.setup import campaign_text
from toughopt.journal import events as ev
from toughopt.journal import fold, open_sqlite
from toughopt.journal.codec import encode

_SHA = "0123456789abcdef" * 4
_STATE = {"state": "212023467811862301023461209365021234567", "inc": "332724090758049132448979897138935081983"}
_SETTINGS = {"surrogate": "gp", "acquisition": "log_ei", "incumbent": "mean", "powers": [1.0, 0.5, 0.0]}
_CAMPAIGN = {"noise": "equal", "candidates": 1024, "minimize": False, "initial": 5, "seed": 1}


def life(identity: int, curve: str, program: str, rng: np.random.Generator) -> Iterator[ev.Payload]:
    """Every event of one experiment, with a decision as large as the default policy's."""
    unit = rng.random(4)
    design = {
        "n": int(rng.choice([6, 8, 10, 12])),
        "theta": 200.0 * unit[0],
        "r": 1.5 + unit[1],
        "t": 0.7 + 0.7 * unit[2],
    }
    fits = [{"power": p, "theta": rng.standard_normal(15).tolist(), "trend": [0.0, 0.0], "cost": 1.5} for p in (1, 0.5)]
    decision = {
        "format": 1,
        "designs": [design],
        "predicted_mean": [6.657],
        "predicted_std": [0.043],
        "acquisition": [-2.19],
        "reason": "largest expected improvement over the best predicted tested design",
        "fallback": None,
        "policy": "default",
        "settings": {**_SETTINGS, **_CAMPAIGN},
        "k": 1,
        "context": None,
        "pending": [design],
        "rng_before": {**_STATE, "has_uint32": 0, "uinteger": 0},
        "rng_after": {**_STATE, "has_uint32": 0, "uinteger": 0},
        "start_hyperparameters": {"fits": fits},
        "fitted_hyperparameters": {"fits": fits},
        "observations_sha256": _SHA,
        "n_observations": identity - 1,
        "environment": {"toughopt": "0.1.0", "numpy": "2.4.6", "python": "3.11.7", "machine": "x86_64"},
    }
    value = 10.0 + 8.0 * math.sin(3.0 * unit[0]) * unit[1] + unit[2] + rng.normal(0.0, 0.5)
    yield ev.Proposed(design=design, source="policy", decision=decision)
    yield ev.Built(mesh=program, volume_mm3=1543.2, mass_g=1.91)
    yield ev.Sliced(
        program=program,
        slicer="native",
        profile="virtual",
        layers=90,
        lines=41000,
        time_s=3120.5,
        filament_mm=640.2,
        filament_g=1.91,
    )
    yield ev.Queued(printer=f"printer-{identity % 5}")
    yield ev.Printing(printer=f"printer-{identity % 5}", program=program)
    yield ev.Printed(printer=f"printer-{identity % 5}", duration_s=3190.0, lines_sent=41000)
    yield ev.Cleared(printer=f"printer-{identity % 5}", by="handler")
    yield ev.Weighed(mass_g=1.9, by="scale")
    yield ev.Crushing(frame="frame")
    yield ev.Tested(curve=curve, file_name=f"{identity:05d}.csv", by="frame")
    names = ("toughness_j", "peak_force_n", "stiffness_n_per_mm", "max_displacement_mm", "specific_energy_j_per_g")
    result: dict[str, Any] = {name: value * (i + 1) for i, name in enumerate(names)}
    yield ev.Complete(value=value, result={**result, "warnings": []}, curve=curve, mass_g=1.9)


def real_program(campaign: Campaign) -> bytes:
    """G-code of one design, which stands for those of all."""
    from toughopt.loop.specimen import Order, prepare

    design: dict[str, Any] = {"n": 6, "theta": 50.0, "r": 1.8, "t": 0.8}
    return prepare(Order(campaign.workspace.recipe, 1, design, "2026-01-01T00:00:00+00:00")).program.text.encode()


def make(folder: Path, experiments: int) -> int:
    """A campaign with so many finished experiments; returns the number of events."""
    rng = np.random.default_rng(1)
    with Campaign.create(folder, campaign_text(budget=experiments)) as campaign:
        curve = "".join(f"{0.05 * i:.2f},{40.0 * i * math.exp(-0.01 * i):.2f}\n" for i in range(300))
        program = campaign.workspace.artifacts.put(real_program(campaign))
        digest = campaign.workspace.artifacts.put(f"displacement_mm,force_N\n{curve}".encode())
    rows = []
    for identity in range(1, experiments + 1):
        for payload in life(identity, digest, program, rng):
            rows.append(("2026-01-01T00:00:00.000000+00:00", payload.kind, identity, payload.version, encode(payload)))
    connection = sqlite3.connect(folder / "journal.sqlite")
    with connection:
        connection.executemany(
            "INSERT INTO events (time_utc, kind, experiment_id, schema_version, payload) VALUES (?, ?, ?, ?, ?)", rows
        )
    connection.close()
    return len(rows) + 1


def seconds(action: Callable[[], Any], times: int = 1) -> float:
    """The least of some measurements."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        found.append(time.perf_counter() - begun)
    return min(found)


def cpu_seconds(action: Callable[[], Any]) -> float:
    """Processor time of it."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def open_and_fold(folder: Path) -> None:
    store = open_sqlite(folder / "journal.sqlite")
    fold(store.read())
    store.close()


def appending(folder: Path, count: int = 200) -> float:
    """Median milliseconds of an append."""
    store = open_sqlite(folder / "journal.sqlite")
    found = []
    for i in range(count):
        begun = time.perf_counter()
        store.append(ev.Noted(who="benchmark", text=str(i)))
        found.append(time.perf_counter() - begun)
    store.close()
    return 1e3 * float(np.median(found))


def command(*arguments: str) -> tuple[float, float]:
    """Seconds that a command takes as a process of its own, and those of processor time among them."""
    begun, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-m", "toughopt", *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return time.perf_counter() - begun, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=25_000)
    parser.add_argument("--folder", type=Path, help="keep the campaign here, and use it again")
    parser.add_argument("--commands", default="status,plot,export", help="which commands are timed, '' for none")
    wanted = parser.parse_args()
    top = wanted.folder or Path(tempfile.mkdtemp(prefix="toughopt-journal-"))
    large, small = top / "large", top / "small"
    try:
        if not large.exists():
            print(f"{make(large, wanted.experiments)} events of {wanted.experiments} experiments", flush=True)
            make(small, 10)
        found: dict[str, float] = {
            "open and fold, s": seconds(lambda: open_and_fold(large), 3),
            "open and fold, s of processor time": cpu_seconds(lambda: open_and_fold(large)),
            "append to 10 experiments, ms": appending(small),
            f"append to {wanted.experiments} experiments, ms": appending(large),
        }
        for name in filter(None, wanted.commands.split(",")):
            more = ("--format", "csv", "-o", str(top / "out.csv")) if name == "export" else ()
            wall, spent = command(name, str(large), *more)
            found[f"toughopt {name}, s"], found[f"toughopt {name}, s of processor time"] = wall, spent
            print(json.dumps(found), flush=True)
        for name, value in found.items():
            print(f"{name:50} {value:8.2f}")
    finally:
        if wanted.folder is None:
            shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
