"""A campaign on two PCs, one of which dies in mid-print."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

PRESS = """
import json, pathlib, sys, zlib
import numpy as np
from toughopt.frames.record import raw_data_text

request = json.load(sys.stdin)
answer = {"ok": True, "clear": True, "limits": request.get("limits"), "standing": True}
if request["action"] == "start":
    folder = pathlib.Path(sys.argv[1])
    travel = np.linspace(0.0, 4.0, 400)
    peak = 800.0 + zlib.crc32(request["specimen"].encode()) % 400
    force = peak * np.clip(travel - 0.3, 0.0, 0.5) / 0.5 + np.where(travel > 0.8, 40.0 * (travel - 0.8), 0.0)
    number = len(list(folder.glob("*.csv"))) + 1
    path = folder / f"Specimen_RawData_{number}.csv"
    path.with_suffix(".part").write_text(raw_data_text(travel, force, travel * 30.0))
    path.with_suffix(".part").replace(path)
print(json.dumps(answer))
"""


def campaign(url: str, folder: Path, press: Path) -> str:
    command = f"[{str(sys.executable)!r}, {str(press)!r}, {str(folder)!r}]"
    return f"""
name = "two PCs"
budget = 4
seed = 1
[family]
name = "crossed_barrel"
fixed = {{ height = 3.0, platform_thickness = 0.6 }}
parameters.n = {{ high = 8 }}
[optimizer]
policy = "random"
batch = 2
[[printers]]
name = "p1"
profile = "virtual_small"
agent = "pc1"
[[printers]]
name = "p2"
profile = "virtual_small"
agent = "pc2"
[scale]
kind = "none"
[frame]
kind = "watched_folder"
folder = {str(folder)!r}
confirm = false
settle_s = 0.0
trigger = {{ command = {command} }}
[handler]
kind = "command"
command = {command}
[recovery]
uncertain = "discard"
failures_to_disable = 1
[store]
url = {url!r}
"""


def test_a_campaign_outlives_one_of_its_pcs(start_agent, postgres_url, tmp_path) -> None:
    from toughopt import Campaign

    folder, press, home = tmp_path / "press", tmp_path / "press.py", tmp_path / "campaign"
    folder.mkdir()
    home.mkdir()
    press.write_text(PRESS, encoding="utf-8")
    (home / "campaign.toml").write_text(campaign(postgres_url, folder, press), encoding="utf-8")
    first = start_agent("pc1", p1="virtual")
    start_agent("pc2", p2="virtual")
    printing = threading.Event()

    def listen(event, state) -> None:
        if event.kind == "printing" and event.payload["printer"] == "p1" and not printing.is_set():
            printing.set()
            threading.Timer(0.5, first.kill).start()

    with Campaign.open(home) as lab:
        lab.run(on_event=listen)
        state = lab.state
    stages = [str(experiment.stage) for experiment in state.experiments.values()]
    assert stages.count("complete") == 4
    assert set(stages) <= {"complete", "failed"}
    (lost,) = [experiment for experiment in state.experiments.values() if str(experiment.stage) == "failed"]
    assert lost.printer == "p1"
    assert "uncertain" in (lost.reason or "")
