"""Scales: Sartorius over a serial line, any scale that prints lines, and a person who reads the display."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from toughopt.errors import ConfigError, DeviceError
from toughopt.frames.lines import LineLink, LineSettings

GRAMS = {"g": 1.0, "mg": 1e-3, "kg": 1e3}
SARTORIUS_LINE = LineSettings(baud=9600, bits=7, parity="O", hardware_flow=True)
SARTORIUS_PRINT = b"\x1bP\r\n"
# optional six-character code, sign, digits, and a unit that is only printed once the reading is stable
SARTORIUS_REPLY = re.compile(
    r"(?:[A-Za-z#][\w/#.]*\s+)?(?P<sign>[+-]?)\s*(?P<value>\d+(?:[.,]\d*)?)(?:\s*\[\d+\])?\s*(?P<unit>[A-Za-z]+)?$"
)
SARTORIUS_TROUBLE = re.compile(r"(?:Stat\s+)?(Err(?:or)?\s*\d*|High|Low|OVER|UNDER|H|L)\b\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Range:
    """What a specimen may weigh, g; anything outside is a reading of something else."""

    least_g: float = 0.01
    most_g: float = 500.0

    def check(self, mass_g: float, scale: str) -> float:
        """`mass_g`, or DeviceError."""
        if not math.isfinite(mass_g) or not self.least_g <= mass_g <= self.most_g:
            raise DeviceError(
                f"{scale}: {mass_g:g} g is not between {self.least_g:g} and {self.most_g:g} g; "
                "is the specimen on the pan, and was the scale zeroed?"
            )
        return mass_g


class SartoriusScale:
    """A Sartorius balance with its standard interface: 9600 baud, 7 bits, odd parity, hardware flow control.

    `ESC P` asks for one reading; a reading without a unit is not yet stable (Sartorius, data interface SBI).
    """

    def __init__(
        self, url: str, name: str = "sartorius", settings: LineSettings = SARTORIUS_LINE, allowed: Range | None = None
    ) -> None:
        self.name = name
        self._allowed = allowed or Range()
        self._link = LineLink(url, settings)

    def weigh(self, timeout_s: float) -> float:
        """See `Scale.weigh`."""
        end = time.monotonic() + timeout_s
        last = "nothing"
        while (left := end - time.monotonic()) > 0:
            self._link.drop()
            self._link.send_bytes(SARTORIUS_PRINT)
            answer = self._link.read(min(left, 2.0))
            if answer is None:
                continue
            last = repr(answer)
            trouble = SARTORIUS_TROUBLE.fullmatch(answer)
            if trouble:
                raise DeviceError(f"{self.name} reports {answer!r}; see to the pan and the scale")
            reading = SARTORIUS_REPLY.fullmatch(answer)
            if reading and reading["unit"]:
                return self._allowed.check(_grams(reading, self.name), self.name)
        raise DeviceError(f"{self.name}: no stable reading within {timeout_s:g} s (the last answer was {last})")

    def close(self) -> None:
        """See `Scale.close`."""
        self._link.close()


def _grams(reading: re.Match[str], scale: str) -> float:
    groups = reading.groupdict()
    unit = groups.get("unit") or "g"
    if unit.lower() not in GRAMS:
        raise DeviceError(f"{scale} weighs in {unit!r}; set it to g")
    sign = -1.0 if groups.get("sign") == "-" else 1.0
    return sign * float(groups["value"].replace(",", ".")) * GRAMS[unit.lower()]


class GenericSerialScale:
    """Any scale that prints lines with a number in them, asked or unasked.

    `expression` has a group `value` and may have `sign` and `unit`; readings are stable once `steady` of them in a row
    agree within `tolerance_g`. `ask` is sent before each reading where the scale does not talk by itself.
    """

    def __init__(
        self,
        url: str,
        expression: str = r"(?P<sign>[+-]?)\s*(?P<value>\d+(?:[.,]\d+)?)\s*(?P<unit>g|mg|kg)?",
        name: str = "serial scale",
        settings: LineSettings | None = None,
        ask: str | None = None,
        steady: int = 3,
        tolerance_g: float = 0.002,
        allowed: Range | None = None,
    ) -> None:
        self.name = name
        self._expression = compiled(expression, {"value"}, {"sign", "unit"}, name)
        self._ask, self._steady, self._tolerance = ask, max(steady, 1), tolerance_g
        self._allowed = allowed or Range()
        self._link = LineLink(url, settings)

    def weigh(self, timeout_s: float) -> float:
        """See `Scale.weigh`."""
        end = time.monotonic() + timeout_s
        readings: list[float] = []
        self._link.drop()
        while (left := end - time.monotonic()) > 0:
            if self._ask is not None:
                self._link.send(self._ask)
            line = self._link.read(min(left, 2.0))
            match = self._expression.search(line) if line is not None else None
            if match is None:
                continue
            readings = [*readings, _grams(match, self.name)][-self._steady :]
            if len(readings) == self._steady and max(readings) - min(readings) <= self._tolerance:
                return self._allowed.check(sum(readings) / len(readings), self.name)
        seen = ", ".join(f"{value:g}" for value in readings) or "none that fits the expression"
        raise DeviceError(f"{self.name}: no stable reading within {timeout_s:g} s (last readings: {seen})")

    def close(self) -> None:
        """See `Scale.close`."""
        self._link.close()


class OperatorScale:
    """A person who reads a display. `ask` gets a question and returns what was typed, or None when nobody answers."""

    def __init__(
        self, ask: Callable[[str, float], str | None], name: str = "operator", allowed: Range | None = None
    ) -> None:
        self.name = name
        self._ask = ask
        self._allowed = allowed or Range()

    def weigh(self, timeout_s: float) -> float:
        """See `Scale.weigh`; asks again, up to three times, where the answer is no mass."""
        question = "Mass of the specimen in g"
        for _ in range(3):
            answer = self._ask(question, timeout_s)
            if answer is None:
                raise DeviceError(f"{self.name}: nobody told the mass of the specimen within {timeout_s:g} s")
            try:
                return self._allowed.check(float(answer.strip().removesuffix("g").replace(",", ".")), self.name)
            except (ValueError, DeviceError) as error:
                question = f"{answer!r} is no mass ({error}). Mass of the specimen in g"
        raise DeviceError(f"{self.name}: three answers that are no mass; weigh the specimen again")

    def close(self) -> None:
        """Nothing to let go."""


def compiled(expression: str, needed: set[str], optional: set[str], owner: str) -> re.Pattern[str]:
    """The compiled expression; ConfigError where it is none, or lacks a group that is needed."""
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ConfigError(f"{owner}: expression = {expression!r} is not a regular expression: {error}") from error
    missing = needed - set(pattern.groupindex)
    unknown = set(pattern.groupindex) - needed - optional
    if missing or unknown:
        raise ConfigError(
            f"{owner}: expression = {expression!r} must name groups {sorted(needed)} and may name {sorted(optional)}"
        )
    return pattern
