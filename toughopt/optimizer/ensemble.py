"""A Gaussian process whose hyperparameters and transform stay uncertain: a weighted mixture of a few of them.

With ten tests a single best set of length scales is a guess, and acting on it wastes tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toughopt.optimizer.base import FloatArray, Hyperparameters, Prediction
from toughopt.optimizer.fitting import GPSettings
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.likelihood import Priors, Problem, bounds, cost_only, negative_log_posterior
from toughopt.optimizer.observations import Table
from toughopt.optimizer.posterior import FitFailed

_STEP = 1e-3
_WIDEN = 1.2  # of the Laplace approximation's standard deviations, so that importance weights stay bounded


class EnsembleGaussianProcess:
    """A mixture of exact Gaussian processes, weighted by the posterior of their hyperparameters.

    Parameters
    ----------
    settings : of each member
    prior_column : column of x that holds the simulation prior, or None
    members : how many, at most

    Notes
    -----
    For each transform a Laplace approximation about the maximum a posteriori proposes hyperparameters; importance
    weights correct it, and systematic resampling over all transforms keeps `members` of them (Rasmussen and Williams,
    section 5.2, on why; Owen, Monte Carlo theory, chapter 9, on self-normalised importance sampling).
    """

    def __init__(self, settings: GPSettings | None = None, prior_column: int | None = None, members: int = 6) -> None:
        self.settings = settings or GPSettings()
        self.prior_column = prior_column
        self.size = members
        self.members: list[GaussianProcess] = []
        self.weights: FloatArray = np.zeros(0)
        self._best: GaussianProcess | None = None

    def fit(self, data: Table, start: Hyperparameters, rng: np.random.Generator) -> EnsembleGaussianProcess:
        """Fitted to `data`; FitFailed where no covariance can be factorised."""
        best = GaussianProcess(self.settings, self.prior_column).fit(data, start, rng)
        fits = best.hyperparameters()["fits"]
        draws = _normal_points(fits[0]["theta"], 3 * self.size, rng)
        thetas: list[tuple[float, FloatArray, dict[str, Any]]] = []
        lowest = float(fits[0]["cost"])
        for fit in fits:
            if float(fit["cost"]) - lowest > 3.0:
                continue
            problem, jacobian = best.problem_of(data, fit)
            thetas += [
                (weight + jacobian, theta, fit) for weight, theta in _laplace(problem, self.settings.priors, fit, draws)
            ]
        if not thetas:
            thetas = [(0.0, np.array(fits[0]["theta"]), fits[0])]
        log_weight = np.array([t[0] for t in thetas])
        weight = np.exp(np.minimum(log_weight - log_weight.max(), 0.0))
        weight = np.minimum(weight, 0.25 * weight.sum())  # no single draw runs the ensemble
        weight /= weight.sum()
        position = (rng.random() + np.arange(self.size)) / self.size
        chosen, counts = np.unique(
            np.minimum(np.searchsorted(np.cumsum(weight), position), len(weight) - 1), return_counts=True
        )
        found = EnsembleGaussianProcess(self.settings, self.prior_column, self.size)
        found._best = best
        for index in chosen:
            _, theta, fit = thetas[int(index)]
            entry = {**fit, "theta": theta.tolist()}
            found.members.append(best.at(data, {"fits": [entry]}))
        found.weights = counts / counts.sum()
        return found

    def hyperparameters(self) -> dict[str, Any]:
        """Those of the maximum a posteriori, from which the next fit starts, and those of the members."""
        return {
            **self.best.hyperparameters(),
            "members": [m.hyperparameters()["fits"][0] for m in self.members],
            "weights": self.weights.tolist(),
        }

    @property
    def best(self) -> GaussianProcess:
        """The Gaussian process at the maximum a posteriori."""
        if self._best is None:
            raise FitFailed("this ensemble has not been fitted")
        return self._best

    def condition(self, x: FloatArray) -> EnsembleGaussianProcess:
        """As if the rows of `x` had been tested and found to be what each member predicts."""
        if not len(x):
            return self
        found = EnsembleGaussianProcess(self.settings, self.prior_column, self.size)
        found._best, found.weights = self.best.condition(x), self.weights
        found.members = [m.condition(x) for m in self.members]
        return found

    def predict(self, x: FloatArray) -> Prediction:
        """Moments of the mixture, in the units of the objective; the latent scale is the objective's."""
        beliefs = [m.predict(x) for m in self.members]
        means, stds = np.array([b.mean for b in beliefs]), np.array([b.std for b in beliefs])
        mean = self.weights @ means
        std = np.sqrt(np.maximum(self.weights @ (stds**2 + (means - mean) ** 2), 1e-24))
        return Prediction(mean, std, mean, std)


def _laplace(
    problem: Problem, priors: Priors, fit: dict[str, Any], draws: FloatArray
) -> list[tuple[float, FloatArray]]:
    """Log importance weight and hyperparameters of draws about the maximum a posteriori."""
    centre = np.array(fit["theta"])
    d = problem.x.shape[1]
    active = len(centre) - (not problem.trend.any())
    low, high = np.array(bounds(d)).T
    _, here = negative_log_posterior(centre, problem, priors)
    hessian = np.zeros((active, active))
    for i in range(active):
        moved = centre.copy()
        moved[i] += _STEP if centre[i] + _STEP < high[i] else -_STEP
        _, there = negative_log_posterior(moved, problem, priors)
        hessian[i] = (there - here)[:active] / (moved[i] - centre[i])
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    values = np.maximum(values, 0.5 / float(priors.sds(d)[:active].max()) ** 2)
    root = _WIDEN * vectors / np.sqrt(values)
    half_log_det = -0.5 * float(np.log(values).sum()) + active * np.log(_WIDEN)
    out = []
    for draw in draws[:, :active]:
        theta = centre.copy()
        theta[:active] = np.clip(centre[:active] + root @ draw, low[:active], high[:active])
        cost = cost_only(theta, problem, priors)
        if np.isfinite(cost):
            out.append((-cost + 0.5 * float(draw @ draw) + half_log_det, theta))
    return out


def _normal_points(theta: list[float], n: int, rng: np.random.Generator) -> FloatArray:
    """(n, len(theta)) antithetic standard normal draws, the first at the centre."""
    half = rng.standard_normal(((n + 1) // 2, len(theta)))
    points = np.concatenate([half, -half])[:n]
    points[0] = 0.0
    return points
