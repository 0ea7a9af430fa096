"""A campaign of real machines on two PCs: printers behind agents, hands that are a program, a frame that exports."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.journal import Stage
from toughopt.virtual import small_campaign

pytestmark = pytest.mark.full

CAMPAIGN = (
    small_campaign(name="two PCs", budget=4, policy="random", printers=0)
    + """
[[printers]]
name = "printer-1"
profile = "virtual_small"
agent = "pc-1"

[[printers]]
name = "printer-2"
profile = "virtual_small"
agent = "pc-2"

[scale]
kind = "none"
"""
)
LAB = """
import json, sys
from pathlib import Path

asked, folder = json.load(sys.stdin), Path(sys.argv[1])
answer = {"ok": True, "clear": True, "standing": True, "limits": asked.get("limits")}
if asked["action"] == "start":  # the frame's computer exports the next file
    number = len(list(folder.glob("*.csv"))) + 1
    rows = "".join(f"{0.1 * i:.2f},{0.01 * i:.4f},{min(20.0 * i, 900.0 + number):.2f}\\n" for i in range(300))
    whole = folder / f"specimen_{number}.tmp"
    whole.write_text("Time (s),Displacement (mm),Force (N)\\n" + rows)
    whole.rename(folder / f"specimen_{number}.csv")
print(json.dumps(answer))
"""


def test_two_pcs_print_for_one_campaign(start_agent, postgres_url: str, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    exported.mkdir()
    program = tmp_path / "lab.py"
    program.write_text(LAB, encoding="utf-8")
    command = json.dumps([sys.executable, str(program), str(exported)])
    text = f"""{CAMPAIGN}
[store]
url = "{postgres_url}"

[handler]
kind = "command"
command = {command}

[frame]
kind = "watched_folder"
folder = "{exported.as_posix()}"
pattern = "specimen_{{number}}.csv"
confirm = false
settle_s = 0.0
trigger = {{ command = {command} }}
"""
    start_agent("pc-1", **{"printer-1": "virtual"})
    start_agent("pc-2", **{"printer-2": "virtual"})
    with Campaign.create(tmp_path / "campaign", text) as campaign:
        summary = campaign.run()
        experiments = list(campaign.state.experiments.values())
    assert summary.complete == 4, [(e.stage, e.reason) for e in experiments]
    done = [e for e in experiments if e.stage is Stage.COMPLETE]
    assert {e.printer for e in done} == {"printer-1", "printer-2"}
    assert all(e.value and e.value > 0 for e in done)
