"""The log posterior of a Gaussian process's hyperparameters, with its gradient, and the search for its maximum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from toughopt.optimizer.base import FloatArray
from toughopt.optimizer.kernels import Kernel, of_squared, pull_of_squared, squared_distance

LOG_LENGTH = (math.log(0.01), math.log(100.0))
LOG_SIGNAL = (math.log(0.01), math.log(30.0))
LOG_NOISE = (math.log(1e-6), math.log(3.0))
SLOPE = (-3.0, 3.0)
_HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Priors:
    """Normal priors on the logarithms of the hyperparameters of a standardised problem.

    Notes
    -----
    Length scales grow with the root of the number of inputs, as distances do (Hvarfner, Hellsten and Nardi, ICML 2024,
    arXiv 2402.02229, with LogNormal(sqrt 2 + log(d)/2, sqrt 3), and noise variance LogNormal(-4, 1)). Where the density
    of the scale itself is maximised, as BoTorch does, the most probable scale is not the median exp(m) but
    exp(m - s^2), a twentieth of it with those numbers; here, where the logarithms are sought, the mean is the mode.
    Those of `PRIORS` were chosen on random problems (``benchmarks/random_pools.py`` and ``random_boxes.py``).
    """

    length_mean: float = -0.5
    length_sd: float = 1.5
    signal_mean: float = 0.0
    signal_sd: float = 0.5
    noise_mean: float = -1.5
    noise_sd: float = 1.5
    slope_sd: float = 0.5

    def means(self, d: int) -> FloatArray:
        """(d + 3,) means: d log length scales, log signal variance, log noise variance, slope of the log noise."""
        return np.array([self.length_mean + 0.5 * math.log(d)] * d + [self.signal_mean, self.noise_mean, 0.0])

    def sds(self, d: int) -> FloatArray:
        """(d + 3,) standard deviations, in the order of `means`."""
        return np.array([self.length_sd] * d + [self.signal_sd, self.noise_sd, self.slope_sd])


# Rugged: much may change within a part of each range; rough: less of that, but tests scatter; smooth: neither.
PRIORS: Mapping[str, Priors] = MappingProxyType(
    {
        "rugged": Priors(length_mean=-1.6, noise_mean=-2.5),
        "rough": Priors(),
        "smooth": Priors(length_mean=0.0, noise_mean=-2.0),
    }
)


def bounds(d: int) -> list[tuple[float, float]]:
    """Limits of the hyperparameters, in the order of `Priors.means`."""
    return [LOG_LENGTH] * d + [LOG_SIGNAL, LOG_NOISE, SLOPE]


@dataclass(frozen=True, slots=True)
class Problem:
    """What the likelihood is of: standardised data and what is known of their noise.

    x : (n, d) float
    y : (n,) float, standardised
    free : (n,) float, 1 where the noise is to be learned, 0 where `fixed` is all of it
    fixed : (n,) float, known noise variance
    trend : (n,) float, what the log of the noise variance may be linear in; zeros for equal noise
    basis : (n, q) float, basis functions with coefficients of standard deviation `basis_sd` (q,) about 0
    kernel : of the latent function
    tied : whether all inputs share one length scale; starts then have equal ones
    """

    x: FloatArray
    y: FloatArray
    free: FloatArray
    fixed: FloatArray
    trend: FloatArray
    basis: FloatArray
    basis_sd: FloatArray
    kernel: Kernel = "matern52"
    tied: bool = False


def negative_log_posterior(theta: FloatArray, problem: Problem, priors: Priors) -> tuple[float, FloatArray]:
    """Negative log marginal likelihood + log prior, and its gradient.

    Parameters
    ----------
    theta : (d + 3,) float, in the order of `Priors.means`

    Returns
    -------
    float, (d + 3,) float
        Infinity and zeros where the covariance is not positive definite.

    Notes
    -----
    Rasmussen and Williams, Gaussian Processes for Machine Learning, eq. 5.8 and 5.9. The sum over pairs that each
    length scale's derivative needs is two matrix products: sum_ij M_ij (a_i - a_j)^2 = 2 (a^2 . M 1 - a' M a).
    """
    from scipy.linalg.lapack import dpotrf, dpotri

    n, d = problem.x.shape
    a = problem.x * np.exp(-theta[:d])
    squared = squared_distance(a, a)
    signal = math.exp(theta[d])
    kernel = signal * of_squared(problem.kernel, squared)
    learned, covariance = _covariance(theta, problem, kernel)
    factor, info = dpotrf(covariance, lower=1, overwrite_a=1)
    if info:
        return math.inf, np.zeros_like(theta)
    half_log_det = float(np.log(factor.diagonal()).sum())
    inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
    inverse = inverse + inverse.T  # dpotrf left zeros above the diagonal
    inverse.flat[:: n + 1] *= 0.5
    alpha = inverse @ problem.y
    value = 0.5 * float(problem.y @ alpha) + half_log_det + n * _HALF_LOG_TAU
    weight = np.outer(alpha, alpha) - inverse
    pull = weight * (signal * pull_of_squared(problem.kernel, squared))
    gradient = np.empty_like(theta)
    gradient[:d] = (a * a * pull.sum(axis=1)[:, None]).sum(axis=0) - (a * (pull @ a)).sum(axis=0)
    gradient[d] = 0.5 * float((weight * kernel).sum())
    by_noise = 0.5 * weight.diagonal() * learned
    gradient[d + 1] = float(by_noise.sum())
    gradient[d + 2] = float(by_noise @ problem.trend)
    off = (theta - priors.means(d)) / priors.sds(d)
    gradient = off / priors.sds(d) - gradient
    if problem.tied:  # equal shares keep equal length scales equal, and are the derivative along that direction
        gradient[:d] = gradient[:d].mean()
    return value + 0.5 * float(off @ off), gradient


def cost_only(theta: FloatArray, problem: Problem, priors: Priors) -> float:
    """`negative_log_posterior` without its gradient, at a third of the time."""
    from scipy.linalg.lapack import dpotrf, dpotrs

    n, d = problem.x.shape
    a = problem.x * np.exp(-theta[:d])
    kernel = math.exp(theta[d]) * of_squared(problem.kernel, squared_distance(a, a))
    _, covariance = _covariance(theta, problem, kernel)
    factor, info = dpotrf(covariance, lower=1, overwrite_a=1)
    if info:
        return math.inf
    alpha, _ = dpotrs(factor, problem.y, lower=1)
    off = (theta - priors.means(d)) / priors.sds(d)
    half_log_det = float(np.log(factor.diagonal()).sum())
    return float(0.5 * (problem.y @ alpha) + half_log_det + n * _HALF_LOG_TAU + 0.5 * (off @ off))


def maximise_posterior(
    problem: Problem, priors: Priors, starts: list[FloatArray], max_iterations: int
) -> tuple[FloatArray, float]:
    """The best hyperparameters found from the starts by L-BFGS-B, and their negative log posterior."""
    from scipy.optimize import minimize

    d = problem.x.shape[1]
    limits = bounds(d)
    low, high = np.array(limits).T
    best: tuple[FloatArray, float] | None = None
    for start in starts:
        found: Any = minimize(
            negative_log_posterior,
            np.clip(start, low, high),
            args=(problem, priors),
            jac=True,
            method="L-BFGS-B",
            bounds=limits,
            options={"maxiter": max_iterations, "maxfun": 2 * max_iterations + 5},
        )
        if np.isfinite(found.fun) and (best is None or found.fun < best[1]):
            best = (np.asarray(found.x, dtype=float), float(found.fun))
    if best is None:
        return np.clip(starts[0], low, high), math.inf
    return best


def _covariance(theta: FloatArray, problem: Problem, kernel: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Learned noise variance (n,) and covariance of the tests (n, n)."""
    n, d = problem.x.shape
    basis = problem.basis * problem.basis_sd
    learned = math.exp(theta[d + 1]) * problem.free * np.exp(theta[d + 2] * problem.trend)
    covariance = kernel + basis @ basis.T
    covariance.flat[:: n + 1] += learned + problem.fixed + 1e-8
    return learned, covariance
