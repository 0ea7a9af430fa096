"""MTS 793 MPT: several data blocks a file; its first line tells language and decimal mark."""

from __future__ import annotations

import re

import numpy as np

from toughopt.compression.base import AS_FOUND, Curve, Effect, Finding, ReadOptions, Severity
from toughopt.compression.curves import curves_of, refuse, usable
from toughopt.compression.tables import Table, find_tables

_SPECIMEN = re.compile(r"^(?:Probenbezeichnung|Specimen(?: Name| ID)?|Probe)\s*:?\s*\t\s*(.+?)\s*$", re.IGNORECASE)


class Mts793Reader:
    """MTS 793 Multipurpose TestWare."""

    name = "mts793"

    def recognises(self, text: str) -> bool:
        """By its first line, `MTS793|...`."""
        return text.startswith("MTS793|")

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve for blocks that continue each other, one for each other block. Raises CurveError when none is usable."""
        marks = text.split("\n", 1)[0].split("|")
        decimal = marks[5] if len(marks) > 5 and marks[5] in (".", ",") else None
        tables = find_tables(text, options, decimal)
        good, reasons = usable(tables, options)
        if not good:
            raise refuse(reasons)
        specimen = next((m.group(1) for line in tables[0].preamble if (m := _SPECIMEN.match(line))), "")
        joined = _joined(good)
        left_out = (
            ()
            if not reasons
            else (Finding("BLOCK_LEFT_OUT", Severity.INFO, Effect.NONE, f"left out: {'; '.join(reasons[:3])}"),)
        )
        curves = []
        for number, table in enumerate(joined, start=1):
            label = specimen if len(joined) == 1 else f"{specimen} block {number}".strip()
            for curve in curves_of(table, options, label):
                curves.append(
                    Curve(
                        curve.displacement_mm, curve.force_n, curve.time_s, curve.specimen, (), curve.metadata,
                        (*curve.findings, *left_out),
                    )
                )  # fmt: skip
        return tuple(curves)


def _joined(tables: list[Table]) -> list[Table]:
    """Neighbouring blocks with the same columns as one, where the running time goes on."""
    result: list[Table] = []
    for table in tables:
        before = result[-1] if result else None
        if (
            before is not None
            and (before.names, before.units) == (table.names, table.units)
            and _goes_on(before, table)
        ):
            result[-1] = Table(
                before.names, before.units, np.concatenate([before.values, table.values]), before.line,
                before.preamble, before.decimal, before.separator, (*before.findings, *table.findings),
            )  # fmt: skip
        else:
            result.append(table)
    return result


def _goes_on(before: Table, after: Table) -> bool:
    clocks = [i for i, unit in enumerate(before.units) if unit.casefold() in ("s", "sec", "sek")]
    return bool(clocks) and bool(after.values[0, clocks[0]] > before.values[-1, clocks[0]])
