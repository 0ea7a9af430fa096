"""Mark-10 MESUR gauge logs: units in the preamble, bare names over the columns."""

from __future__ import annotations

import re
from dataclasses import replace

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import assemble
from toughopt.compression.tables import Table, find_tables

_SIGNS = re.compile(r"^\W*(?:Travel Unit|X-Axis|Readings)\W*[:\t,;]", re.MULTILINE | re.IGNORECASE)
_KEYS = {
    "force": re.compile(r"^\W*(?:Load |Force )?Units?\W*[:\t,;]\W*(\w+)", re.IGNORECASE),
    "displacement": re.compile(r"^\W*Travel Units?\W*[:\t,;]\W*(\w+)", re.IGNORECASE),
    "time": re.compile(r"^\W*Time Units?\W*[:\t,;]\W*(\w+)", re.IGNORECASE),
}
_NAMES = {
    "force": re.compile(r"load|force", re.IGNORECASE),
    "displacement": re.compile(r"travel|position|displacement", re.IGNORECASE),
    "time": re.compile(r"time", re.IGNORECASE),
}


class MesurReader:
    """Mark-10 MESUR gauge."""

    name = "mark10_mesur"

    def recognises(self, text: str) -> bool:
        """By `Travel Unit:`, `X-Axis:` or `Readings:` lines."""
        return _SIGNS.search(text[:5_000]) is not None

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a run. Raises CurveError when there is none."""
        return assemble(tuple(_with_units(table) for table in find_tables(text, options)), options)


def _with_units(table: Table) -> Table:
    told = {
        role: match.group(1)
        for role, pattern in _KEYS.items()
        for line in table.preamble
        if (match := pattern.match(line)) is not None
    }
    told.setdefault("time", "s")
    units = list(table.units)
    for index, name in enumerate(table.names):
        for role, pattern in _NAMES.items():
            if not units[index] and role in told and pattern.search(name):
                units[index] = told[role]
    return replace(table, units=tuple(units))
