"""Designs to try: seeded, valid, one column a parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from toughopt.families import Family


def draw(family: Family, count: int, seed: int) -> dict[str, np.ndarray]:
    """`count` designs, uniform in the family's box, valid or not."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for parameter in family.parameters:
        if parameter.kind == "categorical":
            columns[parameter.name] = rng.choice(np.array(parameter.categories), count)
        elif parameter.kind == "integer":
            step = parameter.step or 1
            columns[parameter.name] = rng.choice(np.arange(int(parameter.low), int(parameter.high) + 1, step), count)
        else:
            columns[parameter.name] = rng.uniform(parameter.low, parameter.high, count)
    return columns


def draw_valid(family: Family, count: int, seed: int) -> list[dict[str, Any]]:
    """`count` valid designs, as plain dicts."""
    columns = draw(family, 200 * count, seed)
    chosen = np.flatnonzero(family.is_valid(columns))[:count]
    assert len(chosen) == count
    return [{name: column[i].item() for name, column in columns.items()} for i in chosen]


@pytest.fixture
def designs() -> Callable[[Family, int, int], list[dict[str, Any]]]:
    return draw_valid


@pytest.fixture
def columns() -> Callable[[Family, int, int], dict[str, np.ndarray]]:
    return draw
