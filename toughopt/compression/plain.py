"""Any table of numbers under column names, or under a column map that a person gives."""

from __future__ import annotations

from toughopt.compression.base import AS_FOUND, Curve, ReadOptions
from toughopt.compression.curves import curves_of, refuse, usable
from toughopt.compression.tables import find_tables


class PlainReader:
    """Plain CSV, and whatever no other reader knows."""

    name = "plain"

    def recognises(self, text: str) -> bool:
        """Always: the last that is asked."""
        return bool(text.strip())

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve a table and specimen. Raises CurveError when there is none."""
        good, reasons = usable(find_tables(text, options), options)
        if not good:
            raise refuse(reasons)
        titles = [""] if len(good) == 1 else [str(number) for number in range(1, len(good) + 1)]
        return tuple(
            curve for table, title in zip(good, titles, strict=True) for curve in curves_of(table, options, title)
        )
