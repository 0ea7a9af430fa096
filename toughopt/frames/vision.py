"""Eyes for the hands: after each movement a program is asked whether what should be seen is seen."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Protocol, runtime_checkable

from toughopt.errors import DeviceError
from toughopt.frames.base import Handler
from toughopt.frames.command import CommandTimeout, JsonCommand


class Question(StrEnum):
    """What can be asked of an eye; each is asked so that yes is good."""

    BED_CLEAR = auto()  # nothing lies on the printer's bed
    ON_SCALE = auto()  # the specimen, and nothing else, lies on the scale
    ON_FRAME = auto()  # the specimen stands upright between the plates, and nothing else is there
    FRAME_EMPTY = auto()  # nothing lies between the plates


ALL = frozenset(Question)


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen."""

    yes: bool
    reason: str = ""


@runtime_checkable
class Eye(Protocol):
    """Looks, and answers a question with yes or no."""

    name: str

    def look(self, question: Question, specimen: str, printer: str | None = None) -> Sight:
        """What is seen. Raises DeviceError where nothing can be seen: that is no yes."""
        ...


class CommandEye:
    """An eye that is another program, such as a camera's.

    Requests: `{"action": "look", "question": "bed_clear", "printer": P, "specimen": S}`, and `on_scale`, `on_frame`,
    `frame_empty` without a printer. The answer must hold `"answer": true` or `false`, and may hold a `"reason"`.
    """

    def __init__(self, command: JsonCommand, name: str = "camera") -> None:
        self.name = name
        self._command = command

    def look(self, question: Question, specimen: str, printer: str | None = None) -> Sight:
        """See `Eye.look`."""
        request = {"action": "look", "question": str(question), "specimen": specimen}
        answer = self._command.ask(request | ({} if printer is None else {"printer": printer}))
        yes = answer.get("answer")
        if not isinstance(yes, bool):
            raise DeviceError(
                f'{self.name} answers {yes!r} to {question}; its answer must hold "answer": true or false'
            )
        return Sight(yes, str(answer.get("reason", "")))


class WatchedHandler:
    """Hands whose work is looked at: what is not seen to be done was not done.

    A bed that is not seen to be clear, and a scale on which the specimen is not seen, are tried again `retries` times.
    The frame never is: what lies there in a wrong way has to be taken away first. Hands that did not come back in time
    are never sent again.
    """

    def __init__(self, hands: Handler, eye: Eye, questions: Collection[Question] = ALL, retries: int = 1) -> None:
        self.name = hands.name
        self._hands, self._eye = hands, eye
        self._questions, self._retries = frozenset(questions), retries

    def clear_bed(self, printer: str, specimen: str) -> None:
        """See `Handler.clear_bed`; confirmed by what was seen."""
        act = lambda: self._hands.clear_bed(printer, specimen)  # noqa: E731
        self._until_seen(act, Question.BED_CLEAR, specimen, printer, self._retries)

    def to_scale(self, specimen: str) -> None:
        """See `Handler.to_scale`."""
        self._until_seen(lambda: self._hands.to_scale(specimen), Question.ON_SCALE, specimen, None, self._retries)

    def to_frame(self, specimen: str) -> None:
        """See `Handler.to_frame`."""
        self._until_seen(lambda: self._hands.to_frame(specimen), Question.ON_FRAME, specimen, None, 0)

    def discard(self, specimen: str) -> None:
        """See `Handler.discard`."""
        self._until_seen(lambda: self._hands.discard(specimen), Question.FRAME_EMPTY, specimen, None, 0)

    def _until_seen(
        self, act: Callable[[], None], question: Question, specimen: str, printer: str | None, retries: int
    ) -> None:
        act()
        if question not in self._questions:
            return
        seen = self._eye.look(question, specimen, printer)
        for _ in range(retries):
            if seen.yes:
                return
            try:
                act()
            except CommandTimeout:
                raise
            except DeviceError as error:  # the first time it said that it was done: what is seen decides
                seen = self._eye.look(question, specimen, printer)
                if not seen.yes:
                    raise DeviceError(
                        f"{self._said(question, specimen, printer, seen)}; tried again: {error}"
                    ) from error
                return
            seen = self._eye.look(question, specimen, printer)
        if not seen.yes:
            raise DeviceError(f"{self._said(question, specimen, printer, seen)}; look there, and put it right by hand")

    def _said(self, question: Question, specimen: str, printer: str | None, seen: Sight) -> str:
        where = f" of {printer}" if printer is not None else ""
        why = f": {seen.reason}" if seen.reason else ""
        return f"{self._eye.name} says no to {question}{where} after {self.name} moved specimen {specimen}{why}"
