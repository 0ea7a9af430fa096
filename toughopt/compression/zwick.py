"""ZwickRoell testXpert: .TRA and .TXT exports with quoted names."""

from __future__ import annotations

import re

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import assemble
from toughopt.compression.tables import Table, find_tables

_SIGNS = re.compile(
    r"testXpert|Zwick|Pr.{1,3}fzeit|Standardweg|Standardkraft|aktuelle Probe|Standard (?:force|travel)|Test time|"
    r"Pr.{1,3}fgeschwindigkeit",
    re.IGNORECASE,
)
_SPECIMEN = re.compile(
    r'^"?(?:aktuelle Probe|Probenkennung|Probenbezeichnung|Probenname|Specimen (?:ID|no\.?|name)|Current specimen)"?'
    r'[\t;,]\s*"?([^"\t;,]+)',
    re.IGNORECASE,
)


class ZwickReader:
    """ZwickRoell testXpert."""

    name = "zwick_testxpert"

    def recognises(self, text: str) -> bool:
        """By the channel names that testXpert gives."""
        return _SIGNS.search(text[:10_000]) is not None

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a specimen. Raises CurveError when there is none."""
        return assemble(find_tables(text, options), options, _specimen)


def _specimen(table: Table) -> str:
    return next((m.group(1).strip() for line in table.preamble if (m := _SPECIMEN.match(line))), "")
