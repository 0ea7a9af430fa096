"""Frames that are put together from parts: a load cell that prints lines, and something that moves the crosshead."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from toughopt.errors import FrameFault
from toughopt.frames.base import TestLimits
from toughopt.frames.folder import Trigger
from toughopt.frames.guard import FrameGuard, Motion, same_limits
from toughopt.frames.lines import LineLink, LineSettings
from toughopt.frames.scales import compiled
from toughopt.frames.tracking import Recording

UNITS = {"n": 1.0, "kn": 1000.0, "g": 9.80665e-3, "kg": 9.80665, "lbf": 4.4482216}
CELL_LINE = LineSettings(baud=115200)
# A whole number with a comma and digits behind it is none: "1,234 kN" is 1.234 kN or 1234 kN, and surely not 1.
NUMBER = r"(?<![\d.,])[+-]?(?:\d+\.\d*|\d+(?![\d.]|,\d))"
ANY_FORCE = rf"(?P<force>{NUMBER})\s*(?P<unit>kN|N|kg|g|lbf)?"


@dataclass(frozen=True, slots=True)
class CellSettings:
    """How the cell's lines are read.

    `expression` has a group `force` and may have `travel` and `unit`. newtons = scale * (number - offset) for a number
    without a unit. Without travel in the lines, travel is speed times time, and the file says so.
    """

    expression: str = ANY_FORCE
    scale: float = 1.0
    offset: float = 0.0
    travel_scale: float = 1.0
    ask: str | None = None  # sent before each reading, where the cell does not talk by itself
    line: LineSettings = CELL_LINE
    silence_s: float = 1.0


class LoadCellFrame:
    """A load cell on a serial line, and a trigger that moves the crosshead and stops it."""

    def __init__(
        self,
        url: str,
        folder: Path,
        guard: FrameGuard,
        trigger: Trigger,
        settings: CellSettings | None = None,
        name: str = "load cell",
    ) -> None:
        self.name = name
        self.guard = guard
        self._folder = folder
        self._trigger = trigger
        self._settings = settings or CellSettings()
        self._expression = compiled(self._settings.expression, {"force"}, {"travel", "unit"}, name)
        self._link = LineLink(url, self._settings.line)
        self._stopped = threading.Event()

    def crush(self, specimen: str, limits: TestLimits, timeout_s: float) -> Path:
        """See `LoadFrame.crush`; the cell must be heard before anything moves."""
        self._stopped.clear()
        self._link.drop()
        self._reading(limits, 0.0)
        self.guard.permit(specimen, limits, self.name)
        recording = Recording(limits)
        with Motion(self, self.guard.alarm) as motion:
            motion.may_begin(self._stopped)
            self._trigger.start(specimen, limits)
            why = self._follow(recording, limits, timeout_s)
            if not self.stop():
                raise FrameFault(f"{self.name}: the test of {specimen} has ended ({why}), the crosshead has not")
            motion.done()
        return recording.write(self._folder, specimen, why)

    def stop(self) -> bool:
        """See `LoadFrame.stop`."""
        self._stopped.set()
        return self._trigger.stop()

    def close(self) -> None:
        """See `LoadFrame.close`."""
        self._link.close()
        self._trigger.close()

    def _follow(self, recording: Recording, limits: TestLimits, timeout_s: float) -> str:
        start = time.monotonic()
        while True:
            why = recording.add(*self._reading(limits, time.monotonic() - start))
            if why is not None:
                return why
            if self._stopped.is_set():
                raise FrameFault(f"{self.name}: the test was stopped")
            if self.guard.keep_clear_reason is not None:
                raise FrameFault(f"{self.name}: stopped to keep clear: {self.guard.keep_clear_reason}")
            if time.monotonic() - start >= timeout_s:
                raise FrameFault(f"{self.name}: the test did not end within {timeout_s:g} s")

    def _reading(self, limits: TestLimits, elapsed_s: float) -> tuple[float, float]:
        s = self._settings
        end = time.monotonic() + s.silence_s
        seen = "nothing"
        while (left := end - time.monotonic()) > 0:
            if s.ask is not None:
                self._link.send(s.ask)
            line = self._link.read(left)
            match = self._expression.search(line) if line is not None else None
            if match is None:
                seen = repr(line) if line is not None else seen
                continue
            groups = match.groupdict()
            unit, travel = groups.get("unit"), groups.get("travel")
            try:
                number = float(groups["force"])
                force = number * UNITS[unit.lower()] if unit else s.scale * (number - s.offset)
                moved = float(travel) * s.travel_scale if travel else elapsed_s * limits.speed_mm_per_min / 60.0
            except (ValueError, KeyError):  # no number, or no unit of force: as if the line did not fit
                seen = repr(line)
                continue
            return moved, force
        raise FrameFault(f"{self.name}: no reading within {s.silence_s:g} s; it sent {seen}")


@dataclass(frozen=True, slots=True)
class SerialTriggerCommands:
    """What starts and stops a frame over a serial line; `{force_n}`, `{travel_mm}`, `{speed_mm_per_min}` are filled in.

    After `set_limits`, `read_limits` is sent, and its answer must fit `limits_expression` with groups of those three
    names. After `stop`, `status` is sent until its answer fits `standing_expression`.
    """

    set_limits: tuple[str, ...]
    read_limits: str
    limits_expression: str
    start: str
    stop: str
    status: str
    standing_expression: str


class SerialTrigger:
    """Starts and stops a frame over a serial line; see `SerialTriggerCommands`."""

    def __init__(
        self,
        url: str,
        commands: SerialTriggerCommands,
        line: LineSettings | None = None,
        name: str = "serial trigger",
        standstill_s: float = 5.0,
    ) -> None:
        self.name = name
        self._commands = commands
        self._standstill_s = standstill_s
        names = {"force_n", "travel_mm", "speed_mm_per_min"}
        self._limits = compiled(commands.limits_expression, names, set(), name)
        self._standing = compiled(commands.standing_expression, set(), set(), name)
        self._link = LineLink(url, line)

    def start(self, specimen: str, limits: TestLimits) -> None:
        """See `Trigger.start`."""
        values = {
            "force_n": limits.force_n,
            "travel_mm": limits.travel_mm,
            "speed_mm_per_min": limits.speed_mm_per_min,
        }
        for command in self._commands.set_limits:
            self._link.send(command.format(**values))
        answer = self._told(self._commands.read_limits, self._limits)
        if answer is None:
            raise FrameFault(f"{self.name} did not read the limits back; nothing was moved")
        told = TestLimits(**{key: float(answer[key]) for key in values})
        if not same_limits(limits, told):
            raise FrameFault(f"{self.name}: asked for {limits}, the frame has {told}; nothing was moved")
        self._link.send(self._commands.start)

    def stop(self) -> bool:
        """See `Trigger.stop`."""
        self._link.send(self._commands.stop)
        end = time.monotonic() + self._standstill_s
        while time.monotonic() < end:
            if self._told(self._commands.status, self._standing, 1.0) is not None:
                return True
        return False

    def close(self) -> None:
        """See `Trigger.close`."""
        self._link.close()

    def _told(self, command: str, expression: re.Pattern[str], timeout_s: float = 2.0) -> re.Match[str] | None:
        self._link.drop()
        self._link.send(command)
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            line = self._link.read(left)
            match = expression.search(line) if line is not None else None
            if match is not None:
                return match
        return None
