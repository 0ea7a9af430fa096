"""Whole calls of `tell` as checked observations: all of them or, where one is wrong, none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toughopt.errors import ObservationError
from toughopt.optimizer.base import Design
from toughopt.optimizer.objectives import Objective, split_values
from toughopt.optimizer.observations import Observation, observe
from toughopt.optimizer.space import Space


def observe_all(
    space: Space,
    objectives: Sequence[Objective],
    designs: Sequence[Design],
    values: Sequence[float | Mapping[str, float | None] | None],
    noise_std: Sequence[float | None] | float | None,
    censored: Sequence[bool] | bool | None,
    context: Sequence[Design | None] | Design | None,
    failed: Sequence[bool] | bool | None,
) -> list[Observation]:
    """One observation a design; what is given once holds for all. ObservationError, DesignError as in `observe`."""
    for told, what in ((designs, "designs"), (values, "values")):
        if isinstance(told, Mapping | str) or not hasattr(told, "__len__"):
            raise ObservationError(f"{what} = {told!r} is no list; tell([design], [value]) tells of one")
    n = len(designs)
    if len(values) != n:
        raise ObservationError(f"{n} designs and {len(values)} values were told; give one value a design")
    noise = _each(noise_std, n, "noise_std")
    bounds = _each(censored, n, "censored")
    contexts = _each(context, n, "context")
    failures = _each(failed, n, "failed")
    found = []
    for i in range(n):
        value, others = split_values(objectives, None if failures[i] else values[i])
        found.append(
            observe(
                space,
                designs[i],
                value,
                noise_std=noise[i],
                censored=bool(bounds[i]),
                context=contexts[i],
                failed=bool(failures[i]),
                others=others,
            )
        )
    return found


def _each(value: Any, n: int, what: str) -> list[Any]:
    if value is None or isinstance(value, Mapping | int | float | np.generic):
        return [value] * n
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise ObservationError(f"{what} = {value!r} is neither one for all designs nor a list with one a design")
    if len(value) != n:
        raise ObservationError(f"{len(value)} values of {what} were told for {n} designs; give one a design")
    return list(value)
