"""A clock that goes as far as the work done by it takes, however fast this computer does that work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # plainly not a time at which anybody tested anything


class _Spent(threading.local):
    seconds = 0.0


@dataclass(slots=True)
class VirtualClock:
    """Time of a simulated lab.

    Attributes
    ----------
    now_s : time since `epoch`, s
    epoch : what it showed at first
    """

    now_s: float = 0.0
    epoch: datetime = EPOCH
    _spent: _Spent = field(default_factory=_Spent)

    def utc(self) -> datetime:
        """The time that it shows."""
        return self.epoch + timedelta(seconds=self.now_s)

    def spend(self, seconds: float) -> None:
        """What this thread is doing takes `seconds` (s)."""
        self._spent.seconds += seconds

    def timed(self, work: Callable[[], T]) -> tuple[T | Exception, float]:
        """Do `work`; its result or what it raised, and the time in s that it spent."""
        self._spent.seconds = 0.0
        result: T | Exception
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed on to who waits for the result, at its time
            result = error
        return result, self._spent.seconds
