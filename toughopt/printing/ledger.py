"""The numbered lines of one print: which were sent, which the machine has, which have to be sent again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from toughopt.printing.lines import NOWHERE, Command


@dataclass(slots=True)
class Sent:
    """A line about to be sent, on its way, or arrived."""

    number: int
    command: Command
    data: bytes
    at: float = 0.0  # when it was sent
    by_ok: bool = True  # an ok said that it arrived; else that was only concluded


class OutOfHistory(Exception):
    """The machine asks for a line that is no longer, or not yet, known."""


class Ledger:
    """Line numbers from 1 on, without gaps; the last `history` acknowledged lines are kept for resends."""

    def __init__(self, history: int = 128) -> None:
        self.flying: deque[Sent] = deque()  # sent and not acknowledged, oldest first
        self.bytes_flying = 0
        self.next = 1  # number of the next line
        self._landed: deque[Sent] = deque(maxlen=history)

    @property
    def last(self) -> int:
        """Number of the last line sent."""
        return self.next - 1

    @property
    def landed(self) -> int:
        """Number of the last line acknowledged; all before it are too."""
        return self.next - 1 - len(self.flying)

    @property
    def position(self) -> tuple[float | None, float | None, float | None, float | None]:
        """Where the lines acknowledged so far leave the machine; the host's own questions move nothing."""
        for sent in reversed(self._landed):
            if sent.command.source_line:
                return sent.command.position
        return NOWHERE

    def in_flight(self, number: int) -> bool:
        """Whether the line of that number is sent and not acknowledged."""
        return bool(self.flying) and self.flying[0].number <= number <= self.flying[-1].number

    def send(self, sent: Sent, now: float) -> None:
        """Line `next` is on its way."""
        sent.at = now
        self.flying.append(sent)
        self.bytes_flying += len(sent.data)
        self.next += 1

    def land(self, by_ok: bool = True) -> None:
        """The oldest line in flight has arrived."""
        sent = self.flying.popleft()
        self.bytes_flying -= len(sent.data)
        if not by_ok:
            sent.by_ok = False
        self._landed.append(sent)

    def rewind(self, number: int) -> tuple[list[Command], int, int]:
        """The machine wants line `number` next: everything before it has landed, the rest is forgotten.

        Returns
        -------
        commands : to be sent again, in order
        not_executed : lines taken back although an ok had said that they arrived
        presumed : lines taken back whose arrival had only been concluded

        Raises
        ------
        OutOfHistory
            If there is no such line.
        """
        if not self.next - len(self.flying) - len(self._landed) <= number <= self.next:
            raise OutOfHistory(f"line {number} was asked for; sent so far: 1 to {self.last}")
        while self.flying and self.flying[0].number < number:
            self.land(by_ok=False)
        again: list[Command] = []
        not_executed = presumed = 0
        while self._landed and self._landed[-1].number >= number:
            sent = self._landed.pop()
            again.insert(0, sent.command)
            not_executed += sent.by_ok
            presumed += not sent.by_ok
        again.extend(sent.command for sent in self.flying)
        self.flying.clear()
        self.bytes_flying = 0
        self.next = number
        return again, not_executed, presumed
