"""Time as the print host sees it: a clock that can be replaced, and that may cut waits short."""

from __future__ import annotations

import time
from typing import Protocol

_INTERRUPTIBLE_S = 0.5  # on Windows a longer wait could not be interrupted by Ctrl-C


class Clock(Protocol):
    """Where every timer of the host looks."""

    def now(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...

    def patience(self, wait_s: float) -> float:
        """Real seconds to wait at a stretch for something that may take up to `wait_s` of this clock."""
        ...

    def nothing_came(self, wait_s: float) -> None:
        """What was waited for up to `wait_s`, with `patience`, did not come."""
        ...


class SystemClock:
    """The computer's own clock."""

    now = staticmethod(time.monotonic)

    def patience(self, wait_s: float) -> float:
        """All of it, in pieces that Ctrl-C can get between."""
        return min(wait_s, _INTERRUPTIBLE_S)

    def nothing_came(self, wait_s: float) -> None:
        """Time has passed by itself."""


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

    def patience(self, wait_s: float) -> float:
        """Little."""
        return min(wait_s, self._patience_s)

    def nothing_came(self, wait_s: float) -> None:
        """Leap over the rest of the wait."""
        self._leapt_s += max(0.0, wait_s - self._patience_s)
