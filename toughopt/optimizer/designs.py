"""Designs chosen without a model: random, grid, Latin hypercube, Sobol; also the first designs of a campaign."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from toughopt.errors import SpaceError
from toughopt.optimizer.base import FloatArray, Task, Value
from toughopt.optimizer.space import Key, Space

_BLOCK = 32  # designs that random, Latin hypercube and Sobol sequences are made of at a time


def initial_designs(space: Space, n: int, seed: int) -> list[dict[str, Value]]:
    """`n` distinct designs that fill the space: a maximin Latin hypercube from scikit-optimize, pulled to the pool.

    Fewer where the space has fewer. The same `seed` gives the same designs.
    """
    from skopt.sampler import Lhs

    d = len(space.parameters)
    rng = np.random.default_rng(seed)
    chosen: dict[Key, dict[str, Value]] = {}
    for _ in range(20):
        sampler = Lhs(criterion="maximin", iterations=200)
        unit = np.array(sampler.generate([(0.0, 1.0)] * d, max(n, 2), random_state=int(rng.integers(2**31))))[:n]
        for design in _realise(space, unit, chosen, rng):
            chosen.setdefault(space.key(design), design)
        if len(chosen) >= min(n, space.count):
            break
    return list(chosen.values())[:n]


def expected_designs(task: Task, n: int) -> list[dict[str, Value]]:
    """`n` of the designs that the simulation prior, or else the earlier campaigns, think best, spread out among those.

    The first is the very best; each further one is, of the best twentieth, the one farthest from those before it.
    """
    from toughopt.optimizer.candidates import candidates

    encoder = task.encoder
    found = candidates(task, 2048)
    free = found.free(task.taken | {task.space.key(d) for d in task.good})
    column = encoder.prior_column
    hope = found.x[free, column] if column is not None else found.x[free][:, encoder.source_columns].mean(axis=1)
    best = free[np.argsort(-hope, kind="stable")[: max(n, len(free) // 20)]]
    x = found.x[best, : encoder.n_plain]
    chosen = [0][: len(best)]
    while len(chosen) < min(n, len(best)):
        gap = ((x[:, None, :] - x[chosen]) ** 2).sum(axis=2).min(axis=1)
        gap[chosen] = -1.0
        chosen.append(int(np.argmax(gap)))
    return [found.design(int(best[i])) for i in chosen]


def latin_hypercube_block(space: Space, n: int, rng: np.random.Generator) -> list[dict[str, Value]]:
    """About `n` allowed designs, one in each of `n` slices of every parameter."""
    from scipy.stats import qmc

    unit = qmc.LatinHypercube(len(space.parameters), rng=int(rng.integers(2**63))).random(n)
    return _realise(space, unit, {}, rng)


def sequence(
    space: Space, kind: str, start: int, count: int, seed: int, taken: Collection[Key]
) -> list[dict[str, Value]]:
    """`count` designs of a model-free sequence, beginning at its member `start`, leaving out those taken.

    Parameters
    ----------
    kind : "random", "grid", "lhs" or "sobol"
    start : how many designs were told or are pending: a sequence goes on where it was

    Raises
    ------
    SpaceError
        If the space has no design left.
    """
    chosen: dict[Key, dict[str, Value]] = {}
    if space.pool is not None or kind == "grid":
        size = max(start + count + len(taken), 2 * _BLOCK)
        members = space.grid(size)
        order = np.arange(len(members))
        if kind != "grid":
            order = np.random.default_rng(seed).permutation(len(members))
        for index in order:
            key = space.key(members[index])
            if key not in taken and len(chosen) < count:
                chosen[key] = members[index]
    else:
        for block in range(start // _BLOCK, start // _BLOCK + 200):
            rng = np.random.default_rng([seed, block])
            for design in _block(space, kind, block, seed, rng):
                key = space.key(design)
                if key not in taken and len(chosen) < count:
                    chosen.setdefault(key, design)
            if len(chosen) >= count:
                break
    if len(chosen) < count:
        raise SpaceError(
            f"{count} designs were asked for and only {len(chosen)} are neither tested nor pending; ask for fewer, "
            "allow retests or enlarge the space"
        )
    return list(chosen.values())


def _block(space: Space, kind: str, block: int, seed: int, rng: np.random.Generator) -> list[dict[str, Value]]:
    if kind == "lhs":
        return latin_hypercube_block(space, _BLOCK, rng)
    if kind == "sobol":
        from scipy.stats import qmc

        sampler = qmc.Sobol(len(space.parameters), scramble=True, rng=seed)
        if block:
            sampler.fast_forward(block * _BLOCK)
        return _realise(space, sampler.random(_BLOCK), {}, rng)
    return _realise(space, rng.random((_BLOCK, len(space.parameters))), {}, rng)


def _realise(
    space: Space, unit: FloatArray, taken: Collection[Key], rng: np.random.Generator
) -> list[dict[str, Value]]:
    """Allowed designs at points of the unit cube; a forbidden or taken one moves to the nearest that is not."""
    if space.pool is not None:
        members: list[dict[str, Value]] = list(space.pool)
        pool_unit = _standing(space, space.pool_columns)
        free = np.array([space.key(m) not in taken for m in members])
        out = []
        for point in unit:
            if not free.any():
                break
            distance = np.where(free, ((pool_unit - point) ** 2).sum(axis=1), np.inf)
            at = int(np.argmin(distance))
            free[at] = False
            out.append(members[at])
        return out
    columns = space.from_unit(unit)
    good = space.allowed(columns)
    designs = space.designs(columns)
    if good.all():
        return designs
    spare = space.sample(max(256, 8 * len(unit)), rng)
    spare_unit, spare_designs = space.to_unit(spare), space.designs(spare)
    out = []
    for point, design, ok in zip(unit, designs, good, strict=True):
        if not ok:
            at = int(np.argmin(((spare_unit - point) ** 2).sum(axis=1)))
            design = spare_designs[at]
            spare_unit[at] = 1e9
        out.append(design)
    return out


def _standing(space: Space, columns: Any) -> FloatArray:
    """Each parameter's rank in the pool as a fraction, so that uneven pools are filled evenly."""
    unit = space.to_unit(columns)
    return np.asarray(np.clip(unit, 0.0, 1.0))
