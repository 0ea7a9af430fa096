"""A table or a logged campaign as a landscape that can be tested anywhere: a model of all data, with its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toughopt.errors import InputError
from toughopt.replay.table import Design, Pool

if TYPE_CHECKING:
    from toughopt.optimizer import Space
    from toughopt.optimizer.gp import GaussianProcess

FloatArray = NDArray[np.float64]
_FOLDS = 5
_FEWEST = 15  # designs without which a model of all data means nothing
_DRAWS = 48  # tests that each design of the emulator has in store
_NEIGHBOURS = 31  # designs of similar mean that share an estimate of the noise


@dataclass(frozen=True, slots=True)
class Validation:
    """How well the model predicts the means of designs that it was not told of.

    rmse : root mean square error, in the units of the objective
    explained : share of the variance among the designs' means that it predicts; 0 for guessing the mean
    coverage : share of the means inside their 95 % intervals
    noise_std : median standard deviation of a single test
    """

    designs: int
    rmse: float
    explained: float
    coverage: float
    noise_std: float


def emulated(pool: Pool, space: Space | None = None, *, designs: int = 500, seed: int = 0) -> tuple[Pool, Validation]:
    """A pool whose designs have the model's mean as their true mean, and draws of its noise as their tests.

    Parameters
    ----------
    space : where to take further designs from; None to emulate the pool's own designs only
    designs : how many designs of the space

    Raises
    ------
    InputError
        If fewer than fifteen designs were measured.

    Notes
    -----
    The model is the default policy's Gaussian process, told each design's mean with the standard error of that mean
    where there are replicates. Policies that use the same kind of model may do better here than in a laboratory: the
    truth is what such a model can represent. The cross-validated error says how much of the truth that is.
    """
    if len(pool.designs) < _FEWEST:
        raise InputError(f"{len(pool.designs)} designs were measured; an emulator needs {_FEWEST}; leave out --emulate")
    from toughopt.optimizer import Space

    rng = np.random.default_rng([seed, 9])
    own = Space(pool=pool.designs) if space is None else space
    noise = _noise(pool)
    model = _fitted(pool, own, noise, np.arange(len(pool.designs)))
    checked = _validated(pool, own, noise, rng)
    chosen: list[Design] = [dict(d) for d in pool.designs]
    if space is not None:
        chosen = [dict(d) for d in space.designs(space.sample(designs, rng))]
    mean = model(chosen)[0]
    spread = _noise_at(mean, pool, noise)
    draws = rng.standard_normal((len(chosen), _DRAWS)) * spread[:, None]
    tests = mean[:, None] + draws - draws.mean(axis=1, keepdims=True)  # so that the true mean is the model's
    made = Pool(tuple(chosen), tuple(tuple(row) for row in tests.tolist()), pool.objective, pool.minimize)
    return made, checked


class _Model:
    """Mean and standard deviation of the objective at any design of a space."""

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = optimizer
        model = optimizer.surrogate()
        self._gp: GaussianProcess = getattr(model, "best", model)

    def __call__(self, designs: list[Design]) -> tuple[FloatArray, FloatArray]:
        belief = self._gp.predict(self._optimizer.encoder.encode_designs(designs))
        sign = -1.0 if self._optimizer.minimize else 1.0
        return sign * belief.mean, belief.std

    @property
    def noise_std(self) -> FloatArray:
        """Of each test that it was told, in the units of the objective."""
        predicted, _, _ = self._gp.leave_one_out()
        slope = self._gp.transform.inverse_slope(predicted)
        return np.sqrt(self._gp.noise_variance(predicted)) * np.abs(slope)


def _fitted(pool: Pool, space: Space, noise: FloatArray | None, rows: NDArray[np.int64]) -> _Model:
    from toughopt.optimizer import Optimizer

    made = Optimizer(space, "default", 1, minimize=pool.minimize, settings={"ensemble": 1})
    chosen = [int(i) for i in rows]
    error = None
    if noise is not None:
        error = [float(noise[i] / np.sqrt(len(pool.replicates[i]))) for i in chosen]
    made.tell([pool.designs[i] for i in chosen], [float(pool.means[i]) for i in chosen], noise_std=error)
    return _Model(made)


def _validated(pool: Pool, space: Space, noise: FloatArray | None, rng: np.random.Generator) -> Validation:
    order = rng.permutation(len(pool.designs))
    mean, std = np.zeros(len(order)), np.zeros(len(order))
    single: list[FloatArray] = []
    for fold in range(_FOLDS):
        held = order[fold::_FOLDS]
        model = _fitted(pool, space, noise, np.setdiff1d(order, held))
        mean[held], std[held] = model([dict(pool.designs[i]) for i in held])
        single.append(model.noise_std if noise is None else noise[held])
    counts = np.array([len(values) for values in pool.replicates])
    noise_std = float(np.median(np.concatenate(single)))
    of_means = noise_std / np.sqrt(counts) if noise is None else noise / np.sqrt(counts)
    error = pool.means - mean
    return Validation(
        designs=len(order),
        rmse=float(np.sqrt((error**2).mean())),
        explained=float(max(1.0 - (error**2).mean() / max(pool.means.var(), 1e-300), 0.0)),
        coverage=float((np.abs(error) <= 1.96 * np.sqrt(std**2 + of_means**2)).mean()),
        noise_std=noise_std,
    )


def _noise(pool: Pool) -> FloatArray | None:
    """(n,) standard deviation of a test of each design, shared among those of similar mean; None without pairs."""
    several = np.array([len(values) > 1 for values in pool.replicates])
    if several.sum() < _FEWEST:
        return None
    variance = np.array([np.var(values, ddof=1) if len(values) > 1 else np.nan for values in pool.replicates])
    means = pool.means
    found = np.empty(len(means))
    for i, mean in enumerate(means):
        near = np.argsort(np.where(several, np.abs(means - mean), np.inf), kind="stable")[:_NEIGHBOURS]
        found[i] = np.sqrt(max(float(np.nanmean(variance[near])), 1e-12))
    return found


def _noise_at(mean: FloatArray, pool: Pool, noise: FloatArray | None) -> FloatArray:
    """(m,) standard deviation of a test where the true mean is `mean`."""
    if noise is None:
        from toughopt.optimizer import Space

        measured = _fitted(pool, Space(pool=pool.designs), None, np.arange(len(pool.designs))).noise_std
        return np.full(len(mean), float(np.median(measured)))
    order = np.argsort(pool.means)
    return np.asarray(np.interp(mean, pool.means[order], noise[order]))
