"""Heaters in closed form: temperature as a function of time, when a target is reached, when protection trips.

A heater is a first-order system: at full power it tends to `full_c`, without power to `ambient_c`, with the same time
constant, and a perfect controller holds it at its target. So nothing has to be integrated, and a wait of ten virtual
minutes costs as much as one of a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from math import exp, inf, log

AMBIENT_C = 23.0

# Marlin's defaults (Configuration.h and Configuration_adv.h, 2.1).
WINDOW_C = 1.0  # TEMP_WINDOW, TEMP_BED_WINDOW
RESIDENCY_S = 10.0  # TEMP_RESIDENCY_TIME, TEMP_BED_RESIDENCY_TIME
WATCH_HOTEND_S, WATCH_BED_S = 20.0, 60.0  # WATCH_TEMP_PERIOD, WATCH_BED_TEMP_PERIOD
WATCH_RISE_C = 2.0  # WATCH_TEMP_INCREASE
RUNAWAY_HOTEND_S, RUNAWAY_BED_S = 40.0, 20.0  # THERMAL_PROTECTION_PERIOD, THERMAL_PROTECTION_BED_PERIOD
RUNAWAY_HOTEND_C, RUNAWAY_BED_C = 4.0, 2.0  # THERMAL_PROTECTION_HYSTERESIS, THERMAL_PROTECTION_BED_HYSTERESIS
COOLING_SLOPE_C, COOLING_SLOPE_HOTEND_S, COOLING_SLOPE_BED_S = 1.5, 60.0, 60.0  # MIN_COOLING_SLOPE_*


class HeaterFault(StrEnum):
    """What can be wrong with a heater."""

    NONE = auto()
    OPEN = auto()  # no power reaches it
    STUCK = auto()  # its switch no longer opens


@dataclass(frozen=True, slots=True)
class HeaterKind:
    """What a heater can do and how its firmware watches it."""

    full_c: float
    tau_s: float
    watch_s: float
    runaway_s: float
    runaway_c: float
    cooling_slope_s: float


HOTEND = HeaterKind(400.0, 110.0, WATCH_HOTEND_S, RUNAWAY_HOTEND_S, RUNAWAY_HOTEND_C, COOLING_SLOPE_HOTEND_S)
BED = HeaterKind(150.0, 300.0, WATCH_BED_S, RUNAWAY_BED_S, RUNAWAY_BED_C, COOLING_SLOPE_BED_S)


@dataclass(frozen=True, slots=True)
class Trip:
    """When protection will stop the machine, and what it will say."""

    at_s: float
    message: str


NEVER = Trip(inf, "")


class Heater:
    """One heater with its sensor; it changes only when told to, all else is a function of time."""

    __slots__ = (
        "_base_c",
        "_hold_c",
        "_level_c",
        "_settled_s",
        "_since_s",
        "fault",
        "kind",
        "max_c",
        "name",
        "target_c",
    )

    def __init__(self, name: str, kind: HeaterKind, max_c: float) -> None:
        self.name = name  # as in "Heater_ID: "
        self.kind = kind
        self.max_c = max_c
        self.target_c = 0.0
        self.fault = HeaterFault.NONE
        self._aim(0.0, AMBIENT_C)

    def at(self, time_s: float) -> float:
        """Temperature, deg C."""
        if time_s >= self._settled_s:
            return self._hold_c
        level = self._level_c
        return level + (self._base_c - level) * exp((self._since_s - time_s) / self.kind.tau_s)

    def steady(self, time_s: float, within_c: float = 0.5) -> bool:
        """Whether the temperature no longer changes by more than `within_c`."""
        end = self._hold_c if self._settled_s < inf else self._level_c
        return abs(self.at(time_s) - end) <= within_c

    def set_target(self, time_s: float, target_c: float) -> None:
        """From `time_s` on, aim at `target_c`; 0 is off."""
        base_c = self.at(time_s)
        self.target_c = max(target_c, 0.0)
        self._aim(time_s, base_c)

    def set_fault(self, time_s: float, fault: HeaterFault) -> None:
        """From `time_s` on, the heater behaves as `fault` says."""
        base_c = self.at(time_s)
        self.fault = fault
        self._aim(time_s, base_c)

    def power(self, time_s: float) -> int:
        """What the firmware reports as output, 0 to 127."""
        if self.target_c <= 0.0:
            return 0
        now_c = self.at(time_s)
        if now_c < self.target_c - WINDOW_C:
            return 127
        if now_c > self.target_c + WINDOW_C:
            return 0
        return round(127 * (self.target_c - AMBIENT_C) / (self.kind.full_c - AMBIENT_C))

    def when_at(self, time_s: float, *, also_cooling: bool) -> float:
        """Time at which it has come within the window of its target; inf where it never does."""
        target = self.target_c
        now_c = self.at(time_s)
        if abs(now_c - target) <= WINDOW_C or (not also_cooling and now_c >= target):
            return time_s
        edge = target - WINDOW_C if now_c < target else target + WINDOW_C
        return self._crosses(time_s, now_c, edge)

    def when_cooling_stalls(self, time_s: float) -> float:
        """Time at which it cools so slowly that the firmware stops waiting for it."""
        span = self.kind.cooling_slope_s
        excess = (self.at(time_s) - self._level_c) * (1.0 - exp(-span / self.kind.tau_s))
        wait = self.kind.tau_s * log(excess / COOLING_SLOPE_C) if excess > COOLING_SLOPE_C else 0.0
        return time_s + wait + span

    def trip(self, time_s: float) -> Trip:
        """When, as things stand at `time_s`, the firmware's protection stops the machine."""
        now_c = self.at(time_s)
        if self.fault is HeaterFault.STUCK:
            return Trip(self._crosses(time_s, now_c, self.max_c), "MAXTEMP triggered")
        if self.fault is HeaterFault.NONE or self.target_c <= 0.0:
            return NEVER
        if now_c < self.target_c - WATCH_RISE_C - 1.0:
            return Trip(time_s + self.kind.watch_s, "Heating failed")
        low = self._crosses(time_s, now_c, self.target_c - self.kind.runaway_c)
        return Trip(low + self.kind.runaway_s, "Thermal Runaway")

    def _aim(self, time_s: float, base_c: float) -> None:
        target = self.target_c if self.fault is HeaterFault.NONE else 0.0
        rising = target > base_c or self.fault is HeaterFault.STUCK
        self._base_c, self._since_s = base_c, time_s
        self._level_c = self.kind.full_c if rising else AMBIENT_C
        self._hold_c = target if target > AMBIENT_C else self._level_c
        self._settled_s = self._crosses(time_s, base_c, self._hold_c)

    def _crosses(self, time_s: float, from_c: float, to_c: float) -> float:
        """When the present drive carries `from_c` to `to_c`."""
        if from_c == to_c:
            return time_s
        ratio = (to_c - self._level_c) / (from_c - self._level_c) if from_c != self._level_c else -1.0
        return time_s - self.kind.tau_s * log(ratio) if 0.0 < ratio <= 1.0 else inf
