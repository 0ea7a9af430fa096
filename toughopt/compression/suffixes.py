"""Logs that write the unit behind every number, as gauges reply: `12.34 N<tab>0.512 mm`."""

from __future__ import annotations

import re

from toughopt.compression.units import parse_unit

_FIELD = re.compile(r"^([+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d{1,4})?)(?: ?([^\W\d_][\w/%²°]{0,11}))?$")
_SUFFIX = re.compile(r"(?<=[\d.,]) ?[^\W\d_][\w/%²°]{0,11}")
_SEPARATORS = ("\t", ";", "|", ",", "  ")
_FEWEST = 3  # rows
_MOST_ODD = 0.02  # share of rows between the first and the last that are none


def with_units_above(text: str) -> str | None:
    """The same log with its units in a row of their own above the first number; None where it is no such log.

    Every row must have the same units: where they change, nothing is read.
    """
    lines = text.split("\n")
    for separator in _SEPARATORS:
        rows = {at: fields for at, line in enumerate(lines) if (fields := _fields(line, separator)) is not None}
        if len(rows) < _FEWEST:
            continue
        units = {tuple(unit for _, unit in fields) for fields in rows.values()}
        between = sum(bool(line.strip()) for line in lines[min(rows) : max(rows) + 1]) - len(rows)
        if len(units) > 1 or between > _MOST_ODD * len(rows):
            return None
        mark = "\t" if separator == "  " else separator
        written = [
            mark.join(number for number, _ in rows[at]) if at in rows else _bare(line, min(rows) < at < max(rows))
            for at, line in enumerate(lines)
        ]
        return "\n".join([*written[: min(rows)], mark.join(f"({unit})" for unit in units.pop()), *written[min(rows) :]])
    return None


def _bare(line: str, inside: bool) -> str:
    """A line that is no row; among the rows without its units, so that it counts as a damaged one."""
    return _SUFFIX.sub("", line) if inside else line


def _fields(line: str, separator: str) -> list[tuple[str, str]] | None:
    """Number and unit of each field, None for a line that has others, or no unit at all, or fewer than two fields."""
    parts = [part.strip() for part in line.strip().split(separator)]
    parts = [part for part in parts if part] if separator == "  " else parts
    matches = [_FIELD.match(part) for part in parts]
    if len(parts) < 2:
        return None
    found: list[tuple[str, str]] = []
    for match in matches:
        if match is None or (match.group(2) and parse_unit(match.group(2)) is None):
            return None
        found.append((match.group(1), match.group(2) or ""))
    return found if any(unit for _, unit in found) else None
