"""Which design to build, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from toughopt.errors import ConfigError, ObservationError
from toughopt.optimizer.acquisition import expected_improvement
from toughopt.optimizer.base import BoolArray, FloatArray, Policy, Prediction, Surrogate, Task, Value
from toughopt.optimizer.candidates import candidates
from toughopt.optimizer.ensemble import EnsembleGaussianProcess
from toughopt.optimizer.feasibility import Feasibility
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.posterior import FitFailed
from toughopt.optimizer.proposing import fitted
from toughopt.threads import one_thread

_LEVEL = 1.959963984540054  # standard deviations of a two-sided 95 % interval
_DRAWS = 400
_JOINT = 500


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The best design known.

    mean, std : what its true objective is believed to be, in the units of the objective
    interval : 95 % credible interval of the same
    tests : how many tests of this very design were told
    probability_top : probability that it is among the true best 1 % of the space; NaN where the model cannot tell
    """

    design: dict[str, Value]
    mean: float
    std: float
    interval: tuple[float, float]
    tests: int
    probability_top: float


@one_thread()
def recommend(
    task: Task, chosen_by: Policy, too_strong: bool = False, by: Literal["mean", "lower"] = "mean"
) -> Recommendation:
    """The tested design with the best posterior mean, or the best lower end of a 95 % interval.

    Parameters
    ----------
    by : "lower" prefers a design that is known to be good to one that may be better
    too_strong : whether designs count that are more likely than not to exceed what the test can measure (their value is
        censored); where all are, they count anyhow

    Raises
    ------
    ObservationError
        If no value has been told yet.
    """
    if by not in ("mean", "lower"):
        raise ConfigError(f'by = {by!r} is neither "mean" nor "lower"')
    data = task.data
    if not len(data):
        raise ObservationError("no value has been told yet: there is nothing to recommend")
    order = np.argsort(-data.y, kind="stable")[:500]
    rows = np.array(sorted({int(data.group[i]): int(i) for i in order[::-1]}.values()))
    if not too_strong:
        measurable = _measurable(task, data.x[rows]) >= 0.5
        rows = rows[measurable] if measurable.any() else rows
    model: Surrogate | None
    try:
        model = fitted(task, chosen_by)
    except (FitFailed, np.linalg.LinAlgError):
        model = None
    sign = task.encoder.sign
    design = None
    if model is None:
        means = np.array([data.y[data.group == data.group[i]].mean() for i in rows])
        best = int(rows[int(np.argmax(means))])
        mean, std, low, high, top = float(means.max()), math.nan, math.nan, math.nan, math.nan
    else:
        belief = model.predict(data.x[rows])
        at = int(np.argmax(belief.mean if by == "mean" else belief.mean - _LEVEL * belief.std))
        best = int(rows[at])
        mean, std = float(belief.mean[at]), float(belief.std[at])
        low, high = interval_of(model, belief, at, data.x[best : best + 1])
        top = _probability_top(model, task, data.x[best : best + 1])
    design = dict(task.good[best])
    tests = int((data.group == data.group[best]).sum())
    interval = (low, high) if sign > 0 else (-high, -low)
    return Recommendation(design, sign * mean, std, interval, tests, top)


@one_thread()
def expected_gain(task: Task, chosen_by: Policy) -> float:
    """Largest expected improvement over the best predicted tested design, in the units of the objective.

    Designs more likely than not to exceed what the test can measure count neither as the best nor as the next.
    Infinity where the model cannot be fitted, so that nothing stops because of it.
    """
    if not len(task.data):
        raise ObservationError("no value has been told yet: there is no gain to expect")
    try:
        model = fitted(task, chosen_by)
    except (FitFailed, np.linalg.LinAlgError):
        return math.inf
    if model is None:
        return math.inf
    tested = task.data.x[np.argsort(-task.data.y, kind="stable")[:300]]
    x = candidates(task, 2048).x
    tested, x = _where(_measurable(task, tested) >= 0.5, tested), _where(_measurable(task, x) >= 0.5, x)
    best = float(model.predict(tested).mean.max())
    belief = model.predict(x)
    return float(expected_improvement(belief.mean, np.maximum(belief.std, 1e-12), best).max())


def _measurable(task: Task, x: FloatArray) -> FloatArray:
    """(m,) probability that a test of the rows of `x` gives a value instead of a bound."""
    if not task.data.censored.any():
        return np.ones(len(x))
    encoder = task.encoder
    columns = [i for i in range(encoder.width) if i != encoder.prior_column and i not in encoder.source_columns]
    model = Feasibility.fit(task.data.x[:, columns], ~task.data.censored)
    return np.ones(len(x)) if model is None else model(x[:, columns])


def _where(good: BoolArray, x: FloatArray) -> FloatArray:
    """The rows that are good, or all where none is."""
    return x[good] if good.any() else x


def _parts(model: Surrogate) -> list[tuple[float, GaussianProcess]]:
    """The Gaussian processes that a surrogate consists of, with their weights; none for other kinds."""
    if isinstance(model, EnsembleGaussianProcess):
        return list(zip(model.weights.tolist(), model.members, strict=True))
    return [(1.0, model)] if isinstance(model, GaussianProcess) else []


def interval_of(model: Surrogate, belief: Prediction, at: int, x: FloatArray) -> tuple[float, float]:
    """Central 95 % of what the objective at `x` (1, d) is believed to be."""
    parts = _parts(model)
    if not parts:
        centre, spread = float(belief.mean[at]), float(belief.std[at])
        return centre - _LEVEL * spread, centre + _LEVEL * spread
    if len(parts) == 1:
        centre, spread = float(belief.latent_mean[at]), float(belief.latent_std[at])
        if isinstance(model, EnsembleGaussianProcess):
            one = parts[0][1].predict(x)
            centre, spread = float(one.latent_mean[0]), float(one.latent_std[0])
        low, high = parts[0][1].transform.inverse(np.array([centre - _LEVEL * spread, centre + _LEVEL * spread]))
        return float(low), float(high)
    from scipy.special import ndtri

    z = ndtri((np.arange(400) + 0.5) / 400)
    values, weights = [], []
    for weight, member in parts:
        one = member.predict(x)
        values.append(member.transform.inverse(one.latent_mean[0] + one.latent_std[0] * z))
        weights.append(np.full(len(z), weight / len(z)))
    value, share = np.concatenate(values), np.concatenate(weights)
    order = np.argsort(value)
    low, high = np.interp([0.025, 0.975], np.cumsum(share[order]), value[order])
    return float(low), float(high)


def _probability_top(model: Surrogate, task: Task, x: FloatArray) -> float:
    """Share of joint draws of the objective in which `x` (1, d) is among the best 1 % of the candidates."""
    parts = _parts(model)
    if not parts:
        return math.nan
    everything = candidates(task, 2048).x
    belief = model.predict(everything)
    keep = np.argsort(-(belief.mean + 2.0 * belief.std), kind="stable")[:_JOINT]
    rows = np.vstack([x, everything[keep]])
    allowed = max(1, math.ceil(0.01 * len(everything)))
    total = 0.0
    for weight, member in parts:
        mean, covariance = member.joint(rows)
        jitter = 1e-6 * float(covariance.diagonal().max())
        factor = np.linalg.cholesky(covariance + jitter * np.eye(len(mean)))
        draws = mean + task.rng.standard_normal((_DRAWS, len(mean))) @ factor.T
        # a draw of x beside itself differs by the jitter: that is no rank lost
        rank = (draws[:, 1:] > draws[:, :1] + 4.0 * math.sqrt(jitter)).sum(axis=1)
        total += weight * float((rank < allowed).mean())
    return total
