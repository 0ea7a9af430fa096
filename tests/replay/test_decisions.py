from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.cli.setup import campaign_text
from toughopt.journal import open_sqlite
from toughopt.optimizer import Decision, policy
from toughopt.optimizer.policies import COMMON
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


@pytest.fixture
def of_an_older_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign made when models expected smoother landscapes, and no record said what they expect."""
    made = tmp_path / "made"
    with Campaign.create(made, campaign_text(name="old", seed=4)) as campaign, monkeypatch.context() as then:
        then.setitem(COMMON, "expect", "smooth")  # type: ignore[arg-type]
        then.setitem(COMMON, "slopes", 0.0)  # type: ignore[arg-type]
        then.setitem(COMMON, "refine", True)  # type: ignore[arg-type]
        then.setattr("toughopt.optimizer.policies.IN_A_BOX", {})
        for _ in range(8):
            (proposal,) = campaign.suggest()
            design = proposal["design"]
            campaign.tell(proposal["id"], value=design["t"] * (200.0 - abs(design["theta"] - 110.0)) / 10.0)
    connection = sqlite3.connect(made / "journal.sqlite")
    rows = connection.execute("SELECT * FROM events ORDER BY seq").fetchall()
    connection.close()
    folder = tmp_path / "old"
    folder.mkdir()
    shutil.copy(made / "campaign.toml", folder)
    open_sqlite(folder / "journal.sqlite", create=True).close()
    connection = sqlite3.connect(folder / "journal.sqlite")
    with connection:
        for row in rows:
            payload = json.loads(row[5])
            for name in ("expect", "slopes", "refine", "replicate"):
                (payload.get("decision") or {}).get("settings", {}).pop(name, None)
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", (*row[:5], json.dumps(payload)))
    connection.close()
    return folder


def test_decisions_of_an_older_version_come_out_as_that_version_made_them(of_an_older_version: Path) -> None:
    assert policy("default").settings["expect"] == "rough"
    with Campaign.open(of_an_older_version) as campaign:
        records = [e.decision for e in campaign.state.experiments.values() if e.decision is not None]
        assert not any("expect" in record["settings"] for record in records)
        assert Decision.from_dict(records[-1]).settings["expect"] == "smooth"
        assert Decision.from_dict(records[-1]).settings["slopes"] == 0.0
        found = replay(campaign.workspace)
        assert (found.decisions, found.differences) == (8, ())
        campaign.suggest()  # goes on as this version does, and both are derived again
        found = replay(campaign.workspace)
        assert (found.decisions, found.differences) == (9, ())
        newest = campaign.state.experiments[9].decision
        assert newest is not None and newest["settings"]["expect"] == "rugged"


def test_decisions_of_when_boxes_were_searched_like_pools_come_out_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Campaign.create(tmp_path / "old", campaign_text(name="old", seed=4)) as campaign:
        with monkeypatch.context() as then:
            then.setattr("toughopt.optimizer.policies.IN_A_BOX", {})
            for _ in range(8):
                (proposal,) = campaign.suggest()
                campaign.tell(proposal["id"], value=proposal["design"]["t"])
        (proposal,) = campaign.suggest()
        then, now = (campaign.state.experiments[i].decision for i in (8, 9))
        assert then is not None and (then["settings"]["expect"], then["settings"]["beta"]) == ("rough", 1.0)
        assert now is not None and (now["settings"]["expect"], now["settings"]["beta"]) == ("rugged", 1.5)
        found = replay(campaign.workspace)
        assert (found.decisions, found.differences) == (9, ())


def test_a_setting_changed_since_is_the_cause_and_not_one_that_there_was_not_yet(
    of_an_older_version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = of_an_older_version / "campaign.toml"
    text = path.read_text(encoding="utf-8").replace("initial = 5", "initial = 3")
    path.write_text(text, encoding="utf-8")
    assert main(["replay", str(of_an_older_version), "--json"]) == 1
    cause = json.loads(capsys.readouterr().out)["differences"][0]["cause"]
    assert "initial was 5, is 3" in cause and "replicate" not in cause and "expect" not in cause
