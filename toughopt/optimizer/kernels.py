"""Stationary correlations between encoded designs, with a length scale per input."""

from __future__ import annotations

from typing import Literal

import numpy as np

from toughopt.optimizer.base import FloatArray

Kernel = Literal["matern52", "squared_exponential"]
KERNELS: tuple[Kernel, ...] = ("matern52", "squared_exponential")


def correlation(kind: Kernel, a: FloatArray, b: FloatArray, length: FloatArray) -> FloatArray:
    """(..., n, m) correlation of the rows of `a` (..., n, d) and `b` (..., m, d) with length scales `length` (d,).

    Notes
    -----
    Rasmussen and Williams, Gaussian Processes for Machine Learning, eq. 4.9 and 4.17.
    """
    return of_squared(kind, squared_distance(a / length, b / length))


def of_squared(kind: Kernel, squared: FloatArray) -> FloatArray:
    """Correlation at squared distances in length scales."""
    if kind == "squared_exponential":
        return np.asarray(np.exp(-0.5 * squared))
    s = np.sqrt(5.0 * squared)
    return np.asarray((1.0 + s + s * s / 3.0) * np.exp(-s))


def pull_of_squared(kind: Kernel, squared: FloatArray) -> FloatArray:
    """-2 times the derivative of the correlation by the squared distance: what a length scale's gradient needs."""
    if kind == "squared_exponential":
        return np.asarray(np.exp(-0.5 * squared))
    s = np.sqrt(5.0 * squared)
    return np.asarray((5.0 / 3.0) * (1.0 + s) * np.exp(-s))


def matern52(a: FloatArray, b: FloatArray, length: FloatArray) -> FloatArray:
    """(n, m) Matern 5/2 correlation of the rows of `a` (n, d) and `b` (m, d) with length scales `length` (d,)."""
    return correlation("matern52", a, b, length)


def squared_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """(..., n, m) squared distances of the rows of `a` (..., n, d) and `b` (..., m, d)."""
    squared = (
        (a * a).sum(axis=-1)[..., :, None] + (b * b).sum(axis=-1)[..., None, :] - 2.0 * (a @ np.swapaxes(b, -1, -2))
    )
    return np.asarray(np.maximum(squared, 0.0))
