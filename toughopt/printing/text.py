"""The lines of a program, from memory or from disk, however long it or they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from toughopt.errors import ProgramError

LONGEST_RAW = 4096  # characters of one line that are looked at
_BINARY_LOOK = 4096


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text, one at a time, without a second copy of it."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def lines_in(path: Path) -> Iterator[str]:
    """The lines of a file, however long it or they are, in bounded memory.

    Raises
    ------
    ProgramError
        If the file cannot be read, or is no text.
    """
    try:
        with path.open("rb") as head:
            start = head.read(_BINARY_LOOK)
        if b"\0" in start or start.startswith(b"GCDE"):
            raise ProgramError(f"{path} is a binary file, not G-code text; export it as plain .gcode")
        with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as file:
            while line := file.readline(LONGEST_RAW + 1):
                if len(line) > LONGEST_RAW and not line.endswith("\n"):
                    _skip_rest(file.readline)
                yield line
    except OSError as error:
        raise ProgramError(f"{path} cannot be read: {error.strerror or error}") from error


def _skip_rest(readline: Callable[[int], str]) -> None:
    """Read a far too long line to its end in pieces, so that only its first piece counts as the line."""
    while (piece := readline(LONGEST_RAW)) and not piece.endswith("\n"):
        continue
