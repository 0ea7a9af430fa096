"""The exact Gaussian process: relevance per input, learned noise, output transform chosen by likelihood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from toughopt.optimizer.base import FloatArray, Hyperparameters, Prediction
from toughopt.optimizer.fitting import Form, GPSettings, most_telling, still_likely
from toughopt.optimizer.kernels import correlation
from toughopt.optimizer.likelihood import Problem, maximise_posterior
from toughopt.optimizer.observations import Table
from toughopt.optimizer.posterior import FitFailed, State, cholesky, solve, solve_lower
from toughopt.optimizer.transforms import Transform, possible_powers

_MANY = 100  # tests from which one start is enough
_REVIEW = 5  # tests between fits that look at every transform; others look at those that were likely
_PER_SPREAD = math.sqrt(12.0)  # makes the spread of an input that is uniform in 0..1 one
_TREND_ODDS = 1.5  # log odds beforehand that a landscape has a trend, where one is expected
_CONSTANT_SD = 0.1  # of a constant added to the mean of standardised data; 1 where a prior's errors may have one


class GaussianProcess:
    """An exact Gaussian process; immutable: `fit` and `condition` return new ones.

    Parameters
    ----------
    settings : GPSettings
    prior_column : column of x that holds the simulation prior, in the units of the objective, or None
    """

    def __init__(self, settings: GPSettings | None = None, prior_column: int | None = None) -> None:
        self.settings = settings or GPSettings()
        self.prior_column = prior_column
        self._state: State | None = None
        self._found: list[dict[str, Any]] = []

    # -- fitting ----------------------------------------------------------------------------------------------------

    def fit(self, data: Table, start: Hyperparameters, rng: np.random.Generator) -> GaussianProcess:
        """Fitted to `data` by maximum a posteriori, also over the transforms, and with a linear trend or without one.

        Raises
        ------
        FitFailed
            If no covariance could be factorised, or there is nothing to fit to.
        """
        if not len(data):
            raise FitFailed("no observation has a value yet")
        fitting = data.take(most_telling(data, self.settings.fit_points, rng))
        warm = {self._form_of(entry): entry for entry in start.get("fits", ())}
        forms = tuple(
            (power, slopes)
            for power in possible_powers(data.y, self.settings.powers)
            for slopes in dict.fromkeys((self.settings.slopes, 0.0))
        )
        likely = still_likely(forms, warm) if len(data) % _REVIEW else forms
        found: list[tuple[float, Form, FloatArray, tuple[float, float]]] = []
        for form in likely:
            transform = Transform.of(data.y, form[0])
            theta, cost, trend = self._with_slopes(form[1])._maximise(fitting, transform, warm.get(form))
            surprise = _TREND_ODDS if self.settings.slopes and not form[1] else 0.0
            found.append((cost - transform.log_jacobian(fitting.y) + surprise, form, theta, trend))
        found.sort(key=lambda entry: entry[0])
        if not math.isfinite(found[0][0]):
            raise FitFailed("no covariance of the data was positive definite")
        _, (power, slopes), theta, trend = found[0]
        fitted = self._with_slopes(slopes)
        fitted._found = [
            {"power": form[0], "slopes": form[1], "theta": theta.tolist(), "trend": list(trend), "cost": cost}
            for cost, form, theta, trend in found
        ] + [dict(warm[form]) for form in forms if form not in likely]
        fitted._state = fitted._posterior(data, Transform.of(data.y, power), theta, trend)
        return fitted

    def at(self, data: Table, hyperparameters: Hyperparameters, transform: Transform | None = None) -> GaussianProcess:
        """The posterior of `data` at given hyperparameters, without a search; `transform` is by default the data's."""
        best = hyperparameters["fits"][0]
        power, slopes = self._form_of(best)
        fitted = self._with_slopes(slopes)
        fitted._found = [dict(entry) for entry in hyperparameters["fits"]]
        transform = transform or Transform.of(data.y, power)
        fitted._state = fitted._posterior(data, transform, np.array(best["theta"]), tuple(best["trend"]))
        return fitted

    def hyperparameters(self) -> dict[str, Any]:
        """One entry a transform, with a linear trend and without one, best first.

        ``theta`` is log length scales, signal, noise and the noise's slope.
        """
        return {"fits": [dict(entry) for entry in self._found]}

    @property
    def length_scales(self) -> FloatArray:
        """(d,) length scales of the encoded inputs (and of the simulation prior, where it is one)."""
        return np.exp(self.state.theta[:-3])

    @property
    def noise_std(self) -> float:
        """Standard deviation of a test's noise on the latent scale, at the mean of the data."""
        return float(np.exp(0.5 * self.state.theta[-2]))

    @property
    def transform(self) -> Transform:
        """From the objective to the latent scale."""
        return self.state.transform

    # -- prediction -------------------------------------------------------------------------------------------------

    def predict(self, x: FloatArray) -> Prediction:
        """Mean and standard deviation at the rows of `x` (m, d), without the noise of a test."""
        state = self.state
        mean, cross, prior_variance = self._cross(x)
        half = solve_lower(state.factor, cross.T)
        variance = np.maximum(prior_variance - (half * half).sum(axis=0), 1e-12)
        return self.prediction(mean, np.sqrt(variance))

    def joint(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Latent mean (m,) and covariance (m, m) of the rows of `x`."""
        state = self.state
        mean, cross, _ = self._cross(x)
        inputs, basis, _ = self._inputs(x, state.transform)
        half = solve_lower(state.factor, cross.T)
        return mean, self._kernel(inputs, inputs) + basis @ basis.T - half.T @ half

    def with_covariance(self, x: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Latent mean (m,) and standard deviation (m,) of the rows of `x`, and their covariance (m, c) with `other`."""
        state = self.state
        mean, cross, prior_variance = self._cross(x)
        _, other_cross, _ = self._cross(other)
        half = solve_lower(state.factor, cross.T)
        other_half = solve_lower(state.factor, other_cross.T)
        inputs, basis, _ = self._inputs(x, state.transform)
        other_inputs, other_basis, _ = self._inputs(other, state.transform)
        covariance = self._kernel(inputs, other_inputs) + basis @ other_basis.T - half.T @ other_half
        return mean, np.sqrt(np.maximum(prior_variance - (half * half).sum(axis=0), 1e-12)), covariance

    def noise_variance(self, latent_mean: FloatArray) -> FloatArray:
        """(m,) variance of a test's noise on the latent scale where the latent mean is `latent_mean`."""
        state = self.state
        centre, scale = state.trend
        bend = np.clip((latent_mean - centre) / scale, -2.0, 2.0) if scale > 0 else np.zeros_like(latent_mean)
        return np.asarray(np.exp(state.theta[-2] + state.theta[-1] * bend))

    def condition(self, x: FloatArray) -> GaussianProcess:
        """As if the rows of `x` had been tested and found to be what is predicted: only the variance falls.

        The Cholesky factor gains rows instead of being made again: O(n^2) a row.
        """
        state = self.state
        if not len(x):
            return self
        mean, cross, _ = self._cross(x)
        inputs, basis, offset = self._inputs(x, state.transform)
        noise = self.noise_variance(mean)
        corner = self._kernel(inputs, inputs) + basis @ basis.T
        corner.flat[:: len(x) + 1] += noise + 1e-8
        below = solve_lower(state.factor, cross.T).T
        n, m = len(state.alpha), len(x)
        factor = np.zeros((n + m, n + m))
        factor[:n, :n] = state.factor
        factor[n:, :n] = below
        factor[n:, n:] = cholesky(corner - below @ below.T)
        fitted = GaussianProcess(self.settings, self.prior_column)
        fitted._found = self._found
        fitted._state = replace(
            state,
            inputs=np.vstack([state.inputs, inputs]),
            basis=np.vstack([state.basis, basis]),
            factor=factor,
            alpha=np.concatenate([state.alpha, np.zeros(m)]),
            target=np.concatenate([state.target, mean - offset]),
            noise=np.concatenate([state.noise, noise]),
        )
        return fitted

    def leave_one_out(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Latent mean, standard deviation (with noise) and measured value of each test, predicted from the others.

        Notes
        -----
        Rasmussen and Williams, eq. 5.12: mean_i = y_i - [K^-1 y]_i / [K^-1]_ii, variance_i = 1 / [K^-1]_ii.
        """
        from scipy.linalg.lapack import dpotri

        state = self.state
        inverse, _ = dpotri(state.factor, lower=1)
        diagonal = inverse.diagonal()
        residual = state.alpha / diagonal
        smooth = state.target - residual
        return smooth, 1.0 / np.sqrt(diagonal), state.target

    def inputs(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What the kernel sees of the rows of `x`, the basis functions of the mean, and the prior's mean."""
        return self._inputs(x, self.state.transform)

    # -- parts ------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The fitted posterior; FitFailed before a fit."""
        if self._state is None:
            raise FitFailed("this Gaussian process has not been fitted")
        return self._state

    def prediction(self, mean: FloatArray, std: FloatArray) -> Prediction:
        """Latent moments with those of the objective."""
        objective_mean, objective_std = self.state.transform.moments(mean, std)
        return Prediction(objective_mean, objective_std, mean, std)

    def _cross(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        state = self.state
        inputs, basis, offset = self._inputs(x, state.transform)
        cross = self._kernel(inputs, state.inputs) + basis @ state.basis.T
        variance = math.exp(state.theta[-3]) + (basis * basis).sum(axis=1)
        return offset + cross @ state.alpha, cross, variance

    def _kernel(self, a: FloatArray, b: FloatArray) -> FloatArray:
        theta = self.state.theta
        return np.asarray(math.exp(theta[-3]) * correlation(self.settings.kernel, a, b, np.exp(theta[:-3])))

    def _inputs(self, x: FloatArray, transform: Transform) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Kernel inputs, basis functions times their standard deviations, and the prior's mean."""
        settings, column = self.settings, self.prior_column
        offset = np.zeros(len(x))
        if column is None and not settings.source_columns:
            return x, np.column_stack([np.full(len(x), _CONSTANT_SD), *self._slopes(x)]), offset
        inputs = np.delete(x, [*settings.source_columns, *([] if column is None else [column])], axis=1)
        basis = [np.ones(len(x)), *self._slopes(inputs)]
        weight, weight_sd = settings.source_weight
        for source in settings.source_columns:
            offset = offset + weight * x[:, source]
            basis.append(weight_sd * x[:, source])
        if column is not None:
            raw = x[:, column] * (1.0 if transform.power == 1.0 else transform.sign)
            if transform.power != 1.0:
                raw = transform.sign * np.maximum(raw, 1e-3 * transform.unit)
            guess = np.clip(transform.forward(raw), -4.0, 4.0)
            offset = offset + guess
            basis.append(settings.prior_weight_sd * guess)
            if settings.prior_as_input:
                inputs = np.column_stack([inputs, guess / 4.0])
        return inputs, np.column_stack(basis), offset

    def _form_of(self, fit: Mapping[str, Any]) -> Form:
        return float(fit["power"]), float(fit.get("slopes", self.settings.slopes))

    def _with_slopes(self, slopes: float) -> GaussianProcess:
        """One that is not fitted, with these settings otherwise."""
        return GaussianProcess(replace(self.settings, slopes=slopes), self.prior_column)

    def _slopes(self, inputs: FloatArray) -> list[FloatArray]:
        """One linear basis function an input, each of the same share of the trend's variance."""
        if not self.settings.slopes:
            return []
        share = self.settings.slopes / math.sqrt(inputs.shape[1])
        return list((share * _PER_SPREAD * (inputs - 0.5)).T)

    def problem(self, data: Table, transform: Transform, trend: FloatArray | None) -> Problem:
        inputs, basis, offset = self._inputs(data.x, transform)
        known = np.isfinite(data.noise_std)
        fixed = np.where(known, (np.nan_to_num(data.noise_std) * transform.slope(data.y)) ** 2, 0.0)
        return Problem(
            x=inputs,
            y=transform.forward(data.y) - offset,
            free=(~known).astype(float),
            fixed=fixed,
            trend=np.zeros(len(data)) if trend is None else trend,
            basis=basis,
            basis_sd=np.ones(basis.shape[1]),
            kernel=self.settings.kernel,
            tied=self.settings.tied,
        )

    def problem_of(self, data: Table, fit: Mapping[str, Any]) -> tuple[Problem, float]:
        """The likelihood's problem under the transform of one of the fits, and the transform's log Jacobian."""
        power, slopes = self._form_of(fit)
        transform = Transform.of(data.y, power)
        return self._with_slopes(slopes).problem(data, transform, None), transform.log_jacobian(data.y)

    def _maximise(
        self, data: Table, transform: Transform, warm: Mapping[str, Any] | None
    ) -> tuple[FloatArray, float, tuple[float, float]]:
        settings = self.settings
        problem = self.problem(data, transform, None)
        d = problem.x.shape[1]
        # short length scales and long ones, each with much noise: the two explanations that a few noisy tests allow
        short = np.array([0.5 * math.log(d) - 1.1] * d + [0.0, -2.0, 0.0])
        long = np.array([1.0] * d + [0.0, -1.0, 0.0])
        if warm is not None and len(warm["theta"]) == d + 3:
            starts, iterations = [np.array(warm["theta"])], settings.iterations
            if len(data) % _REVIEW == 0:
                starts.append(short)
        else:
            starts, iterations = [short, long], 2 * settings.iterations
            if len(data) > _MANY:
                starts = starts[:1]
        for start in starts:
            start[-1] = 0.0
            if settings.tied:
                start[:d] = start[:d].mean()
        theta, cost = maximise_posterior(problem, settings.priors, starts, iterations)
        if settings.noise == "equal" or not math.isfinite(cost):
            return theta, cost, (0.0, 0.0)
        state = self._posterior(data, transform, theta, (0.0, 0.0))
        smooth = state.target - state.noise * state.alpha
        centre, scale = float(smooth.mean()), float(smooth.std())
        if not scale > 1e-6:
            return theta, cost, (0.0, 0.0)
        bent = self.problem(data, transform, np.clip((smooth - centre) / scale, -2.0, 2.0))
        if warm is not None and len(warm["theta"]) == d + 3:
            theta[-1] = float(warm["theta"][-1])
        theta, cost = maximise_posterior(bent, settings.priors, [theta], settings.iterations)
        return theta, cost, (centre, scale)

    def _posterior(self, data: Table, transform: Transform, theta: FloatArray, trend: tuple[float, float]) -> State:
        problem = self.problem(data, transform, None)
        inputs, basis, _ = self._inputs(data.x, transform)
        state = State(transform, theta, inputs, basis, np.zeros((0, 0)), np.zeros(0), problem.y, np.zeros(0), trend)
        kernel = basis @ basis.T
        kernel += math.exp(theta[-3]) * correlation(self.settings.kernel, inputs, inputs, np.exp(theta[:-3]))
        learned = math.exp(theta[-2]) * problem.free
        noise = learned + problem.fixed + 1e-8
        state = solve(state, kernel, noise)
        centre, scale = trend
        if scale > 0:
            for _ in range(2):
                bend = np.clip((state.target - state.noise * state.alpha - centre) / scale, -2.0, 2.0)
                state = solve(state, kernel, learned * np.exp(theta[-1] * bend) + problem.fixed + 1e-8)
        if data.censored.any():
            from toughopt.optimizer.censoring import censored_sites

            target, noise = censored_sites(kernel, state.target, state.noise, data.censored)
            state = solve(replace(state, target=target), kernel, noise)
        return state
