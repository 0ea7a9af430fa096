"""The policy for several objectives: one surrogate each, and the test that should widen the Pareto front most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from toughopt.optimizer.base import Columns, FloatArray, Hyperparameters, Prediction, Proposal, Surrogate, Task, Value
from toughopt.optimizer.candidates import candidates, refine
from toughopt.optimizer.designs import sequence
from toughopt.optimizer.feasibility import log_preference
from toughopt.optimizer.hypervolume import expected_hypervolume_improvement
from toughopt.optimizer.objectives import Goal, Objective
from toughopt.optimizer.posterior import FitFailed
from toughopt.optimizer.surrogates import make_surrogate

_MANY = 1000  # tested designs above which only the promising ones are predicted for the front
_WEIGHTS = 21  # of two objectives against each other, by which those are found
_ANYWHERE = 256  # designs, spread over the space, that stand for all when the worst is asked for
_NOTHING = 1e-300
_LAST_RESORT = 100.0  # taken off below the printability threshold, as where there is one objective

SETTINGS = (
    "surrogate", "powers", "kernel", "tied", "expect", "slopes", "noise", "candidates", "retest", "printability",
    "ensemble", "ensemble_limit", "exact_limit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HypervolumePolicy:
    """Expected hypervolume improvement over the front of the tested designs' posterior means."""

    name: str
    settings: Mapping[str, Any]

    @property
    def needs_observations(self) -> bool:
        """True."""
        return True

    def surrogate(self, task: Task) -> Surrogate | None:
        """That of the first objective; FitFailed where it cannot be fitted."""
        return fitted_model(self.settings, task, _goals(task)[0])

    def propose(self, task: Task) -> Proposal:
        """`task.k` designs, one after the other, each as if those before it had turned out as predicted.

        Where a surrogate cannot be fitted the designs come from a Latin hypercube and the proposal says so.
        """
        try:
            return self._choose(task, Belief.of(self.settings, task))
        except (FitFailed, np.linalg.LinAlgError) as error:
            designs = sequence(task.space, "lhs", task.made, task.k, task.seed, task.taken)
            unknown = [None] * task.k
            words = f"a model could not be fitted ({error}): the next of a sequence of Latin hypercubes"
            return Proposal(designs, unknown, unknown, unknown, words, hyperparameters=dict(task.start), fallback="lhs")

    def _choose(self, task: Task, fitted: Belief) -> Proposal:
        reference = reference_point(task, fitted)
        rows = promising_rows(task)
        front, _ = fitted.moments(task.data.x[rows], task.space.columns([task.good[i] for i in rows]))
        around = None
        if task.tested is not None:  # places near which candidates are made: the best by each objective and in all
            spread = np.maximum(np.ptp(front, axis=0), 1e-300)
            rank = np.column_stack([front, (front / spread).sum(axis=1)])
            around = task.tested[rows[np.unique(rank.argmax(axis=0))]]
        found = candidates(task, int(self.settings["candidates"]), around)
        model = fitted
        if len(task.pending):
            ahead, _ = fitted.moments(task.pending, task.space.columns(task.awaited))
            front, model = np.vstack([front, ahead]), fitted.condition(task.pending)
        taken, width = set(task.taken), task.encoder.width
        designs: list[dict[str, Value]] = []
        chosen: list[tuple[float, float, float]] = []
        for _ in range(task.k):
            score = self._score(task, model, front, reference)
            free = found.free(taken)
            scores = np.full(len(found.x), -np.inf)
            if len(free):
                beside = model.beside({name: np.asarray(c)[free] for name, c in found.columns.items()})
                scores[free] = score(np.hstack([found.x[free], beside]))
            pool, scores = refine(found, scores, score, model.beside)
            index = pool.pick(scores, taken)
            row = pool.x[index : index + 1]
            mean, std = fitted.moments(row, {name: np.asarray(c)[[index]] for name, c in pool.columns.items()})
            designs.append(pool.design(index))
            chosen.append((float(mean[0, 0]), float(std[0, 0]), float(scores[index])))
            taken.add(pool.key(index))
            if len(designs) < task.k:
                model = model.condition(row[:, :width])
                front = np.vstack([front, mean])
        worst = " and ".join(
            f"{g.objective.name} = {r * g.objective.sign:.3g}" for g, r in zip(fitted.goals, reference, strict=True)
        )
        return Proposal(
            designs,
            [c[0] for c in chosen],
            [c[1] for c in chosen],
            [c[2] for c in chosen],
            f"largest expected gain of hypervolume, counted from {worst}",
            fitted.hyperparameters(),
        )

    def _score(
        self, task: Task, model: Belief, front: FloatArray, reference: FloatArray
    ) -> Callable[[FloatArray], FloatArray]:
        """Log of the expected gain, of encoded designs with what is known of them beside."""
        width, threshold = task.encoder.width, float(self.settings["printability"])
        spread = np.maximum(np.ptp(front, axis=0), np.maximum(1e-12 * np.abs(reference), 1e-300))

        def score(x: FloatArray) -> FloatArray:
            mean, std = model.moments_beside(x[:, :width], x[:, width:])
            gain = expected_hypervolume_improvement(mean / spread, std / spread, front / spread, reference / spread)
            out = np.log(np.maximum(gain, _NOTHING)) + 1e-6 * (std / spread).sum(axis=1)  # of equals, the least known
            if task.printable is None:
                return np.asarray(out)
            probability = task.printable(x[:, :width])
            shun = np.where(probability < threshold, _LAST_RESORT, 0.0)
            return np.asarray(out + log_preference(probability, threshold) - shun)

        return score


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of each objective: a surrogate, or None where the value is known without a test."""

    goals: tuple[Goal, ...]
    models: tuple[Surrogate | None, ...]
    bare: tuple[int, ...]

    @classmethod
    def of(cls, settings: Mapping[str, Any], task: Task) -> Belief:
        """Fitted to the task's data; FitFailed where an objective has none."""
        goals = _goals(task)
        models = tuple(None if g.objective.known else fitted_model(settings, task, g) for g in goals)
        return cls(goals, models, task.encoder.bare_columns)

    def condition(self, x: FloatArray) -> Belief:
        """As if the rows of `x` had been tested and found to be what is predicted."""
        models = tuple(None if m is None else m.condition(self._seen(i, x)) for i, m in enumerate(self.models))
        return Belief(self.goals, models, self.bare)

    def beside(self, columns: Columns) -> FloatArray:
        """(n, number of known objectives) float: what needs no test."""
        n = len(np.asarray(next(iter(columns.values()))))
        known = [g.known(columns) for g in self.goals]
        return np.column_stack([np.zeros((n, 0)), *(k for k in known if k is not None)])

    def moments(self, x: FloatArray, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations (n, k), larger better, of designs encoded in `x`."""
        return self.moments_beside(x, self.beside(columns))

    def moments_beside(self, x: FloatArray, beside: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As `moments`, with what `beside` gave."""
        means, stds, at = [], [], 0
        for place, model in enumerate(self.models):
            if model is None:
                means.append(beside[:, at])
                stds.append(np.zeros(len(x)))
                at += 1
                continue
            belief = self.predict(place, model, x)
            means.append(belief.mean)
            stds.append(np.maximum(belief.std, 1e-12))
        return np.column_stack(means), np.column_stack(stds)

    def predict(self, place: int, model: Surrogate, x: FloatArray) -> Prediction:
        """Of the objective at that place."""
        return model.predict(self._seen(place, x))

    def _seen(self, place: int, x: FloatArray) -> FloatArray:
        return x if place == 0 else x[:, self.bare]

    def hyperparameters(self) -> dict[str, Any]:
        """Of each surrogate, by objective."""
        found = zip(self.goals, self.models, strict=True)
        return {"objectives": {g.objective.name: m.hyperparameters() for g, m in found if m is not None}}


def fitted_model(settings: Mapping[str, Any], task: Task, goal: Goal) -> Surrogate:
    """The surrogate of one objective; a simulation prior and earlier campaigns speak of the first one only."""
    first = goal is _goals(task)[0] or not task.goals
    table = goal.table
    if not first:
        bare = list(task.encoder.bare_columns)
        table = type(table)(table.x[:, bare], table.y, table.noise_std, table.censored, table.group)
    start: Hyperparameters = task.start.get("objectives", {}).get(goal.objective.name, {})
    if not len(table):
        raise FitFailed(f"no {goal.objective.name} has been told yet")
    return make_surrogate(settings, task.encoder, len(table), bare=not first).fit(table, start, task.rng)


def reference_point(task: Task, belief: Belief | None) -> FloatArray:
    """(k,) float, larger better: what was asked for, else the worst that was tested or is predicted anywhere.

    The tests alone would not do: while all of them are alike, whatever differs from them would count for nothing.
    """
    goals = _goals(task)
    space = task.space
    if space.pool is None:
        columns: Columns = space.sample(_ANYWHERE, np.random.default_rng(0))
    else:
        columns = space.columns(space.pool[:: max(1, len(space.pool) // _ANYWHERE)])
    anywhere = None
    if belief is not None and any(g.objective.reference is None for g in goals):
        anywhere, _ = belief.moments(task.encoder.encode(columns, task.context), columns)
    found = []
    for place, goal in enumerate(goals):
        objective = goal.objective
        if objective.reference is not None:
            found.append(objective.sign * objective.reference)
            continue
        tested = goal.known(space.columns(task.good))
        worst = float((goal.table.y if tested is None else tested).min())
        found.append(worst if anywhere is None else min(worst, float(anywhere[:, place].min())))
    return np.array(found)


def promising_rows(task: Task) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Rows of the task's data, one a design, that may be on the front."""
    _, first = np.unique(task.data.group, return_index=True)
    if len(first) <= _MANY:
        return np.asarray(np.sort(first), dtype=np.int64)
    measured = np.full((len(task.data), len(_goals(task))), np.nan)
    columns = task.space.columns(task.good)
    for place, goal in enumerate(_goals(task)):
        known = goal.known(columns)
        if known is None:
            measured[goal.rows, place] = goal.table.y
        else:
            measured[:, place] = known
    centred = measured - np.nanmean(measured, axis=0)
    centred = np.where(np.isfinite(centred), centred / np.maximum(np.nanstd(measured, axis=0), 1e-300), -np.inf)
    kept: set[int] = set()
    for share in np.linspace(0.0, 1.0, _WEIGHTS):
        for place in range(1, centred.shape[1]):
            weighed = (1.0 - share) * centred[:, 0] + share * centred[:, place]
            kept.update(np.argsort(-np.nan_to_num(weighed, nan=-np.inf), kind="stable")[:40].tolist())
    kept.update(np.argsort(-centred[:, 0], kind="stable")[:40].tolist())
    distinct = {int(task.data.group[i]): i for i in sorted(kept, reverse=True)}
    return np.array(sorted(distinct.values()), dtype=np.int64)


def _goals(task: Task) -> tuple[Goal, ...]:
    """The task's, or its only objective as one."""
    if task.goals:
        return task.goals
    return (Goal(Objective("value", "max" if task.encoder.sign > 0 else "min"), task.data, np.arange(len(task.data))),)
