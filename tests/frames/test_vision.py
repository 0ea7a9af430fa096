"""What is not seen to be done was not done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from toughopt.errors import ConfigError, DeviceError
from toughopt.frames import (
    CommandEye,
    CommandTimeout,
    Eye,
    Handler,
    JsonCommand,
    Question,
    Sight,
    WatchedHandler,
    open_handler,
)


class Hands:
    """Say that they are done; `fail` is raised by the n-th call instead."""

    name = "hands"

    def __init__(self, fail: dict[int, Exception] | None = None) -> None:
        self.calls: list[tuple[str, ...]] = []
        self._fail = fail or {}

    def _do(self, *call: str) -> None:
        self.calls.append(call)
        if error := self._fail.get(len(self.calls)):
            raise error

    def clear_bed(self, printer: str, specimen: str) -> None:
        self._do("clear_bed", printer, specimen)

    def to_scale(self, specimen: str) -> None:
        self._do("to_scale", specimen)

    def to_frame(self, specimen: str) -> None:
        self._do("to_frame", specimen)

    def discard(self, specimen: str) -> None:
        self._do("discard", specimen)


class Looks:
    """Answers as told, the last answer for ever."""

    name = "camera"

    def __init__(self, *answers: bool) -> None:
        self.asked: list[tuple[Question, str, str | None]] = []
        self._answers = list(answers)

    def look(self, question: Question, specimen: str, printer: str | None = None) -> Sight:
        self.asked.append((question, specimen, printer))
        return Sight(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0], "something is there")


def everything(handler: Handler) -> None:
    handler.clear_bed("p1", "S")
    handler.to_scale("S")
    handler.to_frame("S")
    handler.discard("S")


def test_each_movement_is_looked_at() -> None:
    hands, eye = Hands(), Looks(True)
    watched = WatchedHandler(hands, eye)
    assert isinstance(watched, Handler)
    assert isinstance(eye, Eye)
    everything(watched)
    assert [asked[0] for asked in eye.asked] == list(Question)
    assert eye.asked[0] == (Question.BED_CLEAR, "S", "p1")
    assert len(hands.calls) == 4


def test_only_what_is_asked_for_is_looked_at() -> None:
    eye = Looks(True)
    everything(WatchedHandler(Hands(), eye, [Question.BED_CLEAR]))
    assert [asked[0] for asked in eye.asked] == [Question.BED_CLEAR]


def test_a_bed_that_is_not_seen_clear_is_tried_again_and_then_not_confirmed() -> None:
    hands = Hands()
    WatchedHandler(hands, Looks(False, True)).clear_bed("p1", "S")
    assert len(hands.calls) == 2
    with pytest.raises(DeviceError, match="no to bed_clear of p1 after hands moved specimen S: something is there"):
        WatchedHandler(hands, Looks(False), retries=2).clear_bed("p1", "S")
    assert len(hands.calls) == 5


@pytest.mark.parametrize("action", ["to_frame", "discard"])
def test_the_frame_is_never_reached_into_twice(action: str) -> None:
    hands = Hands()
    with pytest.raises(DeviceError, match="put it right by hand"):
        getattr(WatchedHandler(hands, Looks(False), retries=5), action)("S")
    assert len(hands.calls) == 1


def test_a_second_try_that_finds_nothing_to_take_is_judged_by_what_is_seen() -> None:
    nothing_there = DeviceError("the gripper closed on nothing")
    WatchedHandler(Hands({2: nothing_there}), Looks(False, True)).clear_bed("p1", "S")
    with pytest.raises(DeviceError, match="tried again: the gripper closed on nothing"):
        WatchedHandler(Hands({2: nothing_there}), Looks(False)).clear_bed("p1", "S")


def test_hands_that_did_not_come_back_are_not_sent_again() -> None:
    hands = Hands({2: CommandTimeout("not done")})
    with pytest.raises(CommandTimeout):
        WatchedHandler(hands, Looks(False), retries=5).clear_bed("p1", "S")
    assert len(hands.calls) == 2


def test_a_program_is_the_eye(program: Callable[[str], tuple[str, ...]]) -> None:
    command = program("answer['answer'] = request['question'] == 'bed_clear' and request['printer'] == 'p1'")
    eye = CommandEye(JsonCommand(command, 30.0))
    assert eye.look(Question.BED_CLEAR, "S", "p1").yes
    assert not eye.look(Question.BED_CLEAR, "S", "p2").yes


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("answer['answer'] = 'perhaps'", "true or false"),
        ("pass", "true or false"),
        ("answer = {'ok': False, 'reason': 'lens cap on'}", "lens cap on"),
        ("sys.exit('no camera')", "no camera"),
    ],
)
def test_an_eye_that_does_not_answer_says_no(program: Callable[[str], tuple[str, ...]], body: str, why: str) -> None:
    watched = WatchedHandler(Hands(), CommandEye(JsonCommand(program(body), 30.0)))
    with pytest.raises(DeviceError, match=why):
        watched.clear_bed("p1", "S")


def test_hands_and_eye_are_configured_together(program: Callable[[str], tuple[str, ...]]) -> None:
    hands, eye = program("answer['clear'] = True"), program("answer |= {'answer': False, 'reason': 'a part'}")
    look = {"command": list(eye), "questions": ["bed_clear"], "retries": 0}
    handler = open_handler({"kind": "command", "command": list(hands), "eye": look})
    with pytest.raises(DeviceError, match="camera says no to bed_clear of p1 after command moved specimen S: a part"):
        handler.clear_bed("p1", "S")
    handler.to_scale("S")
    with pytest.raises(ConfigError, match=r"eye\.questions"):
        open_handler({"kind": "command", "command": list(hands), "eye": look | {"questions": ["is_it_nice"]}})
