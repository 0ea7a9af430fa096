"""What was observed: one record a test, and all of them as arrays for the models."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toughopt.errors import ObservationError
from toughopt.optimizer.base import BoolArray, Design, FloatArray, Value
from toughopt.optimizer.space import Space


@dataclass(frozen=True, slots=True)
class Observation:
    """One finished test.

    value : the measured objective, or None where the design failed to print or to test properly
    noise_std : standard deviation of this value's noise where it is known, in the units of the value
    censored : True where the truth is at least `value` (at most, where the objective is minimised): the specimen was
        too strong for the test
    context : where and how it was made, as far as it was told
    others : what was measured of further objectives, by name
    """

    design: Mapping[str, Value]
    value: float | None
    noise_std: float | None = None
    censored: bool = False
    context: Mapping[str, Value] | None = None
    others: Mapping[str, float] | None = None

    @property
    def failed(self) -> bool:
        """Whether the design failed instead of giving a value."""
        return self.value is None

    def to_dict(self) -> dict[str, Any]:
        """Fit for JSON; `from_dict` reads it back."""
        found: dict[str, Any] = {"design": dict(self.design), "value": self.value}
        if self.noise_std is not None:
            found["noise_std"] = self.noise_std
        if self.censored:
            found["censored"] = True
        if self.context is not None:
            found["context"] = dict(self.context)
        if self.others:
            found["others"] = dict(self.others)
        return found

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Observation:
        """As `to_dict` wrote it."""
        return cls(
            record["design"],
            record["value"],
            record.get("noise_std"),
            bool(record.get("censored", False)),
            record.get("context"),
            record.get("others"),
        )


def observe(
    space: Space,
    design: Design,
    value: float | None,
    *,
    noise_std: float | None = None,
    censored: bool = False,
    context: Design | None = None,
    failed: bool = False,
    others: Mapping[str, float] | None = None,
) -> Observation:
    """A checked observation; `others` are the values of further objectives, finite numbers.

    Raises
    ------
    DesignError
        If the design is not one of the space's parameters.
    ObservationError
        If the value is missing, not a number, NaN or infinite without being declared failed, or the noise is not
        positive.
    """
    plain = space.check(design)
    if failed:
        return Observation(plain, None, context=space.check_context(context))
    number = as_number(value)
    if number is None:
        raise ObservationError(
            f"value = {value!r} of design {plain} is not a number; a failure is told with failed=True"
        )
    if not math.isfinite(number):
        raise ObservationError(
            f"value = {number} of design {plain} is not finite; a test that gave none is told with failed=True"
        )
    if noise_std is not None:
        told, noise_std = noise_std, as_number(noise_std)
        if noise_std is None or not (math.isfinite(noise_std) and noise_std >= 0):
            raise ObservationError(f"noise_std = {told} of design {plain} must be finite and not negative")
    return Observation(plain, number, noise_std, bool(censored), space.check_context(context), others or None)


def as_number(value: Any) -> float | None:
    """A number as a float, one too large for that as infinity; None for what is none."""
    if value is None or isinstance(value, str | bytes | complex | Mapping):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return None


def observations_sha256(observations: Iterable[Observation]) -> str:
    """Hash of the observations in their order: equal for equal ones, on every platform."""
    encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
    return hashlib.sha256("".join(encode(o.to_dict()) + "\n" for o in observations).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Table:
    """The observations that have a value, as arrays; larger y is better.

    x : (n, d) float, encoded designs and contexts
    y : (n,) float
    noise_std : (n,) float, NaN where it is not known
    censored : (n,) bool, True where the truth is at least y
    group : (n,) int, equal for tests of one design in one context
    """

    x: FloatArray
    y: FloatArray
    noise_std: FloatArray
    censored: BoolArray
    group: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: np.ndarray[Any, np.dtype[Any]]) -> Table:
        """The rows at `index`."""
        return Table(self.x[index], self.y[index], self.noise_std[index], self.censored[index], self.group[index])


def make_table(x: FloatArray, observations: Sequence[Observation], sign: float) -> Table:
    """Arrays of the observations that have a value; `x` (n, d) holds their encoding, `sign` is -1 to minimise."""
    _, group = np.unique(x, axis=0, return_inverse=True)
    return Table(
        x=x,
        y=sign * np.array([o.value for o in observations], dtype=float),
        noise_std=np.array([np.nan if o.noise_std is None else o.noise_std for o in observations], dtype=float),
        censored=np.array([o.censored for o in observations], dtype=bool),
        group=np.asarray(group, dtype=np.int64).reshape(-1),
    )
