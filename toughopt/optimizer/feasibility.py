"""How likely a design is to print and test properly, learned from those that did and those that did not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toughopt.optimizer.base import BoolArray, FloatArray
from toughopt.optimizer.kernels import matern52

_LENGTHS = (0.15, 0.3, 0.6, 1.2)  # of the unit interval, times the root of the number of inputs
_SIGNAL = 4.0  # variance of the latent function: probabilities up to about 0.98 within one length scale
_MOST = 600  # tests used: all failures first
_STEEPNESS = 20.0


@dataclass(frozen=True, slots=True)
class Feasibility:
    """A Gaussian process classifier with a Laplace approximation; callable on encoded designs.

    Notes
    -----
    Rasmussen and Williams, algorithms 3.1 and 3.2, with the logistic likelihood; the length scale is the one of a small
    grid with the largest approximate evidence. The latent mean is the share of designs that worked so far.
    """

    x: FloatArray
    length: FloatArray
    offset: float
    gradient: FloatArray
    root: FloatArray
    factor: FloatArray

    @classmethod
    def fit(cls, x: FloatArray, worked: BoolArray) -> Feasibility | None:
        """A classifier, or None where no design ever failed, so that there is nothing to learn."""
        if worked.all() or not len(worked):
            return None
        rows = np.concatenate([np.flatnonzero(~worked)[:_MOST], np.flatnonzero(worked)[-_MOST:]])
        x, label = x[rows], np.where(worked[rows], 1.0, -1.0)
        share = (float(worked.sum()) + 1.0) / (len(worked) + 2.0)
        offset = float(np.log(share / (1.0 - share)))
        best: tuple[float, Feasibility] | None = None
        for length in _LENGTHS:
            scales = np.full(x.shape[1], length * np.sqrt(x.shape[1]))
            evidence, model = cls._laplace(x, label, scales, offset)
            if best is None or evidence > best[0]:
                best = evidence, model
        return best[1] if best else None

    @classmethod
    def _laplace(cls, x: FloatArray, label: FloatArray, length: FloatArray, offset: float) -> tuple[float, Feasibility]:
        from scipy.linalg import cho_factor, cho_solve

        kernel = _SIGNAL * matern52(x, x, length)
        latent = np.zeros(len(label))
        a = np.zeros(len(label))
        for _ in range(30):
            p = _logistic(latent + offset)
            weight = p * (1.0 - p)
            gradient = (label + 1.0) / 2.0 - p
            root = np.sqrt(weight)
            factor = cho_factor(np.eye(len(label)) + root[:, None] * kernel * root, lower=True)
            b = weight * latent + gradient
            a = b - root * cho_solve(factor, root * (kernel @ b))
            new = kernel @ a
            done = float(np.abs(new - latent).max()) < 1e-6
            latent = new
            if done:
                break
        p = _logistic(latent + offset)
        root = np.sqrt(p * (1.0 - p))
        lower = np.asarray(np.linalg.cholesky(np.eye(len(label)) + root[:, None] * kernel * root), dtype=float)
        log_likelihood = -float(np.log1p(np.exp(-label * (latent + offset))).sum())
        evidence = -0.5 * float(a @ latent) + log_likelihood - float(np.log(lower.diagonal()).sum())
        return evidence, cls(x, length, offset, (label + 1.0) / 2.0 - p, root, lower)

    def __call__(self, x: FloatArray) -> FloatArray:
        """(m,) probability that the designs encoded in `x` (m, d) print and test properly."""
        from scipy.linalg import solve_triangular

        cross = _SIGNAL * matern52(x, self.x, self.length)
        mean = cross @ self.gradient
        half = solve_triangular(self.factor, (cross * self.root).T, lower=True, check_finite=False)
        variance = np.maximum(_SIGNAL - (half * half).sum(axis=0), 0.0)
        return _logistic((mean + self.offset) / np.sqrt(1.0 + np.pi * variance / 8.0))


def log_preference(probability: FloatArray, threshold: float) -> FloatArray:
    """(m,) logarithm of the factor that an acquisition is multiplied by: 1 / (1 + exp(-20 (p - threshold))).

    The form is that of the shell campaign (Snapp et al., Nature Communications 15, 4290, 2024); the threshold is the
    operator's.
    """
    return np.asarray(-np.log1p(np.exp(-_STEEPNESS * (probability - threshold))))


def _logistic(z: FloatArray) -> FloatArray:
    from scipy.special import expit

    return np.asarray(expit(z), dtype=float)
