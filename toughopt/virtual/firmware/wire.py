"""The line between host and machine, and what it does to bytes."""

from __future__ import annotations

from collections import Counter, deque
from math import inf
from random import Random
from typing import TYPE_CHECKING

from toughopt.virtual.firmware.faults import Fault, FaultKind, FaultPlan, FaultSchedule

if TYPE_CHECKING:
    from collections.abc import Callable


class OneWay:
    """One direction; bytes keep their order, whatever delays some of them."""

    __slots__ = ("_held", "_line", "_schedule", "_until_s")

    def __init__(self, plan: FaultPlan, seed: int) -> None:
        self._schedule = FaultSchedule(plan, seed)
        self._line = 0
        self._held: deque[tuple[float, bytes]] = deque()
        self._until_s = -inf

    @property
    def counts(self) -> Counter[str]:
        """How often each fault happened."""
        return self._schedule.counts

    @property
    def due_s(self) -> float:
        """When held bytes go on, on the caller's clock; inf where none are held."""
        return self._held[0][0] if self._held else inf

    def add(self, fault: Fault) -> None:
        """One more fault, from the next line on."""
        self._schedule.add(fault, self._line)

    def carry(self, data: bytes, wall_s: float) -> bytes:
        """Hand in bytes; returns what arrives at the other end now."""
        lines = data.count(b"\n")
        if not self._held and self._schedule.next_line > self._line + lines:
            self._line += lines
            return data
        for piece in data.splitlines(keepends=True):
            if piece.endswith(b"\n"):
                self._line += 1
                if self._schedule.next_line <= self._line:
                    piece = self._disturbed(piece, wall_s)
            self._held.append((max(self._until_s, wall_s), piece))
        arrived = bytearray()
        while self._held and self._held[0][0] <= wall_s:
            arrived += self._held.popleft()[1]
        return bytes(arrived)

    def lose(self) -> None:
        """What is on its way is lost."""
        self._held.clear()

    def _disturbed(self, piece: bytes, wall_s: float) -> bytes:
        for fault, rng in self._schedule.due(self._line):
            if fault.kind in _DELAYS:
                self._until_s = max(self._until_s, wall_s + fault.size)
            elif piece:
                piece = _DISTURBANCES[fault.kind](piece, rng, fault)
        return piece


def _garble(piece: bytes, rng: Random, fault: Fault) -> bytes:
    changed = bytearray(piece)
    for _ in range(max(1, round(fault.size))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _drop(piece: bytes, rng: Random, fault: Fault) -> bytes:
    at = rng.randrange(len(piece))
    return piece[:at] + piece[at + 1 :]


def _double(piece: bytes, rng: Random, fault: Fault) -> bytes:
    at = rng.randrange(len(piece))
    return piece[: at + 1] + piece[at:]


def _swap(piece: bytes, rng: Random, fault: Fault) -> bytes:
    if len(piece) < 3:
        return piece
    at = rng.randrange(len(piece) - 2)
    return piece[:at] + piece[at + 1 : at + 2] + piece[at : at + 1] + piece[at + 2 :]


def _lose_line(piece: bytes, rng: Random, fault: Fault) -> bytes:
    return b""


def _lose_newline(piece: bytes, rng: Random, fault: Fault) -> bytes:
    return piece[:-1]


_DELAYS = frozenset({FaultKind.DELAY_IN, FaultKind.DELAY_OUT, FaultKind.SILENCE})
_DISTURBANCES: dict[FaultKind, Callable[[bytes, Random, Fault], bytes]] = {
    FaultKind.GARBLE_IN: _garble,
    FaultKind.GARBLE_OUT: _garble,
    FaultKind.DROP_IN: _drop,
    FaultKind.DROP_OUT: _drop,
    FaultKind.DOUBLE_IN: _double,
    FaultKind.DOUBLE_OUT: _double,
    FaultKind.SWAP_IN: _swap,
    FaultKind.LOST_LINE: _lose_line,
    FaultKind.LOST_NEWLINE: _lose_newline,
}
