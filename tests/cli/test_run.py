"""What `toughopt run` does when it is told to end, and when nobody can be told anything."""

from __future__ import annotations

import signal
import sys

import pytest

from toughopt.cli import output
from toughopt.cli.run import _Interrupts


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
