"""MTS TestSuite: a few `Key: value` lines, then names, units and rows."""

from __future__ import annotations

import re

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import assemble
from toughopt.compression.tables import Table, find_tables

_SIGNS = re.compile(
    r"^\W*(?:Test Run(?: Name)?|File Path|Test Procedure|MTS TestSuite|Prüflauf|Dateipfad)\b\W*[:\t,;]",
    re.MULTILINE | re.IGNORECASE,
)
_RUN = re.compile(r'^\W*(?:Test Run(?: Name)?|Specimen(?: Name)?|Prüflauf)\W*[:\t,;]\W*([^"\t]+?)"?\s*$', re.IGNORECASE)


class TestSuiteReader:
    """MTS TestSuite exports."""

    __test__ = False  # not a test case
    name = "mts_testsuite"

    def recognises(self, text: str) -> bool:
        """`Test Run:`, `File Path:` or their German names among the first lines."""
        return _SIGNS.search(text[:5_000]) is not None

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a test run. Raises CurveError when there is none."""
        return assemble(find_tables(text, options), options, _run)


def _run(table: Table) -> str:
    return next((m.group(1) for line in table.preamble if (m := _RUN.match(line))), "")
