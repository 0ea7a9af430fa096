"""Work that Ctrl-C must not interrupt: it is held back until the work is done."""

from __future__ import annotations

import signal
from collections.abc import Callable
from threading import current_thread, main_thread
from types import FrameType
from typing import TypeVar

from toughopt.printing.interrupts import ending_signals

Result = TypeVar("Result")


def shielded(work: Callable[[], Result]) -> Result:
    """The result of `work`, done to its end whatever is pressed meanwhile; what was pressed takes effect afterwards.

    Held back are the signals that Python code handles, as SIGINT usually is. They reach only the main thread; in any
    other there is nothing to hold back.
    """
    if current_thread() is not main_thread():
        return work()
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *ending_signals())}
    handlers = {number: handler for number, handler in before.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, hold)
    try:
        return work()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for again in dict.fromkeys(held):
            signal.raise_signal(again)
