"""Values that a program sets and that hold until it sets them again, read off at any row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Setting:
    """A value as it changes over a program.

    rows : (m,) int, rows at which it was set, rising
    values : (m + 1,) float, what it is before the first of them, and from each on
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, changes: Sequence[tuple[int, float]], initial: float) -> Setting:
        """The setting that starts at `initial` and changes as told, (row, value), rows rising."""
        rows = np.array([row for row, _ in changes], dtype=np.int64)
        return cls(rows, np.array([initial, *(value for _, value in changes)], dtype=np.float64))

    def at(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Its value at each row, what the row itself sets included."""
        return self.values[np.searchsorted(self.rows, rows, "right")]


def held(is_set: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) int: index of the last row up to each that is set, -1 before the first."""
    index = np.where(is_set, np.arange(len(is_set)), -1)
    return np.maximum.accumulate(index) if len(index) else index


def held_values(values: NDArray[np.float64], initial: float) -> NDArray[np.float64]:
    """(n,) float: the last value up to each row that is not NaN, `initial` before the first."""
    last = held(~np.isnan(values))
    return np.where(last >= 0, values[last], initial) if len(values) else values


def running(increment: NDArray[np.float64], reset: NDArray[np.float64], initial: float = 0.0) -> NDArray[np.float64]:
    """(n,) float: a value that is set where `reset` is not NaN, and grows by `increment` elsewhere."""
    is_set = ~np.isnan(reset)
    last = held(is_set)
    if not np.any(increment[~is_set]):  # nothing grows: as exact as what was set
        return np.where(last >= 0, reset[last], initial) if len(reset) else reset
    total = np.cumsum(np.where(is_set, 0.0, increment))
    return np.where(last >= 0, reset[last] + (total - total[last]), initial + total)
