"""The Pareto front: the tested designs that no other beats in every objective, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from toughopt.errors import ObservationError
from toughopt.optimizer.base import FloatArray, Policy, Prediction, Surrogate, Task, Value
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.hypervolume import hypervolume, nondominated
from toughopt.optimizer.multi import Belief, promising_rows, reference_point
from toughopt.optimizer.posterior import FitFailed
from toughopt.optimizer.recommendation import interval_of
from toughopt.threads import one_thread

Rows = np.ndarray[Any, np.dtype[Any]]
_DRAWS = 200
_JOINT = 200  # designs whose rank among each other is drawn jointly


@dataclass(frozen=True, slots=True)
class FrontMember:
    """One design of the front; means, standard deviations and 95 % intervals of its true objectives, by name.

    tests : how many tests of this very design were told
    probability : that no other tested design is better in every objective; NaN where the models cannot tell
    """

    design: dict[str, Value]
    mean: Mapping[str, float]
    std: Mapping[str, float]
    interval: Mapping[str, tuple[float, float]]
    tests: int
    probability: float


@dataclass(frozen=True, slots=True)
class Front:
    """The Pareto front of the tested designs' posterior means.

    members : the best in the first objective first
    reference : what is worse counts for nothing: as asked for, else the worst tested or predicted anywhere
    hypervolume : that the members dominate beyond the reference, in the product of the objectives' units
    """

    members: tuple[FrontMember, ...]
    reference: Mapping[str, float]
    hypervolume: float


@one_thread()
def pareto_front(task: Task, chosen_by: Policy) -> Front:
    """The front by posterior means; by means of the tests where a model cannot be fitted.

    Raises
    ------
    ObservationError
        If there is a single objective, or no test told them all.
    """
    goals = task.goals
    if not goals:
        raise ObservationError("there is a single objective: a front needs a second one")
    if not len(task.data):
        raise ObservationError("no value has been told yet: there is no front")
    rows = promising_rows(task)
    columns = task.space.columns([task.good[i] for i in rows])
    belief: Belief | None
    try:
        belief = Belief.of(chosen_by.settings, task)
    except (FitFailed, np.linalg.LinAlgError):
        belief = None
    if belief is None:
        mean = _measured(task, columns, rows)
        whole = np.isfinite(mean).all(axis=1)
        if not whole.any():
            raise ObservationError(f"no test told all of {', '.join(g.objective.name for g in goals)} yet")
        rows, mean = rows[whole], mean[whole]
        std = np.full_like(mean, math.nan)
    else:
        mean, std = belief.moments(task.data.x[rows], columns)
    at = np.flatnonzero(nondominated(mean))
    at = at[np.argsort(-mean[at, 0], kind="stable")]
    sure = np.full(len(rows), math.nan) if belief is None else _unbeaten(task, belief, mean, std, rows)
    signs = {g.objective.name: g.objective.sign for g in goals}
    members = []
    for i in at:
        row = int(rows[i])
        intervals = _intervals(task, belief, mean[i], std[i], row)
        members.append(
            FrontMember(
                design=dict(task.good[row]),
                mean={name: sign * float(m) for (name, sign), m in zip(signs.items(), mean[i], strict=True)},
                std=dict(zip(signs, std[i].tolist(), strict=True)),
                interval=dict(zip(signs, intervals, strict=True)),
                tests=int((task.data.group == task.data.group[row]).sum()),
                probability=float(sure[i]),
            )
        )
    reference = reference_point(task, belief)
    told = {name: sign * float(r) for (name, sign), r in zip(signs.items(), reference, strict=True)}
    return Front(tuple(members), told, hypervolume(mean[at], reference))


def _measured(task: Task, columns: Mapping[str, FloatArray], rows: Rows) -> FloatArray:
    """(len(rows), k) float: mean of the tests of each design; NaN where an objective was not told."""
    found = np.full((len(rows), len(task.goals)), math.nan)
    for place, goal in enumerate(task.goals):
        known = goal.known(columns)
        if known is not None:
            found[:, place] = known
            continue
        for i, row in enumerate(rows):
            same = goal.table.group == task.data.group[int(row)]
            if same.any():
                found[i, place] = goal.table.y[same].mean()
    return found


def _intervals(
    task: Task, belief: Belief | None, mean: FloatArray, std: FloatArray, row: int
) -> list[tuple[float, float]]:
    """Central 95 % of each objective of one design, in its own units."""
    found = []
    for place, goal in enumerate(task.goals):
        model: Surrogate | None = None if belief is None else belief.models[place]
        if belief is None or model is None:
            low = high = float(mean[place]) if goal.objective.known is not None else math.nan
        else:
            x = task.data.x[row : row + 1]
            seen = x if place == 0 else x[:, belief.bare]
            at: Prediction = model.predict(seen)
            low, high = interval_of(model, at, 0, seen)
        found.append((low, high) if goal.objective.sign > 0 else (-high, -low))
    return found


def _unbeaten(task: Task, belief: Belief, mean: FloatArray, std: FloatArray, rows: Rows) -> FloatArray:
    """(n,) share of draws in which no other of the designs is better in every objective."""
    keep = np.arange(len(rows))
    if len(keep) > _JOINT:
        keep = np.sort(
            np.argsort(-(mean / np.maximum(np.ptp(mean, axis=0), 1e-300)).sum(axis=1), kind="stable")[:_JOINT]
        )
        keep = np.union1d(keep, np.flatnonzero(nondominated(mean)))
    draws = np.empty((_DRAWS, len(keep), mean.shape[1]))
    for place, model in enumerate(belief.models):
        noise = task.rng.standard_normal((_DRAWS, len(keep)))
        if isinstance(model, GaussianProcess):
            x = task.data.x[rows[keep]]
            centre, covariance = model.joint(x if place == 0 else x[:, belief.bare])
            top = float(covariance.diagonal().max())
            factor = np.linalg.cholesky(covariance + 1e-6 * top * np.eye(len(keep)))
            draws[:, :, place] = centre + noise @ factor.T
        else:  # known, or a surrogate that tells no covariances
            draws[:, :, place] = mean[keep, place] + noise * (0.0 if model is None else std[keep, place])
    found = np.full(len(rows), math.nan)
    wins = np.zeros(len(keep))
    for draw in draws:
        one, other = draw[:, None, :], draw[None, :, :]
        beaten = np.asarray((other >= one).all(axis=2) & (other > one).any(axis=2))
        wins += ~beaten.any(axis=1)
    found[keep] = wins / _DRAWS
    return found
