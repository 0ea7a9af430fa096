"""Policies with a model: fit a surrogate, score candidates by an acquisition function, take the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toughopt.optimizer.base import Design, FloatArray, Proposal, Surrogate, Task, Value
from toughopt.optimizer.candidates import candidates, refine
from toughopt.optimizer.designs import sequence
from toughopt.optimizer.feasibility import log_preference
from toughopt.optimizer.posterior import FitFailed
from toughopt.optimizer.scoring import make_score
from toughopt.optimizer.surrogates import make_surrogate
from toughopt.threads import one_thread

_WORST = 50  # of the tested designs that tell how low scores go
_LAST_RESORT = 100.0  # taken off the log of the acquisition below the printability threshold: only if nothing is above

REASONS = {
    "log_ei": "largest expected improvement over the best predicted tested design",
    "ei": "largest expected improvement",
    "noisy_ei": "largest expected improvement over an uncertain incumbent",
    "ucb": "largest upper confidence bound",
    "pi": "most likely to beat the incumbent",
    "max_variance": "where the model knows least",
    "thompson": "best in one draw of the objective from the model",
    "knowledge_gradient": "test that promises to raise the best prediction most",
}


@dataclass(frozen=True, slots=True)
class ModelPolicy:
    """A surrogate, an acquisition function and how candidates are made, all told by the settings."""

    name: str
    settings: Mapping[str, Any]

    @property
    def needs_observations(self) -> bool:
        """True."""
        return True

    @one_thread()
    def surrogate(self, task: Task) -> Surrogate | None:
        """The surrogate fitted to the task's data; FitFailed where that is impossible."""
        made = make_surrogate(self.settings, task.encoder, len(task.data))
        return made.fit(task.data, task.start, task.rng)

    def propose(self, task: Task) -> Proposal:
        """`task.k` designs, one after the other, each as if those before it had turned out as predicted.

        Where the surrogate cannot be fitted the designs come from a Latin hypercube and the proposal says so.
        """
        try:
            fitted = self.surrogate(task)
            assert fitted is not None
            return self._choose(task, fitted)
        except (FitFailed, np.linalg.LinAlgError) as error:
            designs = sequence(task.space, "lhs", task.made, task.k, task.seed, task.taken)
            unknown = [None] * task.k
            return Proposal(
                designs,
                unknown,
                unknown,
                unknown,
                f"the model could not be fitted ({error}): the next of a sequence of Latin hypercubes",
                hyperparameters=task.start,
                fallback="lhs",
            )

    def _choose(self, task: Task, fitted: Surrogate) -> Proposal:
        settings = self.settings
        found = candidates(task, int(settings["candidates"]), self._promising(task, fitted))
        taken = set(task.taken)
        model = fitted.condition(task.pending)
        pending = task.pending
        designs: list[dict[str, Value]] = []
        means: list[float | None] = []
        stds: list[float | None] = []
        values: list[float | None] = []
        for _ in range(task.k):
            score = self._score(task, model, pending)
            free = found.free(taken, self._trodden(task, designs), float(settings["apart"]))
            scores = np.full(len(found.x), -np.inf)
            if len(free):
                scores[free] = score(found.x[free])
            pool, scores = refine(found, scores, score) if settings["refine"] else (found, scores)
            index = pool.pick(scores, taken)
            row = pool.x[index : index + 1]
            belief = fitted.predict(row)
            designs.append(pool.design(index))
            means.append(float(belief.mean[0]))
            stds.append(float(belief.std[0]))
            values.append(float(scores[index]))
            taken.add(pool.key(index))
            if len(designs) < task.k:
                model = model.condition(row)
                pending = np.vstack([pending, row])
        reason = REASONS[str(settings["acquisition"])]
        return Proposal(designs, means, stds, values, reason, fitted.hyperparameters())

    def _score(self, task: Task, model: Surrogate, pending: FloatArray) -> Callable[[FloatArray], FloatArray]:
        score = make_score(self.settings, model, task.data, task.rng, pending)
        printable, threshold = task.printable, float(self.settings["printability"])
        if printable is None:
            return score
        logarithmic = self.settings["acquisition"] == "log_ei"
        worst = np.argsort(task.data.y, kind="stable")[:_WORST]
        floor = 0.0 if logarithmic else min(float(score(task.data.x[worst]).min()), 0.0)

        def weighted(x: FloatArray) -> FloatArray:
            plain, probability = score(x), printable(x)
            preference = log_preference(probability, threshold)
            preference = preference - np.where(probability < threshold, _LAST_RESORT, 0.0)
            # a product needs factors above zero; the floor is one for all candidates, in whatever portions they come
            return plain + preference if logarithmic else np.maximum(plain - floor, 0.0) * np.exp(preference)

        return weighted

    def _trodden(self, task: Task, chosen: Sequence[Design]) -> FloatArray | None:
        """Points of the unit cube that are not worth another test: tested, awaited or just chosen designs."""
        if task.tested is None or self.settings["retest"]:
            return None
        ahead = [*task.awaited, *chosen]
        return np.vstack([task.tested, task.space.to_unit(task.space.columns(ahead))]) if ahead else task.tested

    def _promising(self, task: Task, fitted: Surrogate) -> FloatArray | None:
        """Points of the unit cube: the tested designs with the best predictions, near which candidates are made."""
        if task.space.pool is not None or task.tested is None:
            return None
        best = np.argsort(-task.data.y, kind="stable")[:200]
        predicted = fitted.predict(task.data.x[best]).latent_mean
        return task.tested[best[np.argsort(-predicted, kind="stable")[:4]]]
