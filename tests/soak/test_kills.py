"""Two hundred SIGKILLs at random instants of virtual campaigns, also in the middle of a write: `make soak`."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.journal import Stage
from toughopt.replay import replay
from toughopt.virtual import small_campaign

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9"),
]
_CAMPAIGNS, _KILLS = 10, 20
_MINUTES = float(os.environ.get("TOUGHOPT_SOAK_MINUTES", "50"))
_BEGUN = time.monotonic()


@pytest.mark.parametrize("seed", range(1, _CAMPAIGNS + 1))
def test_nothing_is_lost_counted_or_printed_twice(seed: int, tmp_path: Path, tally: Callable[..., None]) -> None:
    printers = 1 if seed % 2 else 3
    folder = tmp_path / "campaign"
    text = small_campaign(seed=seed, budget=8, policy="default" if seed % 3 else "random", printers=printers)
    Campaign.create(folder, text).close()
    rng = random.Random(seed)
    known: dict[int, float] = {}
    kills, budget = 0, 8
    while kills < _KILLS:
        if time.monotonic() - _BEGUN > 60 * _MINUTES:
            pytest.skip(f"{_MINUTES:g} minutes are over after {kills} kills of campaign {seed}")
        process = subprocess.Popen(_command(folder, budget), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if kills % 2:
            _wait(process, folder, events=rng.randint(1, 12))
            time.sleep(rng.uniform(0.0, 0.1))  # somewhere between this event and the next: a write, an artifact
        else:
            _wait(process, folder, events=1)
            time.sleep(rng.expovariate(1.0))
        if process.poll() is None:
            kills += 1
        else:
            budget += 4  # it came to its end before it could be killed
        process.kill()
        process.communicate()
        now = _results(folder)
        assert known.items() <= now.items(), "a finished experiment was lost, or changed"
        known = now
    done = subprocess.run(_command(folder, budget), capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr
    experiments, decisions = _judge(folder, known, budget)
    # what was asserted on the way: none lost, none double
    tally(kills=kills, printers=printers, experiments=experiments, decisions=decisions, lost=0, double=0)


def _command(folder: Path, budget: int) -> list[str]:
    return [sys.executable, "-m", "toughopt", "run", str(folder), "--budget", str(budget), "-q"]


def _judge(folder: Path, known: dict[int, float], budget: int) -> tuple[int, int]:
    """Whether the campaign is whole; how many experiments and decisions it has."""
    with Campaign.open(folder) as campaign:
        workspace, state = campaign.workspace, campaign.state
        workspace.store.verify()
        experiments = state.experiments.values()
        kept = {d for e in experiments for d in (e.mesh, e.program, e.curve, e.path) if d}
        assert workspace.artifacts.verify(kept) == []
        assert [p for p in (folder / "artifacts").rglob("*") if p.is_file() and len(p.name) == 62] != []
        assert known.items() <= {e.id: e.value for e in state.complete}.items()
        assert len(state.complete) == budget
        assert all(e.ended for e in experiments)
        printings = [e.experiment_id for e in workspace.store.read() if e.kind == "printing"]
        assert len(printings) == len(set(printings)), "printed twice without saying so"
        roots = [e.root for e in state.complete]
        assert len(roots) == len(set(roots)), "counted twice"
        assert all(e.blame == "lab" and e.reason for e in experiments if e.stage is Stage.FAILED)
        # What was chosen follows from the results before it and nothing else: not from when anything was killed.
        found = replay(workspace)
        assert found.differences == ()
        return len(state.experiments), found.decisions


def _results(folder: Path) -> dict[int, float]:
    with Campaign.open(folder) as campaign:
        campaign.workspace.store.verify()
        return {e.id: e.value or 0.0 for e in campaign.state.complete}


def _wait(process: subprocess.Popen[bytes], folder: Path, events: int) -> None:
    """Until the process wrote so many events, or ended."""
    begun = _seq(folder)
    while process.poll() is None and _seq(folder) < begun + events:
        time.sleep(0.01)


def _seq(folder: Path) -> int:
    connection = sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True, timeout=30)
    try:
        return int(connection.execute("SELECT max(seq) FROM events").fetchone()[0] or 0)
    finally:
        connection.close()
