"""Several objectives at once: what each is called, which way is better, and what is known of it before a test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from toughopt.errors import ConfigError, ObservationError
from toughopt.optimizer.base import Columns, Features, FloatArray
from toughopt.optimizer.observations import Table, as_number

MOST_OBJECTIVES = 4  # the work grows with the size of the front to the power of one less


@dataclass(frozen=True, slots=True)
class Objective:
    """One of several objectives.

    goal : "max" or "min"
    reference : value that is barely of interest: what is worse counts for nothing; None for the worst that was tested
        or is predicted anywhere, whatever that is at the time
    known : callable from columns to (n,), where the value follows from the design alone and needs no test, such as a
        mass; in the units of the objective
    """

    name: str
    goal: Literal["max", "min"] = "max"
    reference: float | None = None
    known: Features | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("an objective needs a name")
        if self.goal not in ("max", "min"):
            raise ConfigError(f"goal = {self.goal!r} of objective {self.name!r} is neither 'max' nor 'min'")
        if self.reference is not None and not math.isfinite(self.reference):
            raise ConfigError(f"reference = {self.reference} of objective {self.name!r} must be a finite number")

    @property
    def sign(self) -> float:
        """1 where larger is better, -1 where smaller is."""
        return 1.0 if self.goal == "max" else -1.0

    def record(self) -> dict[str, Any]:
        """What a decision records of it; the callable is not in it."""
        return {"name": self.name, "goal": self.goal, "reference": self.reference, "known": self.known is not None}


@dataclass(frozen=True, slots=True)
class Goal:
    """An objective with what was told of it, for a policy.

    table : the tests that have a value, larger values better; empty where the objective is known without a test
    rows : of the task's data, the rows that `table` consists of
    """

    objective: Objective
    table: Table
    rows: np.ndarray[Any, np.dtype[np.int64]]

    def known(self, columns: Columns) -> FloatArray | None:
        """(n,) float, larger better, where no test is needed; None where one is. ObservationError if not finite."""
        if self.objective.known is None:
            return None
        answer = np.asarray(self.objective.known(columns), dtype=float)
        n = len(next(iter(columns.values())))
        if answer.shape != (n,):
            raise ObservationError(
                f"{self.objective.name} answered with shape {answer.shape} for {n} designs; expected ({n},)"
            )
        if not np.isfinite(answer).all():
            at = int(np.flatnonzero(~np.isfinite(answer))[0])
            where = {name: np.asarray(column)[at : at + 1].tolist()[0] for name, column in columns.items()}
            raise ObservationError(
                f"{self.objective.name} answered {answer[at]} for {where}; it must be finite for every design"
            )
        return self.objective.sign * answer


def checked_objectives(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """Two to four objectives of different names; none where the sequence is empty. ConfigError otherwise."""
    names = [o.name for o in objectives]
    if len(set(names)) < len(names):
        raise ConfigError(f"two objectives are called {sorted(n for n in names if names.count(n) > 1)[0]!r}")
    if len(names) == 1:
        raise ConfigError(f"{names[0]!r} is the only objective; name a second one, or use minimize= alone")
    if len(names) > MOST_OBJECTIVES:
        raise ConfigError(f"{len(names)} objectives are more than {MOST_OBJECTIVES}; leave some out, or weigh them")
    if names and objectives[0].known is not None:
        raise ConfigError(f"{names[0]!r} is known without a test; name first an objective that is measured")
    return tuple(objectives)


def recorded_objectives(records: Sequence[Mapping[str, Any]], known: Mapping[str, Features]) -> tuple[Objective, ...]:
    """The objectives of a record, with the callables that it cannot hold. ConfigError where one is missing."""
    made = []
    for record in records:
        name = str(record["name"])
        if record["known"] and name not in known:
            raise ConfigError(f"{name!r} was known without a test when it was decided; hand in known={{{name!r}: ...}}")
        made.append(Objective(name, record["goal"], record.get("reference"), known[name] if record["known"] else None))
    return checked_objectives(made)


def split_values(
    objectives: Sequence[Objective], values: float | Mapping[str, float | None] | None
) -> tuple[float | None, dict[str, float] | None]:
    """The value of the first objective, and those of the others that were measured.

    Raises
    ------
    ObservationError
        If a name is unknown, the first objective's value is missing, or a value is not a finite number.
    """
    if not isinstance(values, Mapping):
        return values, None
    names = [o.name for o in objectives]
    if not names:
        raise ObservationError(f"{dict(values)} are several values; this optimizer has a single objective")
    for name in values:
        if name not in names:
            raise ObservationError(f"there is no objective {name!r}; there are {', '.join(names)}")
    others = {}
    for name in names[1:]:
        value = values.get(name)
        if value is None:
            continue
        number = as_number(value)
        if number is None or not math.isfinite(number):
            raise ObservationError(f"{name} = {value!r} is not a finite number; leave it out where it was not measured")
        others[name] = number
    return values.get(names[0]), others or None
