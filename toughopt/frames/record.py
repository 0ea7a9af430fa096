"""Writes a curve the way that a test machine's software does, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from toughopt import files

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def raw_data_text(
    displacement_mm: ArrayLike, force_n: ArrayLike, time_s: ArrayLike, preamble: Mapping[str, str] | None = None
) -> str:
    """A raw-data table as Instron's Bluehill exports it: preamble, names, units, rows."""
    import numpy as np

    table = np.column_stack([np.asarray(v, dtype=np.float64) for v in (time_s, displacement_mm, force_n)])
    head = [f'General : {key},"{_plain(value)}",' for key, value in (preamble or {}).items()]
    rows = ["%.4f,%.5f,%.4f" % row for row in map(tuple, table.tolist())]  # noqa: UP031 - twice as fast as format()
    return "\n".join([*head, "", "Time,Extension,Load", "(s),(mm),(N)", *rows, ""])


def write_whole(path: Path, text: str) -> Path:
    """Write `text` so that nobody ever sees a part of it under its final name."""
    files.write_whole(path, text.replace("\n", "\r\n").encode())
    return path


def _plain(value: str) -> str:
    return value.replace('"', "'").replace("\n", " ")
