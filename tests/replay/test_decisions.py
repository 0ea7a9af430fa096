from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.replay import replay


def test_every_decision_comes_out_as_it_was_logged(told: Path) -> None:
    with Campaign.open(told) as campaign:
        found = replay(campaign.workspace)
    assert (found.decisions, found.differences) == (9, ())


def test_only_the_decisions_that_are_asked_for_are_derived(told: Path) -> None:
    with Campaign.open(told) as campaign:
        seen: list[int] = []
        assert replay(campaign.workspace, first=3, until=6, on_decision=seen.append).decisions == 4
        assert seen == [3, 4, 5, 6]
        seen.clear()
        assert replay(campaign.workspace, sample=3, on_decision=seen.append).decisions == 3
        assert seen == [1, 4, 7]


def test_a_changed_setting_is_reported_at_the_first_decision_that_it_changes(
    told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(told, folder)
    path = folder / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    assert "initial = 5" in text
    path.write_text(text.replace("initial = 5", "initial = 8"), encoding="utf-8")
    assert main(["replay", str(folder), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    first = answer["differences"][0]
    assert "initial was 5, is 8" in first["cause"]
    with Campaign.open(told) as campaign:
        reasons = {e.id: e.decision["reason"] for e in campaign.state.experiments.values() if e.decision}
    by_model = min(i for i, reason in reasons.items() if "initial" not in reason)
    assert first["experiment_id"] <= by_model
    assert first["logged"] != first["derived"]


def test_a_correction_after_a_decision_does_not_change_what_it_saw(told: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corrected"
    shutil.copytree(told, folder)
    with Campaign.open(folder) as campaign:
        campaign.request("exclude", {"id": 1}, why="cracked before the test")
        campaign.suggest()
        found = replay(campaign.workspace)
        assert (found.decisions, found.differences) == (10, ())
        assert len(campaign.workspace.chooser.observations(campaign.state)) == 8
