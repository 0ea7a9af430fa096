"""What all our printers have in common: one print at a time, and requests to it from any thread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Signal
from threading import Lock, get_ident
from types import TracebackType
from typing import TypeVar

from toughopt.errors import DeviceError
from toughopt.printing.base import PrintEvent
from toughopt.printing.clock import Clock, SystemClock
from toughopt.printing.link import Request, Verb
from toughopt.printing.states import State, StateMachine
from toughopt.printing.teller import Teller
from toughopt.profiles import PrinterProfile

_Self = TypeVar("_Self", bound="SeatedPrinter")


def ignore(event: PrintEvent) -> None:
    """For those who do not want to know."""


class SeatedPrinter(ABC):
    """A printer with one seat before it: only who sits there talks to the machine. Others ask.

    Parameters
    ----------
    name : how people call the machine
    profile : what the machine can do, and the limits that are never exceeded
    clock : where timers look
    stop_s : how long a print may take to end after it was told to
    """

    def __init__(self, name: str, profile: PrinterProfile, clock: Clock | None, stop_s: float) -> None:
        self.name = name
        self.profile = profile
        self._clock = clock or SystemClock()
        self._stop_s = stop_s
        self._states = StateMachine(name)
        self._requests: deque[Request] = deque()  # of a print in hand, from any thread
        self._seat = Lock()
        self._over = Signal()  # no print is in hand
        self._over.set()
        self._printing = 0  # the thread that prints
        self._left_safe = True

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def state(self) -> State:
        """What it is at."""
        return self._states.now

    def pause(self) -> None:
        """Stop feeding lines; the machine finishes what it has."""
        self._ask(Verb.PAUSE, "paused by hand")

    def resume(self) -> None:
        """Go on feeding."""
        self._ask(Verb.RESUME, "resumed by hand")

    def cancel(self, reason: str) -> None:
        """End the print in hand, safely; `print` then returns CANCELLED."""
        self._ask(Verb.CANCEL, reason)

    def make_safe(self) -> bool:
        """Heaters, motors and fan off; True where the machine confirmed it. Ends the print in hand."""
        ended = self._ended("made safe")
        if not self._over.is_set():
            return False
        if ended and self._left_safe and self._states.now is not State.DISCONNECTED:
            return True  # its end saw to it
        with self._seated("make it safe", self._stop_s):
            self._left_safe = self._turn_off()
            return self._left_safe

    @abstractmethod
    def close(self) -> None:
        """End what is in hand safely, and let the line go."""

    @abstractmethod
    def _turn_off(self) -> bool:
        """Turn everything off while nothing is printed; True where the machine confirmed it."""

    @abstractmethod
    def _wake(self) -> None:
        """A request has come: whoever waits for the machine should look."""

    @abstractmethod
    def _rise(self) -> None:
        """Whoever talked to the machine leaves the seat."""

    @contextmanager
    def _seated(self, purpose: str, wait_s: float = 0.0) -> Iterator[None]:
        if not self._seat.acquire(timeout=wait_s):
            raise DeviceError(f"{self.name} is {self._states.now}; wait until that is over, or cancel it, to {purpose}")
        try:
            yield
        finally:
            self._rise()
            self._seat.release()

    @contextmanager
    def _in_hand(self, on_event: Callable[[PrintEvent], None]) -> Iterator[Teller]:
        """Seated to print: requests are heeded, changes of state are told."""
        teller = Teller(on_event)
        with self._seated("print"):
            self._states.listen(teller.changed)
            self._requests.clear()
            self._printing = get_ident()
            self._over.clear()
            try:
                yield teller
            finally:
                self._states.listen(None)
                self._over.set()

    def _ask(self, verb: Verb, reason: str) -> None:
        if not self._over.is_set():
            self._requests.append(Request(verb, reason))
            self._wake()

    def _ended(self, why: str) -> bool:
        """Have the print in hand ended, and wait until it is; False where there is none."""
        if self._over.is_set():
            return False
        if get_ident() == self._printing:
            raise DeviceError(f"{self.name}: {why} by its own listener; let the listener return, and use cancel")
        self.cancel(why)
        self._over.wait(self._stop_s)
        return True
