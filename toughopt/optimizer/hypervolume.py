"""Pareto fronts, the volume that they dominate, and how much of it a test is expected to add. Larger is better.

Everything follows from one decomposition: between two neighbouring levels of the last objective the volume is a slab
whose cross-section is a front of one objective less.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from toughopt.optimizer.acquisition import expected_improvement
from toughopt.optimizer.base import BoolArray, FloatArray


def nondominated(points: FloatArray) -> BoolArray:
    """(n,) bool: which rows of `points` (n, k) no other row dominates; of equal rows all count.

    A row dominates another if it is as good in every objective and better in one.
    """
    found = np.ones(len(points), dtype=bool)
    order = np.lexsort(points.T[::-1])[::-1]  # the best in the first objective first: nothing later dominates it
    kept = np.zeros((0, points.shape[1]))
    for index in order:
        point = points[index]
        dominated = ((kept >= point).all(axis=1) & (kept > point).any(axis=1)).any()
        found[index] = not dominated
        if not dominated:
            kept = np.vstack([kept, point])
    return found


def hypervolume(points: FloatArray, reference: FloatArray) -> float:
    """Volume that the rows of `points` (n, k) dominate and that is better than `reference` (k,) in every objective."""
    inside = points[(points > reference).all(axis=1)]
    if not len(inside):
        return 0.0
    inside = inside[nondominated(inside)]
    last = inside[:, -1]
    if inside.shape[1] == 1:
        return float(last.max() - reference[0])
    total, below = 0.0, float(reference[-1])
    for level in np.unique(last):
        total += (level - below) * hypervolume(inside[last >= level, :-1], reference[:-1])
        below = float(level)
    return total


def expected_hypervolume_improvement(
    mean: FloatArray, std: FloatArray, front: FloatArray, reference: FloatArray
) -> FloatArray:
    """(m,) expectation of the hypervolume that a test adds, for independent normal objectives; exact.

    Parameters
    ----------
    mean, std : (m, k) float; a standard deviation of 0 is an objective that is known without a test
    front : (n, k) float, what is to be dominated; dominated rows do no harm
    reference : (k,) float

    Notes
    -----
    Emmerich, Deutz and Klinkenberg, IEEE Congr. Evol. Comput. 2011, 2147; Yang, Emmerich, Deutz and Bäck, J. Glob.
    Optim. 75, 3 (2019), eq. 12 on: with psi(a) = E max(Y - a, 0), the expected improvement over a, the sum over slabs
    between neighbouring levels l < u of the last objective is (psi(l) - psi(u)) times the same of the rest against
    the part of the front that reaches u. With two objectives of which one is known this is one expected improvement
    per strip of the other.
    """
    inside = front[(front > reference).all(axis=1)]
    inside = inside[nondominated(inside)] if len(inside) else inside
    cache: dict[tuple[int, float], FloatArray] = {}

    def excess(objective: int, level: float) -> FloatArray:
        key = objective, level
        if key not in cache:
            cache[key] = _expected_excess(mean[:, objective], std[:, objective], level)
        return cache[key]

    return _slabs(inside, reference, excess, len(mean))


def _slabs(front: FloatArray, reference: FloatArray, excess: Callable[[int, float], FloatArray], m: int) -> FloatArray:
    last = len(reference) - 1
    below = float(reference[last])
    if last == 0:
        return excess(0, max(below, float(front.max()) if len(front) else below))
    total = np.zeros(m)
    for level in [*np.unique(front[:, last]).tolist(), math.inf]:
        top = excess(last, level) if level < math.inf else np.zeros(m)
        share = np.maximum(excess(last, below) - top, 0.0)
        if share.any():
            total += share * _slabs(front[front[:, last] >= level, :last], reference[:last], excess, m)
        below = level
    return total


def _expected_excess(mean: FloatArray, std: FloatArray, level: float) -> FloatArray:
    """(m,) E max(Y - level, 0) for normal Y, also where it does not vary."""
    out = np.maximum(mean - level, 0.0)
    varies = std > 0.0
    if varies.any():
        out[varies] = np.maximum(expected_improvement(mean[varies], std[varies], level), 0.0)
    return out
