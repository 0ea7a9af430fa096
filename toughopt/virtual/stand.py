"""A virtual motorised test stand behind a real serial URL: it moves, pushes on a part, and can misbehave.

It answers to the same commands as `toughopt.frames.mark10` sends; the faults are those that a host must survive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from toughopt.virtual.talk import Instrument


@dataclass(frozen=True, slots=True)
class StandFaults:
    """What goes wrong. `silent_from_mm`: no answer any more once the crosshead has come that far."""

    ignores_stop: bool = False
    forgets_limits: bool = False
    silent_from_mm: float | None = None


class VirtualStand(Instrument):
    """One stand. `force_at` gives the force in N on the part at a travel in mm; travel is counted downwards.

    `hurry` is how many times faster than its speed setting it moves, for tests that have no time.
    """

    def __init__(
        self,
        force_at: Callable[[float], float],
        hurry: float = 1.0,
        faults: StandFaults | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._force_at = force_at
        self._hurry = hurry
        self._faults = faults or StandFaults()
        self._clock = clock
        self._lock = threading.Lock()
        self._speed = 10.0
        self._lowest = -100.0
        self._travel = 0.0
        self._direction = 0
        self._since = clock()
        self.moved = threading.Event()  # set by the first movement
        self.furthest_mm = 0.0
        super().__init__(self._answer, "virtual-stand")

    @property
    def standing(self) -> bool:
        """Whether the crosshead stands still."""
        with self._lock:
            self._advance()
            return self._direction == 0

    @property
    def travel_mm(self) -> float:
        """How far the crosshead has come down, mm."""
        with self._lock:
            return -self._advance()

    def _advance(self) -> float:
        now = self._clock()
        self._travel += self._direction * self._speed / 60.0 * self._hurry * (now - self._since)
        self._since = now
        if self._travel <= self._lowest:
            self._travel, self._direction = self._lowest, 0
        self.furthest_mm = max(self.furthest_mm, -self._travel)
        return self._travel

    def _answer(self, command: bytes) -> bytes:
        text = command.decode("latin-1")
        letter, argument = text[:1], text[1:]
        with self._lock:
            travel = self._advance()
            if self._faults.silent_from_mm is not None and -travel >= self._faults.silent_from_mm:
                return b""
            match letter:
                case "u" | "d":
                    self._direction = 1 if letter == "u" else -1
                    self.moved.set()
                case "s" if not self._faults.ignores_stop:
                    self._direction = 0
                case "z":
                    self._travel = 0.0
                case "e" | "h":
                    return self._setting(letter, argument)
                case "x":
                    return f"{travel:.3f} mm\r\n".encode()
                case "n":
                    return f"{self._force_at(-travel):.2f} N {travel:.3f} mm\r\n".encode()
                case _:
                    pass
        return b""

    def _setting(self, letter: str, argument: str) -> bytes:
        if argument and not self._faults.forgets_limits:
            if letter == "e":
                self._speed = float(argument)
            else:
                self._lowest = float(argument)
        if argument:
            return b""
        return f"{self._speed if letter == 'e' else self._lowest:.3f}\r\n".encode()
