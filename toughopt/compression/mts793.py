"""MTS 793 MPT: several data blocks a file; its first line tells language and decimal mark."""

from __future__ import annotations

import re
from dataclasses import replace

from toughopt.compression.base import AS_FOUND, Curve, Effect, Finding, ReadOptions, Severity
from toughopt.compression.curves import assemble
from toughopt.compression.tables import find_tables

_SPECIMEN = re.compile(r"^(?:Probenbezeichnung|Specimen(?: Name| ID)?|Probe)\s*:?\s*\t\s*(.+?)\s*$", re.IGNORECASE)


class Mts793Reader:
    """MTS 793 Multipurpose TestWare."""

    name = "mts793"

    def recognises(self, text: str) -> bool:
        """By its first line, `MTS793|...`."""
        return text.startswith("MTS793|")

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """One curve for blocks that continue each other, one for each other. Raises CurveError when none is usable."""
        marks = text.split("\n", 1)[0].split("|")
        decimal = marks[5] if len(marks) > 5 and marks[5] in (".", ",") else None
        tables = find_tables(text, options, decimal)
        specimen = next((m.group(1) for line in tables[0].preamble if (m := _SPECIMEN.match(line))), "")
        curves = assemble(tables, options)
        if len(curves) == 1:
            return (replace(curves[0], specimen=specimen),)
        message = f"{len(curves)} blocks with different columns in the file of one test: each is a curve of its own"
        told = Finding("BLOCKS_APART", Severity.WARNING, Effect.WARN, message)
        return tuple(
            Curve(
                c.displacement_mm,
                c.force_n,
                c.time_s,
                f"{specimen} block {c.specimen}".strip(),
                c.warnings,
                c.metadata,
                (*c.findings, told),
            )
            for c in curves
        )
