"""A reader for the files of a home-made rig.

    BENCH RIG 2
    specimen: tube-7
    0.000  0.0
    0.010  1.3

The columns are mm and newton. It is recognised by its first line, never by the name of the file.
"""

from __future__ import annotations

import numpy as np

from toughopt.compression import Curve, ReadOptions
from toughopt.errors import CurveError

_FIRST = "BENCH RIG 2"


class BenchRigReader:
    """Millimetres and newtons in two columns, under a line that says what they are."""

    name = "bench_rig"

    def recognises(self, text: str) -> bool:
        """Whether the file begins as the rig's files do."""
        return text.startswith(_FIRST)

    def read(self, text: str, options: ReadOptions | None = None) -> tuple[Curve, ...]:
        """The one curve of the file. Raises CurveError where a line is neither a note nor two numbers."""
        specimen, rows = "", []
        for number, line in enumerate(text.splitlines()[1:], start=2):
            if line.startswith("specimen:"):
                specimen = line.partition(":")[2].strip()
            elif line.strip():
                try:
                    travel, force = map(float, line.split())
                except ValueError as error:
                    raise CurveError(f"line {number} is not two numbers: {line!r}; export the file again") from error
                rows.append((travel, force))
        if len(rows) < 2:
            raise CurveError("a bench-rig file with fewer than two rows holds no test")
        table = np.array(rows)
        return (Curve(table[:, 0], table[:, 1], specimen=specimen),)
