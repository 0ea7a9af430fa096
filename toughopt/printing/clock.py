"""Time as the print host sees it: a clock that can be replaced, and a wait that a clock can cut short."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

Item = TypeVar("Item")
_SLICE_S = 0.5  # on Windows a longer wait could not be interrupted by Ctrl-C


class Clock(Protocol):
    """Where every timer of the host looks."""

    def now(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...

    def get(self, queue: SimpleQueue[Item], timeout_s: float) -> Item | None:
        """The next item of the queue, or None when `timeout_s` of this clock have passed without one."""
        ...


class SystemClock:
    """The computer's own clock."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def get(self, queue: SimpleQueue[Item], timeout_s: float) -> Item | None:
        """The next item, or None after `timeout_s`."""
        try:
            return queue.get_nowait()
        except Empty:
            pass
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            try:
                return queue.get(timeout=min(left, _SLICE_S))
            except Empty:
                continue
        return None


class LeapingClock:
    """A clock that leaps over silence: a wait in which nothing comes within `patience_s` of real time takes no longer.

    For a virtual machine, and for tests: what would be minutes of waiting passes in milliseconds, provided that whoever
    answers does so within `patience_s`.
    """

    def __init__(self, patience_s: float = 0.05) -> None:
        self._patience_s = patience_s
        self._leapt_s = 0.0

    def now(self) -> float:
        """Real seconds and those leapt over."""
        return time.monotonic() + self._leapt_s

    def get(self, queue: SimpleQueue[Item], timeout_s: float) -> Item | None:
        """The next item, or None when nothing came within the patience; the rest of the time-out is leapt over."""
        end = self.now() + timeout_s
        try:
            return queue.get(timeout=max(0.0, min(timeout_s, self._patience_s)))
        except Empty:
            self._leapt_s += max(0.0, end - self.now())
            return None
