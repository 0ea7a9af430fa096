"""What `toughopt status` shows, beside the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.cli.setup import campaign_text
from toughopt.cli.status import spread_text
from toughopt.errors import InputError
from toughopt.files import in_shell
from toughopt.journal import events as ev


def shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    capsys.readouterr()
    assert main(["status", str(folder)]) == 0
    text = capsys.readouterr().out
    assert main(["status", str(folder), "--json"]) == 0
    return text, json.loads(capsys.readouterr().out)


def test_progress_limits_and_what_is_excluded(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, _ = shown(told, capsys)
    assert "Experiments: 3 of 5" in before and "excluded" not in before and "Limits:" not in before
    with Campaign.open(told) as campaign:
        campaign.request("exclude", {"id": 2})
        campaign.request("limits", {"parameter": "theta", "low": 50, "high": 150})
        campaign.request("budget", {"budget": 8})
    text, answer = shown(told, capsys)
    assert "Experiments: 3 of 8" in text and "Limits:      theta 50 to 150" in text
    assert [line.split()[1] for line in text.splitlines() if "excluded" in line] == ["2"]
    assert (answer["counted"], answer["budget"], answer["limits"]) == (3, 8, {"theta": [50.0, 150.0]})


def test_whether_a_loop_runs(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Loop:        does not run\n" in shown(told, capsys)[0]
    with Campaign.open(told) as campaign:
        campaign.workspace.store.append(ev.ConductorStarted(pid=42, host="lab-pc", versions={}))
        text, answer = shown(told, capsys)
        assert "the last one, process 42 on lab-pc, did not come to its end" in text and answer["conducted"] is False
        with campaign.workspace.store.lock(told):
            text, answer = shown(told, capsys)
        assert "Loop:        runs, process 42 on lab-pc" in text and answer["conducted"] is True


def test_every_objective_is_checked_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    against = '[[objective.against]]\nname = "mass_g"\ngoal = "min"\n'
    text = campaign_text(name="weighed").replace("[optimizer]", against + "[optimizer]")
    with Campaign.create(tmp_path / "c", text) as campaign:
        (entry,) = campaign.suggest()
        campaign.tell(entry["id"], value=12.0, mass_g=2.75)
    assert main(["check", str(tmp_path / "c")]) == 0
    assert "max toughness_j, min mass_g" in capsys.readouterr().out
    table, answer = shown(tmp_path / "c", capsys)
    (line,) = (line for line in table.splitlines() if "complete" in line)
    assert "12" in line and "2.75" in line
    assert answer["experiments"][0]["against"] == {"mass_g": 2.75}


def test_a_standard_deviation_has_two_digits() -> None:
    assert [spread_text(std) for std in (3.4932, 0.32137, 15.87, None)] == ["3.5", "0.32", "16", "?"]


def test_what_was_uncertain_and_turned_out_well_has_not_failed(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Campaign.open(told) as campaign:
        (entry,) = campaign.suggest()
        campaign.workspace.store.append(ev.Uncertain(stage="printing", reason="power"), entry["id"])
        campaign.tell(entry["id"], value=3.0)
        (other,) = campaign.suggest()
        campaign.fail(other["id"], why="stringy")
    assert shown(told, capsys)[1]["failed"] == 1


def test_what_settles_an_uncertain_part_depends_on_where_it_lies(
    told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Campaign.open(told) as campaign:
        log = campaign.workspace.store.append
        identity = campaign.add({"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0})
        sliced = ev.Sliced(
            program="0" * 64,
            slicer="native",
            profile="virtual",
            layers=1,
            lines=1,
            time_s=1,
            filament_mm=1,
            filament_g=1,
        )
        made = (ev.Built(mesh="0" * 64, volume_mm3=1.0, mass_g=1.0), sliced, ev.Queued(printer="printer-1"))
        doubted = (ev.Printing(printer="printer-1", program="0" * 64), ev.Uncertain(stage="printing", reason="power"))
        for step in (*made, *doubted):
            log(step, identity)
        (line,) = shown(told, capsys)[1]["waits_for"]
        assert f" printed {identity}` where it is whole" in line and "--blame lab`" in line
        log(ev.BedCleared(printer="printer-1", by="Ada"))
        (line,) = shown(told, capsys)[1]["waits_for"]
        assert f"tell {in_shell(told)} {identity} --curve FILE`" in line and " printed " not in line
        with pytest.raises(InputError, match=f"was cleared.* tell .* {identity} --curve FILE"):
            campaign.request("printed", {"id": identity})
