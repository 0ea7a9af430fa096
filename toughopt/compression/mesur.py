"""Mark-10 MESUR gauge logs: units in the preamble, bare names over the columns."""

from __future__ import annotations

import re

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import assemble
from toughopt.compression.preamble import KEYS, with_units
from toughopt.compression.tables import find_tables

_SIGNS = re.compile(r"^\W*(?:Travel Unit|X-Axis|Readings)\W*[:\t,;]", re.MULTILINE | re.IGNORECASE)
_KEYS = {**KEYS, "force": re.compile(r"^\W*(?:Load |Force )?Units?\W*[:\t,;]\W*(\w+)", re.IGNORECASE)}


class MesurReader:
    """Mark-10 MESUR gauge."""

    name = "mark10_mesur"

    def recognises(self, text: str) -> bool:
        """By `Travel Unit:`, `X-Axis:` or `Readings:` lines."""
        return _SIGNS.search(text[:5_000]) is not None

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a run. Raises CurveError when there is none."""
        tables = (with_units(table, _KEYS, {"time": "s"}) for table in find_tables(text, options))
        return assemble(tuple(tables), options)
