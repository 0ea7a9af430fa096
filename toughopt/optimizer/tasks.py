"""From what was told to the arrays that a policy works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from toughopt.optimizer.base import Design, FloatArray, Policy, Task
from toughopt.optimizer.encoding import Encoder
from toughopt.optimizer.feasibility import Feasibility
from toughopt.optimizer.objectives import Goal, Objective
from toughopt.optimizer.observations import Observation, Table, make_table
from toughopt.optimizer.space import Space


def make_task(
    space: Space,
    observations: Sequence[Observation],
    pending: Sequence[Design],
    chosen_by: Policy,
    campaign: Mapping[str, Any],
    rng: np.random.Generator,
    start: Mapping[str, Any],
    k: int,
    context: Design | None,
    encoder: Encoder,
    objectives: Sequence[Objective] = (),
) -> Task:
    """The arrays that a policy works on."""
    good = [o for o in observations if not o.failed]
    x = encoder.encode_observations(good)
    printable = None
    if len(good) < len(observations):
        everything = encoder.encode_observations(observations)
        columns = list(encoder.bare_columns)
        model = Feasibility.fit(everything[:, columns], np.array([not o.failed for o in observations]))
        printable = None if model is None else _restricted(model, columns)
    taken = {space.key(d) for d in pending}
    again = bool(chosen_by.settings.get("retest", False))
    taken |= {space.key(o.design) for o in observations if o.failed or not again}
    data = make_table(x, good, encoder.sign)
    return Task(
        space=space,
        encoder=encoder,
        data=data,
        good=[o.design for o in good],
        pending=encoder.encode_designs(pending, context),
        taken=frozenset(taken),
        made=len(observations) + len(pending),
        k=k,
        context=context,
        seed=int(campaign["seed"]),
        rng=rng,
        start=start,
        tested=None if space.pool is not None or not good else space.to_unit(space.columns([o.design for o in good])),
        printable=printable,
        goals=_goals(objectives, good, data),
        awaited=tuple(dict(d) for d in pending),
    )


def _goals(objectives: Sequence[Objective], good: Sequence[Observation], data: Table) -> tuple[Goal, ...]:
    found = []
    for place, objective in enumerate(objectives):
        if place == 0:
            found.append(Goal(objective, data, np.arange(len(data))))
            continue
        told = [None if o.others is None else o.others.get(objective.name) for o in good]
        rows = np.array([i for i, value in enumerate(told) if value is not None], dtype=np.int64)
        if objective.known is not None:
            rows = rows[:0]
        part = data.take(rows)
        table = Table(
            x=part.x,
            y=objective.sign * np.array([told[i] for i in rows], dtype=float),
            noise_std=np.full(len(rows), np.nan),
            censored=np.zeros(len(rows), dtype=bool),
            group=part.group,
        )
        found.append(Goal(objective, table, rows))
    return tuple(found)


def _restricted(model: Feasibility, columns: list[int]) -> Callable[[FloatArray], FloatArray]:
    return lambda x: model(x[:, columns])
