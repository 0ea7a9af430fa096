"""Logs that write the name before every number: `Force:12.3,Position:0.5`, `F = 12.3 N, x = 0.5 mm`, JSON lines."""

from __future__ import annotations

import re
from collections import Counter

from toughopt.compression.units import parse_unit

_PAIR = re.compile(
    r"(?P<name>[^\W\d][\w.]*(?: [^\W\d][\w.]*){0,3})[\"']?\s*[:=]\s*"
    r"(?P<number>[+-]?(?:\d+(?:[.,]\d+)?|\.\d+)(?:[eE][+-]?\d{1,4})?)(?:\s?(?P<unit>[^\W\d_]{1,4})(?![\w:=]))?"
)
_FEWEST = 10  # rows
_MOST_ODD = 0.02  # share of rows that are not like the others

_Row = tuple[tuple[str, str, str], ...]  # name, number, unit


def with_names_above(text: str) -> str | None:
    """The same log as a table with its names in a row above the first number; None where it is no such log.

    The names and units must be the same in all rows but a few: where they change, nothing is read.
    """
    lines = text.split("\n")
    found = {at: row for at, line in enumerate(lines) if len(row := _pairs(line)) >= 2}
    heads = Counter(_head(row) for row in found.values())
    if not heads:
        return None
    head, rows = heads.most_common(1)[0]
    if rows < _FEWEST or len(found) - rows > _MOST_ODD * len(found):
        return None
    names = "\t".join(f"{name} ({unit})" if unit else name for name, unit in head)
    first, last = min(found), max(found)
    body = [
        "\t".join(number for _, number, _ in found[at]) if at in found and _head(found[at]) == head else "\t"
        for at in range(first, last + 1)
        if at in found or lines[at].strip()
    ]
    return "\n".join([*lines[:first], names, *body, *lines[last + 1 :]])


def _pairs(line: str) -> _Row:
    return tuple(
        (match["name"], match["number"], match["unit"] if match["unit"] and parse_unit(match["unit"]) else "")
        for match in _PAIR.finditer(line)
    )


def _head(row: _Row) -> tuple[tuple[str, str], ...]:
    return tuple((name, unit) for name, _, unit in row)
