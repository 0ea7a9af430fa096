"""What the model has learned: which parameters matter, how, and how far its predictions can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toughopt.errors import ObservationError
from toughopt.optimizer.base import FloatArray, Value
from toughopt.optimizer.ensemble import EnsembleGaussianProcess
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.optimizer import Optimizer

_BASE = 512  # designs over which effects are averaged


@dataclass(frozen=True, slots=True)
class Parity:
    """Each test predicted from all the others, in the units of the objective.

    measured, predicted : (n,) float
    low, high : (n,) float, 95 % interval of a single test
    standardised : (n,) float, (measured - predicted) / standard deviation, on the scale on which the model is Gaussian
    coverage : share of the tests inside their interval; 0.95 where the intervals are honest
    """

    measured: FloatArray
    predicted: FloatArray
    low: FloatArray
    high: FloatArray
    standardised: FloatArray
    coverage: float

    def calibration(self, levels: FloatArray) -> FloatArray:
        """(len(levels),) share of tests inside central intervals of these probabilities, normal on the latent scale."""
        from scipy.special import ndtri

        z = np.abs(self.standardised)
        return np.array([(z <= ndtri(0.5 + level / 2.0)).mean() for level in levels])


@dataclass(frozen=True, slots=True)
class PartialDependence:
    """How the objective answers to one parameter, the others as they come in the space.

    values : the parameter's values
    mean, std : (len(values),) float, of the objective averaged over the space
    """

    parameter: str
    values: list[Value]
    mean: FloatArray
    std: FloatArray


def importances(optimizer: Optimizer) -> dict[str, float]:
    """Relevance of each parameter, summing to 1: inverse squared length scales of the encoded inputs.

    Context, features and a simulation prior are listed under "context", "features" and "prior".

    Notes
    -----
    A short length scale may also mean roughness; `total_effects` tells what a parameter contributes.
    """
    model = _gaussian_process(optimizer)
    weight = 1.0 / model.length_scales**2
    names: list[str] = []
    for parameter in optimizer.space.parameters:
        names += [parameter.name] * parameter.width
    encoder = optimizer.encoder
    names += ["context"] * (encoder.n_plain - len(names))
    prior = encoder.prior_column is not None
    names += ["features"] * (encoder.width - encoder.n_plain - prior - len(encoder.source_columns))
    names += ["prior"] * (len(weight) - len(names))
    total: dict[str, float] = {}
    for name, share in zip(names, weight / weight.sum(), strict=True):
        total[name] = total.get(name, 0.0) + float(share)
    return total


def parity(optimizer: Optimizer) -> Parity:
    """Leave-one-out predictions at fixed hyperparameters, with intervals.

    Raises
    ------
    ObservationError
        If fewer than three values were told.
    """
    model = _gaussian_process(optimizer)
    mean, std, target = model.leave_one_out()
    transform = model.transform
    z = (target - mean) / std
    low, high = _signed(optimizer, transform.inverse(mean - 1.96 * std), transform.inverse(mean + 1.96 * std))
    return Parity(
        measured=optimizer.encoder.sign * transform.inverse(target),
        predicted=optimizer.encoder.sign * transform.inverse(mean),
        low=low,
        high=high,
        coverage=float((np.abs(z) <= 1.96).mean()),
        standardised=z,
    )


def partial_dependence(optimizer: Optimizer, parameter: str, points: int = 25) -> PartialDependence:
    """The objective against one parameter, averaged over allowed values of the others, with a band.

    Raises
    ------
    ObservationError
        If fewer than three values were told, or there is no such parameter.
    """
    model = _gaussian_process(optimizer)
    known = {p.name: p for p in optimizer.space.parameters}
    if parameter not in known:
        raise ObservationError(f"there is no parameter {parameter!r}; the space has {', '.join(known)}")
    base = optimizer.space.sample(64, np.random.default_rng(0))
    values = known[parameter].levels(points)
    means, stds = [], []
    for value in values:
        columns = dict(base)
        columns[parameter] = np.array([value] * len(base[parameter]), dtype=base[parameter].dtype)
        x = optimizer.encoder.encode(columns)
        mean, covariance = model.joint(x)
        belief = model.predict(x)
        average = float(mean.mean())
        spread = float(np.sqrt(max(covariance.mean(), 0.0)))
        slope = float(model.transform.inverse_slope(np.array([average]))[0])
        means.append(float(belief.mean.mean()))
        stds.append(spread * slope)
    return PartialDependence(parameter, values, optimizer.encoder.sign * np.array(means), np.array(stds))


def total_effects(optimizer: Optimizer, seed: int = 0) -> dict[str, float]:
    """Share of the variance of the predicted objective that would remain if all but one parameter were fixed.

    Notes
    -----
    Jansen's estimator of the total-effect index: E[(f(x) - f(x with parameter i drawn again))^2] / (2 Var f)
    (Saltelli et al., Comput. Phys. Commun. 181, 259, 2010, table 2). Over the box; constraints are not looked at. The
    sum is above 1 where parameters interact.
    """
    model = _gaussian_process(optimizer)
    space, encoder = optimizer.space, optimizer.encoder
    rng = np.random.default_rng(seed)
    first = space.from_unit(rng.random((_BASE, len(space.parameters))))
    second = space.from_unit(rng.random((_BASE, len(space.parameters))))
    here = model.predict(encoder.encode(first)).mean
    variance = max(float(here.var()), 1e-300)
    found = {}
    for name in space.names:
        there = model.predict(encoder.encode({**first, name: second[name]})).mean
        found[name] = float(((here - there) ** 2).mean() / (2.0 * variance))
    return found


def effects_beside_mass(optimizer: Optimizer, mass: Mapping[int, float]) -> dict[str, tuple[float, float]]:
    """What each numeric parameter does to the objective other than by adding mass.

    Parameters
    ----------
    mass : mass, in any unit, by index into ``optimizer.observations``; others are left out

    Returns
    -------
    dict
        Direct effect of each parameter and its standard error: change of the objective, in its units, from the lowest
        to the highest value of the parameter at constant mass.

    Raises
    ------
    ObservationError
        If there are fewer tests with a mass than numeric parameters plus three.

    Notes
    -----
    Linear mediation (Baron and Kenny, J. Pers. Soc. Psychol. 51, 1173, 1986): the coefficient of a parameter in the
    regression of the objective on all parameters and the mass. Assumes linear effects, no interaction of parameter and
    mass, and nothing unmeasured that moves both mass and objective; a cliff in the objective violates the first.
    """
    chosen = [i for i, o in enumerate(optimizer.observations) if i in mass and o.value is not None]
    numeric = [p for p in optimizer.space.parameters if p.width == 1]
    if len(chosen) < len(numeric) + 3:
        raise ObservationError(
            f"{len(chosen)} tests have a mass and a value; {len(numeric) + 3} are needed for {len(numeric)} parameters"
        )
    observations = [optimizer.observations[i] for i in chosen]
    columns = optimizer.space.columns([o.design for o in observations])
    x = np.column_stack(
        [p.encode(columns[p.name])[:, 0] for p in numeric] + [[mass[i] for i in chosen], np.ones(len(chosen))]
    )
    y = np.array([o.value for o in observations], dtype=float)
    coefficients, _, rank, _ = np.linalg.lstsq(x, y, rcond=None)
    left = y - x @ coefficients
    scale = float(left @ left) / max(len(y) - int(rank), 1)
    errors = np.sqrt(np.maximum(scale * np.linalg.pinv(x.T @ x).diagonal(), 0.0))
    return {p.name: (float(coefficients[j]), float(errors[j])) for j, p in enumerate(numeric)}


def _gaussian_process(optimizer: Optimizer) -> GaussianProcess:
    if sum(not o.failed for o in optimizer.observations) < 3:
        raise ObservationError("fewer than three values were told: there is nothing to learn from them yet")
    model = optimizer.surrogate()
    if isinstance(model, EnsembleGaussianProcess):
        return model.best
    if isinstance(model, GaussianProcess):
        return model
    core = getattr(model, "core", None)
    if isinstance(core, GaussianProcess):
        return core
    raise ObservationError("this policy's model is no Gaussian process; ask an optimizer with policy 'default'")


def _signed(optimizer: Optimizer, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    return (low, high) if optimizer.encoder.sign > 0 else (-high, -low)
