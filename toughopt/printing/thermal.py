"""The host's own eye on temperatures: too hot, astray from the target, or not reported any more."""

from __future__ import annotations

from collections.abc import Mapping

from toughopt.printing.replies import Temperature
from toughopt.profiles import Limits

SILENCE_S = 10.0
_OVERSHOOT_C = 15.0
_REACHED_C = 5.0
_ASTRAY_NOZZLE_C = 20.0
_ASTRAY_BED_C = 12.0
_ASTRAY_FOR_S = 15.0


class Thermometer:
    """Follows the reports of one print and says what is wrong with them."""

    def __init__(self, limits: Limits, now: float) -> None:
        self.latest: Mapping[str, Temperature] = {}
        self.heard_at = now
        self._limits = limits
        self._reached: dict[str, float] = {}  # heater -> the target that it has been at
        self._astray_since: dict[str, float] = {}

    def hear(self, report: Mapping[str, Temperature], now: float) -> str | None:
        """Take note of a report; what is wrong, or None."""
        self.latest = report
        self.heard_at = now
        for name, heater in report.items():
            fault = self._too_hot(name, heater) or self._astray(name, heater, now)
            if fault:
                return fault
        return None

    def _too_hot(self, name: str, heater: Temperature) -> str | None:
        limit = self._limit(name)
        if limit is None:
            return None
        if heater.actual_c > limit + _OVERSHOOT_C:
            return f"heater {name} is at {heater.actual_c:g} C, though {limit:g} C is its limit"
        if heater.target_c is not None and heater.target_c > limit:
            return (
                f"heater {name} has been set to {heater.target_c:g} C by somebody else, though {limit:g} C is its limit"
            )
        return None

    def _astray(self, name: str, heater: Temperature, now: float) -> str | None:
        target = heater.target_c
        if not target or name[0] not in "TB":
            self._reached.pop(name, None)
            self._astray_since.pop(name, None)
            return None
        off = abs(heater.actual_c - target)
        if off <= _REACHED_C:
            self._reached[name] = target
        if self._reached.get(name) != target or off <= (_ASTRAY_BED_C if name[0] == "B" else _ASTRAY_NOZZLE_C):
            self._astray_since.pop(name, None)
            return None
        since = self._astray_since.setdefault(name, now)
        if now - since < _ASTRAY_FOR_S:
            return None
        return (
            f"heater {name} left its target of {target:g} C: it has been astray, now at {heater.actual_c:g} C, too long"
        )

    def _limit(self, name: str) -> float | None:
        return {"T": self._limits.max_nozzle_c, "B": self._limits.max_bed_c}.get(name[0])
