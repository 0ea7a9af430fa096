"""A Mark-10 ESM motorised test stand with its force gauge, over one serial line.

The command set is the stand's PC control protocol: single letters, settings with a number behind the letter; a setting
asked for without a number is read back. Firmware differs: every command can be replaced in the configuration, and a
stand that does not read a setting back as it was set is never moved.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from toughopt.errors import FrameFault, LinkLost
from toughopt.frames.base import TestLimits
from toughopt.frames.guard import FrameGuard, Motion, same_limits
from toughopt.frames.lines import LineLink, LineSettings
from toughopt.frames.tracking import STILL_MM, Recording

LINE = LineSettings(baud=115200, ending="\r")
FORCE = re.compile(r"([+-]?\d+(?:\.\d*)?)\s*(k?N|[kK]gF|lbF)\b")
TRAVEL = re.compile(r"([+-]?\d+(?:\.\d*)?)\s*(mm|in)\b")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")
NEWTONS = {"N": 1.0, "kN": 1000.0, "kgF": 9.80665, "KgF": 9.80665, "lbF": 4.4482216}
MILLIMETRES = {"mm": 1.0, "in": 25.4}
SHORTEST_LOOK_S = 0.2
LOOKS = 5  # at a crosshead that was told to stop, before it counts as moving on


@dataclass(frozen=True, slots=True)
class EsmCommands:
    """What is sent to the stand. `{:06.1f}` and the like are filled in."""

    metric: str = "i"
    zero_travel: str = "z"
    set_speed: str = "e{:06.1f}"
    read_speed: str = "e"
    set_travel_limit: str = "h{:+07.2f}"  # the lower limit: downwards is compression, and negative
    read_travel_limit: str = "h"
    down: str = "d"
    up: str = "u"
    stop: str = "s"
    reading: str = "n"


@dataclass(frozen=True, slots=True)
class EsmSettings:
    """How the stand is used.

    `own_force_limit_n` is the overload limit that was set at the stand itself; it cannot be read over the line, so the
    configuration states it, and no test may ask for more. `force_sign` and `travel_sign` are the signs that the stand
    gives force and travel in compression.
    """

    own_force_limit_n: float
    line: LineSettings = LINE
    commands: EsmCommands = field(default_factory=EsmCommands)
    force_sign: int = 1
    travel_sign: int = -1
    poll_s: float = 0.1
    silence_s: float = 1.0
    lift_mm: float = 0.0  # how far the crosshead goes up again after a test; 0 leaves it to a person


class Mark10Frame:
    """See the module. The host watches force, travel and silence on every reading, and stops."""

    def __init__(
        self, url: str, folder: Path, guard: FrameGuard, settings: EsmSettings, name: str = "Mark-10 ESM"
    ) -> None:
        self.name = name
        self.guard = guard
        self._folder = folder
        self._settings = settings
        self._link = LineLink(url, settings.line)
        self._speed_mm_per_min = 1.0
        self._stopped = threading.Event()

    def crush(self, specimen: str, limits: TestLimits, timeout_s: float) -> Path:
        """See `LoadFrame.crush`."""
        self._stopped.clear()
        if limits.force_n > self._settings.own_force_limit_n:
            raise FrameFault(
                f"{self.name}: {limits.force_n:g} N is more than the {self._settings.own_force_limit_n:g} N set at the "
                "stand itself (own_force_limit_n); nothing was moved"
            )
        self._set_limits(limits)
        self.guard.permit(specimen, limits, self.name)
        recording = Recording(limits)
        with Motion(self, self.guard.alarm) as motion:
            motion.may_begin(self._stopped)
            self._link.send(self._settings.commands.down)
            why = self._follow(recording, timeout_s)
            if not self.stop():
                raise FrameFault(f"{self.name}: the test of {specimen} has ended ({why}), the crosshead has not")
            motion.done()
        path = recording.write(self._folder, specimen, why)
        if self._settings.lift_mm > 0:
            self._lift()
        return path

    def stop(self) -> bool:
        """See `LoadFrame.stop`: sends the stop at once, then watches the travel until it no longer changes."""
        self._stopped.set()
        self._link.send(self._settings.commands.stop)
        # long enough between two looks for a crosshead at test speed to show that it moves
        look_s = max(SHORTEST_LOOK_S, 5.0 * STILL_MM / (self._speed_mm_per_min / 60.0))
        for _ in range(LOOKS):
            try:
                before, _ = self._read()
                threading.Event().wait(look_s)
                after, _ = self._read()
            except (LinkLost, FrameFault):
                return False
            if abs(after - before) < STILL_MM:
                return True
        return False

    def close(self) -> None:
        """See `LoadFrame.close`."""
        self._link.close()

    def _set_limits(self, limits: TestLimits) -> None:
        c, sign = self._settings.commands, self._settings.travel_sign
        self._link.drop()
        self._link.send(c.metric)
        self._link.send(c.zero_travel)
        self._speed_mm_per_min = limits.speed_mm_per_min
        self._link.send(c.set_speed.format(limits.speed_mm_per_min))
        self._link.send(c.set_travel_limit.format(sign * limits.travel_mm))
        speed, travel = self._number(c.read_speed), self._number(c.read_travel_limit)
        told = TestLimits(limits.force_n, abs(travel), speed)
        if not same_limits(limits, told) or travel * sign < 0:
            raise FrameFault(
                f"{self.name}: asked for {limits.speed_mm_per_min:g} mm/min and {sign * limits.travel_mm:g} mm, the "
                f"stand reads back {speed:g} and {travel:g}; nothing was moved"
            )

    def _number(self, command: str) -> float:
        answer = self._link.ask(command, self._settings.silence_s)
        match = NUMBER.search(answer)
        if match is None:
            raise FrameFault(f"{self.name} answers {answer!r} to {command!r}, which holds no number; nothing was moved")
        return float(match[0])

    def _read(self) -> tuple[float, float]:
        """Travel in mm and force in N, positive in compression."""
        s = self._settings
        answer = self._link.ask(s.commands.reading, s.silence_s)
        force, travel = FORCE.search(answer), TRAVEL.search(answer)
        if force is None or travel is None:
            raise FrameFault(f"{self.name} answers {answer!r}; a force and a travel with their units were expected")
        return (
            s.travel_sign * float(travel[1]) * MILLIMETRES[travel[2]],
            s.force_sign * float(force[1]) * NEWTONS[force[2]],
        )

    def _follow(self, recording: Recording, timeout_s: float) -> str:
        end = time.monotonic() + timeout_s
        while True:
            why = recording.add(*self._read())
            if why is not None:
                return why
            if self._stopped.wait(self._settings.poll_s):
                raise FrameFault(f"{self.name}: the test was stopped")
            if self.guard.keep_clear_reason is not None:
                raise FrameFault(f"{self.name}: stopped to keep clear: {self.guard.keep_clear_reason}")
            if time.monotonic() >= end:
                raise FrameFault(f"{self.name}: the test did not end within {timeout_s:g} s")

    def _lift(self) -> None:
        distance = self._settings.lift_mm
        self._stopped.clear()
        if not self.guard.allows(f"{self.name}: raise the crosshead by {distance:g} mm? Hands and tools away"):
            return
        with Motion(self, self.guard.alarm) as motion:
            motion.may_begin(self._stopped)
            start, _ = self._read()
            self._link.send(self._settings.commands.up)
            end = time.monotonic() + 120.0
            while start - self._read()[0] < distance and time.monotonic() < end:
                if self._stopped.wait(self._settings.poll_s):
                    raise FrameFault(f"{self.name}: the lift was stopped")
            if not self.stop():
                raise FrameFault(f"{self.name}: the lift has ended, the crosshead has not")
            motion.done()
