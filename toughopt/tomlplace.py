"""Where in a TOML file a key stands, so that what is wrong can be told with its line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from toughopt.errors import InputError

_HEADING = re.compile(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")

#: What people write into TOML that is none, and what they mean.
_SLIPS = (
    (re.compile(r'=.*"[^"]*\\[^"]*"'), "in double quotes a backslash begins an escape; write C:/data or 'C:\\data'"),
    (re.compile(r"[=\[{,]\s*(True|False)\b"), "true and false are written small"),
    (re.compile(r"=\s*[+-]?\d+,\d+\s*(#|$|[,}])"), "the decimal mark is a point: 0.5"),
    (
        re.compile(r"=\s*[+-]?[\d.]+\s*([^\W\d_]|[%°])[^\s\"',#\[\]{}]*\s*(#|$)"),
        "a number has no unit behind it; its unit is in the key's name",
    ),
    (re.compile(r"=\s*[^\W\d_][^\"']*(#|$)"), 'text stands in quotes: key = "text"'),
)

Location = tuple[str | int, ...]


def broken_toml(text: str, error: tomllib.TOMLDecodeError) -> str:
    """What is wrong with a text that is no TOML, with advice where the slip is a usual one."""
    found = re.search(r"line (\d+)", str(error))
    lines = text.splitlines()
    line = lines[int(found[1]) - 1] if found and int(found[1]) <= len(lines) else ""
    advice = next((f"; {meant}" for slip, meant in _SLIPS if slip.search(line)), "")
    if "Cannot overwrite" in str(error):
        advice = "; this key is said twice, remove one of them"
    return f"{error}{advice}"


def line_of(location: Sequence[str | int], text: str) -> int:
    """Number of the line, from 1, that says what is at `location`, or the table around it; 0 where no line does.

    Parameters
    ----------
    location : keys and indices from the root, ``("printers", 1, "profile")``
    text : of the TOML file
    """
    return nearest_line(location, text)[1]


def nearest_line(location: Sequence[str | int], text: str) -> tuple[int, int]:
    """How many parts of `location` the best line knows, and its number; (0, 0) where no line knows any."""
    wanted = tuple(location)
    best = (0, 0)
    for number, place in _places(text):
        if place == wanted[: len(place)] and len(place) > best[0]:
            best = (len(place), number)
    return best


def _places(text: str) -> Iterator[tuple[int, Location]]:
    """Line by line, what is defined there."""
    table: Location = ()
    seen: Counter[Location] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _HEADING.match(line):
            table = _resolved(_parts(heading[2]), seen)
            if heading[1] == "[[":
                table = (*table, seen[table])
                seen[table[:-1]] += 1
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_parts(key[1]))


def _parts(dotted: str) -> Location:
    found = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", dotted)
    return tuple(next(part for part in parts if part) if any(parts) else "" for parts in found)


def _resolved(parts: Location, seen: Counter[Location]) -> Location:
    """`[printers.x]` after `[[printers]]` means the newest of them; the last part of `[[...]]` is counted elsewhere."""
    place: Location = ()
    for index, part in enumerate(parts):
        place = (*place, part)
        if index < len(parts) - 1 and seen[place]:
            place = (*place, seen[place] - 1)
    return place


@contextmanager
def said_at(folder: Path, *location: str | int) -> Iterator[None]:
    """Let errors of what is said at `location` in the folder's campaign.toml, if any, begin with file and line."""
    try:
        yield
    except InputError as error:
        path = folder / "campaign.toml"
        line = line_of(location, path.read_text(encoding="utf-8-sig")) if path.is_file() else 0
        if line:
            error.args = (f"{path}, line {line}: {error}",)
        raise
