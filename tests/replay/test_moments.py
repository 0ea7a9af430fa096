from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from toughopt import Campaign
from toughopt.cli import main
from toughopt.replay import results_one_by_one, state_at


def test_the_state_as_it_was_knows_nothing_of_what_came_later(told: Path) -> None:
    with Campaign.open(told) as campaign:
        assert [len(state_at(campaign.workspace, n).complete) for n in (0, 1, 4, 9, 99)] == [0, 1, 4, 9, 9]
        assert state_at(campaign.workspace, 99) == campaign.state
        assert [len(s.complete) for s in results_one_by_one(campaign.workspace, 3, 5)] == [3, 4, 5]


def test_replay_tells_that_state_and_animates_what_led_there(
    told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "unfolding.gif"
    assert main(["replay", str(told), "--until", "5", "--animate", str(target), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["decisions"], answer["differences"], answer["state"]["complete"]) == (5, [], 5)
    with Image.open(target) as picture:
        assert getattr(picture, "n_frames", 1) == 5


def test_an_animation_of_nothing_is_refused(told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(told), "--from", "50", "--animate", str(tmp_path / "x.gif")]) == 2
    assert "no number 50" in capsys.readouterr().err


def test_a_lost_and_a_changed_artifact_fail_the_check(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(told), "--artifacts"]) == 0
    with Campaign.open(told) as campaign:
        (digest,) = [e.curve for e in campaign.state.complete if e.curve]
        path = campaign.workspace.artifacts.path(digest)
    whole = path.read_bytes()
    try:
        path.write_bytes(whole + b" ")
        assert main(["check", str(told), "--artifacts"]) == 1
        path.unlink()
        assert main(["check", str(told), "--artifacts"]) == 1
    finally:
        path.write_bytes(whole)
    said = capsys.readouterr().err
    assert "was changed" in said and "is missing" in said
