"""Campaigns that lost their campaign.toml, or their journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.virtual import small_campaign


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    with Campaign.create(tmp_path / "lab", small_campaign()) as made:
        for entry in made.suggest(2):
            made.tell(entry["id"], value=1.0)
    return tmp_path / "lab"


def test_a_lost_configuration_is_written_again_by_the_command_that_is_advised(
    campaign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = campaign / "campaign.toml"
    edited = path.read_text(encoding="utf-8") + "# größer\n"
    path.write_text(edited, encoding="utf-8")
    with Campaign.open(campaign) as opened:
        opened.request("note", {}, why="so that the edit is noted")
    path.unlink()
    for command in (["run"], ["check"], ["status"]):
        assert main([*command, str(campaign)]) == 2
        assert f"`toughopt new {campaign}` writes" in capsys.readouterr().err
    assert main(["new", str(campaign), "--budget", "9"]) == 2
    assert "without options writes it again" in capsys.readouterr().err and not path.exists()
    assert main(["new", str(campaign), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [str(path)]
    assert path.read_text(encoding="utf-8") == edited
    with Campaign.open(campaign) as opened:
        assert len(opened.state.complete) == 2


@pytest.mark.parametrize("command", ["status", "replay", "run"])
def test_a_lost_journal_is_not_replaced_by_an_empty_one(
    campaign: Path, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Campaign.open(campaign) as opened:
        opened.workspace.artifacts.put(b"a curve")
    for file in campaign.glob("journal.sqlite*"):
        file.unlink()
    assert main([command, str(campaign)]) != 0
    assert "put the journal back from a copy" in capsys.readouterr().err
    assert not (campaign / "journal.sqlite").exists()
    (campaign / "artifacts").rename(tmp_path / "elsewhere")
    assert main(["status", str(campaign)]) == 0
