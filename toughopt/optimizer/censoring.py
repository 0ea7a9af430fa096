"""Tests of which only a lower bound is known, as Gaussian sites of the posterior."""

from __future__ import annotations

import numpy as np

from toughopt.optimizer.base import BoolArray, FloatArray

_SWEEPS = 12
_FLAT = 1e6  # noise variance of a site that says nothing


def censored_sites(
    kernel: FloatArray, target: FloatArray, noise: FloatArray, censored: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Values and noise variances that stand for "at least this" in a Gaussian posterior.

    Parameters
    ----------
    kernel : (n, n) float, prior covariance of the latent function
    target : (n,) float, measured values; the lower bound where `censored`
    noise : (n,) float, noise variance of each
    censored : (n,) bool

    Returns
    -------
    (n,) float, (n,) float
        As `target` and `noise`, replaced where `censored`.

    Notes
    -----
    Expectation propagation with the probit factor Phi((f - bound) / noise), whose tilted moments are in closed form
    (Rasmussen and Williams, section 3.6 and eq. 3.58); updates are damped by a half.
    """
    from scipy.special import log_ndtr

    value, variance = target.copy(), noise.copy()
    rows = np.flatnonzero(censored)
    variance[rows] = _FLAT
    for _ in range(_SWEEPS):
        solved = np.linalg.solve(kernel + np.diag(variance), np.column_stack([value, kernel[:, rows]]))
        mean = kernel[rows] @ solved[:, 0]
        spread = np.maximum(kernel[rows, rows] - np.einsum("ij,ji->i", kernel[rows], solved[:, 1:]), 1e-10)
        cavity_variance = 1.0 / np.maximum(1.0 / spread - 1.0 / variance[rows], 1e-10)
        cavity_mean = cavity_variance * (mean / spread - value[rows] / variance[rows])
        total = np.sqrt(cavity_variance + noise[rows])
        z = (cavity_mean - target[rows]) / total
        ratio = np.exp(-0.5 * z * z - 0.9189385332046727 - log_ndtr(z))
        tilted_mean = cavity_mean + cavity_variance * ratio / total
        tilted_variance = cavity_variance - cavity_variance**2 * ratio * (z + ratio) / total**2
        precision = np.maximum(1.0 / np.maximum(tilted_variance, 1e-10) - 1.0 / cavity_variance, 1.0 / _FLAT)
        weighted = tilted_mean / np.maximum(tilted_variance, 1e-10) - cavity_mean / cavity_variance
        new_variance, new_value = 1.0 / precision, weighted / precision
        step = float(np.abs(1.0 / new_variance - 1.0 / variance[rows]).max())
        old = 1.0 / variance[rows]
        mixed = 0.5 * old + 0.5 / new_variance
        value[rows] = (0.5 * old * value[rows] + 0.5 * new_value / new_variance) / mixed
        variance[rows] = 1.0 / mixed
        if step < 1e-6:
            break
    return value, variance
