"""The designs among which a policy looks for its optimum: a pool, all of a small space, or a sample refined."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from toughopt.errors import SpaceError
from toughopt.optimizer.base import Columns, FloatArray, Task, Value
from toughopt.optimizer.space import Key

_SMALL = 4096  # spaces of at most so many designs are looked at completely
_SPREADS = (0.15, 0.05, 0.015)  # of the unit interval, around designs worth refining
_FEW = 8  # one in so many candidates is enough to choose from
_NO_DISTANCE = 1e-3  # between designs, in units of the cube


@dataclass(frozen=True)
class Candidates:
    """Designs to score, as columns and encoded.

    complete : True where these are all the designs that there are
    """

    task: Task
    columns: Columns
    x: FloatArray
    complete: bool

    def design(self, index: int) -> dict[str, Value]:
        """One of them in plain Python numbers."""
        space = self.task.space
        if self.complete and space.pool is not None:
            return dict(space.pool[index])
        return space.designs({name: np.asarray(column)[index : index + 1] for name, column in self.columns.items()})[0]

    def key(self, index: int) -> Key:
        """Its key."""
        return self._keys[index] if self.complete else self.task.space.key(self.design(index))

    @cached_property
    def _keys(self) -> tuple[Key, ...]:
        space = self.task.space
        if space.pool is not None:
            return space.pool_keys
        return tuple(space.key(d) for d in space.designs(self.columns))

    @cached_property
    def _unit(self) -> FloatArray:
        return self.task.space.to_unit(self.columns)

    def free(
        self, taken: Collection[Key], points: FloatArray | None = None, apart: float = 0.0
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Indices of those that may still be proposed: not taken, or of a sample in the open.

        Where designs in the open would be few, the distance that makes them so is halved: once tests have filled a
        space, they may lie closer together.

        Parameters
        ----------
        points : (c, number of parameters) float, in the unit cube: designs that a sampled one must keep away from
        apart : how far, as root mean square of the differences
        """
        if self.complete:
            return np.array([i for i, key in enumerate(self._keys) if key not in taken], dtype=np.int64)
        everywhere = np.arange(len(self.x))
        if points is None or not len(points) or not len(self.x) or not apart:
            return everywhere
        from scipy.spatial import KDTree

        nearest = KDTree(points).query(self._unit)[0] / np.sqrt(points.shape[1])
        while apart > _NO_DISTANCE:
            far = np.flatnonzero(nearest >= apart)
            if _FEW * len(far) >= len(everywhere):
                return far
            apart /= 2
        return everywhere

    def pick(self, scores: FloatArray, taken: Collection[Key]) -> int:
        """Index of the best score among those not taken; the first of equals.

        Raises
        ------
        SpaceError
            If all are taken.
        """
        for index in np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable"):
            if self.key(int(index)) not in taken:
                return int(index)
        raise SpaceError(
            f"all {len(self.x)} designs that could be proposed are pending or tested; tell results, forget a pending "
            "design or enlarge the space"
        )


def candidates(task: Task, n: int, around: FloatArray | None = None) -> Candidates:
    """The pool, all of a small finite space, or `n` sampled designs with others near the rows of `around`.

    Parameters
    ----------
    around : (c, number of parameters) float, points of the unit cube worth looking near
    """
    space, encoder = task.space, task.encoder
    if space.pool is not None:
        return Candidates(task, space.pool_columns, encoder.pool(task.context), True)
    if space.count <= _SMALL:
        columns: Columns = space.columns(space.grid(int(space.count)))
        if not len(columns[space.names[0]]):
            raise SpaceError("no design of this finite space meets its constraints; loosen them")
        return Candidates(task, columns, encoder.encode(columns, task.context), True)
    columns = space.sample(n, task.rng)
    if around is not None and len(around):
        near = _near(task, around, max(8, n // (2 * len(around) * len(_SPREADS))), _SPREADS)
        columns = {name: np.concatenate([columns[name], near[name]]) for name in space.names}
    return Candidates(task, columns, encoder.encode(columns, task.context), False)


def refine(
    found: Candidates,
    scores: FloatArray,
    score: Callable[[FloatArray], FloatArray],
    beside: Callable[[Columns], FloatArray] | None = None,
) -> tuple[Candidates, FloatArray]:
    """Candidates with others added around the best ones, in rounds of shrinking steps; a complete set stays as it is.

    Parameters
    ----------
    beside : further columns that `score` wants beside the encoded designs

    Returns
    -------
    Candidates, (m,) float
        All of them, and their scores.
    """
    if found.complete:
        return found, scores
    task = found.task
    for spread in (0.05, 0.02, 0.007, 0.002):
        best = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")[:3]
        centre = task.space.to_unit({name: np.asarray(column)[best] for name, column in found.columns.items()})
        columns = _near(task, centre, 32, (spread,))
        if not len(columns[task.space.names[0]]):
            continue
        x = task.encoder.encode(columns, task.context)
        found = Candidates(
            task,
            {name: np.concatenate([found.columns[name], columns[name]]) for name in task.space.names},
            np.vstack([found.x, x]),
            False,
        )
        scores = np.concatenate([scores, score(x if beside is None else np.hstack([x, beside(columns)]))])
    return found, scores


def _near(task: Task, centre: FloatArray, each: int, spreads: tuple[float, ...]) -> Columns:
    """Allowed designs around points of the unit cube; about half of the coordinates of a point move."""
    rng, d = task.rng, centre.shape[1]
    parts = []
    for spread in spreads:
        step = spread * rng.standard_normal((len(centre), each, d))
        moved = rng.random((len(centre), each, d)) < max(0.5, 1.0 / d)
        jump = rng.random((len(centre), each, d))  # a step too small to leave a level of an integer would be no step
        point = centre[:, None, :] + np.where(moved, step, 0.0)
        point = np.where(moved & (rng.random(moved.shape) < 0.05), jump, point)
        parts.append(np.clip(point.reshape(-1, d), 0.0, 1.0))
    columns = task.space.from_unit(np.vstack(parts))
    good = task.space.allowed(columns)
    return {name: column[good] for name, column in columns.items()}
