"""Synthetic stand-ins for crushing printed structures: noise that grows with the value, cliffs, failures to yield.

A specimen has a strength and a ductility; both scatter from print to print. What it absorbs is their product, but one
that does not yield below the force limit absorbs next to nothing. The limit makes the cliff and, since strength
scatters, the noise beside it. Settings of the policies are chosen on these problems and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from toughopt.optimizer import Space

Columns = Mapping[str, np.ndarray[Any, Any]]
_REPEATS = 200  # draws that make a design's true mean


@dataclass(frozen=True)
class Problem:
    """A noisy objective to maximise.

    space : dictionary for `Space.from_dict`
    nature : from unit-cube points (n, d) to strength and ductility, each (n,); the force limit is strength 1
    scatter : lognormal standard deviations of strength and of ductility from print to print
    """

    name: str
    spec: dict[str, dict[str, Any]]
    nature: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    scatter: tuple[float, float] = (0.08, 0.15)

    @cached_property
    def space(self) -> Space:
        """All designs."""
        return Space.from_dict(self.spec)

    def test(self, columns: Columns, rng: np.random.Generator) -> np.ndarray:
        """(n,) one noisy test of each design."""
        return self.tests(columns, 1, rng)[0]

    def tests(self, columns: Columns, repeats: int, rng: np.random.Generator) -> np.ndarray:
        """(repeats, n) noisy tests of each design."""
        unit = np.column_stack([p.encode(columns[p.name]) for p in self.space.parameters])
        strength, ductility = self.nature(unit)
        shape = (repeats, len(unit))
        strength = strength * np.exp(self.scatter[0] * rng.standard_normal(shape))
        ductility = ductility * np.exp(self.scatter[1] * rng.standard_normal(shape))
        absorbed = np.where(strength < 1.0, 30.0 * strength * ductility, 1.0 + 0.3 * rng.random(shape))
        return absorbed + 0.1 * rng.random(shape)

    def truth(self, columns: Columns) -> np.ndarray:
        """(n,) mean over many prints of each design, the same each time."""
        return self.tests(columns, _REPEATS, np.random.default_rng(12345)).mean(axis=0)

    def pool(self, n: int, seed: int) -> list[dict[str, Any]]:
        """`n` designs of the space, other ones for each seed."""
        return self.space.designs(self.space.sample(n, np.random.default_rng([seed, 77])))


def _real(*names: str) -> dict[str, dict[str, Any]]:
    return {name: {"type": "real", "low": 0.0, "high": 1.0} for name in names}


def _ridge(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    along, across = u[:, 0] + 0.4 * u[:, 1], u[:, 1] - 0.5 * np.sin(3.0 * u[:, 0])
    return 0.25 + 0.75 * along, 0.3 + np.exp(-((across / 0.18) ** 2))


def _waves(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    strength = 0.35 + 0.5 * u[:, 0] + 0.25 * u[:, 2] * np.sin(7.0 * u[:, 1])
    return np.abs(strength), 0.5 + 0.4 * np.cos(5.0 * u[:, 1] + 3.0 * u[:, 2]) + 0.3 * u[:, 2]


def _struts(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    area = (0.5 + 0.5 * u[:, 0]) * (0.4 + 0.6 * u[:, 3])
    lean = u[:, 1] * (1.5 - 0.5 * u[:, 2])
    return 1.9 * area / (1.0 + 1.2 * lean), 0.15 + 1.2 * lean**2 * np.exp(-1.2 * lean) + 0.3 * u[:, 2] * u[:, 0]


def _mixed(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kind = u[:, 2:5] @ np.array([0.55, 0.8, 0.68])
    sharp = np.abs(u[:, 0] - 0.65)
    return kind * (0.4 + u[:, 1]) * (1.0 + 0.3 * u[:, 5]), (0.3 + np.exp(-5.0 * sharp)) * (1.2 - 0.5 * u[:, 6])


_HARTMANN_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def _hartmann(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inner = (_HARTMANN_A * (u[:, None, :] - _HARTMANN_P) ** 2).sum(axis=2)
    value = np.exp(-inner) @ np.array([1.0, 1.2, 3.0, 3.2])
    return 0.25 + 0.2 * value, 0.5 + 0.3 * value


def _shells(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lobes = 0.6 * u[:, 0] + 0.4 * (1.0 - np.abs(2.0 * u[:, 1] - 1.0))
    wall = 0.3 + 0.9 * u[:, 10] * (0.6 + 0.4 * u[:, 6])
    buckling = 0.4 + 0.6 * np.exp(-3.0 * (u[:, 2] - 0.7 * lobes) ** 2) + 0.1 * np.sin(6.0 * u[:, 3]) * u[:, 4]
    return wall * (0.6 + 0.5 * lobes), buckling * (0.8 + 0.4 * u[:, 5] - 0.3 * (u[:, 7] - 0.4) ** 2)


def random_nature(d: int, seed: int) -> Problem:
    """A problem drawn at random: log strength and log ductility are Matern 5/2 fields with random length scales."""
    rng = np.random.default_rng([seed, d])
    strength, ductility = _field(d, rng, 0.25), _field(d, rng, 0.25)
    return Problem(
        f"random{d}",
        _real(*[f"x{i}" for i in range(d)]),
        lambda u: (np.exp(-0.6 + 0.6 * strength(u)), np.exp(-0.5 + 0.7 * ductility(u))),
    )


def trend_nature(d: int, seed: int) -> Problem:
    """A problem drawn at random in which size makes stronger, as in real structures: slopes, and a field on top.

    The first parameter counts (few levels), the second is an angle with an optimum of its own.
    """
    rng = np.random.default_rng([seed, d, 1])
    strength, ductility = _field(d, rng, 0.4), _field(d, rng, 0.4)
    up, down = np.abs(rng.normal(0.0, 0.9, d)), rng.normal(0.0, 0.5, d)
    up[1], down[1] = -0.6 * up[1], 0.0
    optimum, width = rng.uniform(0.2, 1.0), rng.uniform(0.25, 0.6)
    centre = up.sum() / 2.0

    def nature(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bend = np.exp(-(((u[:, 1] - optimum) / width) ** 2))
        return (
            np.exp(-0.6 + u @ up - centre + 0.2 * strength(u)),
            np.exp(-1.0 + u @ down - down.sum() / 2.0 + bend + 0.25 * ductility(u)),
        )

    spec: dict[str, dict[str, Any]] = {"count": {"type": "integer", "low": 6, "high": 12, "step": 2}}
    return Problem(f"trend{d}", spec | _real(*[f"x{i}" for i in range(1, d)]), nature)


def _field(d: int, rng: np.random.Generator, shortest: float) -> Callable[[np.ndarray], np.ndarray]:
    """A draw of a Matern 5/2 field of variance 1 by random Fourier features."""
    length = np.exp(rng.uniform(np.log(shortest), np.log(2.5), d)) * np.sqrt(d / 4.0)
    frequency = rng.standard_normal((400, d)) / length / np.sqrt(rng.chisquare(5.0, 400) / 5.0)[:, None]
    phase, weight = rng.uniform(0, 2 * np.pi, 400), rng.standard_normal(400) * np.sqrt(2.0 / 400)
    return lambda u: np.asarray(np.cos(u @ frequency.T + phase) @ weight)


PROBLEMS: Mapping[str, Problem] = {
    p.name: p
    for p in (
        Problem("ridge2", _real("x", "y"), _ridge),
        Problem("waves3", _real("x", "y", "z"), _waves),
        Problem(
            "struts4",
            {
                "count": {"type": "integer", "low": 4, "high": 14, "step": 2},
                "lean": {"type": "real", "low": 0.0, "high": 60.0},
                "radius": {"type": "real", "low": 1.0, "high": 4.0, "log": True},
                "wall": {"type": "real", "low": 0.4, "high": 1.2},
            },
            _struts,
            (0.08, 0.18),
        ),
        Problem(
            "mixed5",
            {
                **_real("x", "y"),
                "pattern": {"type": "categorical", "values": ["grid", "gyroid", "honeycomb"]},
                "layers": {"type": "integer", "low": 1, "high": 5},
                "height": {"type": "real", "low": 10.0, "high": 40.0},
            },
            _mixed,
            (0.08, 0.15),
        ),
        Problem("hartmann6", _real(*[f"x{i}" for i in range(6)]), _hartmann, (0.06, 0.15)),
        Problem("shells11", _real(*[f"x{i}" for i in range(11)]), _shells),
    )
}
