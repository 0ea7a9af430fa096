"""Acquisition functions: how much testing a design promises, from what a surrogate believes of it."""

from __future__ import annotations

import math

import numpy as np

from toughopt.optimizer.base import FloatArray
from toughopt.optimizer.transforms import Transform

_LEGENDRE_NODES, _LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(12)
_LEGENDRE_NODES, _LEGENDRE_WEIGHTS = 0.5 * (_LEGENDRE_NODES + 1.0), 0.5 * _LEGENDRE_WEIGHTS
_LOG_SQRT_TAU = 0.5 * math.log(2.0 * math.pi)


def expected_improvement(mean: FloatArray, std: FloatArray, best: float) -> FloatArray:
    """(m,) expectation of max(f - best, 0) for normal f (Jones, Schonlau and Welch, J. Glob. Optim. 13, 455, 1998)."""
    from scipy.special import ndtr

    z = (mean - best) / std
    return np.asarray(std * (z * ndtr(z) + np.exp(-0.5 * z * z - _LOG_SQRT_TAU)))


def log_expected_improvement(mean: FloatArray, std: FloatArray, best: float) -> FloatArray:
    """(m,) logarithm of the expected improvement, exact far below the incumbent where the plain form is 0.

    Notes
    -----
    Ament et al., NeurIPS 2023, arXiv 2310.20708, eq. 9: for z < -1, log(phi + z Phi) is computed as
    log phi + log(1 - |z| sqrt(pi/2) erfcx(|z|/sqrt 2)), and as -z^2/2 - log sqrt(2 pi) - 2 log|z| beyond 1e3.
    """
    from scipy.special import erfcx, ndtr

    z = (mean - best) / std
    log_phi = -0.5 * z * z - _LOG_SQRT_TAU
    out = np.empty_like(z)
    near = z > -1.0
    out[near] = np.log(np.exp(log_phi[near]) + z[near] * ndtr(z[near]))
    far = ~near & (z > -1e3)
    w = -z[far]
    out[far] = log_phi[far] + np.log1p(-w * math.sqrt(math.pi / 2.0) * erfcx(w / math.sqrt(2.0)))
    rest = z <= -1e3
    out[rest] = log_phi[rest] - 2.0 * np.log(-z[rest])
    return out + np.log(std)


def probability_of_improvement(mean: FloatArray, std: FloatArray, best: float) -> FloatArray:
    """(m,) probability that f exceeds `best` for normal f."""
    from scipy.special import ndtr

    return np.asarray(ndtr((mean - best) / std))


def upper_confidence_bound(mean: FloatArray, std: FloatArray, beta: float) -> FloatArray:
    """(m,) mean + beta * std."""
    return mean + beta * std


def noisy_expected_improvement(
    mean: FloatArray, std: FloatArray, cross: FloatArray, known: FloatArray, draws: FloatArray
) -> FloatArray:
    """(m,) expected improvement over an incumbent that is itself uncertain, averaged over posterior samples of it.

    Parameters
    ----------
    mean, std : (m,) float, latent belief at the candidates
    cross : (m, c) float, the change of a candidate's mean per unit of each standard normal that makes a sample of the
        c best tested designs, i.e. Cov(f, g) L^-T with L L' = Cov(g, g)
    known : (s, c) float, samples of the values of those designs
    draws : (s, c) float, the standard normals that made the samples

    Notes
    -----
    Letham et al., Bayesian Analysis 14, 495 (2019): E over samples g of the tested designs of EI given g.
    """
    conditional = mean[:, None] + cross @ draws.T
    left = np.sqrt(np.maximum(std * std - (cross * cross).sum(axis=1), 1e-12))
    total = np.zeros_like(mean)
    for sample, best in enumerate(known.max(axis=1)):
        total += expected_improvement(conditional[:, sample], left, float(best))
    return total / len(known)


def knowledge_gradient(mean: FloatArray, covariance: FloatArray, noise: FloatArray) -> FloatArray:
    """(m,) expected rise of the largest posterior mean over the set from testing each of its members once.

    Parameters
    ----------
    mean : (m,) float
    covariance : (m, m) float
    noise : (m,) float, variance of a test at each

    Notes
    -----
    Frazier, Powell and Dayanik, INFORMS J. Comput. 21, 599 (2009): the expected maximum of the lines a + b Z over
    standard normal Z, from their upper envelope.
    """
    slopes = covariance / np.sqrt(np.maximum(covariance.diagonal() + noise, 1e-12))
    top = float(mean.max())
    return np.array([_expected_maximum(mean, slopes[:, j]) - top for j in range(len(mean))])


def _expected_maximum(intercept: FloatArray, slope: FloatArray) -> float:
    """Expectation of max_i (intercept_i + slope_i Z), Z standard normal."""
    from scipy.special import ndtr

    order = np.lexsort((intercept, slope))
    a, b = intercept[order], slope[order]
    last = np.append(np.diff(b) > 1e-14, True)  # of equal slopes only the highest line counts
    a, b = a[last], b[last]
    kept, starts = [0], [-math.inf]
    for i in range(1, len(a)):
        while True:
            j = kept[-1]
            crossing = (a[j] - a[i]) / (b[i] - b[j])
            if crossing > starts[-1]:
                kept.append(i)
                starts.append(float(crossing))
                break
            kept.pop()
            starts.pop()
            if not kept:
                kept.append(i)
                starts.append(-math.inf)
                break
    low = np.array(starts)
    high = np.append(low[1:], math.inf)
    density = np.exp(-0.5 * np.minimum(low * low, 1e4)) - np.exp(-0.5 * np.minimum(high * high, 1e4))
    density /= math.sqrt(2.0 * math.pi)
    return float((a[kept] * (ndtr(high) - ndtr(low)) + b[kept] * density).sum())


def log_improvement_in_units(mean: FloatArray, std: FloatArray, best: float, transform: Transform) -> FloatArray:
    """(m,) logarithm of the expected improvement of the objective, where only its transform is normal.

    Parameters
    ----------
    mean, std : (m,) float, latent belief
    best : latent incumbent

    Notes
    -----
    With g the inverse transform, E[max(g(Z) - g(best), 0)] = integral over z > best of g'(z) P(Z > z) dz, by
    Gauss-Legendre quadrature up to six standard deviations above the mean.
    """
    if transform.power == 1.0:
        return log_expected_improvement(mean, std, best) + math.log(transform.scale * transform.unit)
    low = np.full_like(mean, best)
    high = np.maximum(mean + 6.0 * std, best + std)
    latent = low[:, None] + (high - low)[:, None] * _LEGENDRE_NODES
    from scipy.special import log_ndtr

    survival = log_ndtr((mean[:, None] - latent) / std[:, None])
    slope = np.log(np.maximum(transform.inverse_slope(latent), 1e-300))
    terms = survival + slope + np.log(_LEGENDRE_WEIGHTS)
    top = terms.max(axis=1)
    return np.asarray(top + np.log(np.exp(terms - top[:, None]).sum(axis=1)) + np.log(high - low))
