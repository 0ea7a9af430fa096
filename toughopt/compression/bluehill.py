"""Instron Bluehill 2, 3 and Universal: raw data and result tables, in any of its languages."""

from __future__ import annotations

import re

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import assemble
from toughopt.compression.tables import Table, find_tables

_SIGNS = re.compile(
    r"Results Table \d|Bluehill|Crosshead Rate|(?:Time|Load|Extension|Displacement) measurement|Primary load|"
    r'^"?\((?:s|sec|min)\)"?[,;\t]"?\((?:mm|cm|m|in|N|kN|lbf)\)|^"?\((?:mm|N|kN)\)"?[,;\t]"?\((?:s|sec|mm|N|kN)\)',
    re.MULTILINE,
)
_SPECIMEN = re.compile(
    r"^\W*(?:(?:Specimen|Probe|Próbka|General|Group|Test)\s*:\s*)?"
    r"(?:Specimen (?:label|name)|Name|Probenname|Nazwa|Specimen)"
    r'\W*[,;\t:]\s*"?([^",;\t]+)',
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"^\W*((?:Results Table|Specimen|Ergebnistabelle|Tabela wyników|Probe|Próbka)\s*#?\d+)\W*$", re.IGNORECASE
)


class BluehillReader:
    """Instron Bluehill."""

    name = "bluehill"

    def recognises(self, text: str) -> bool:
        """Result tables, a row of bracketed units, or `... measurement (unit)` columns."""
        return _SIGNS.search(text[:20_000]) is not None

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a results table and specimen. Raises CurveError when there is none."""
        return assemble(find_tables(text, options), options, _title)


def _title(table: Table) -> str:
    for line in reversed(table.preamble):
        match = _TITLE.match(line.strip())
        if match:
            return match.group(1)
    for line in table.preamble:
        match = _SPECIMEN.match(line)
        if match:
            return match.group(1).strip()
    return ""
