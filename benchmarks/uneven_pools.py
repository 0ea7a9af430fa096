"""Pools as a laboratory's own table is one: fewer designs, unevenly spread, values of every shape.

The pools of `random_pools.py` fill their space. A table of what was made is what an earlier search left, a mixture's
fractions that add up to one, or a coarse grid, and its values may grow without limit, end at one, or have their best
where they are smallest.
"""

from __future__ import annotations

import numpy as np
from random_pools import RandomPool, latent, standardised

_MANY = 4000  # designs among which those of the table are found
_TESTS = 3


def uneven_pool(seed: int) -> RandomPool:
    """The pool of that seed: 90 to 260 designs of 3 to 5 parameters.

    Its kind is that of its values: "plain"; "exp" and "heavy", whose largest are rare; "mirrored", whose smallest are;
    or "saturated", which many of the best share.
    """
    rng = np.random.default_rng([seed, 777])
    d, n = int(rng.choice([3, 4, 4, 5, 5])), int(rng.integers(90, 260))
    layout = str(rng.choice(["uniform", "searched", "mixture", "grid", "searched"]))
    nature = latent(d, rng)
    x = np.unique(_spread(layout, d, rng), axis=0)
    rng.shuffle(x)
    if layout == "searched":
        x = _searched(x, standardised(nature(x)), n, rng)
    x = x[:n]
    a = standardised(nature(x))
    kind = str(rng.choice(["plain", "exp", "mirrored", "saturated", "heavy"]))
    truth, scatter = _values(kind, a, rng)
    return RandomPool(x, truth, truth + scatter * rng.standard_normal((_TESTS, len(x))), kind)


def _spread(layout: str, d: int, rng: np.random.Generator) -> np.ndarray:
    if layout == "mixture":
        return np.asarray(np.round(20 * rng.dirichlet(np.full(d, 0.7), _MANY)) / 20)
    if layout == "grid":
        levels = rng.integers(3, 8, d)
        return np.column_stack([rng.integers(0, count, _MANY) / (count - 1) for count in levels])
    return rng.random((_MANY, d))


def _searched(x: np.ndarray, a: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """A third of them anywhere, the others more often where it is good."""
    weight = np.exp(rng.uniform(0.8, 2.0) * a)
    anywhere = rng.choice(len(x), n // 3, replace=False)
    good = rng.choice(len(x), n - n // 3, replace=False, p=weight / weight.sum())
    return np.asarray(x[np.unique(np.concatenate([anywhere, good]))])


def _values(kind: str, a: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """True means, and the standard deviation of a test of each."""
    if kind == "plain":
        return a, np.full(len(a), rng.uniform(0.1, 0.5))
    if kind == "saturated":
        return 1.0 / (1.0 + np.exp(-2.0 * a - rng.uniform(0.0, 2.0))), np.full(len(a), rng.uniform(0.02, 0.1))
    steepness = rng.uniform(1.2, 2.2) if kind == "heavy" else rng.uniform(0.5, 1.2)
    truth = -np.exp(-steepness * a) if kind == "mirrored" else np.exp(steepness * a)
    return truth, np.abs(truth) * rng.uniform(0.05, 0.25)
