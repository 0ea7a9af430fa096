"""An open line, heard line by line. Exactly one thread reads it: whoever talks to the machine, else one that listens.

Handing every reply from a reader thread to a writer thread would cost more than all the rest of sending a line: two
thread switches each. So the thread that writes also reads, and only while nobody talks does another one listen.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum, auto
from threading import Thread
from typing import NamedTuple

from toughopt.errors import LinkLost
from toughopt.printing.clock import Clock
from toughopt.printing.wire import Port

_LONGEST_LINE = 4096
_KEPT_LINES = 200


class Verb(StrEnum):
    """What can be asked of a print in progress, from any thread."""

    PAUSE = auto()
    RESUME = auto()
    CANCEL = auto()


class Request(NamedTuple):
    """Somebody wants something."""

    verb: Verb
    reason: str


class Link:
    """One open port with somebody at it. After `rest` nobody is, until `attend`.

    `requests` is what other threads ask for: they append to it, then call the port's `wake`.
    """

    def __init__(self, port: Port, clock: Clock, requests: deque[Request] | None = None) -> None:
        self.port = port
        self.clock = clock
        self.requests: deque[Request] = deque() if requests is None else requests
        self._lines: deque[str] = deque()
        self._rest = ""
        self._listener: Thread | None = None
        self._lost: LinkLost | None = None

    @property
    def has_lines(self) -> bool:
        """Whether lines are waiting."""
        return bool(self._lines)

    def line(self, timeout_s: float, heed: bool = False) -> str | None:
        """The next line of the machine; None after `timeout_s` or, where requests are heeded, as soon as one has come.

        Raises
        ------
        LinkLost
            If the line broke.
        """
        if self._lines:
            return self._lines.popleft()
        clock = self.clock
        left = timeout_s
        while not (heed and self.requests):
            began = clock.now()
            patience_s = clock.patience(left)
            data = self.port.read(patience_s)
            if data == b"ok\n" and not self._rest:  # by far the most frequent
                return "ok"
            if data:
                self._split(data)
                if self._lines:
                    return self._lines.popleft()
            elif clock.now() - began >= 0.9 * patience_s:  # else it was woken
                clock.nothing_came(left)
            left -= clock.now() - began
            if left <= 0:
                break
        return None

    def write(self, data: bytes) -> None:
        """Write all of it. Raises LinkLost."""
        self.port.write(data)

    def attend(self) -> None:
        """The calling thread talks to the machine from now on. Raises LinkLost where the line broke meanwhile."""
        if self._listener is not None:
            self.port.rouse()
            self._listener.join()
            self._listener = None
        if self._lost is not None:
            raise self._lost

    def rest(self) -> None:
        """Nobody talks for now: what the machine says is heard, and mostly forgotten."""
        if self._listener is None and not self.port.closed:
            self._listener = Thread(target=self._listen, name=f"listener on {self.port.url}", daemon=True)
            self._listener.start()

    def close(self) -> None:
        """Let the port go."""
        if self._listener is not None:
            self.port.rouse()
            self._listener.join()
            self._listener = None
        self.port.close()

    def _listen(self) -> None:
        try:
            while not self.port.roused():
                data = self.port.read(None)
                self._split(data)
                while len(self._lines) > _KEPT_LINES:
                    self._lines.popleft()
        except LinkLost as error:
            self._lost = error

    def _split(self, data: bytes) -> None:
        oks = data.count(b"ok\n")
        if 3 * oks == len(data) and not self._rest:
            self._lines.extend(["ok"] * oks)
            return
        text = self._rest + data.decode("latin-1") if self._rest else data.decode("latin-1")
        *whole, self._rest = text.split("\n")
        if len(self._rest) > _LONGEST_LINE:
            whole.append(self._rest)
            self._rest = ""
        for raw in whole:
            line = raw.strip(" \t\r\0")
            if line:
                self._lines.append(line)
