"""When to test a design again: where that promises to raise the best prediction more than the new design does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toughopt.optimizer.acquisition import knowledge_gradient
from toughopt.optimizer.base import Policy, Proposal, Task, Value
from toughopt.optimizer.ensemble import EnsembleGaussianProcess
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.posterior import FitFailed
from toughopt.optimizer.surrogates import make_surrogate

CHOICES = ("never", "gain")
_WHY = "which promises more than a new design"
_CONTENDERS = 30  # tested designs that may turn out to be the best


def reconsidered(task: Task, chosen_by: Policy, proposal: Proposal) -> Proposal:
    """The proposal, with each new design replaced by a tested one where testing that again is worth more.

    Both are weighed alike: by how much one test is expected to raise the largest posterior mean among the tested
    designs and the new one (the knowledge gradient). It is large for a tested design while its mean is uncertain beside
    its distance to its rivals, and falls with each test of it; where the noise is small a repeat is worth nothing.

    Only where the policy's setting ``replicate`` is "gain" and its surrogate is an exact Gaussian process.
    """
    if chosen_by.settings.get("replicate", "never") != "gain" or proposal.fallback or not len(task.data):
        return proposal
    model = _model(task, chosen_by, proposal)
    if model is None:
        return proposal
    contenders = _contenders(task, chosen_by)
    if not contenders:
        return proposal
    model = model.condition(task.pending)
    x = task.encoder.encode_designs(contenders, task.context)
    designs, means = list(proposal.designs), list(proposal.mean)
    stds, values, reasons = list(proposal.std), list(proposal.acquisition), proposal.reason_of_each()
    used: set[int] = set()
    for place, design in enumerate(proposal.designs):
        new = task.encoder.encode_designs([design], task.context)
        belief = model.predict(x)
        order = np.argsort(-(belief.latent_mean + 2.0 * belief.latent_std), kind="stable")
        likely = np.array([i for i in order if i not in used][:_CONTENDERS], dtype=np.int64)
        if not len(likely):
            break
        mean, covariance = model.joint(np.vstack([x[likely], new]))
        worth = knowledge_gradient(mean, covariance, model.noise_variance(mean))
        best = int(np.argmax(worth[:-1]))
        row = new
        if worth[best] > worth[-1]:
            again = int(likely[best])
            used.add(again)
            row = x[again : again + 1]
            designs[place] = dict(contenders[again])
            means[place], stds[place] = float(belief.mean[again]), float(belief.std[again])
            values[place] = float(worth[best])
            reasons[place] = f"tested again, {_WHY}"
        model = model.condition(row)
    if not used:
        return proposal
    return replace(
        proposal,
        designs=designs,
        mean=means,
        std=stds,
        acquisition=values,
        reason=f"{proposal.reason}; {len(used)} of {len(designs)} tested again, {_WHY}",
        reasons=reasons,
    )


def _model(task: Task, chosen_by: Policy, proposal: Proposal) -> GaussianProcess | None:
    made = make_surrogate(chosen_by.settings, task.encoder, len(task.data))
    if isinstance(made, EnsembleGaussianProcess):
        made = GaussianProcess(made.settings, made.prior_column)
    if not isinstance(made, GaussianProcess) or "fits" not in proposal.hyperparameters:
        return None
    try:
        return made.at(task.data, proposal.hyperparameters)
    except (FitFailed, np.linalg.LinAlgError):
        return None


def _contenders(task: Task, chosen_by: Policy) -> list[dict[str, Value]]:
    """The tested designs that may be proposed: allowed, likely to print, and not on their way already."""
    space = task.space
    awaited = {space.key(d) for d in task.awaited}
    distinct = {space.key(d): dict(d) for d in task.good}
    members = None if space.pool is None else set(space.pool_keys)
    found = [d for key, d in distinct.items() if key not in awaited and (members is None or key in members)]
    if not found:
        return []
    good = np.asarray(space.allowed(space.columns(found)), dtype=bool)
    if task.printable is not None:
        threshold = float(chosen_by.settings.get("printability", 0.5))
        good &= task.printable(task.encoder.encode_designs(found, task.context)) >= threshold
    return [d for d, ok in zip(found, good, strict=True) if ok]
