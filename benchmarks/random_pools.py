"""Pools of designs of every sort, drawn at random: smooth and rough, with and without trends, noise and cliffs.

Where `problems.py` has a few problems that look like crushed structures, these vary in all that an optimizer cannot
know beforehand, so that settings that are good on them are good on average, whatever the laboratory measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Field = Callable[[np.ndarray], np.ndarray]
_REPEATS = 200  # tests that make the true mean where a cliff has none in closed form
_TESTS = 3


@dataclass(frozen=True)
class RandomPool:
    """A pool in the unit cube.

    x : (n, d) float
    truth : (n,) float, true means, to be maximised
    tests : (3, n) float, noisy tests of each design
    kind : "plain" noise of one size; "exp" and "product" of a size that grows with the value; "cliff", where what is
        too strong absorbs nothing
    """

    x: np.ndarray
    truth: np.ndarray
    tests: np.ndarray
    kind: str


def random_pool(seed: int) -> RandomPool:
    """The pool of that seed: 300 to 1,000 designs of 2 to 8 parameters, three in ten off any grid."""
    rng = np.random.default_rng([seed, 2024])
    d = int(rng.choice([2, 3, 3, 4, 4, 4, 5, 5, 6, 8]))
    n = int(rng.choice([300, 600, 600, 1000]))
    first, second = latent(d, rng), latent(d, rng)
    x = rng.random((n, d)) if rng.random() < 0.3 else _on_grid(n, d, rng)
    a, b = standardised(first(x)), standardised(second(x))
    kind = str(rng.choice(["plain", "exp", "cliff", "cliff", "product"]))
    if kind == "plain":
        noise = rng.uniform(0.2, 0.8)
        return RandomPool(x, a, a + noise * rng.standard_normal((_TESTS, n)), kind)
    if kind == "cliff":
        strength = np.exp(rng.uniform(-0.9, -0.1) + rng.uniform(0.3, 0.6) * a)
        scatter = rng.uniform(0.05, 0.2), rng.uniform(0.1, 0.35)

        def crush(repeats: int) -> np.ndarray:
            found = strength * np.exp(scatter[0] * rng.standard_normal((repeats, n)))
            absorbed = found * np.exp(0.6 * b + scatter[1] * rng.standard_normal((repeats, n)))
            return np.where(found < 1.0, absorbed, 0.05 * rng.random((repeats, n)))

        return RandomPool(x, crush(_REPEATS).mean(axis=0), crush(_TESTS), kind)
    truth = np.exp(rng.uniform(0.5, 1.3) * a) if kind == "exp" else np.exp(0.6 * a + 0.5 * b)
    scatter_of_tests = rng.uniform(0.1, 0.4)
    factor = np.exp(scatter_of_tests * rng.standard_normal((_TESTS, n)) - 0.5 * scatter_of_tests**2)
    return RandomPool(x, truth, truth * factor, kind)


def latent(d: int, rng: np.random.Generator) -> Field:
    """A weighted sum of a random field, a trend, a hill and main effects; the weights are random, too."""
    parts = [_field(d, rng, 0.15, 1.5, float(rng.choice([3.0, 5.0, np.inf])))]
    slope = rng.standard_normal(d)
    slope *= 2.0 / max(float(np.linalg.norm(slope)) / 1.5, 0.3)
    parts.append(lambda u: (u - 0.5) @ slope)
    centre, curvature = rng.uniform(-0.2, 1.2, d), rng.uniform(0.5, 2.0, d) * rng.choice([0, 1, 1], d)
    steepness = 1.5 / max(float(curvature.mean()) * d * 0.3, 0.2)
    parts.append(lambda u: 1.0 - steepness * ((u - centre) ** 2 @ curvature))
    effects = [_field(1, rng, 0.3, 1.5, 5.0) for _ in range(d)]
    parts.append(lambda u: np.sum([f(u[:, [j]]) for j, f in enumerate(effects)], axis=0) / math.sqrt(d))
    weights = np.sqrt(rng.dirichlet([1.2, 0.5, 0.5, 0.7]))
    return lambda u: np.sum([w * part(u) for w, part in zip(weights, parts, strict=True)], axis=0)


def _field(d: int, rng: np.random.Generator, shortest: float, longest: float, freedom: float) -> Field:
    """A draw of a Matern field of smoothness freedom / 2 by random Fourier features; now and then an input is idle."""
    length = np.exp(rng.uniform(np.log(shortest), np.log(longest), d)) * math.sqrt(d / 3.0)
    if d > 2 and rng.random() < 0.3:
        length[rng.integers(d)] *= 8.0
    frequency = rng.standard_normal((500, d)) / length
    if math.isfinite(freedom):
        frequency /= np.sqrt(rng.chisquare(freedom, 500) / freedom)[:, None]
    phase, weight = rng.uniform(0.0, 2.0 * np.pi, 500), rng.standard_normal(500) * math.sqrt(2.0 / 500)
    return lambda u: np.asarray(np.cos(u @ frequency.T + phase) @ weight)


def _on_grid(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """`n` points of a full grid with as few levels as that takes."""
    counts = np.full(d, 2)
    while np.prod(counts) < n:
        counts[rng.integers(d)] += 1
    index = np.unravel_index(rng.permutation(int(np.prod(counts)))[:n], counts)
    return np.column_stack([i / (c - 1) for i, c in zip(index, counts, strict=True)])


def standardised(values: np.ndarray) -> np.ndarray:
    """Of mean 0 and standard deviation 1."""
    return np.asarray((values - values.mean()) / values.std())
