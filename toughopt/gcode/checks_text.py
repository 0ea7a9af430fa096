"""Checks of the text itself: what a firmware could not take in or would not understand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.comments import content_sha256
from toughopt.gcode.report import Finding, Severity
from toughopt.gcode.tokens import Commands, code

if TYPE_CHECKING:
    from toughopt.gcode.base import Program
    from toughopt.profiles import PrinterProfile

LINE_BUFFER = 95  # characters, line number and checksum included: Marlin's MAX_CMD_SIZE less the end
_STOPS = {code("M112"): "an emergency stop", code("M81"): "the power supply's end"}
_WAITS = {code("M0"): "M0", code("M1"): "M1", code("M25"): "M25", code("M226"): "M226", code("M600"): "M600"}

# What these do to the places of later moves depends on the machine, or is not followed here.
_UNFOLLOWED = {
    **{code(name): (name, "draws a curve") for name in ("G5", "G5.1")},
    **{code(name): (name, "lays arcs in an upright plane") for name in ("G18", "G19")},
    **{code(f"G{number}"): (f"G{number}", "moves in another system of coordinates") for number in range(53, 60)},
    **{code(name): (name, "shifts the origin") for name in ("M206", "M428")},
    **{code(name): (name, "shifts the nozzle's height") for name in ("M290", "M851")},
    code("M92"): ("M92", "changes what a millimetre is"),
    code("M502"): ("M502", "takes the machine's settings back to those of the factory"),
}
_UNFOLLOWED_MACROS = frozenset({"SET_GCODE_OFFSET", "SET_KINEMATIC_POSITION"})
_SOFT_ENDS = code("M211")


def text_findings(commands: Commands, program: Program, profile: PrinterProfile) -> Iterator[Finding]:
    """Lines that are too long, malformed or foreign, commands that stop the machine, and a body that was altered."""
    with_number = commands.sent_length + len("N *255") + np.floor(np.log10(commands.line + 1.0)).astype(int) + 1
    long = np.flatnonzero(with_number > LINE_BUFFER)
    long_foreign = [(line, text) for line, text in commands.foreign if len(text) > LINE_BUFFER]
    if len(long) or (long_foreign and profile.firmware == "marlin"):
        length = int(with_number[long[0]]) if len(long) else len(long_foreign[0][1])
        line = int(commands.line[long[0]]) if len(long) else long_foreign[0][0]
        yield Finding(
            Severity.ERROR,
            "line_too_long",
            f"this command has {length} characters with line number and checksum; a firmware's buffer holds "
            f"{LINE_BUFFER}; split it",
            line=line + 1,
            value=float(length),
            limit=float(LINE_BUFFER),
            unit="characters",
            count=len(long) + len(long_foreign),
        )
    if commands.broken:
        line, text = commands.broken[0]
        yield Finding(
            Severity.ERROR,
            "unreadable",
            f"{text[:60]!r} holds a word without a number",
            line=line + 1,
            count=len(commands.broken),
        )
    if commands.lost_arcs:
        line, wrong = commands.lost_arcs[0]
        yield Finding(
            Severity.ERROR,
            "lost_arc",
            f"the arc {wrong}: firmware refuses it or goes elsewhere; write it as straight moves",
            line=line + 1,
            count=len(commands.lost_arcs),
        )
    yield from _foreign(commands, profile)
    yield from _unfollowed(commands)
    for which, name in _STOPS.items():
        rows = np.flatnonzero(commands.code == which)
        if len(rows):
            yield Finding(
                Severity.ERROR, "stops_machine", f"the program holds {name}", line=int(commands.line[rows[0]]) + 1
            )
    for which, name in _WAITS.items():
        rows = np.flatnonzero(commands.code == which)
        if len(rows):
            yield Finding(
                Severity.WARNING,
                "waits_for_person",
                f"{name} waits for a person",
                line=int(commands.line[rows[0]]) + 1,
                count=len(rows),
            )
    told = program.metadata.get("content_sha256")
    if told is not None and content_sha256(program.text) != told:
        yield Finding(
            Severity.WARNING,
            "altered",
            "its commands are not those that toughopt wrote: the content hash in its own block differs",
        )


def _foreign(commands: Commands, profile: PrinterProfile) -> Iterator[Finding]:
    def is_macro(text: str) -> bool:
        name = text.split(maxsplit=1)[0]
        return name.replace("_", "").isalnum() and name[0].isalpha()

    macros = [(line, text) for line, text in commands.foreign if is_macro(text)]
    garbage = [(line, text) for line, text in commands.foreign if not is_macro(text)]
    if garbage:
        line, text = garbage[0]
        yield Finding(Severity.ERROR, "unreadable", f"{text[:60]!r} is no G-code", line=line + 1, count=len(garbage))
    if macros and profile.firmware != "klipper":
        line, text = macros[0]
        yield Finding(
            Severity.ERROR,
            "unknown_command",
            f"{text[:60]!r} is a command that {profile.firmware} does not know (Klipper's macros look like that)",
            line=line + 1,
            count=len(macros),
        )
    shifts = [(line, text) for line, text in macros if text.split(maxsplit=1)[0].upper() in _UNFOLLOWED_MACROS]
    if shifts and profile.firmware == "klipper":
        line, text = shifts[0]
        yield _not_followed(text[:60], "shifts the origin", line, len(shifts))


def _unfollowed(commands: Commands) -> Iterator[Finding]:
    for which in np.unique(commands.code[np.isin(commands.code, list(_UNFOLLOWED))]):
        rows = np.flatnonzero(commands.code == which)
        name, does = _UNFOLLOWED[int(which)]
        yield _not_followed(name, does, int(commands.line[rows[0]]), len(rows))
    off = [row for row in np.flatnonzero(commands.code == _SOFT_ENDS) if commands.words.get(int(row), {}).get("S") == 0]
    if off:
        yield _not_followed("M211 S0", "lets moves leave the machine's volume", int(commands.line[off[0]]), len(off))


def _not_followed(name: str, does: str, line: int, count: int) -> Finding:
    return Finding(
        Severity.ERROR,
        "not_followed",
        f"{name!r} {does}, so that nobody can say where what follows is printed; take it out, or set it on the machine",
        line=line + 1,
        count=count,
    )
