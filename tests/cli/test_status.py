"""What `toughopt status` shows, beside the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.cli import main
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
