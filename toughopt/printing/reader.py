"""Reads a program as the machine will: refuses what would harm it, and says how long each command may take."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from math import hypot, sqrt

from toughopt.errors import ProgramError
from toughopt.printing.lines import MAX_BODY, NOWHERE, Command, clean, is_clean
from toughopt.printing.macros import Macro, macro_of, wrong_of
from toughopt.printing.text import LONGEST_RAW
from toughopt.printing.volume import Volume
from toughopt.profiles import PrinterProfile

_CODE = re.compile(r"([GMT])\s*(\d+)")
_WORDS = re.compile(r"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+))"
_STRAIGHT = re.compile(  # the usual move, with nothing in it that would have to be cleaned
    "(G[01]" + "".join(f"(?: {letter}{_NUMBER})?" for letter in "XYZEF") + r")[ \t\r]*(?:;.*)?\n?", re.ASCII
).fullmatch
_RECENT = 32  # moves: more than a planner holds
_LONG_S = 1e9

_REFUSED = {
    "M112": "is an emergency stop",
    "M149": "changes the unit of temperatures",
    "M575": "changes the baud rate in mid-print",
    "M928": "diverts the lines to an SD card",
    "M28": "diverts the lines to an SD card",
    "M997": "updates the firmware",
}
_DROPPED = frozenset({"M110", "M155", "M999"})  # the host's own business
_HOTEND = frozenset({"M104", "M109", "G10", "M568"})
_BED = frozenset({"M140", "M190"})

# how long a command may be silent before it is asked after, and before it is given up, s
_PATIENCE = {
    "G28": (60.0, 240.0),
    "G29": (120.0, 900.0),
    "G33": (120.0, 900.0),
    "G34": (60.0, 600.0),
    "G76": (120.0, 900.0),
    "M48": (60.0, 600.0),
    "M303": (600.0, 1800.0),
    "M400": (60.0, 900.0),
    "T": (30.0, 300.0),
}
_WAITS_FOR_A_PERSON = frozenset({"M0", "M1", "M25", "M125", "M226", "M600", "M701", "M702"})
_SOLO = (
    frozenset({"G4", "G28", "G29", "G33", "G34", "G76", "M48", "M109", "M190", "M303", "M400", "T"})
    | _WAITS_FOR_A_PERSON
)


class ProgramReader:
    """Follows a program line by line: modes, position, heater targets.

    What a program may not do on this printer is a `ProgramError` that names the line, in the `source` that it is of; a
    command that is typed by hand has none.
    """

    def __init__(self, profile: PrinterProfile, source: str) -> None:
        self._limits = profile.limits
        self._volume: Volume | None = Volume(profile.bed)
        self._source = source
        self._takes_macros = profile.firmware == "klipper"
        self._unseen = False  # a macro has run that may have moved, homed and heated
        self._tools = len(profile.nozzles)
        self._targets = [0.0] * self._tools
        self._tool = 0
        self._hot = False
        self._homed = not self._limits.home_first
        self._relative = False
        self._relative_e = False
        self._unit = 1.0
        self._feed = 1500.0 / 60.0
        self._at: list[float | None] = [None, None, None, 0.0]
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._planned_s = 0.0  # what the machine may have planned: the duration of the last moves
        self.line = 0

    def commands(self, lines: Iterable[str]) -> Iterator[Command]:
        """The commands of the lines, in order; comments and blank lines yield none."""
        for raw in lines:
            command = self.read(raw)
            if command is not None:
                yield command

    def read(self, raw: str) -> Command | None:
        """The command of one line, or None where there is nothing to send."""
        self.line += 1
        match = _STRAIGHT(raw)
        if match is not None and not self._relative and len(match[1]) <= MAX_BODY:
            return self._straight(*match.groups())
        if len(raw) > LONGEST_RAW and len(raw.partition(";")[0]) > LONGEST_RAW:
            raise ProgramError(f"{self._where}: a line of more than {LONGEST_RAW} characters; is this a G-code file?")
        body = raw.partition(";")[0].strip()
        if not is_clean(body):
            body = clean(raw, self._where)
            if not body:
                return None
        if body.startswith(("G1 ", "G0 ", "G2 ", "G3 ")):
            return self._move(body)
        return self._other(body)

    @property
    def _where(self) -> str:
        return f"{self._source}, line {self.line}" if self._source else "not sent"

    def _straight(
        self, body: str, x: str | None, y: str | None, z: str | None, e: str | None, feed: str | None
    ) -> Command:
        """A straight move in absolute coordinates, which nearly all lines are: the same as `_move`, without detours."""
        at, unit = self._at, self._unit
        if feed is not None and (speed := float(feed)) > 0:
            self._feed = speed * unit / 60.0
        squares = 0.0
        if x is not None or y is not None or z is not None:
            if not self._homed:
                raise self._unhomed(body)
            if x is not None:
                old, at[0] = at[0], (to := float(x) * unit)
                squares = 0.0 if old is None else (to - old) * (to - old)
            if y is not None:
                old, at[1] = at[1], (to := float(y) * unit)
                squares += 0.0 if old is None else (to - old) * (to - old)
            if z is not None:
                old, at[2] = at[2], (to := float(z) * unit)
                squares += 0.0 if old is None else (to - old) * (to - old)
            if self._volume is not None and not self._volume.holds(at[0], at[1], at[2]):
                raise self._outside(body)
        return self._moved(body, sqrt(squares), None if e is None else float(e) * unit)

    def _move(self, body: str) -> Command:
        words = {letter: float(value) for letter, value in _WORDS.findall(body) if value}
        arc = 3.0 * hypot(words.get("I", 0.0), words.get("J", 0.0)) * self._unit if body[1] in "23" else 0.0
        feed, extruded = words.get("F"), words.get("E")
        if feed is not None and feed > 0:
            self._feed = feed * self._unit / 60.0
        length = max(self._travel([words.get(letter) for letter in "XYZ"], body), arc)
        return self._moved(body, length, None if extruded is None else extruded * self._unit)

    def _moved(self, body: str, length: float, extruded: float | None) -> Command:
        if extruded is not None:
            step = self._extrude(extruded, body)
            length = length or abs(step)
        pace_s = self._follow(length / self._feed)
        at = self._at
        return Command(
            body.encode("ascii"),
            self.line,
            self._relative or (self._relative_e and extruded is not None),
            3.0 + self._planned_s,
            30.0 + self._planned_s,
            pace_s,
            (at[0], at[1], at[2], at[3]),
        )

    def _travel(self, places: list[float | None], body: str) -> float:
        """Go there; how far that is, mm."""
        if places == [None, None, None]:
            return 0.0
        if not self._homed:
            raise self._unhomed(body)
        at, unit = self._at, self._unit
        squares = 0.0
        for axis, place in enumerate(places):
            if place is None:
                continue
            old = at[axis]
            if self._relative:
                step = place * unit
                at[axis] = None if old is None else old + step
            else:
                at[axis] = place * unit
                step = 0.0 if old is None else place * unit - old
            squares += step * step
        if self._volume is not None and not self._volume.holds(at[0], at[1], at[2]):
            raise self._outside(body)
        return sqrt(squares)

    def _unhomed(self, body: str) -> ProgramError:
        return ProgramError(
            f"{self._where}: {body!r} moves before any G28; this printer homes first (limits.home_first)"
        )

    def _outside(self, body: str) -> ProgramError:
        return ProgramError(f"{self._where}: {body!r} leaves the room above the bed; move the part, or see the profile")

    def _follow(self, duration_s: float) -> float:
        """Take note of a move's duration; the mean of the last ones, or very long where there were too few."""
        recent = self._recent
        full = len(recent) == _RECENT
        if full:
            self._planned_s -= recent[0]
        recent.append(duration_s)
        self._planned_s += duration_s
        return self._planned_s / _RECENT if full else _LONG_S

    def _extrude(self, value: float, body: str) -> float:
        old = self._at[3] or 0.0
        new = old + value if self._relative_e else value
        if new > old and not self._hot:
            target = self._targets[self._tool]
            raise ProgramError(
                f"{self._where}: {body!r} extrudes with the nozzle set to {target:g} C, below "
                f"{self._limits.min_extrude_c:g} C (limits.min_extrude_c); heat it before with M109"
            )
        self._at[3] = new
        return new - old

    def _other(self, body: str) -> Command | None:
        match = _CODE.match(body)
        if match is None and self._takes_macros and (macro := macro_of(body)) is not None:
            return self._named(macro, body)
        if match is None:
            raise ProgramError(f"{self._where}: {body[:40]!r} is no G-code command (G, M or T and a number)")
        code = "T" if match[1] == "T" else match[1] + str(int(match[2]))
        if code in _DROPPED:
            return None
        if code in _REFUSED:
            raise ProgramError(f"{self._where}: {code} {_REFUSED[code]}; take it out of the program")
        words = {letter: float(value) if value else None for letter, value in _WORDS.findall(body[match.end() :])}
        if code in ("G0", "G1", "G2", "G3"):
            return self._move(body)
        if body[match.end() : match.end() + 1] == ".":  # G92.1 and its like are commands of their own
            self._forget_position()
            self._volume = None
        else:
            self._modes(code, words)
        self._temperatures(code, words, match, body)
        return self._timed(code, words, body)

    def _named(self, macro: Macro, body: str) -> Command:
        """A command of Klipper's: what it heats is held to the limits; what a macro does is the machine's business."""
        if wrong := wrong_of(macro, self._limits):
            raise ProgramError(f"{self._where}: {body!r} {wrong}")
        if macro.nozzle is not None and macro.nozzle < self._tools:
            self._targets[macro.nozzle] = macro.target_c
        elif macro.name == "TURN_OFF_HEATERS":
            self._targets = [0.0] * self._tools
        elif macro.opaque:
            self._unseen = self._homed = True
            self._forget_position()
        self._hot = self._is_hot()
        return self._timed(macro.name, {}, body)

    def _is_hot(self) -> bool:
        """Whether the nozzle may push filament; one that only a macro can have heated is Klipper's to refuse."""
        target = self._targets[self._tool]
        return target >= self._limits.min_extrude_c or (self._unseen and target == 0.0)

    def _modes(self, code: str, words: dict[str, float | None]) -> None:
        if code in ("G90", "G91"):
            self._relative = self._relative_e = code == "G91"
        elif code in ("M82", "M83"):
            self._relative_e = code == "M83"
        elif code in ("G20", "G21"):
            self._unit = 25.4 if code == "G20" else 1.0
        elif code == "G28":
            self._homed = True
            self._forget_position()
        elif code in ("M18", "M84") and (not words.keys() - {"S"} or not words.keys().isdisjoint("XYZ")):
            self._homed = not self._limits.home_first
            self._forget_position()
        elif code == "G92":
            for axis, letter in enumerate("XYZE"):
                value = words.get(letter, 0.0 if not words else None)
                if value is not None:
                    self._at[axis] = value * self._unit
                    if letter != "E":
                        self._volume = None  # coordinates no longer say where the head is
        elif code in ("G29", "G33", "G34", "G76", "M125", "M600", "M851", "M206", "G27", "G12", "G30"):
            self._forget_position()

    def _forget_position(self) -> None:
        self._at[:3] = NOWHERE[:3]

    def _temperatures(self, code: str, words: dict[str, float | None], match: re.Match[str], body: str) -> None:
        if code == "T":
            self._tool = min(int(match[2]), self._tools - 1)
        elif code in _HOTEND:
            self._hotend(words, body)
        elif code in _BED:
            self._within(self._limits.max_bed_c, "max_bed_c", body)
        elif code == "M303":
            name = "max_bed_c" if (words.get("E") or 0.0) < 0 else "max_nozzle_c"
            self._within(getattr(self._limits, name), name, body)
        elif code in ("M141", "M191") and (words.get("S") or words.get("R")):
            raise ProgramError(f"{self._where}: {body!r} heats a chamber, for which the profile has no limit")
        elif code == "M302" and ((words.get("P") or 0) > 0 or _low(words.get("S"), self._limits.min_extrude_c)):
            raise ProgramError(f"{self._where}: {body!r} allows cold extrusion; take it out of the program")
        self._hot = self._is_hot()

    def _hotend(self, words: dict[str, float | None], body: str) -> None:
        self._within(self._limits.max_nozzle_c, "max_nozzle_c", body)
        chosen = words.get("T", words.get("P"))
        tool = self._tool if chosen is None else int(chosen)
        target = words.get("S", words.get("R"))
        if target is not None and 0 <= tool < self._tools:
            self._targets[tool] = target

    def _within(self, limit: float, name: str, body: str) -> None:
        for letter, value in _WORDS.findall(body):  # all of them: which of two counts is the firmware's choice
            if letter in "SRB" and value and float(value) > limit:
                raise ProgramError(f"{self._where}: {body!r} asks for {value} C, above {limit:g} C (limits.{name})")

    def _timed(self, code: str, words: dict[str, float | None], body: str) -> Command:
        patience, limit = _PATIENCE.get(code, (3.0, 30.0))
        if code in ("M109", "M190"):
            patience = limit = self._limits.heating_timeout_s
        elif code in _WAITS_FOR_A_PERSON:
            patience = limit = self._limits.longest_pause_s
        elif code == "G4":
            patience = (words.get("S") or 0.0) + (words.get("P") or 0.0) / 1000.0 + 3.0 + self._planned_s
            limit = patience + 30.0
        limit += self._planned_s
        at = self._at
        return Command(
            body.encode("ascii"),
            self.line,
            code in _SOLO,
            patience,
            limit,
            waits=code in _SOLO,
            position=(at[0], at[1], at[2], at[3]),
        )


def _low(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def check_lines(lines: Iterable[str], profile: PrinterProfile, source: str) -> int:
    """Read a whole program without sending it; the number of commands.

    Raises
    ------
    ProgramError
        If it may not be printed here, or holds no command.
    """
    reader = ProgramReader(profile, source)
    count = sum(1 for _ in reader.commands(lines))
    if count == 0:
        raise ProgramError(f"{source} holds no G-code command")
    return count
