"""An open line with its reader thread: what the machine says comes out line by line, mixed with what people ask for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum, auto
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from toughopt.errors import LinkLost
from toughopt.printing.clock import Clock
from toughopt.printing.wire import Port

_LONGEST_LINE = 4096


class Verb(StrEnum):
    """What can be asked of a print in progress, from any thread."""

    PAUSE = auto()
    RESUME = auto()
    CANCEL = auto()


class Request(NamedTuple):
    """Somebody wants something."""

    verb: Verb
    reason: str


class Heard(NamedTuple):
    """Whole lines from the machine."""

    port: Port
    lines: list[str]


class Gone(NamedTuple):
    """The line broke."""

    port: Port
    why: LinkLost


Event = Request | Heard | Gone


class Link:
    """One open port. `line` is called by the one thread that also writes.

    Parameters
    ----------
    port : opened already
    events : a queue that others put requests into; what is heard goes there too
    """

    def __init__(self, port: Port, events: SimpleQueue[Event], clock: Clock) -> None:
        self.port = port
        self.clock = clock
        self.requests: deque[Request] = deque()
        self._events = events
        self._lines: deque[str] = deque()
        self._reader = Thread(target=_read, args=(port, events.put), name=f"reader of {port.url}", daemon=True)
        self._reader.start()

    @property
    def has_lines(self) -> bool:
        """Whether lines are waiting."""
        return bool(self._lines)

    def line(self, timeout_s: float) -> str | None:
        """The next line of the machine; None after `timeout_s`, or at once when a request has come.

        Raises
        ------
        LinkLost
            If the line broke.
        """
        while not self._lines:
            event = self.clock.get(self._events, timeout_s)
            if event is None:
                return None
            if isinstance(event, Request):
                self.requests.append(event)
                return None
            if event.port is not self.port:
                continue  # of a line that was given up
            if isinstance(event, Gone):
                raise event.why
            self._lines.extend(event.lines)
        return self._lines.popleft()

    def write(self, data: bytes) -> None:
        """Write all of it. Raises LinkLost."""
        self.port.write(data)

    def close(self) -> None:
        """Let the port go and wait for the reader."""
        self.port.close()
        self._reader.join(timeout=2.0)


def _read(port: Port, put: Callable[[Event], None]) -> None:
    rest = ""
    try:
        while data := port.read():
            rest += data.decode("latin-1")
            if "\n" not in rest and len(rest) < _LONGEST_LINE:
                continue
            *lines, rest = rest.split("\n")
            if len(rest) >= _LONGEST_LINE:
                lines.append(rest)
                rest = ""
            whole = [line for line in (raw.strip(" \t\r\0") for raw in lines) if line]
            if whole:
                put(Heard(port, whole))
    except LinkLost as error:
        put(Gone(port, error))
