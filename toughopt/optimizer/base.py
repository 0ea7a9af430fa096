"""The seams of the optimizer: what a surrogate and a policy must offer, and what passes between them.

Designs are plain dicts; many designs at once are columns, a mapping from parameter name to an array of length n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from toughopt.optimizer.encoding import Encoder
    from toughopt.optimizer.objectives import Goal
    from toughopt.optimizer.observations import Table
    from toughopt.optimizer.space import Space

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Value = int | float | str | bool
Design = Mapping[str, Value]
Columns = Mapping[str, NDArray[Any]]
Features = Callable[[Columns], NDArray[Any]]
Constraint = Callable[[Columns], NDArray[Any]]
Hyperparameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a surrogate believes of m designs, in the units of the objective (larger is better).

    mean, std : (m,) float, of the objective itself, without the noise of a test
    latent_mean, latent_std : (m,) float, on the scale on which the surrogate is Gaussian; equal to the above where no
        output transform is in use
    """

    mean: FloatArray
    std: FloatArray
    latent_mean: FloatArray
    latent_std: FloatArray


@runtime_checkable
class Surrogate(Protocol):
    """A regression model with an uncertainty.

    ``fit`` returns a new, fitted surrogate and leaves the old one alone. Larger objective values are better: who
    minimises hands in negated values.
    """

    def fit(self, data: Table, start: Hyperparameters, rng: np.random.Generator) -> Surrogate:
        """A surrogate fitted to `data`, its search for hyperparameters begun at `start` (which may be empty)."""
        ...

    def predict(self, x: FloatArray) -> Prediction:
        """Belief about the designs encoded in `x` (m, d)."""
        ...

    def condition(self, x: FloatArray) -> Surrogate:
        """As if the rows of `x` had been tested and found to be what is predicted; for pending designs."""
        ...

    def hyperparameters(self) -> dict[str, Any]:
        """What `fit` found, fit for JSON, and fit to start the next fit from."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that a policy may know when it chooses.

    data : the told observations that have a value as arrays, larger values better
    good : the designs of `data`
    pending : encoded designs (p, d) whose results are awaited
    taken : keys of designs that must not be proposed (pending; also tested ones where a retest is not wanted)
    tested : (n, number of parameters) float, the designs of `data` as points of the unit cube; None with a pool
    printable : probability that designs print and test properly, or None where none ever failed
    goals : the objectives where there are several, the first of which `data` tells; empty where there is one
    awaited : the designs that `pending` encodes
    made : how many designs were told or are pending
    seed : of the campaign
    """

    space: Space
    encoder: Encoder
    data: Table
    good: Sequence[Design]
    pending: FloatArray
    taken: frozenset[tuple[Value, ...]]
    made: int
    k: int
    context: Design | None
    seed: int
    rng: np.random.Generator
    start: Hyperparameters
    tested: FloatArray | None = None
    printable: Callable[[FloatArray], FloatArray] | None = None
    goals: tuple[Goal, ...] = ()
    awaited: tuple[Design, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a policy chose, and why. All lists have one entry a design; means are for larger-is-better values.

    reasons : of each design, where they differ; empty where `reason` is that of all
    """

    designs: Sequence[dict[str, Value]]
    mean: Sequence[float | None]
    std: Sequence[float | None]
    acquisition: Sequence[float | None]
    reason: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    fallback: str | None = None
    reasons: Sequence[str] = ()

    def reason_of_each(self) -> list[str]:
        """One reason a design."""
        return list(self.reasons) or [self.reason] * len(self.designs)


@runtime_checkable
class Policy(Protocol):
    """How the next designs are chosen: surrogate + acquisition + candidates."""

    @property
    def name(self) -> str:
        """The name under which it is registered."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """All its settings, fit for JSON: ``policy(name, **settings)`` makes it again."""
        ...

    @property
    def needs_observations(self) -> bool:
        """False for a policy that chooses without a model, which then has no initial designs either."""
        ...

    def propose(self, task: Task) -> Proposal:
        """`task.k` designs, none of them in `task.taken`."""
        ...

    def surrogate(self, task: Task) -> Surrogate | None:
        """The fitted surrogate with which it would choose, or None where it has none."""
        ...
