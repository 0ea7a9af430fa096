"""Following a test reading by reading: what is recorded, and when it must end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toughopt.frames.record import raw_data_text, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toughopt.frames.base import TestLimits

BREAK_FROM_N = 50.0  # below this peak a fall of force is noise or a specimen that settles
BREAK_DROP = 0.6  # share of the peak by which the force must fall to count as a break
STILL_MM = 0.002  # a crosshead that moves less between readings stands


@dataclass
class Recording:
    """Readings of one test: time in s, travel in mm and force in N, both positive in compression."""

    limits: TestLimits
    clock: Callable[[], float] = time.monotonic
    time_s: list[float] = field(default_factory=list)
    travel_mm: list[float] = field(default_factory=list)
    force_n: list[float] = field(default_factory=list)
    _start: float | None = None

    def add(self, travel_mm: float, force_n: float) -> str | None:
        """Keep a reading; the reason why the test must end now, or None."""
        now = self.clock()
        if self._start is None:
            self._start = now
        self.time_s.append(now - self._start)
        self.travel_mm.append(travel_mm)
        self.force_n.append(force_n)
        peak = max(self.force_n)
        if force_n >= self.limits.force_n:
            return "force limit"
        if travel_mm >= self.limits.travel_mm:
            return "travel limit"
        if peak > BREAK_FROM_N and force_n < (1.0 - BREAK_DROP) * peak:
            return "break"
        return None

    def write(self, folder: Path, specimen: str, why: str) -> Path:
        """The file of this test, under a name that no earlier one has."""
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in specimen)
        path = next(
            candidate
            for number in range(1, 1_000_000)
            if not (candidate := folder / (f"{safe}.csv" if number == 1 else f"{safe}_{number}.csv")).exists()
        )
        preamble = {"Specimen label": specimen, "Rate": f"{self.limits.speed_mm_per_min:g} mm/min", "End": why}
        return write_whole(path, raw_data_text(self.travel_mm, self.force_n, self.time_s, preamble))
