"""Boxes of every sort, drawn at random as the pools of `random_pools.py` are: any design of the cube may be tested."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from random_pools import Field, latent

from toughopt.optimizer import Space

_REFERENCE = 4096  # designs that tell mean and spread
_REPEATS = 200  # tests that make the true mean where a cliff has none in closed form
Spec = dict[str, dict[str, Any]]


class RandomBox:
    """A noisy objective to maximise in a cube of 2 to 11 parameters; as `problems.Problem`, but with natures at random.

    kind : "plain" noise of one size; "exp" and "product" of a size that grows with the value; "cliff", where what is
        too strong absorbs nothing
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 4711])
        d = int(rng.choice([2, 3, 4, 4, 5, 6, 6, 8, 11]))
        first, second = latent(d, rng), latent(d, rng)
        reference = rng.random((_REFERENCE, d))
        self.spec: Spec = {f"x{i}": {"type": "real", "low": 0.0, "high": 1.0} for i in range(d)}
        self._a, self._b = _standardised(first, reference), _standardised(second, reference)
        self.kind = str(rng.choice(["plain", "exp", "cliff", "cliff", "product"]))
        self._share = rng.random(4)  # where in its range each constant of the kind lies

    @cached_property
    def space(self) -> Space:
        """All designs."""
        return Space.from_dict(self.spec)

    def test(self, columns: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
        """(n,) one noisy test of each design."""
        return self._tests(self._unit(columns), 1, rng)[0]

    def truth(self, columns: Mapping[str, Any]) -> np.ndarray:
        """(n,) mean over many tests of each design, the same each time."""
        unit = self._unit(columns)
        if self.kind == "cliff":
            return self._tests(unit, _REPEATS, np.random.default_rng(5)).mean(axis=0)
        return self._mean(unit)

    def _unit(self, columns: Mapping[str, Any]) -> np.ndarray:
        return np.column_stack([np.asarray(columns[name], dtype=float) for name in self.spec])

    def _mean(self, unit: np.ndarray) -> np.ndarray:
        a = self._a(unit)
        if self.kind == "plain":
            return a
        if self.kind == "exp":
            return np.asarray(np.exp((0.5 + 0.8 * self._share[0]) * a))
        return np.asarray(np.exp(0.6 * a + 0.5 * self._b(unit)))

    def _tests(self, unit: np.ndarray, repeats: int, rng: np.random.Generator) -> np.ndarray:
        share, shape = self._share, (repeats, len(unit))
        if self.kind == "plain":
            return self._mean(unit) + (0.2 + 0.6 * share[0]) * rng.standard_normal(shape)
        if self.kind == "cliff":
            strength = np.exp(-0.9 + 0.8 * share[0] + (0.3 + 0.3 * share[1]) * self._a(unit))
            found = strength * np.exp((0.05 + 0.15 * share[2]) * rng.standard_normal(shape))
            ductility = np.exp(0.6 * self._b(unit) + (0.1 + 0.25 * share[3]) * rng.standard_normal(shape))
            return np.where(found < 1.0, found * ductility, 0.05 * rng.random(shape))
        scatter = 0.1 + 0.3 * share[1]
        return np.asarray(self._mean(unit) * np.exp(scatter * rng.standard_normal(shape) - 0.5 * scatter**2))


def _standardised(field: Field, reference: np.ndarray) -> Field:
    values = field(reference)
    mean, spread = values.mean(), values.std()
    return lambda u: np.asarray((field(u) - mean) / spread)
