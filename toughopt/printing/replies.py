"""What a Marlin-like firmware says, line by line, told apart tolerantly: reports come unasked, split and garbled."""

from __future__ import annotations

import re
from enum import StrEnum, auto
from typing import NamedTuple


class Kind(StrEnum):
    """What a line from the machine means to the host."""

    OK = auto()
    RESEND = auto()
    LINE_ERROR = auto()  # a number or checksum was wrong; a resend should follow
    FATAL = auto()  # the firmware stopped itself, or says that the hardware failed
    ERROR = auto()  # an error that spoils the print, though the firmware goes on
    BUSY = auto()
    PAUSED = auto()  # busy, waiting for a person
    WAIT = auto()  # idle, with nothing in its queue
    RESET = auto()  # it has just started
    ACTION = auto()  # //action:…
    TEMPERATURE = auto()
    POSITION = auto()
    FIRMWARE = auto()
    CAPABILITY = auto()
    UNKNOWN_COMMAND = auto()
    COLD = auto()  # cold extrusion prevented
    LOCKED = auto()
    NOTE = auto()  # something for people
    NOISE = auto()  # not understood: perhaps a garbled reply


class Temperature(NamedTuple):
    """One heater, deg C; target None where the firmware does not say."""

    actual_c: float
    target_c: float | None


class Reply(NamedTuple):
    """One line, understood."""

    kind: Kind
    text: str = ""
    number: int | None = None  # of the line that is acknowledged or asked for
    planner: int | None = None  # free places, where ADVANCED_OK is on
    buffers: int | None = None
    temperatures: dict[str, Temperature] | None = None
    last_line: int | None = None  # the last line that the firmware accepted, as an error says


PLAIN_OK = Reply(Kind.OK, "ok")

_OK = re.compile(r"ok(?:\s+N?(\d+))?(?:\s+P(-?\d+))?(?:\s+B(-?\d+))?(?=\s|$)")
_RESEND = re.compile(r"(?:resend|rs)\b\s*:?\s*N?:?\s*(\d+)", re.IGNORECASE)
_HEATER = re.compile(r"(?<![A-Za-z@])([TBCPLR]\d*):\s*(-?\d+(?:\.\d+)?)(?:\s*/\s*(-?\d+(?:\.\d+)?))?")
_POSITION = re.compile(r"^(?:ok )?X:\s*(-?\d+\.?\d*)\s+Y:\s*(-?\d+\.?\d*)\s+Z:\s*(-?\d+\.?\d*)\s+E:\s*(-?\d+\.?\d*)")
_UNKNOWN = re.compile(r'unknown command:\s*"?(.*?)"?\s*$', re.IGNORECASE)
_CAPABILITY = re.compile(r"Cap:\s*(\w+)\s*:\s*([01])")
_LAST_LINE = re.compile(r"last line:?\s*(\d+)", re.IGNORECASE)
_START = "start"  # alone on its line: people say other things that begin so
_RESETS = ("External Reset", "PowerUp", "Power-up", "Brown out Reset", "Watchdog Reset", "Software Reset")

_LINE_ERRORS = ("checksum", "line number", "no line", "expected line", "format error")
_FATALS = (
    "kill() called",
    "printer halted",
    "thermal runaway",
    "heating failed",
    "maxtemp",
    "mintemp",
    "extruder switched off",
    "heated bed switched off",
    "homing failed",
    "probing failed",
    "emergency stop",
    "m112",
    "shutdown",
    "malfunction",
)
_NOT_DONE = ("printer stopped", "home xyz first", "invalid extruder")  # a command was read, and not carried out
_HARMLESS_ERRORS = (
    "sd init",
    "sd card",
    "volume.init",
    "openroot",
    "open failed",
    "no media",
    "no sd",
    "eeprom",
    "writing",
)


def parse(line: str) -> Reply:
    """What one line (without its end, decoded as Latin-1) means.

    Never raises: what cannot be understood is `NOISE`, or a `NOTE` where it looks meant for people.
    """
    if line == "ok":
        return PLAIN_OK
    if line.startswith("ok"):
        return _parse_ok(line)
    lower = line.lower()
    if match := _RESEND.match(line):
        return Reply(Kind.RESEND, line, number=int(match[1]))
    if lower.startswith(("error:", "!!", "fatal:", "// klipper state: shutdown")):
        return _parse_error(line, lower)
    if lower.startswith("//"):  # without "action:" it is for people: Klipper begins all it has to say so
        remark = line[2:].strip()
        return Reply(Kind.ACTION, remark) if remark.lower().startswith("action:") else Reply(Kind.NOTE, line)
    if lower.startswith(("echo:busy:", "busy:")):
        return Reply(Kind.PAUSED if "paused for" in lower else Kind.BUSY, line)
    if lower == "wait":
        return Reply(Kind.WAIT, line)
    if lower.startswith("cap:"):
        return Reply(Kind.CAPABILITY, line)
    if "FIRMWARE_NAME:" in line:
        return Reply(Kind.FIRMWARE, line)
    bare = line.removeprefix("echo:").strip()
    if bare == _START or bare.startswith(_RESETS):
        return Reply(Kind.RESET, line)
    if _POSITION.match(line):
        return Reply(Kind.POSITION, line)
    if lower.startswith("echo:"):
        return _parse_echo(line, lower)
    if temperatures := heaters(line):
        return Reply(Kind.TEMPERATURE, line, temperatures=temperatures)
    return Reply(Kind.NOTE if len(line) > 8 and line.isascii() and line.isprintable() else Kind.NOISE, line)


def heaters(line: str) -> dict[str, Temperature]:
    """Heater -> temperature and target, from any line that reports some: ``T:210.1 /210.0 B:60.0 /60.0 @:0``."""
    found = {}
    for name, actual, target in _HEATER.findall(line):
        found[name] = Temperature(float(actual), float(target) if target else None)
    return found if any(name[0] in "TB" for name in found) else {}


def position(line: str) -> tuple[float, float, float, float] | None:
    """X, Y, Z and E of an M114 report, mm."""
    match = _POSITION.match(line)
    return (float(match[1]), float(match[2]), float(match[3]), float(match[4])) if match else None


def capabilities(line: str) -> dict[str, bool]:
    """Capability -> whether the firmware has it, from a ``Cap:NAME:1`` line."""
    return {name: value == "1" for name, value in _CAPABILITY.findall(line)}


def is_bare_error(line: str) -> bool:
    """Whether an error's cause follows on the next line (``Error:0`` / ``: Extruder switched off…``)."""
    return re.fullmatch(r"Error:\s*\d*", line, re.IGNORECASE) is not None


def _parse_ok(line: str) -> Reply:
    match = _OK.match(line)
    if match is None:
        return Reply(Kind.NOISE, line)
    number, planner, buffers = (int(group) if group else None for group in match.groups())
    temperatures = heaters(line) if ":" in line else None
    return Reply(Kind.OK, line, number, planner, buffers, temperatures or None)


def _parse_error(line: str, lower: str) -> Reply:
    if lower.startswith(("!!", "fatal:", "// klipper")):
        return Reply(Kind.FATAL, line)
    if any(sign in lower for sign in _FATALS):
        return Reply(Kind.FATAL, line)
    if any(sign in lower for sign in _LINE_ERRORS):
        match = _LAST_LINE.search(line)
        return Reply(Kind.LINE_ERROR, line, last_line=int(match[1]) if match else None)
    if any(sign in lower for sign in _HARMLESS_ERRORS):
        return Reply(Kind.NOTE, line)
    return Reply(Kind.ERROR, line)


def _parse_echo(line: str, lower: str) -> Reply:
    if match := _UNKNOWN.search(line):
        return Reply(Kind.UNKNOWN_COMMAND, match[1])
    if "cold extrusion prevented" in lower:
        return Reply(Kind.COLD, line)
    if "printer locked" in lower:
        return Reply(Kind.LOCKED, line)
    if any(sign in lower for sign in _NOT_DONE):
        return Reply(Kind.ERROR, line)
    return Reply(Kind.NOTE, line)
