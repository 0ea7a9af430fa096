"""Gaussian processes for thousands of tests: from each design's nearest neighbours, or around the best design."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from toughopt.optimizer.base import FloatArray, Hyperparameters, Prediction
from toughopt.optimizer.fitting import GPSettings, most_telling
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.kernels import correlation
from toughopt.optimizer.observations import Table
from toughopt.optimizer.posterior import FitFailed

_BLOCK = 512  # candidates predicted at a time: bounds the memory
_REGION = 1000  # tests that predict a group of designs that lie together
_GROUPS = 8
_FEWEST_SHARING = 20  # designs that are worth a factor of their own


class LocalGaussianProcess(GaussianProcess):
    """An exact Gaussian process of the tests nearest to the best one, fitted anew as the best moves.

    Notes
    -----
    As in the shell campaign (Snapp et al., Nature Communications 15, 4290, 2024): all tests within half of the
    normalised range of the best, at least 100 and, here, at most 1,000.
    """

    def __init__(
        self,
        settings: GPSettings | None = None,
        prior_column: int | None = None,
        radius: float = 0.5,
        fewest: int = 100,
        most: int = 1000,
    ) -> None:
        super().__init__(settings, prior_column)
        self._limits = (radius, fewest, most)

    def fit(self, data: Table, start: Hyperparameters, rng: np.random.Generator) -> GaussianProcess:
        """Fitted to the tests around the best one."""
        if not len(data):
            raise FitFailed("no observation has a value yet")
        radius, fewest, most = self._limits
        distance = np.abs(data.x - data.x[int(np.argmax(data.y))]).max(axis=1)
        order = np.argsort(distance, kind="stable")
        count = min(most, max(fewest, int((distance <= radius).sum())), len(data))
        return super().fit(data.take(np.sort(order[:count])), start, rng)


class NeighbourGaussianProcess:
    """Each design is predicted by the exact Gaussian process of its nearest tests, at shared hyperparameters.

    Designs that lie together share their nearest thousand tests; one that lies alone has its own few neighbours.

    Parameters
    ----------
    neighbours : tests that predict one design

    Notes
    -----
    The nearest-neighbour Gaussian process (Datta et al., J. Am. Stat. Assoc. 111, 800, 2016) for prediction:
    nearness is measured in length scales, as serves Vecchia approximations best (Katzfuss and Guinness, Stat. Sci. 36,
    124, 2021).
    Hyperparameters come from an exact fit to the better half of `fit_points` tests and a random half.
    """

    def __init__(
        self, settings: GPSettings | None = None, prior_column: int | None = None, neighbours: int = 64
    ) -> None:
        self.settings = settings or GPSettings()
        self.prior_column = prior_column
        self.neighbours = neighbours
        self._data: Table | None = None
        self._core: GaussianProcess | None = None
        self._tree: Any = None
        self._pending: FloatArray | None = None

    def fit(self, data: Table, start: Hyperparameters, rng: np.random.Generator) -> NeighbourGaussianProcess:
        """Fitted to `data`."""
        from scipy.spatial import cKDTree

        if not len(data):
            raise FitFailed("no observation has a value yet")
        rows = most_telling(data, self.settings.fit_points, rng)
        found = NeighbourGaussianProcess(self.settings, self.prior_column, self.neighbours)
        found._core = GaussianProcess(self.settings, self.prior_column).fit(data.take(rows), start, rng)
        found._data = data
        inputs, _, _ = found._core.inputs(data.x)
        found._tree = cKDTree(inputs / found._core.length_scales)
        return found

    @property
    def core(self) -> GaussianProcess:
        """The exact fit that the hyperparameters come from."""
        return self._fitted[0]

    def hyperparameters(self) -> dict[str, Any]:
        """Those of the exact fit."""
        return self._fitted[0].hyperparameters()

    def condition(self, x: FloatArray) -> NeighbourGaussianProcess:
        """As if the rows of `x` had been tested and found to be what is predicted."""
        core, data = self._fitted
        found = NeighbourGaussianProcess(self.settings, self.prior_column, self.neighbours)
        found._core, found._data, found._tree = core, data, self._tree
        found._pending = x if self._pending is None else np.vstack([self._pending, x])
        return found

    def predict(self, x: FloatArray) -> Prediction:
        """Mean and standard deviation at the rows of `x` (m, d), without the noise of a test."""
        core, data = self._fitted
        inputs, _, _ = core.inputs(x)
        scaled = inputs / core.length_scales
        mean, std = np.empty(len(x)), np.empty(len(x))
        alone = np.ones(len(x), dtype=bool)
        for group in _groups(scaled):
            centre = scaled[group].mean(axis=0)
            reach = float(np.sqrt(((scaled[group] - centre) ** 2).sum(axis=1)).max())
            distance, nearest = self._tree.query(centre, k=min(_REGION, len(data)))
            if len(group) < _FEWEST_SHARING or reach > 0.5 * float(distance[-1]):
                continue
            region = core.at(data.take(np.sort(nearest)), core.hyperparameters(), core.transform)
            if self._pending is not None:
                region = region.condition(self._pending)
            belief = region.predict(x[group])
            mean[group], std[group] = belief.latent_mean, belief.latent_std
            alone[group] = False
        rest = np.flatnonzero(alone)
        if len(rest):
            _, near = self._tree.query(scaled[rest], k=min(self.neighbours, len(data)))
            for begin in range(0, len(rest), _BLOCK):
                rows = rest[begin : begin + _BLOCK]
                mean[rows], std[rows] = predict_from(core, x[rows], data, near[begin : begin + _BLOCK], self._pending)
        return core.prediction(mean, std)

    @property
    def _fitted(self) -> tuple[GaussianProcess, Table]:
        if self._core is None or self._data is None:
            raise FitFailed("this Gaussian process has not been fitted")
        return self._core, self._data


def _groups(scaled: FloatArray) -> list[Any]:
    """Rows that lie together, as index arrays (k-means from fixed starts)."""
    from scipy.cluster.vq import kmeans2

    if len(scaled) < 2 * _FEWEST_SHARING:
        return [np.arange(len(scaled))]
    count = min(_GROUPS, len(scaled) // _FEWEST_SHARING)
    if float(np.ptp(scaled, axis=0).max()) < 1e-12:
        return [np.arange(len(scaled))]
    _, label = kmeans2(scaled, count, minit="++", rng=np.random.default_rng(0), missing="warn")
    return [rows for g in range(count) if len(rows := np.flatnonzero(label == g))]


def predict_from(
    gp: GaussianProcess, x: FloatArray, data: Table, nearest: Any, pending: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Latent mean and standard deviation of each row of `x` from its own few tests, at these hyperparameters.

    Parameters
    ----------
    x : (m, d) float
    nearest : (m, c) int, rows of `data` that predict each
    pending : (p, d) float, designs to be tested, which lower the variance; or None
    """
    state = gp.state
    inputs, basis, offset = gp._inputs(x, state.transform)
    problem = gp.problem(data, state.transform, None)
    near, near_basis = problem.x[nearest], problem.basis[nearest]
    length = np.exp(state.theta[:-3])
    signal = math.exp(state.theta[-3])
    noise = (math.exp(state.theta[-2]) * problem.free + problem.fixed + 1e-6)[nearest]
    target = problem.y[nearest]
    if pending is not None and len(pending):
        extra, extra_basis, _ = gp._inputs(pending, state.transform)
        m, p = len(x), len(pending)
        near = np.concatenate([near, np.broadcast_to(extra, (m, *extra.shape))], axis=1)
        near_basis = np.concatenate([near_basis, np.broadcast_to(extra_basis, (m, *extra_basis.shape))], axis=1)
        noise_here = np.full((m, p), math.exp(state.theta[-2]))
    else:
        noise_here = np.zeros((len(x), 0))
    a, kind, one = near / length, gp.settings.kernel, np.ones(len(length))
    covariance = signal * correlation(kind, a, a, one) + near_basis @ near_basis.transpose(0, 2, 1)
    index = np.arange(covariance.shape[1])
    covariance[:, index, index] += np.concatenate([noise, noise_here], axis=1)
    cross = signal * correlation(kind, a, (inputs / length)[:, None, :], one) + near_basis @ basis[:, :, None]
    c = target.shape[1]
    mean = np.einsum("ij,ij->i", np.linalg.solve(covariance[:, :c, :c], cross[:, :c])[:, :, 0], target)
    solved = np.linalg.solve(covariance, cross)[:, :, 0]
    variance = signal + (basis * basis).sum(axis=1) - np.einsum("ij,ij->i", solved, cross[:, :, 0])
    return offset + mean, np.sqrt(np.maximum(variance, 1e-12))
