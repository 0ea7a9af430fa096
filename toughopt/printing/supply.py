"""What is still to be sent: the host's own commands first, then the program, its next lines already put into bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from toughopt.printing.lines import Command, encode


class Supply:
    """Commands in the order in which they are sent, read from `source` no further ahead than they are prepared."""

    def __init__(self, source: Iterator[Command]) -> None:
        self._source = source
        self._first: deque[Command] = deque()  # to be sent before the source goes on
        self._ready: deque[tuple[int, Command, bytes]] = deque()  # of the source: number, command, line

    def insert(self, command: Command) -> None:
        """Send this before the source goes on, after what has been inserted before."""
        self._first.append(command)

    def again(self, commands: Iterable[Command]) -> None:
        """Send these next, in this order."""
        self._first.extendleft(reversed(list(commands)))

    def prepare(self, number: int, count: int) -> None:
        """Read the source until its next `count` lines are at hand; the first of them will have this number."""
        ready = self._ready
        number += len(ready)
        while len(ready) < count:
            command = next(self._source, None)
            if command is None:
                return
            ready.append((number, command, encode(number, command.body)))
            number += 1

    def peek(self, number: int) -> tuple[Command, bytes] | None:
        """What comes next, and what to write for it as line `number`; None where nothing does."""
        if self._first:
            return self._first[0], encode(number, self._first[0].body)
        ready = self._ready
        if not ready:
            self.prepare(number, 1)
            if not ready:
                return None
        prepared, command, data = ready[0]
        if prepared != number:  # something was inserted, or sent again
            data = encode(number, command.body)
            ready[0] = (number, command, data)
        return command, data

    def take(self) -> None:
        """What `peek` has shown has been sent."""
        if self._first:
            self._first.popleft()
        else:
            self._ready.popleft()
