"""Whether a crosshead may move, and what happens when it must not go on.

A load frame crushes hands as readily as specimens. Nothing here replaces the frame's own interlocks, its emergency stop
or its guards: it keeps the software from starting a motion that nobody is ready for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from toughopt.errors import DeviceError, FrameFault
from toughopt.frames.base import TestLimits

Confirm = Callable[[str], bool]
Alarm = Callable[[str], None]


def shout(message: str) -> None:
    """The default alarm: standard error."""
    with suppress(OSError, ValueError):  # what the alarm is about goes on where it cannot be written
        print(message, file=sys.stderr, flush=True)


@dataclass
class FrameGuard:
    """What is known of the space between the plates. All methods may be called from any thread.

    `confirm` is asked before each crosshead movement and must answer True; None lets the frame move unattended, which
    only a configuration that says so should do. `alarm` is told what a person must hear at once.
    """

    confirm: Confirm | None
    alarm: Alarm = shout
    _specimen: str | None = field(default=None, init=False)
    _reasons: dict[str, None] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def on_plate(self) -> str | None:
        """The specimen that lies on the plate, if one was recorded there."""
        return self._specimen

    @property
    def keep_clear_reason(self) -> str | None:
        """Why nothing may move now, or None."""
        return next(iter(self._reasons), None)

    def place(self, specimen: str) -> None:
        """Record that `specimen` now lies on the plate."""
        with self._lock:
            if self._specimen not in (None, specimen):
                raise FrameFault(
                    f"specimen {specimen} cannot be put on the plate while {self._specimen} lies there; take that away"
                )
            self._specimen = specimen

    def remove(self, specimen: str | None = None) -> None:
        """Record that the plate is empty; where a specimen is named, only if it is that one which lay there."""
        with self._lock:
            if specimen is None or self._specimen == specimen:
                self._specimen = None

    @contextmanager
    def reaching_in(self, reason: str) -> Iterator[None]:
        """Keep the frame clear while hands are between the plates; where they fail, it stays so."""
        self.keep_clear(reason)
        yield
        self.release(reason)

    def keep_clear(self, reason: str) -> None:
        """Allow no motion until `release`; frames that follow a test stop it."""
        with self._lock:
            self._reasons[reason] = None

    def release(self, reason: str | None = None) -> None:
        """That reason, or every one, no longer holds."""
        with self._lock:
            if reason is None:
                self._reasons.clear()
            else:
                self._reasons.pop(reason, None)

    def permit(self, specimen: str, limits: TestLimits, frame: str) -> None:
        """Return if the crosshead may move now to crush `specimen`; raise FrameFault with the reason if not."""
        self.check(specimen)
        question = (
            f"{frame}: crush specimen {specimen} at {limits.speed_mm_per_min:g} mm/min, to at most "
            f"{limits.force_n:g} N and {limits.travel_mm:g} mm? Hands and tools away from the plates"
        )
        if not self.allows(question):
            raise FrameFault(f"nobody confirmed that {frame} may crush specimen {specimen}; nothing was moved")
        self.check(specimen)  # the answer may have taken a while

    def allows(self, question: str) -> bool:
        """Whether whoever must confirm a movement does."""
        return self.confirm is None or self.confirm(question)

    def check(self, specimen: str) -> None:
        """Return if the plate holds `specimen` and nobody must be kept clear; raise FrameFault if not."""
        with self._lock:
            if self._reasons:
                raise FrameFault(
                    f"the frame must be kept clear: {next(iter(self._reasons))}; release it, then try again"
                )
            if self._specimen is None:
                raise FrameFault(f"no specimen is recorded on the plate; put {specimen} there before it is crushed")
            if self._specimen != specimen:
                raise FrameFault(f"{self._specimen} lies on the plate, not {specimen}; nothing was moved")


class _Stoppable(Protocol):
    name: str

    def stop(self) -> bool: ...


class Motion:
    """A crosshead movement: unless `done` is called before it is left, it is stopped and seen to stand still.

    Whatever ends it (an error, a time-out, Ctrl-C) the stop is sent; where the standstill could not be verified, the
    alarm says so, and so does the error.
    """

    def __init__(self, frame: _Stoppable, alarm: Alarm) -> None:
        self._frame = frame
        self._alarm = alarm
        self._done = False

    def may_begin(self, stopped: threading.Event) -> None:
        """Raises FrameFault where a stop was asked for before anything moved, such as while a person was asked."""
        if stopped.is_set():
            raise FrameFault(f"{self._frame.name}: stopped before it moved")

    def done(self) -> None:
        """The movement has ended as it should."""
        self._done = True

    def __enter__(self) -> Motion:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._done:
            return
        message = f"{self._frame.name}: the crosshead is NOT known to stand still: press the frame's emergency stop"
        try:
            stands = self._frame.stop()
        except DeviceError as fault:
            stands, message = False, f"{message} ({fault})"
        if stands:
            return
        self._alarm(message)
        if isinstance(error, DeviceError):
            raise FrameFault(f"{error}. {message}") from error
        if error is not None:
            error.add_note(message)


def same_limits(asked: TestLimits, told: TestLimits, share: float = 0.01) -> bool:
    """Whether what a frame says of its limits is what it was told, to within its resolution."""
    pairs = (
        (asked.force_n, told.force_n),
        (asked.travel_mm, told.travel_mm),
        (asked.speed_mm_per_min, told.speed_mm_per_min),
    )
    return all(abs(a - b) <= share * abs(a) for a, b in pairs)
