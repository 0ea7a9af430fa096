"""A virtual balance behind a real serial URL: it speaks as a Sartorius does, wobbles, settles, weighs."""

from __future__ import annotations

import threading

import numpy as np

from toughopt.virtual.talk import Instrument

WOBBLE_READINGS = 2  # readings without a unit before a new load has settled
REPEATABILITY_G = 0.0002
RESOLUTION_G = 0.0001
REQUEST = b"\x1bP"


class VirtualScale(Instrument):
    """One balance; `url` is where it answers. Use it as a context manager, or `close` it."""

    def __init__(self, seed: int = 0, wobble_readings: int = WOBBLE_READINGS) -> None:
        self._rng = np.random.default_rng(seed)
        self._wobble = wobble_readings
        self._load_g = 0.0
        self._noise_g = 0.0
        self._unsettled = 0
        self._fault: str | None = None
        self._lock = threading.Lock()
        super().__init__(self._answer, "virtual-scale")

    def put(self, mass_g: float, seed: int | None = None) -> None:
        """Lay something on the pan; `seed` decides the reading's own error, so that it depends on nothing else."""
        rng = self._rng if seed is None else np.random.default_rng(seed)
        with self._lock:
            self._load_g = mass_g
            self._noise_g = REPEATABILITY_G * float(rng.standard_normal())
            self._unsettled = self._wobble

    def clear(self) -> None:
        """Take it off."""
        with self._lock:
            self._load_g = self._noise_g = 0.0
            self._unsettled = self._wobble

    def break_down(self, message: str | None) -> None:
        """From now on answer `message`, such as `Err 54`; None repairs it."""
        with self._lock:
            self._fault = message

    def _answer(self, command: bytes) -> bytes:
        if not command.endswith(REQUEST):
            return b""
        with self._lock:
            if self._fault is not None:
                return f"{self._fault:>12}\r\n".encode("ascii")
            shown, unit = self._load_g + self._noise_g, "g"
            if self._unsettled > 0:
                shown, unit = shown + 0.05 * self._unsettled, ""
                self._unsettled -= 1
        value = round(shown / RESOLUTION_G) * RESOLUTION_G
        return f"{'-' if value < 0 else '+'} {abs(value):8.4f} {unit:<3}\r\n".encode("ascii")
