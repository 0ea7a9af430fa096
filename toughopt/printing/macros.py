"""Klipper's own commands and macros in a program: what they heat, and what is no longer known after them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from toughopt.profiles import Limits

_NAMED = re.compile(r"([A-Za-z_][A-Za-z_]\w*)(?=\s|$)", re.ASCII)
_GIVEN = re.compile(r"(\w+)\s*=\s*(\"[^\"]*\"|'[^']*'|\S*)", re.ASCII)
_HEATING = frozenset({"SET_HEATER_TEMPERATURE", "PID_CALIBRATE"})
_HARMLESS = ("SET_", "EXCLUDE_OBJECT", "RESPOND", "TEMPERATURE_WAIT", "TURN_OFF_HEATERS")  # neither move nor heat
_SHIFTING = frozenset({"SET_GCODE_OFFSET", "SET_KINEMATIC_POSITION"})
_HOTEND = re.compile(r"extruder(\d*)", re.ASCII)


class Macro(NamedTuple):
    """One command with a name instead of a number.

    heater : what it heats, as Klipper calls it; empty where it heats nothing that it names
    target_c : how hot; NaN where what is given is no number
    opaque : it may move, home and heat: what it does is written in the machine's own configuration
    """

    name: str
    heater: str
    target_c: float
    opaque: bool

    @property
    def nozzle(self) -> int | None:
        """Which nozzle it heats; None where it heats another thing, or nothing."""
        found = _HOTEND.fullmatch(self.heater)
        return None if found is None else int(found[1] or 0)


def macro_of(body: str) -> Macro | None:
    """The named command in a line without comment; None where it is none."""
    named = _NAMED.match(body)
    if named is None:
        return None
    name = named[1].upper()
    if name not in _HEATING:
        return Macro(name, "", 0.0, name in _SHIFTING or not name.startswith(_HARMLESS))
    given = {key.upper(): value.strip("\"'") for key, value in _GIVEN.findall(body[named.end() :])}
    return Macro(name, given.get("HEATER", ""), _number(given.get("TARGET", "0")), opaque=False)


def wrong_of(macro: Macro, limits: Limits) -> str:
    """What speaks against it within these limits; empty where nothing does."""
    if math.isnan(macro.target_c):
        return "heats to what is no number"
    if macro.target_c <= 0.0:
        return ""
    if macro.nozzle is None and macro.heater != "heater_bed":
        return "heats what the profile has no limit for"
    name = "max_bed_c" if macro.nozzle is None else "max_nozzle_c"
    limit = float(getattr(limits, name))
    return f"asks for {macro.target_c:g} C, above {limit:g} C (limits.{name})" if macro.target_c > limit else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
