"""The folder into which a test machine's own software exports its files, and the frame that is used through it."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from toughopt.errors import ConfigError, FrameFault
from toughopt.frames.base import TestLimits
from toughopt.frames.guard import FrameGuard, Motion

DEFAULT_PATTERN = "Specimen_RawData_{number}.csv"
UNENDED_FACTOR = 10.0  # a file whose last line has no end must be unchanged for this many times longer


@dataclass
class FolderWatch:
    """Waits for the next numbered file, polling, so that it works on network shares as well.

    The next number is one above the largest that is there when `expect` is called or that was returned before, so that
    a file from before a test is never taken for its result. A file counts as complete when it can be opened, its size
    and time have not changed for `settle_s`, and its last line is ended. A file with the same bytes as one that was
    returned before is not returned again.
    """

    folder: Path
    pattern: str = DEFAULT_PATTERN
    settle_s: float = 1.0
    poll_s: float = 0.1
    _returned: set[str] = field(default_factory=set, init=False)
    _last: int = field(default=-1, init=False)
    _regex: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.pattern.count("{number}") != 1:
            raise ConfigError(f"pattern = {self.pattern!r} must contain {{number}} exactly once")
        if not self.folder.is_dir():
            raise ConfigError(f"{self.folder} is not a folder; make it, or say where the frame exports to")
        before, after = self.pattern.split("{number}")
        self._regex = re.compile(rf"{re.escape(before)}(\d+){re.escape(after)}", re.IGNORECASE)

    def numbered(self) -> dict[int, Path]:
        """Every file in the folder that fits the pattern, by number."""
        found: dict[int, Path] = {}
        try:
            for path in self.folder.iterdir():
                match = self._regex.fullmatch(path.name)
                if match:
                    found[int(match[1])] = path
        except OSError as error:
            raise FrameFault(f"{self.folder} cannot be read: {error}; is the share still there?") from error
        return found

    def expect(self) -> int:
        """The number of the file that the next test will leave."""
        return max([0, self._last, *self.numbered()]) + 1

    def wait(self, number: int, timeout_s: float, halted: Callable[[], str | None]) -> Path:
        """The complete file `number`.

        Raises
        ------
        FrameFault
            When it is not complete within `timeout_s`, naming it and what was seen instead; or when `halted` gives a
            reason.
        """
        end = time.monotonic() + timeout_s
        before: tuple[int, int] | None = None
        since = time.monotonic()
        state = "it never appeared"
        pause = threading.Event()
        while True:
            path = self.numbered().get(number)
            look = _look(path)
            now = time.monotonic()
            if look is None or look != before:
                before, since = look, now
            if path is not None:
                state = "it is still being written, or its last line is cut off"
            if path is not None and look is not None and look[0] > 0:
                settled = now - since
                if settled >= self.settle_s and (_ended(path) or settled >= UNENDED_FACTOR * max(self.settle_s, 0.1)):
                    digest = _digest(path)
                    if digest is not None and digest not in self._returned and _look(path) == look:
                        self._returned.add(digest)
                        self._last = max(self._last, number)
                        return path
                    state = "it has the same content as one that was read before"
            reason = halted()
            if reason is not None:
                raise FrameFault(f"{reason} before {self._name(number)} was complete in {self.folder}")
            if now >= end:
                raise FrameFault(self._late(number, timeout_s, state))
            pause.wait(min(self.poll_s, max(end - now, 0.001)))

    def _name(self, number: int) -> str:
        return self.pattern.format(number=number)

    def _late(self, number: int, timeout_s: float, state: str) -> str:
        others = sorted(other for other in self.numbered() if other > number)
        also = f" (newer ones are there: {', '.join(self._name(other) for other in others[:3])})" if others else ""
        return (
            f"{self._name(number)} was awaited in {self.folder} for {timeout_s:g} s: {state}{also}; "
            "check the frame's export folder and the file name that it uses"
        )


def _look(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        stat = path.stat()
        with path.open("rb"):  # a frame on Windows keeps the file locked while it writes
            pass
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _ended(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-min(4, path.stat().st_size), 2)
            return file.read().replace(b"\x00", b"").endswith((b"\n", b"\r"))
    except OSError:
        return False


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


class Trigger(Protocol):
    """Starts and stops a test on a frame whose own software runs it."""

    def start(self, specimen: str, limits: TestLimits) -> None:
        """Set the limits, read them back, and start. Raises DeviceError, with nothing moved, where that fails."""
        ...

    def stop(self) -> bool:
        """Stop; True where the crosshead was seen to stand still."""
        ...

    def close(self) -> None:
        """Let the machine go."""
        ...


class WatchedFolderFrame:
    """A load frame that is started by `trigger` and whose files are found in a folder.

    Without a trigger, whoever is asked by the guard also starts the test at the frame, with the limits that the
    question names set there.
    """

    def __init__(
        self, watch: FolderWatch, guard: FrameGuard, trigger: Trigger | None = None, name: str = "watched folder"
    ) -> None:
        if trigger is None and guard.confirm is None:
            raise ConfigError(f"{name}: with neither a trigger nor a person who confirms, nothing would start the test")
        self.name = name
        self.guard = guard
        self._watch = watch
        self._trigger = trigger
        self._stopped = threading.Event()

    def crush(self, specimen: str, limits: TestLimits, timeout_s: float) -> Path:
        """See `LoadFrame.crush`; a stop, a time-out or Ctrl-C stops the frame."""
        self._stopped.clear()
        number = self._watch.expect()
        self.guard.permit(specimen, limits, self.name)
        with Motion(self, self.guard.alarm) as motion:
            motion.may_begin(self._stopped)
            if self._trigger is not None:
                self._trigger.start(specimen, limits)
            path = self._watch.wait(number, timeout_s, self._halted)
            motion.done()
        return path

    def _halted(self) -> str | None:
        if self._stopped.is_set():
            return "the test was stopped"
        reason = self.guard.keep_clear_reason
        return f"the test was stopped to keep clear ({reason})" if reason is not None else None

    def stop(self) -> bool:
        """See `LoadFrame.stop`; without a trigger nothing can be verified, so it is False."""
        self._stopped.set()
        return self._trigger.stop() if self._trigger is not None else False

    def close(self) -> None:
        """See `LoadFrame.close`."""
        if self._trigger is not None:
            self._trigger.close()
