"""Was learning worth it? How many tests random search and a grid would have needed for the same best design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from toughopt.loop import Workspace
    from toughopt.optimizer import Optimizer, Space
    from toughopt.optimizer.gp import GaussianProcess

FloatArray = NDArray[np.float64]
_FEWEST = 8  # tests below which there is no model to ask
_MOST = 600  # tests that the model is made of, where there are more: the best of them, and others by chance
_CANDIDATES = 1024  # designs of random search that each draw is evaluated at
_GRID_POINTS = 1000  # designs of all grids together
_DRAWS = 400
_SMOOTH, _NOISY, _PREDICTABLE = 0.5, 0.5, 0.5  # where the words about a landscape change


@dataclass(frozen=True, slots=True)
class Needed:
    """A number of tests with the central 95 % of what it may be; None where it is above `limit`."""

    value: float | None
    low: float | None
    high: float | None
    limit: int


@dataclass(frozen=True, slots=True)
class WorthIt:
    """What a campaign saved, and why.

    tests : tests with a value so far
    best : the tested design with the best predicted mean, None before there are enough tests
    best_mean, best_std : what its true objective is believed to be
    found_at : the test, counted from 1, that first tried it
    share_as_good : share of the space that is at least as good: median of what it may be
    random : tests of random search until one design is at least as good, by its true mean
    grid : designs of the smallest full grid that has one at least as good
    times_random, times_grid : those medians divided by `found_at`; None where they are above their limit
    dimensions : parameters that were varied
    noise_share : share of the variance among the tests that is noise
    ruggedness : how different designs a tenth of each range apart are: 0 not at all, 1 as much as any two
    skill : share of the variance among the tests that the model predicts of each from the others
    verdict : one sentence
    reasons : what speaks for and against learning here, one sentence each
    """

    tests: int
    best: dict[str, Any] | None
    best_mean: float | None
    best_std: float | None
    found_at: int | None
    share_as_good: float | None
    random: Needed | None
    grid: Needed | None
    times_random: float | None
    times_grid: float | None
    dimensions: int
    noise_share: float | None
    ruggedness: float | None
    skill: float | None
    verdict: str
    reasons: tuple[str, ...]


def worth_it(of: Workspace | Optimizer, *, seed: int = 0) -> WorthIt:
    """An honest estimate for a finished or running campaign, or for an optimizer that was told a table's tests.

    Parameters
    ----------
    of : the campaign, or an optimizer with what it was told
    seed : of the draws; the same gives the same answer

    Notes
    -----
    The campaign's own model of the objective is fitted to all tests. From its posterior, functions are drawn jointly
    at many designs spread over the space, at full grids, and at the best design. In each drawn function the designs at
    least as good as the best one are counted; random search then needs a geometrically distributed number of tests
    (where the space is a pool: the first of so many at random places), and a grid as many as the smallest one with
    such a design has, since nobody knows beforehand which of its points it is. So both the model's doubt and luck are
    in the intervals. Both are lower bounds in one way: they count tests until such a design is *tried*; under noise,
    random search and grid would need more tests to know it from luckier ones. The designs that the optimizer tried say
    most about good regions, and its model may be wrong elsewhere: `skill` tells how far to trust it.
    """
    from toughopt.optimizer import Optimizer

    optimizer = of if isinstance(of, Optimizer) else of.chooser.optimizer(of.state)
    told = [o for o in optimizer.observations if not o.failed]
    if len(told) < _FEWEST:
        return _too_early(optimizer, len(told))
    asked = _thinned(optimizer, seed)
    space, rng = optimizer.space, np.random.default_rng([seed, 5])
    model = asked.surrogate()
    recommended = asked.recommend()
    found_at = next(i for i, o in enumerate(told, start=1) if space.key(o.design) == space.key(recommended.design))
    spread = [dict(d) for d in space.pool] if space.pool else space.designs(space.sample(_CANDIDATES, rng))
    grids = [] if space.pool else _grids(space)
    rows = [recommended.design, *spread, *(design for grid in grids for design in grid)]
    draws = _draws(model, asked.encoder.encode_designs(rows), rng)
    as_good = draws[:, 1:] >= draws[:, :1] - 1e-9
    among = as_good[:, : len(spread)]
    if space.pool:
        share = np.maximum(among.mean(axis=1), 1.0 / len(spread))
        random = _needed(_first_of_pool(np.repeat(among.sum(axis=1), 20), len(spread), rng), len(spread))
        grid = Needed(float(len(spread)), float(len(spread)), float(len(spread)), len(spread))
    else:
        count = among.sum(axis=1)
        share = rng.beta(count + 0.5, len(spread) - count + 0.5)  # of the space, as far as the sample tells
        random = _needed(rng.geometric(np.maximum(np.repeat(share, 20), 1e-9)).astype(float), 20 * len(spread))
        grid = _needed(_smallest_grids(as_good[:, len(spread) :], [len(g) for g in grids]), max(map(len, grids)))
    noise, skill = _noise_and_skill(_likeliest(model))
    rugged = _ruggedness(_likeliest(model), asked, rng)
    times_random = None if random.value is None else random.value / found_at
    times_grid = None if grid.value is None else grid.value / found_at
    return WorthIt(
        tests=len(told),
        best=dict(recommended.design),
        best_mean=recommended.mean,
        best_std=recommended.std,
        found_at=found_at,
        share_as_good=float(np.median(share)),
        random=random,
        grid=grid,
        times_random=times_random,
        times_grid=times_grid,
        dimensions=len(space.parameters),
        noise_share=noise,
        ruggedness=rugged,
        skill=skill,
        verdict=_verdict(found_at, random),
        reasons=_reasons(len(space.parameters), noise, rugged, skill, float(np.median(share))),
    )


def _too_early(optimizer: Optimizer, tests: int) -> WorthIt:
    nothing = (None,) * 9
    words = f"{tests} tests have a value; {_FEWEST} are needed before this can be estimated"
    return WorthIt(tests, *nothing, len(optimizer.space.parameters), None, None, None, words, ())


def _thinned(optimizer: Optimizer, seed: int) -> Optimizer:
    """The default model with what was told, or with so much of it as it can be drawn from in seconds."""
    from toughopt.optimizer import Optimizer

    told = [o for o in optimizer.observations if not o.failed]
    if len(told) > _MOST:
        sign = 1.0 if optimizer.minimize else -1.0
        order = np.argsort([sign * (o.value or 0.0) for o in told], kind="stable")
        others = np.random.default_rng([seed, 6]).permutation(order[_MOST // 3 :])[: _MOST - _MOST // 3]
        told = [told[i] for i in sorted([*order[: _MOST // 3], *others])]
    made = Optimizer(optimizer.space, "default", seed, minimize=optimizer.minimize)
    made.encoder = optimizer.encoder
    made.tell(
        [o.design for o in told],
        [o.value for o in told],
        noise_std=[o.noise_std for o in told],
        censored=[o.censored for o in told],
        context=[o.context for o in told],
    )
    return made


def _likeliest(model: Any) -> GaussianProcess:
    """The one Gaussian process of the default policy's model, or the likeliest of several."""
    found: GaussianProcess = getattr(model, "best", model)
    return found


def _draws(model: Any, rows: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(draws, designs) float: the objective at encoded designs, on a scale of its own a draw; larger is better."""
    members: list[GaussianProcess] = getattr(model, "members", [model])
    weights: FloatArray = getattr(model, "weights", np.ones(1))
    parts = []
    for count, member in zip(rng.multinomial(_DRAWS, weights / weights.sum()), members, strict=True):
        if count:
            mean, covariance = member.joint(rows)
            parts.append(mean + _normal(covariance, int(count), rng))
    return np.vstack(parts)


def _normal(covariance: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """(count, m) draws with that covariance."""
    white = rng.standard_normal((count, len(covariance)))
    for relative in (1e-8, 1e-7, 1e-6, 1e-5):
        try:
            jitter = relative * float(covariance.diagonal().max())
            return np.asarray(white @ np.linalg.cholesky(covariance + jitter * np.eye(len(covariance))).T)
        except np.linalg.LinAlgError:
            continue
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((white * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _grids(space: Space) -> list[list[dict[str, Any]]]:
    """Full factorial grids of two, three, ... levels a parameter, as long as they are small enough to look at."""
    grids: list[list[dict[str, Any]]] = []
    left, levels = _GRID_POINTS, 2
    while levels ** len(space.parameters) <= 8 * _GRID_POINTS:
        grid = space.grid(levels ** len(space.parameters))
        if len(grid) > left or (grids and len(grid) <= len(grids[-1])):
            break
        grids.append([dict(design) for design in grid])
        left -= len(grid)
        levels += 1
    return grids or [[dict(d) for d in space.grid(2)[:_GRID_POINTS]]]


def _smallest_grids(as_good: NDArray[np.bool_], sizes: Sequence[int]) -> FloatArray:
    """(draws,) float: how many designs the first grid with one that is as good has; infinity where none has."""
    needed = np.full(len(as_good), np.inf)
    edges = np.cumsum([0, *sizes])
    for size, begin, end in reversed(list(zip(sizes, edges[:-1], edges[1:], strict=True))):
        needed[as_good[:, begin:end].any(axis=1)] = size
    return needed


def _first_of_pool(as_good: NDArray[np.int64], size: int, rng: np.random.Generator) -> FloatArray:
    """(draws,) float: at which test a random order of the pool meets the first of so many designs."""
    return np.array([rng.permutation(size)[: max(int(k), 1)].min() + 1.0 for k in as_good])


def _needed(tests: FloatArray, limit: int) -> Needed:
    low, value, high = np.quantile(tests, (0.025, 0.5, 0.975), method="nearest")
    shown = [float(x) if x <= limit else None for x in (value, low, high)]
    return Needed(shown[0], shown[1], shown[2], limit)


def _noise_and_skill(model: GaussianProcess) -> tuple[float, float]:
    predicted, _, target = model.leave_one_out()
    variance = max(float(target.var()), 1e-12)
    noise = float(model.noise_variance(predicted).mean())
    skill = 1.0 - float(((target - predicted) ** 2).mean()) / variance
    return min(noise / variance, 1.0), max(skill, 0.0)


def _ruggedness(model: GaussianProcess, optimizer: Optimizer, rng: np.random.Generator) -> float:
    """Half the mean square difference of predictions a tenth of each range apart, over the variance of predictions."""
    space = optimizer.space
    here = rng.random((512, len(space.parameters)))
    step = 0.1 * rng.choice([-1.0, 1.0], size=here.shape)
    there = np.where((here + step < 0.0) | (here + step > 1.0), here - step, here + step)
    first, second = (model.predict(optimizer.encoder.encode(space.from_unit(u))).latent_mean for u in (here, there))
    return float(min(((first - second) ** 2).mean() / max(2.0 * first.var(), 1e-12), 1.0))


def _verdict(found_at: int, random: Needed) -> str:
    if random.value is None:
        return (
            f"The best design was tried in test {found_at}; random search would have needed over {random.limit} tests."
        )
    high = f"over {random.limit}" if random.high is None else f"{random.high:.0f}"
    low = 1.0 if random.low is None else random.low
    words = f"random search would have needed {random.value:.0f} ({low:.0f} to {high} with 95 % probability)"
    if random.value < 1.5 * found_at:
        return f"The best design was tried in test {found_at}; {words}: learning was not, or not yet, worth it."
    return f"The best design was tried in test {found_at}; {words}: {random.value / found_at:.1f} times as many."


def _reasons(dimensions: int, noise: float, rugged: float, skill: float, share: float) -> tuple[str, ...]:
    trusted = "it can be trusted" if skill >= _PREDICTABLE else "its estimates here are rough"
    return (
        f"The model predicts {skill:.0%} of the variance among the tests from the others: {trusted}, "
        f"and learning can {'help' if skill >= _PREDICTABLE else 'help little until more is known'}.",
        f"Noise is {noise:.0%} of that variance"
        + (
            ": replicates of the best designs are worth their cost." if noise >= _NOISY else ": single tests tell much."
        ),
        f"Designs a tenth of each range apart differ {rugged:.0%} as much as any two: the landscape is "
        + ("rugged, and what one test tells of others is little." if rugged >= _SMOOTH else "smooth enough to learn."),
        f"{share:.2%} of the space is as good as the best design: "
        + ("chance finds that soon." if share > 0.05 else "chance takes long to find it."),
        f"{dimensions} parameters: each further one multiplies the size of a grid, and costs a model a few tests.",
    )
