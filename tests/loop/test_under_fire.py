"""People who ask for everything at once, from two processes, while the loop runs: each gets an effect or a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.errors import CampaignBusy, DeviceError
from toughopt.journal import State
from toughopt.loop.simulate import simulate

SHOOTER = """
import json, random, sys
from toughopt import Campaign
from toughopt.errors import ToughoptError

folder, seed, shots = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
printers = ["printer-1", "printer-2", "printer-3", "nobody"]

def shot(top):
    identity = rng.randint(1, top + 1)
    return rng.choice([
        ("pause", {}), ("resume", {}), ("resume", {}), ("resume", {}), ("drain", {}), ("resume", {}),
        ("disable", {"printer": rng.choice(printers)}), ("enable", {"printer": rng.choice(printers)}),
        ("enable", {"printer": "printer-1"}),
        ("bed-cleared", {"printer": rng.choice(printers)}), ("filament", {"printer": "printer-1", "grams": 900}),
        ("keep-clear", {"state": rng.choice(["on", "off", "off"])}), ("budget", {"budget": rng.randint(4, 8)}),
        ("policy", {"policy": rng.choice(["random", "sobol", "nonsense"])}),
        ("limits", {"parameter": "theta", "low": rng.choice([0, 30, "none", 500]), "high": 150}),
        ("printability", {"probability": rng.choice([0.2, 2.0])}), ("target", {"target": "none"}),
        ("suggest", {"count": 1}), ("add", {"design": {"n": 6, "theta": 40.0, "r": 1.7, "t": rng.choice([0.8, 9.0])}}),
        ("tell", {"id": identity, "value": 5.0}), ("fail", {"id": identity, "blame": rng.choice(["lab", "design"])}),
        ("reprint", {"id": identity}), ("mass", {"id": identity, "mass_g": rng.choice([1.5, -1])}),
        ("exclude", {"id": identity}), ("restore", {"id": identity}), ("note", {"id": identity}),
        ("printed", {"id": identity}),
    ])

told = {"done": 0, "refused": 0}
with Campaign.open(folder) as campaign:
    for _ in range(shots):
        verb, arguments = shot(max(campaign.state.experiments, default=1))
        try:
            campaign.request(verb, arguments, why="under fire")
            told["done"] += 1
        except ToughoptError as refusal:
            assert str(refusal).strip(), verb
            told["refused"] += 1
    for verb, arguments in [("resume", {}), ("keep-clear", {"state": "off"}), ("budget", {"budget": 5})]:
        campaign.request(verb, arguments)
print(json.dumps(told))
"""
MORE = "".join(f'\n[[printers]]\nname = "printer-{i}"\nprofile = "virtual_small"\n' for i in (2, 3))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "shots", [pytest.param(15, id="a-few"), pytest.param(250, id="five-hundred", marks=pytest.mark.full)]
)
def test_random_commands_from_two_processes_leave_a_sound_campaign(tmp_path: Path, small_text: str, shots: int) -> None:
    folder = tmp_path / "fire"
    Campaign.create(folder, small_text.replace('"default"', '"random"') + MORE).close()
    command = [sys.executable, "-c", SHOOTER, str(folder)]
    shooters = [
        subprocess.Popen([*command, str(seed), str(shots)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for seed in (1, 2)
    ]
    told = {"done": 0, "refused": 0}
    while any(shooter.poll() is None for shooter in shooters):
        run_until_it_stops(folder)
    for shooter in shooters:
        out, error = shooter.communicate()
        assert shooter.returncode == 0, error
        told = {key: told[key] + count for key, count in json.loads(out).items()}
    with Campaign.open(folder) as campaign:
        for printer in ("printer-1", "printer-2", "printer-3"):
            campaign.request("enable", {"printer": printer})
    run_until_it_stops(folder)  # nobody asks any more

    with Campaign.open(folder) as campaign:
        campaign.workspace.store.verify()
        events = list(campaign.workspace.store.read())
        state = State()
        for event in events:  # the fold refuses what cannot follow from what was before
            state.apply(event)
        asked = {e.seq for e in events if e.kind == "requested"}
        answered = [e.payload["request"] for e in events if e.kind == "answered"]
        assert sorted(answered) == sorted(asked), "each request is answered once"
        assert all(e.payload["message"] for e in events if e.kind == "answered")
        assert told["done"] > 0 < told["refused"] and sum(told.values()) == 2 * shots
        assert all(e.ended or e.manual for e in state.experiments.values())
        assert not state.beds
        crushed = [e.experiment_id for e in events if e.kind == "crushing"]
        assert len(crushed) == len(set(crushed))


def run_until_it_stops(folder: Path) -> None:
    try:
        simulate(folder)
    except DeviceError as every_printer_disabled:
        assert "disabled" in str(every_printer_disabled)
    except CampaignBusy:
        return  # somebody who asks is being answered at this moment
