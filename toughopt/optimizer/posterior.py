"""The linear algebra of a Gaussian posterior: factors, solutions, and what a fitted one consists of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from toughopt.optimizer.base import FloatArray
from toughopt.optimizer.transforms import Transform


class FitFailed(Exception):
    """The covariance of the data could not be factorised; policies catch it and fall back."""


@dataclass(frozen=True, slots=True)
class State:
    """A fitted posterior on the latent scale."""

    transform: Transform
    theta: FloatArray
    inputs: FloatArray  # (n, dk) kernel inputs
    basis: FloatArray  # (n, q) times their standard deviations
    factor: FloatArray  # lower Cholesky factor of the covariance
    alpha: FloatArray
    target: FloatArray  # (n,) latent values less the prior's mean
    noise: FloatArray  # (n,) noise variance in use
    trend: tuple[float, float]  # centre and scale of the noise trend


def solve(state: State, kernel: FloatArray, noise: FloatArray) -> State:
    """The state with its factor and solution for this kernel (n, n) and noise variance (n,)."""

    from scipy.linalg import cho_solve

    covariance = kernel.copy()
    covariance.flat[:: len(noise) + 1] += noise
    factor = cholesky(covariance)
    alpha = np.asarray(cho_solve((factor, True), state.target, check_finite=False))
    return replace(state, factor=factor, alpha=alpha, noise=noise)


def cholesky(matrix: FloatArray) -> FloatArray:
    """Lower factor, with as little added to the diagonal as it takes; FitFailed where nothing helps."""
    from scipy.linalg.lapack import dpotrf

    top = float(matrix.diagonal().max()) if len(matrix) else 1.0
    for jitter in (0.0, 1e-8, 1e-6, 1e-4):
        raised = matrix.copy()
        raised.flat[:: len(matrix) + 1] += jitter * top
        factor, info = dpotrf(raised, lower=1, overwrite_a=1)
        if info == 0:
            return np.asarray(factor)
    raise FitFailed(f"the covariance of {len(matrix)} tests is not positive definite")


def solve_lower(factor: FloatArray, right: FloatArray) -> FloatArray:
    """L^-1 right, for a lower factor L."""
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(factor, right, lower=True, check_finite=False))
