"""A person as hands and as frame."""

from __future__ import annotations

import queue
import sys
import threading

import pytest

from toughopt.errors import DeviceError, FrameFault
from toughopt.frames import Handler, LoadFrame, OperatorFrame, OperatorHandler, TestLimits, console_ask

LIMITS = TestLimits()


def answering(*answers):
    left = iter(answers)
    asked: list[str] = []

    def ask(question: str, timeout_s: float) -> str | None:
        asked.append(question)
        return next(left)

    ask.asked = asked
    return ask


def test_hands_ask_and_record(guard):
    ask = answering("y", "yes", "Y", "ok")
    hands = OperatorHandler(ask, guard)
    assert isinstance(hands, Handler)
    hands.clear_bed("p1", "B")
    hands.to_scale("B")
    hands.discard("A")
    hands.to_frame("B")
    assert guard.on_plate == "B"
    assert "p1" in ask.asked[0] and "B" in ask.asked[0]


@pytest.mark.parametrize("answer", ["n", "", "later", None])
def test_anything_but_a_yes_is_an_error(guard, answer):
    with pytest.raises(DeviceError, match="nobody confirmed that the bed of p1 is clear"):
        OperatorHandler(answering(answer), guard).clear_bed("p1", "B")


def test_the_frame_stays_blocked_while_hands_may_be_in_it(guard):
    with pytest.raises(DeviceError):
        OperatorHandler(answering(None), guard).discard("A")
    with pytest.raises(FrameFault, match="kept clear"):
        guard.permit("A", LIMITS, "frame")
    OperatorHandler(answering("y"), guard).discard("A")
    assert guard.keep_clear_reason is None


def test_the_operators_frame_takes_a_new_file_only(guard, tmp_path):
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_text("0,0,0\n")
    second.write_text("1,1,1\n")
    ask = answering(str(first), f' "{first}" ', str(tmp_path / "nowhere.csv"), str(second))
    frame = OperatorFrame(ask, guard)
    assert isinstance(frame, LoadFrame)
    assert frame.crush("A", LIMITS, 1.0) == first.resolve()
    assert frame.crush("A", LIMITS, 1.0) == second.resolve()
    assert "5000 N" in ask.asked[0]
    assert "earlier specimen" in ask.asked[2]
    assert "is no file" in ask.asked[3]


def test_the_operators_frame_cannot_claim_a_standstill(guard, alarms):
    assert OperatorFrame(answering(None), guard).stop() is False
    assert "stop the crosshead at the machine" in alarms[0]


def test_nobody_at_the_terminal_is_no_answer():
    assert console_ask("Anyone there?", 0.1) is None


class Terminal:
    """What a person types, when they do: `answers` as soon as a question is there."""

    def __init__(self) -> None:
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.answers: dict[str, str] = {}

    def write(self, text: str) -> None:
        if text.rstrip(": ") in self.answers:
            self.lines.put(self.answers[text.rstrip(": ")])

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self.lines.get()


@pytest.fixture
def terminal(monkeypatch):
    made = Terminal()
    monkeypatch.setattr(sys, "stdin", made)
    yield made
    made.lines.put("")  # its end: nobody reads on


def test_an_answer_after_a_question_that_nobody_answered_is_not_lost(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    assert console_ask("Anyone there?", 0.05) is None
    assert console_ask("Still nobody?", 0.05) is None
    terminal.answers["And now?"] = "y\n"
    assert console_ask("And now?", 5.0) == "y"
    assert console_ask("And gone again?", 0.05) is None


def test_what_was_typed_too_late_answers_no_other_question(terminal):
    assert console_ask("Is the bed clear?", 0.05) is None
    terminal.lines.put("y\n")
    for thread in threading.enumerate():
        if thread.name == "ask":
            thread.join(5.0)
    assert console_ask("May it move?", 0.05) is None
