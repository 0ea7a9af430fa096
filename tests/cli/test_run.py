"""What `toughopt run` does when it is told to end, and when nobody can be told anything."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main, output
from toughopt.cli.run import _Interrupts, _Teller, _told
from toughopt.loop import RunSummary


class Wishes:
    """Stands for a conductor, and keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def finish(self) -> None:
        self.heard.append("finish")

    def abort(self) -> None:
        self.heard.append("abort")


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        (["SIGINT"], ["finish"]),
        (["SIGINT", "SIGINT"], ["finish", "abort"]),
        (["SIGTERM"], ["abort"]),
        (["SIGHUP"], ["abort"]),
    ],
)
def test_how_a_run_is_told_to_end(sent: list[str], heard: list[str]) -> None:
    if not all(hasattr(signal, name) for name in sent):
        pytest.skip("this platform has no such signal")
    wishes, hands = Wishes(), _Interrupts()
    hands.watch(wishes)  # type: ignore[arg-type]
    with hands:
        for name in sent:
            signal.raise_signal(getattr(signal, name))
    assert wishes.heard == heard


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_run_under_nohup_outlives_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    wishes, hands = Wishes(), _Interrupts()
    hands.watch(wishes)  # type: ignore[arg-type]
    try:
        with hands:
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert wishes.heard == []


def test_nothing_ends_because_nobody_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.click, "echo", full)
    output.say("experiment 1 is complete")


def hint(text: str) -> list[str]:
    """The command after "Go on with", word by word, without the program's name."""
    (line,) = [line for line in text.splitlines() if line.startswith("Go on with:")]
    return shlex.split(line.partition(":")[2])[1:]


def test_what_goes_on_is_a_command_that_does(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl", str(told), "budget", "2"]) == 0
    assert main(["run", str(told), "--budget", "3"]) == 0
    words = hint(capsys.readouterr().out)
    assert words == ["run", str(told), "--budget", "28"]
    with Campaign.open(told) as campaign:
        campaign.request("budget", {"budget": 40})
        campaign.request("target", {"target": 2.0})
    assert main(["run", str(told)]) == 0
    assert hint(capsys.readouterr().out) == ["ctl", str(told), "target", "none,", "then", "toughopt", "run", str(told)]


def test_what_goes_on_after_a_pause_begins_with_its_end(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Campaign.open(told) as campaign:
        campaign.request("pause", {})
        _told(campaign, RunSummary("aborted by hand", 3, 0, 0))
    assert hint(capsys.readouterr().out)[:4] == ["ctl", str(told), "resume,", "then"]


def test_the_end_of_a_run_tells_what_waits_for_a_person(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Campaign.open(told) as campaign:
        campaign.suggest(1)
    assert main(["run", str(told), "--budget", "3"]) == 0
    out = capsys.readouterr().out
    assert "Waits for:   the result of experiment 4: `toughopt tell" in out


def test_a_dry_run_writes_no_budget(told: Path) -> None:
    with Campaign.open(told) as campaign:
        before = campaign.state.seq
    assert main(["run", str(told), "--dry-run", "--budget", "3"]) == 0
    with Campaign.open(told) as campaign:
        assert campaign.state.seq == before


def test_a_paused_run_says_what_it_waits_for(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Campaign.open(told) as campaign:
        campaign.request("pause", {}, who="Ada")
        capsys.readouterr()
        tell = _Teller(quiet=False, verbose=False, brief=False, folder=told)
        tell.begin(campaign)
        waits = f"`toughopt ctl '{told}' resume`: the loop is paused"
        assert f"Waits for: {waits}" in capsys.readouterr().err
        (paused,) = [e for e in campaign.workspace.store.read() if e.kind == "steered"]
        tell.event(paused, campaign.state)
        said = capsys.readouterr().err
        assert "paused: what is under way ends, nothing new begins (Ada)\n" in said and waits in said
        _Teller(quiet=False, verbose=False, brief=True, folder=told).event(paused, campaign.state)
        assert capsys.readouterr().err == f"Waits for: {waits}\n"


def test_run_begins_with_what_it_waits_for(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Campaign.open(told) as campaign:
        campaign.suggest(1)
    assert main(["run", str(told), "--budget", "3"]) == 0
    assert "Waits for: the result of experiment 4" in capsys.readouterr().err
