"""Asking a person at the terminal. Nobody there means no answer, and no answer means no."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import ClassVar, TextIO

Ask = Callable[[str, float], str | None]
YES = frozenset({"y", "yes", "j", "ja", "ok"})
CONFIRM_TIMEOUT_S = 600.0
_TERMINAL = threading.Lock()  # a process has one: hands and frame ask from threads of their own, one after the other


def console_ask(question: str, timeout_s: float) -> str | None:
    """What was typed; None after `timeout_s`, at the end of input, or where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        return None
    with _TERMINAL:
        reader = _Reader.at(sys.stdin)  # before the question: what is typed from then on is its answer
        print(f"{question}: ", end="", file=sys.stderr, flush=True)
        reader.join(timeout_s)
        return None if reader.is_alive() else reader.line


class _Reader(threading.Thread):
    """Reads one line: a thread of its own, because a terminal cannot be read with a time-out on every system.

    One that nobody answered reads on, and would take the answer from the reader of the next question: so that one
    takes it over. What was typed between two questions answers neither.
    """

    _last: ClassVar[_Reader | None] = None

    def __init__(self, terminal: TextIO) -> None:
        super().__init__(name="ask", daemon=True)
        self.line: str | None = None
        self._terminal = terminal
        self.start()

    @classmethod
    def at(cls, terminal: TextIO) -> _Reader:
        """The one that reads there already, or a new one."""
        last = cls._last
        if last is None or not last.is_alive() or last._terminal is not terminal:
            last = cls._last = cls(terminal)
        return last

    def run(self) -> None:
        """Until a line was typed, or there will be none."""
        text = self._terminal.readline()
        self.line = text.strip() if text else None


def confirms(ask: Ask, timeout_s: float = CONFIRM_TIMEOUT_S) -> Callable[[str], bool]:
    """Turns `ask` into a yes-or-no question; anything but a yes is a no."""

    def confirm(question: str) -> bool:
        answer = ask(f"{question} [y/N]", timeout_s)
        return answer is not None and answer.strip().lower() in YES

    return confirm
