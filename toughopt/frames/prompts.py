"""Asking a person at the terminal. Nobody there means no answer, and no answer means no."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

Ask = Callable[[str, float], str | None]
YES = frozenset({"y", "yes", "j", "ja", "ok"})
CONFIRM_TIMEOUT_S = 600.0
_TERMINAL = threading.Lock()  # a process has one: hands and frame ask from threads of their own, one after the other


def console_ask(question: str, timeout_s: float) -> str | None:
    """What was typed; None after `timeout_s`, at the end of input, or where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        return None
    answer: list[str] = []

    def read() -> None:
        line = sys.stdin.readline()
        if line:
            answer.append(line.strip())

    with _TERMINAL:
        print(f"{question}: ", end="", file=sys.stderr, flush=True)
        # a thread of its own, because a terminal cannot be read with a time-out on every system
        reader = threading.Thread(target=read, name="ask", daemon=True)
        reader.start()
        reader.join(timeout_s)
    return answer[0] if answer else None


def confirms(ask: Ask, timeout_s: float = CONFIRM_TIMEOUT_S) -> Callable[[str], bool]:
    """Turns `ask` into a yes-or-no question; anything but a yes is a no."""

    def confirm(question: str) -> bool:
        answer = ask(f"{question} [y/N]", timeout_s)
        return answer is not None and answer.strip().lower() in YES

    return confirm
