"""Several specimens one below the other in one table: where each begins."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.base import Effect, Finding, ReadOptions, Severity
from toughopt.compression.columns import choose_columns
from toughopt.compression.tables import Table
from toughopt.errors import CurveError

_SPECIMEN = re.compile(
    r"^\W*(?:specimen|sample|test piece|test|probe|probekörper|próbka|éprouvette|provino|probeta|proefstuk|vzorek|"
    r"образец|试样|試料|試験片|시편)(?: ?(?:id|no|nr|number|nummer|name|label|番号|编号|名)?\W*)$",
    re.IGNORECASE,
)
_FEWEST = 10  # rows of a specimen
_MOST = 500  # specimens
_BEGINNING = 0.1  # of the time, and of the travel, that a new specimen begins within


def unstacked(table: Table, options: ReadOptions) -> tuple[tuple[Table, str], ...]:
    """The table cut into one a specimen, each with its number; the table itself, without a name, where it holds one.

    A column of specimen numbers or names tells; where there is none, a time and a
    displacement that begin again together do.
    """
    rows, names = _by_name(table)
    if rows:
        effect, severity, why = Effect.NONE, Severity.INFO, "by the column that names them"
    else:
        rows = _by_time(table, options)
        names = [str(number) for number in range(1, len(rows) + 1)]
        effect, severity, why = Effect.WARN, Severity.WARNING, "because time and displacement begin again"
    if len(rows) < 2:
        return ((table, ""),)
    message = f"{len(rows)} specimens one below the other, told apart {why}"
    finding = Finding("SPECIMENS_STACKED", severity, effect, message)
    whole = np.concatenate(table.parts)
    bounds = pairwise([*rows, table.rows])
    return tuple(
        (replace(table, parts=(whole[a:b],), findings=(*table.findings, finding)), name)
        for (a, b), name in zip(bounds, names, strict=True)
    )


def _by_name(table: Table) -> tuple[list[int], list[str]]:
    """Rows at which specimens begin, and their numbers or names."""
    for index, title in enumerate(table.names):
        if table.units[index] or not _SPECIMEN.match(title):
            continue
        names = _names(table, index)
        starts = [0, *(at for at in range(1, len(names)) if names[at] != names[at - 1])]
        if names and _are_specimens(starts, table.rows):
            return starts, [names[at] for at in starts]
    return [], []


def _names(table: Table, index: int) -> list[str]:
    """What a column calls the specimen of each row; empty where it holds other things."""
    words = table.labels.get(index, ())
    if len(words) == table.rows and all(words):
        return list(words)
    number = table.column(index)
    if np.isfinite(number).all() and bool(np.all(number == np.floor(number))):
        return [f"{value:.0f}" for value in number.tolist()]  # all digits: numbers may be long
    return []


def _by_time(table: Table, options: ReadOptions) -> list[int]:
    try:
        columns = choose_columns(table, options)
    except CurveError:
        return []
    if columns.time is None:
        return []
    time = table.column(columns.time.index)
    back = np.flatnonzero(time[1:] < time[:-1]) + 1
    if not 0 < back.size < _MOST:
        return []
    travel = table.column(columns.displacement.index)
    if not np.isfinite(travel).all():
        return []
    starts = [0, *back.tolist()]
    bounds = list(pairwise([*starts, table.rows]))
    if not _are_specimens(starts, table.rows):
        return []
    again = all(_begins(time[a:b], time[:1]) and _begins(travel[a:b], travel[:1]) for a, b in bounds)
    return starts if again else []


def _begins(values: NDArray[np.float64], first: NDArray[np.float64]) -> bool:
    """Whether a specimen's values begin where the first one's do."""
    return bool(abs(values[0] - first[0]) <= _BEGINNING * float(np.ptp(values)))


def _are_specimens(starts: list[int], rows: int) -> bool:
    return 2 <= len(starts) <= _MOST and min(b - a for a, b in pairwise([*starts, rows])) >= _FEWEST
