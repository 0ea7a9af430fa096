"""G-code lines as they go over the wire: cleaned of what a firmware chokes on, numbered, with a checksum."""

from __future__ import annotations

import re
from typing import NamedTuple

from toughopt.errors import ProgramError

MAX_LINE = 95  # characters with number and checksum; a 96-byte command buffer holds no more
MAX_BODY = MAX_LINE - (10 + 5)  # of a command: room for "N99999999 " and "*255" in that
_ESSENTIAL = re.compile(rb"(?:G(?:[0-3]|28|9[0-2])|M(?:10[49]|1[49]0))(?!\d)")
_TEXT_COMMAND = re.compile(r"M0*(?:117|118|0|1|16)(?!\d)", re.IGNORECASE)
_NUMBERED = re.compile(r"N\d+\s*")
_CHECKSUM = re.compile(r"\*\d*\s*$")
_PARENTHESES = re.compile(r"\([^)]*\)")
_NAMED = re.compile(r"[A-Za-z_]{2}")  # Klipper's own commands: the names of heaters and objects after them have a case
_Position = tuple[float | None, float | None, float | None, float | None]
NOWHERE: _Position = (None, None, None, None)


class Command(NamedTuple):
    """One command ready to be sent, with what the host has to know while the machine is at it."""

    body: bytes  # without number, checksum and line end
    source_line: int = 0  # in the file, counted from 1; 0 where the host itself sends it
    solo: bool = False  # nothing may be in flight beside it
    patience_s: float = 3.0  # silence after which the machine is asked whether it has the line
    limit_s: float = 30.0  # silence after which it is given up
    pace_s: float = 1e9  # mean duration of the last moves: how often the machine needs a line
    position: _Position = NOWHERE  # where the machine is told to be after it, None where that is not known
    waits: bool = False  # the machine may take long over it, and report temperatures meanwhile

    @property
    def essential(self) -> bool:
        """Whether no part comes out where it is not carried out: moves, positions, temperatures."""
        return _ESSENTIAL.match(self.body) is not None


def clean(raw: str, where: str) -> str:
    """A line without comments, number, checksum and surrounding blanks; empty where nothing is left to send.

    Raises
    ------
    ProgramError
        If it cannot be sent safely: control or non-ASCII characters, a backslash, too long.
    """
    line = raw.partition(";")[0].strip()
    if not line:
        return ""
    return line if is_clean(line) else _clean_slowly(line, where)


def is_clean(line: str) -> bool:
    """Whether a stripped line without comment can be sent as it is."""
    if not 0 < len(line) <= MAX_BODY or not (line.isascii() and line.isupper() and line.isprintable()):
        return False
    return line[0] not in "N(%/" and not ("*" in line or "(" in line or "\\" in line)


def _clean_slowly(line: str, where: str) -> str:
    line = _NUMBERED.sub("", line, count=1) if line.startswith("N") else line
    line = _CHECKSUM.sub("", line)
    if _TEXT_COMMAND.match(line):
        return _clean_text(line)
    line = _PARENTHESES.sub("", line).strip()
    if not line or line == "%":
        return ""
    if not line.isascii() or not line.isprintable():
        raise ProgramError(f"{where}: {_short(line)} holds characters that are not G-code; is this a G-code file?")
    if "\\" in line or "*" in line or "(" in line:
        raise ProgramError(
            f"{where}: {_short(line)} holds a character that firmware stumbles over (\\, * or an open bracket)"
        )
    if len(line) > MAX_BODY:
        raise ProgramError(
            f"{where}: {_short(line)} is {len(line)} characters long; firmware takes {MAX_BODY} without comment"
        )
    return line if line.startswith(("M23", "M28", "M30", "M32", "M928")) or _NAMED.match(line) else line.upper()


def _clean_text(line: str) -> str:
    """A message for the display: what cannot be sent is replaced, what is too long is cut."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in "\\*" else "?" for char in line)
    plain = plain[:4].upper() + plain[4:]
    return plain[:MAX_BODY].rstrip()


def encode(number: int, body: bytes) -> bytes:
    """``N<number> <body>*<checksum>`` and a newline; the checksum is the XOR of all bytes before the asterisk."""
    line = b"N%d %s" % (number, body)
    folded = int.from_bytes(line, "little")
    folded ^= folded >> 512
    folded ^= folded >> 256
    folded ^= folded >> 128
    folded ^= folded >> 64
    folded ^= folded >> 32
    folded ^= folded >> 16
    folded ^= folded >> 8
    return b"%s*%d\n" % (line, folded & 0xFF)


def _short(line: str) -> str:
    return repr(line if len(line) <= 40 else line[:37] + "...")
