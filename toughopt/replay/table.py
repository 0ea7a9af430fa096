"""A table of measurements as a pool of designs with their replicates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from toughopt.errors import InputError, UnknownName
from toughopt.replay.sheet import read_sheet

Design = dict[str, float | int | str]
_EXPORTED = ("id", "state", "blame", "excluded", "value")  # by these columns one knows what `export` wrote


@dataclass(frozen=True, slots=True)
class Pool:
    """Distinct designs and all that was measured of each.

    designs : n designs
    replicates : n tuples, the measured values of each design, in the order of the table
    """

    designs: tuple[Design, ...]
    replicates: tuple[tuple[float, ...], ...]
    objective: str
    minimize: bool = False

    @property
    def means(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(n,) float: mean of each design's replicates."""
        return np.array([np.mean(values) for values in self.replicates])

    @property
    def scores(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(n,) float: the means, turned so that larger is better."""
        return -self.means if self.minimize else self.means

    def best(self, share: float) -> frozenset[int]:
        """Indices of the best `share` of the designs, by mean; at least one."""
        count = max(1, round(share * len(self.designs)))
        return frozenset(np.argsort(-self.scores, kind="stable")[:count].tolist())


def read_table(path: Path, objective: str, *, parameters: Sequence[str] | None = None, minimize: bool = False) -> Pool:
    """A CSV table, one row a test: a column for the objective, the others parameters unless named.

    Of a campaign's exported table only complete experiments that were not excluded count, and its parameters are known.

    Raises
    ------
    UnknownName
        If a column that was asked for is not there.
    InputError
        If the file is no table, or a value is missing or not finite; the message names the line.
    """
    sheet = read_sheet(path)
    for name in (objective, *(parameters or ())):
        if name not in sheet.columns:
            raise UnknownName(f"column of {path.name}", name, sheet.columns)
    names = list(parameters) if parameters else _parameters(sheet.columns, objective)
    if not names:
        raise InputError(f"{path} has the column {objective!r} only; a design needs at least one parameter")
    if objective in names:
        raise InputError(f"{objective!r} is the objective, so it is no parameter; take it out of --parameters")
    lines = [(row.line, row.cells) for row in sheet.rows]
    if {"id", "state"} <= set(sheet.columns) and "state" not in (parameters or ()):  # what `export` writes
        lines = [(line, row) for line, row in lines if row["state"] == "complete" and row.get("excluded") != "True"]
    for line, row in lines:
        if odd := [name for name in names if _is_odd(row[name])]:
            raise InputError(f"{path}, line {line}: {odd[0]} = {row[odd[0]]!r} is not a finite number")
    numeric = {name: all(_number(row[name]) is not None for _, row in lines) for name in names}
    designs: list[Mapping[str, Any]] = []
    values = []
    for line, row in lines:
        value = _number(row[objective])
        if value is None:
            what = f"= {row[objective]!r} is not a finite number" if row[objective] else "is missing"
            raise InputError(f"{path}, line {line}: {objective} {what}; correct it, or take that row out")
        missing = [name for name in names if not row[name]]
        if missing:
            raise InputError(
                f"{path}, line {line}: {missing[0]} is missing; is it a parameter? --parameters names them"
            )
        designs.append({name: _plain(row[name], numeric[name]) for name in names})
        values.append(value)
    return pooled(designs, values, objective, minimize=minimize)


def _parameters(columns: Sequence[str], objective: str) -> list[str]:
    """The columns that make a design where none are named: all others, or in an export those before the figures."""
    if not set(_EXPORTED) <= set(columns):
        return [column for column in columns if column != objective]
    figures = min(columns.index(name) for name in ("toughness_j", "value") if name in columns)
    return [column for column in columns[:figures] if column not in _EXPORTED]


def pooled(
    designs: Sequence[Mapping[str, Any]], values: Sequence[float], objective: str, *, minimize: bool = False
) -> Pool:
    """One pool of tests: equal designs become one with replicates. Raises InputError where there are fewer than two."""
    grouped: dict[tuple[Any, ...], tuple[Design, list[float]]] = {}
    for design, value in zip(designs, values, strict=True):
        grouped.setdefault(tuple(design.values()), (dict(design), []))[1].append(value)
    if len(grouped) < 2:
        raise InputError(f"there is {len(grouped)} design with a value; a backtest needs at least 2 to choose among")
    kept = list(grouped.values())
    return Pool(tuple(d for d, _ in kept), tuple(tuple(v) for _, v in kept), objective, minimize)


def _number(text: str) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_odd(text: str) -> bool:
    """Whether this is a number that is none, or infinite: a word, not a category."""
    try:
        return bool(text) and not math.isfinite(float(text))
    except ValueError:
        return False


def _plain(text: str, numeric: bool) -> float | int | str:
    if not numeric:
        return text
    value = float(text)
    return int(value) if value.is_integer() and "." not in text and "e" not in text.lower() else value
