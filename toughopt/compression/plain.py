"""Any table of numbers under column names, or under a column map that a person gives."""

from __future__ import annotations

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import assemble
from toughopt.compression.tables import find_tables


class PlainReader:
    """Plain CSV, and whatever no other reader knows."""

    name = "plain"

    def recognises(self, text: str) -> bool:
        """Always: the last that is asked."""
        return bool(text.strip())

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a table and specimen. Raises CurveError when there is none."""
        return assemble(find_tables(text, options), options)
