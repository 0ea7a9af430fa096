"""What is still to be sent: the host's own commands first, then the program, its next lines already put into bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from toughopt.printing.ledger import Sent
from toughopt.printing.lines import Command, encode

_AHEAD = 8  # lines made ready at a time: in a row they cost half of what each does alone, between other work


class Supply:
    """Commands in the order in which they are sent, as lines; `source` is read `_AHEAD` lines ahead at most."""

    def __init__(self, source: Iterator[Command]) -> None:
        self._source = source
        self._first: deque[Command] = deque()  # to be sent before the source goes on
        self._ready: deque[Sent] = deque()  # of the source

    def insert(self, command: Command) -> None:
        """Send this before the source goes on, after what has been inserted before."""
        self._first.append(command)

    def again(self, commands: Iterable[Command]) -> None:
        """Send these next, in this order."""
        self._first.extendleft(reversed(list(commands)))

    def prepare(self, number: int, count: int) -> None:
        """Have the next `count` lines of the source at hand; the first of them will have this number."""
        ready = self._ready
        if len(ready) < count:
            first = number + len(ready)
            for coming, command in enumerate(islice(self._source, _AHEAD - len(ready)), first):
                ready.append(Sent(coming, command, encode(coming, command.body)))

    def peek(self, number: int) -> Sent | None:
        """What comes next, as line `number`; None where nothing does."""
        if self._first:
            command = self._first[0]
            return Sent(number, command, encode(number, command.body))
        ready = self._ready
        if not ready:
            self.prepare(number, 1)
            if not ready:
                return None
        upcoming = ready[0]
        if upcoming.number != number:  # something was inserted, or sent again
            upcoming.number = number
            upcoming.data = encode(number, upcoming.command.body)
        return upcoming

    def take(self) -> None:
        """What `peek` has shown has been sent."""
        if self._first:
            self._first.popleft()
        else:
            self._ready.popleft()
