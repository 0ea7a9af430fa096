"""What the model has learned: which parameters matter, how, and how far its predictions can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toughopt.errors import ObservationError
from toughopt.optimizer.base import BoolArray, FloatArray, Value
from toughopt.optimizer.ensemble import EnsembleGaussianProcess
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.observations import as_number
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

    Context, features and a simulation prior are listed under "context", "features" and "prior". What was the same in
    every test counts nothing.

    Raises
    ------
    ObservationError
        If fewer than three values were told, or the policy's model is no Gaussian process.

    Notes
    -----
    A short length scale may also mean roughness, and a parameter that acts along a straight line needs none: the linear
    trend takes that. `total_effects` tells what a parameter contributes.
    """
    model = _gaussian_process(optimizer)
    weight = 1.0 / model.length_scales**2
    varied = np.ptp(model.state.inputs, axis=0) > 0.0
    weight = np.where(varied, weight, 0.0) if varied.any() else weight  # of the others the data say nothing
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
    """Leave-one-out predictions at fixed hyperparameters, with intervals; tests that gave only a bound are left out.

    Raises
    ------
    ObservationError
        If fewer than three values were told.
    """
    model = _gaussian_process(optimizer)
    mean, std, target = model.leave_one_out()
    offset, exact = _of_tests(optimizer, model)
    mean, std, target = (mean + offset)[exact], std[exact], (target + offset)[exact]
    if len(target) < 3:
        raise ObservationError("fewer than three tests gave a value and not a bound: there is nothing to compare yet")
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
    mass : mass, in any unit, by index into ``optimizer.observations``; others, and what is no finite number, are left
        out

    Returns
    -------
    dict
        Direct effect of each parameter and its standard error: change of the objective, in its units, from the lowest
        to the highest value of the parameter at constant mass.

    Raises
    ------
    ObservationError
        If there are fewer tests with a mass than numeric parameters that vary plus three, or the masses follow from the
        parameters exactly.

    Notes
    -----
    Linear mediation (Baron and Kenny, J. Pers. Soc. Psychol. 51, 1173, 1986): the coefficient of a parameter in the
    regression of the objective on all parameters and the mass; categories count as parameters held constant. Assumes
    linear effects, no interaction of parameter and mass, and nothing unmeasured that moves both mass and objective; a
    cliff in the objective violates the first. Censored tests are left out, which leaves the strongest out.
    NaN for a parameter that did not vary.
    """
    if not isinstance(mass, Mapping):
        raise ObservationError(f"masses are a mapping from the index of an observation, not a {type(mass).__name__}")
    told = optimizer.observations
    weighed = {i for i in mass if math.isfinite(math.nan if (number := as_number(mass[i])) is None else number)}
    chosen = [i for i, o in enumerate(told) if i in weighed and o.value is not None and not o.censored]
    columns = optimizer.space.columns([told[i].design for i in chosen])
    names: list[str] = []
    parts: list[FloatArray] = []
    for p in optimizer.space.parameters:
        code = p.encode(columns[p.name]) if chosen else np.zeros((0, p.width))
        names += [p.name] if p.width == 1 else [""] * (p.width - 1)  # the last category is what others differ from
        parts += [code] if p.width == 1 else [code[:, :-1]]
    x = np.column_stack(parts)
    varies = np.ptp(x, axis=0) > 0.0 if chosen else np.ones(x.shape[1], dtype=bool)
    if len(chosen) < int(varies.sum()) + 3:
        raise ObservationError(
            f"{len(chosen)} tests have a mass and a value; {int(varies.sum()) + 3} are needed for "
            f"{int(varies.sum())} effects"
        )
    masses = np.array([mass[i] for i in chosen], dtype=float)
    base = np.column_stack([x[:, varies], np.ones(len(chosen))])
    left = masses - base @ np.linalg.lstsq(base, masses, rcond=None)[0]
    if float(left @ left) <= 1e-10 * max(float(((masses - masses.mean()) ** 2).sum()), 1e-300):
        raise ObservationError(
            "the masses follow from the parameters exactly, along straight lines: what acts through mass cannot be "
            "told from what does not; weigh the specimens instead of computing their masses"
        )
    base = np.column_stack([base, masses])
    y = np.array([told[i].value for i in chosen], dtype=float)
    coefficients, _, rank, _ = np.linalg.lstsq(base, y, rcond=None)
    left = y - base @ coefficients
    scale = float(left @ left) / max(len(y) - int(rank), 1)
    errors = np.sqrt(np.maximum(scale * np.linalg.pinv(base.T @ base).diagonal(), 0.0))
    found: dict[str, tuple[float, float]] = {name: (math.nan, math.nan) for name in names if name}
    for j, column in enumerate(np.flatnonzero(varies)):
        if names[column]:
            found[names[column]] = (float(coefficients[j]), float(errors[j]))
    return found


def _of_tests(optimizer: Optimizer, model: GaussianProcess) -> tuple[FloatArray, BoolArray]:
    """Of each test that the model holds: what a prior expected of it (latent), and whether it was exact."""
    good = [o for o in optimizer.observations if not o.failed]
    inputs, basis, offset = model.inputs(optimizer.encoder.encode_observations(good))
    held = model.state
    if len(held.target) == len(good):
        return offset, ~np.array([o.censored for o in good], dtype=bool)
    expected: dict[bytes, float] = {}  # a local model holds some of them, in an order of its own
    bounds = set()
    for row, expectation, o in zip(np.hstack([inputs, basis]), offset, good, strict=True):
        expected[row.tobytes()] = float(expectation)
        if o.censored:
            bounds.add(row.tobytes())
    keys = [row.tobytes() for row in np.hstack([held.inputs, held.basis])]
    return np.array([expected.get(key, 0.0) for key in keys]), np.array([key not in bounds for key in keys])


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
