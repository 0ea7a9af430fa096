"""From a fitted surrogate to a function that scores encoded designs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from toughopt.optimizer.acquisition import (
    expected_improvement,
    knowledge_gradient,
    log_expected_improvement,
    log_improvement_in_units,
    noisy_expected_improvement,
    probability_of_improvement,
    upper_confidence_bound,
)
from toughopt.optimizer.base import FloatArray, Surrogate
from toughopt.optimizer.ensemble import EnsembleGaussianProcess
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.observations import Table

_SAMPLES = 32
_INCUMBENTS = 10  # tested designs that may be the best one, in noisy expected improvement
_JOINT = 700  # candidates that are looked at jointly; the rest, less promising, are left out


def make_score(
    settings: Mapping[str, Any],
    model: Surrogate,
    data: Table,
    rng: np.random.Generator,
    pending: FloatArray | None = None,
) -> Callable[[FloatArray], FloatArray]:
    """The acquisition named in the settings as a function from encoded designs (m, d) to scores (m,).

    Parameters
    ----------
    model : conditioned on the pending designs
    pending : (p, d) float, those designs: what is predicted of them is to be beaten too
    """
    kind = str(settings["acquisition"])
    if kind in _JOINT_SCORES and isinstance(model, EnsembleGaussianProcess):
        model = model.best
    if kind in _JOINT_SCORES:
        if isinstance(model, GaussianProcess):
            return _JOINT_SCORES[kind](model, data, rng)
        kind = "log_ei"
    if isinstance(model, EnsembleGaussianProcess):
        return _mixture_score(settings, kind, model, data, pending)
    best = incumbent(settings, model, data, pending) + float(settings["xi"])
    transform = (
        model.transform if settings["improvement"] == "objective" and isinstance(model, GaussianProcess) else None
    )
    beta = float(settings["beta"])

    def score(x: FloatArray) -> FloatArray:
        belief = model.predict(x)
        mean, std = belief.latent_mean, np.maximum(belief.latent_std, 1e-9)
        if kind == "log_ei" and transform is not None:
            return log_improvement_in_units(mean, std, best, transform)
        if kind == "log_ei":
            return log_expected_improvement(mean, std, best)
        if kind == "ei":
            return expected_improvement(mean, std, best)
        if kind == "pi":
            return probability_of_improvement(mean, std, best)
        if kind == "ucb":
            return upper_confidence_bound(mean, std, beta)
        return std

    return score


def incumbent(settings: Mapping[str, Any], model: Surrogate, data: Table, pending: FloatArray | None = None) -> float:
    """What is to be beaten, on the latent scale: the best posterior mean of a tested design, or the best test.

    A pending design counts with what is predicted of it, so that a batch spreads out.
    """
    ahead = -math.inf
    if pending is not None and len(pending):
        ahead = float(model.predict(pending).latent_mean.max())
    if settings["incumbent"] == "observed":
        if isinstance(model, GaussianProcess):
            return max(ahead, float(model.transform.forward(data.y[[int(np.argmax(data.y))]])[0]))
        return max(ahead, float(data.y.max()))
    best = np.argsort(-data.y, kind="stable")[:300]
    return max(ahead, float(model.predict(data.x[best]).latent_mean.max()))


def _mixture_score(
    settings: Mapping[str, Any], kind: str, model: EnsembleGaussianProcess, data: Table, pending: FloatArray | None
) -> Callable[[FloatArray], FloatArray]:
    """The members' scores, averaged in the units of the objective."""
    parts = []
    for member in model.members:
        best = incumbent(settings, member, data, pending) + float(settings["xi"])
        unit = math.log(float(member.transform.inverse_slope(np.array([best]))[0]))
        parts.append((member, best, unit))
    in_units = settings["improvement"] == "objective"
    beta = float(settings["beta"])

    def score(x: FloatArray) -> FloatArray:
        if kind in ("ucb", "max_variance"):
            belief = model.predict(x)
            return upper_confidence_bound(belief.mean, belief.std, beta) if kind == "ucb" else belief.std
        logs = []
        for member, best, unit in parts:
            belief = member.predict(x)
            mean, std = belief.latent_mean, np.maximum(belief.latent_std, 1e-9)
            if kind == "pi":
                logs.append(np.log(probability_of_improvement(mean, std, best) + 1e-300))
            elif in_units:
                logs.append(log_improvement_in_units(mean, std, best, member.transform))
            else:
                logs.append(log_expected_improvement(mean, std, best) + unit)
        stack = np.array(logs)
        top = stack.max(axis=0)
        mixed = top + np.log(model.weights @ np.exp(stack - top))
        return np.asarray(mixed if kind == "log_ei" else np.exp(mixed))

    return score


def _noisy_ei(model: GaussianProcess, data: Table, rng: np.random.Generator) -> Callable[[FloatArray], FloatArray]:
    tested = np.unique(data.x, axis=0)
    belief = model.predict(tested)
    order = np.argsort(-(belief.latent_mean + belief.latent_std), kind="stable")[:_INCUMBENTS]
    tested = tested[order]
    mean, covariance = model.joint(tested)
    factor = np.linalg.cholesky(covariance + 1e-8 * np.eye(len(tested)))
    draws = rng.standard_normal((_SAMPLES, len(tested)))
    known = mean + draws @ factor.T

    def score(x: FloatArray) -> FloatArray:
        at, std, cross = model.with_covariance(x, tested)
        loading = np.linalg.solve(factor, cross.T).T
        return noisy_expected_improvement(at, std, loading, known, draws)

    return score


def _thompson(model: GaussianProcess, data: Table, rng: np.random.Generator) -> Callable[[FloatArray], FloatArray]:
    def score(x: FloatArray) -> FloatArray:
        keep, out = _most_promising(model, x)
        mean, covariance = model.joint(x[keep])
        top = float(covariance.diagonal().max())
        factor = np.linalg.cholesky(covariance + 1e-6 * top * np.eye(len(keep)))
        out[keep] = mean + factor @ rng.standard_normal(len(keep))
        return out

    return score


def _knowledge_gradient(
    model: GaussianProcess, data: Table, rng: np.random.Generator
) -> Callable[[FloatArray], FloatArray]:
    def score(x: FloatArray) -> FloatArray:
        keep, out = _most_promising(model, x)
        mean, covariance = model.joint(x[keep])
        out[keep] = knowledge_gradient(mean, covariance, model.noise_variance(mean))
        return out

    return score


def _most_promising(model: GaussianProcess, x: FloatArray) -> tuple[Any, FloatArray]:
    belief = model.predict(x)
    keep = np.sort(np.argsort(-(belief.latent_mean + 2.0 * belief.latent_std), kind="stable")[:_JOINT])
    return keep, np.full(len(x), -np.inf)


_JOINT_SCORES: Mapping[
    str, Callable[[GaussianProcess, Table, np.random.Generator], Callable[[FloatArray], FloatArray]]
] = {"noisy_ei": _noisy_ei, "thompson": _thompson, "knowledge_gradient": _knowledge_gradient}
