"""Shimadzu Trapezium: specimens side by side, three columns each, under labels such as `1 _ 1`."""

from __future__ import annotations

import re

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import assemble
from toughopt.compression.tables import Table, find_tables

_LABELS = re.compile(r'^\s*"?\d+ ?_ ?\d+"?\s*(?:[,;\t]|$)', re.MULTILINE)


class TrapeziumReader:
    """Shimadzu Trapezium 2 and X."""

    name = "shimadzu_trapezium"

    def recognises(self, text: str) -> bool:
        """By a row of labels `1 _ 1`, or by its name."""
        head = text[:5_000]
        return _LABELS.search(head) is not None or "trapezium" in head.casefold()

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a specimen, shorter ones ending earlier. Raises CurveError when there is none."""
        return assemble(find_tables(text, options), options, _label)


def _label(table: Table) -> str:
    line = next((line for line in reversed(table.preamble) if line.strip()), "")
    return line.strip(' ",;\t') if _LABELS.match(line) else ""
