"""The kinds of parameter that a space may have, each with its way to and from the unit interval."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toughopt.errors import DesignError, SpaceError
from toughopt.optimizer.base import FloatArray, Value

_SLACK = 1e-9  # of the range: rounding in a journal or a table must not put a design outside its own space
_WHOLE = 2**53  # up to which a float tells one whole number from the next


@dataclass(frozen=True, slots=True)
class Real:
    """A number between `low` and `high`; with ``log=True`` all that models and samplers see is its logarithm."""

    name: str
    low: float
    high: float
    log: bool = False
    context: bool = False

    def __post_init__(self) -> None:
        _check_bounds(self.name, self.low, self.high)
        if self.log and self.low <= 0:
            raise SpaceError(f"{self.name}: a log scale needs low > 0, not {self.low:g}")

    @property
    def width(self) -> int:
        """Columns of its encoding."""
        return 1

    @property
    def count(self) -> float:
        """How many values it can take."""
        return math.inf if self.high > self.low else 1

    def encode(self, values: NDArray[Any]) -> FloatArray:
        """(n,) values to (n, 1) in 0..1."""
        values = np.asarray(values, dtype=float)
        low, high = self.low, self.high
        if self.log:
            values, low, high = np.log(values), math.log(low), math.log(high)
        return np.asarray((values - low) / ((high - low) or 1.0))[:, None]

    def from_unit(self, unit: FloatArray) -> NDArray[Any]:
        """(n,) uniform in 0..1 to values."""
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return np.clip(np.exp(low + unit * (high - low)), self.low, self.high)
        return np.clip(self.low + unit * (self.high - self.low), self.low, self.high)

    def to_unit(self, values: NDArray[Any]) -> FloatArray:
        """(n,) values to points of the unit interval that `from_unit` maps back to them."""
        return self.encode(values)[:, 0]

    def levels(self, n: int) -> list[Value]:
        """`n` evenly spread values."""
        return [float(v) for v in self.from_unit(np.linspace(0.0, 1.0, n))] if self.high > self.low else [self.low]

    def plain(self, value: Any) -> Value:
        """The value as a plain Python number; DesignError where it is not one of this parameter's."""
        number = _number(self.name, value)
        slack = _SLACK * max(abs(self.low), abs(self.high), self.high - self.low)
        if not self.low - slack <= number <= self.high + slack:
            raise DesignError(
                f"{self.name} = {number:g} is outside {self.low:g} to {self.high:g}; choose a value within"
            )
        return number

    def to_dict(self) -> dict[str, Any]:
        """As `Space.from_dict` reads it."""
        found: dict[str, Any] = {"type": "real", "low": self.low, "high": self.high}
        return found | ({"log": True} if self.log else {}) | ({"context": True} if self.context else {})


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number low, low + step, ... up to `high`."""

    name: str
    low: int
    high: int
    step: int = 1
    context: bool = False

    def __post_init__(self) -> None:
        if max(abs(self.low), abs(self.high)) > _WHOLE:
            raise SpaceError(f"{self.name}: low = {self.low} and high = {self.high} must be within ±{_WHOLE}")
        _check_bounds(self.name, self.low, self.high)
        if self.step < 1:
            raise SpaceError(f"{self.name}: step = {self.step} must be at least 1")
        if (self.high - self.low) % self.step:
            raise SpaceError(
                f"{self.name}: high = {self.high} is not low + a multiple of step ({self.low} + k * {self.step})"
            )

    @property
    def width(self) -> int:
        """Columns of its encoding."""
        return 1

    @property
    def count(self) -> float:
        """How many values it can take."""
        return (self.high - self.low) // self.step + 1

    def encode(self, values: NDArray[Any]) -> FloatArray:
        """(n,) values to (n, 1) in 0..1."""
        return np.asarray((np.asarray(values, dtype=float) - self.low) / ((self.high - self.low) or 1.0))[:, None]

    def from_unit(self, unit: FloatArray) -> NDArray[Any]:
        """(n,) uniform in 0..1 to values, each equally likely."""
        index = np.minimum((np.asarray(unit) * self.count).astype(np.int64), int(self.count) - 1)
        return self.low + self.step * np.maximum(index, 0)

    def to_unit(self, values: NDArray[Any]) -> FloatArray:
        """(n,) values to points of the unit interval that `from_unit` maps back to them."""
        return np.asarray(((np.asarray(values, dtype=float) - self.low) / self.step + 0.5) / self.count)

    def levels(self, n: int) -> list[Value]:
        """At most `n` evenly spread values."""
        count = int(self.count)
        index = np.unique(np.round(np.linspace(0, count - 1, min(n, count))).astype(int))
        return [int(self.low + self.step * i) for i in index]

    def plain(self, value: Any) -> Value:
        """The value as a plain Python number; DesignError where it is not one of this parameter's."""
        number = _number(self.name, value)
        whole = round(number)
        if abs(number - whole) > 1e-9 or not self.low <= whole <= self.high or (whole - self.low) % self.step:
            raise DesignError(
                f"{self.name} = {number:g} is none of {self.low}, {self.low + self.step}, ... {self.high}; "
                "choose one of them"
            )
        return whole

    def to_dict(self) -> dict[str, Any]:
        """As `Space.from_dict` reads it."""
        found: dict[str, Any] = {"type": "integer", "low": self.low, "high": self.high}
        return found | ({"step": self.step} if self.step != 1 else {}) | ({"context": True} if self.context else {})


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of a few values without an order."""

    name: str
    values: tuple[Value, ...]
    context: bool = False

    def __post_init__(self) -> None:
        if not self.values:
            raise SpaceError(f"{self.name}: a categorical parameter needs at least one value")
        if len(set(self.values)) != len(self.values):
            raise SpaceError(f"{self.name}: a value is listed twice in {list(self.values)}")

    @property
    def width(self) -> int:
        """Columns of its encoding: one a value, or a single one where there are only two."""
        return len(self.values) if len(self.values) > 2 else 1

    @property
    def count(self) -> float:
        """How many values it can take."""
        return len(self.values)

    def encode(self, values: NDArray[Any]) -> FloatArray:
        """(n,) values to (n, width) in 0..1; a value that is not known (a context nobody told) sits in the middle."""
        index = self._index(values)
        if self.width == 1:
            return np.where(index < 0, 0.5, index)[:, None].astype(float)
        code = np.zeros((len(index), self.width))
        known = index >= 0
        code[known, index[known]] = 1.0
        code[~known] = 1.0 / self.width
        return code

    def from_unit(self, unit: FloatArray) -> NDArray[Any]:
        """(n,) uniform in 0..1 to values, each equally likely."""
        index = np.minimum((np.asarray(unit) * len(self.values)).astype(np.int64), len(self.values) - 1)
        return np.array(self.values, dtype=object)[np.maximum(index, 0)]

    def to_unit(self, values: NDArray[Any]) -> FloatArray:
        """(n,) values to points of the unit interval that `from_unit` maps back to them."""
        return np.asarray((self._index(values) + 0.5) / len(self.values))

    def levels(self, n: int) -> list[Value]:
        """All its values, whatever `n`: they have no order to thin out."""
        return list(self.values)

    def plain(self, value: Any) -> Value:
        """The value as one of those listed; DesignError where it is none."""
        for known in self.values:
            if value == known:
                return known
        raise DesignError(f"{self.name} = {value!r} is none of {list(self.values)}; choose one of them")

    def to_dict(self) -> dict[str, Any]:
        """As `Space.from_dict` reads it."""
        found: dict[str, Any] = {"type": "categorical", "values": list(self.values)}
        return found | ({"context": True} if self.context else {})

    def _index(self, values: NDArray[Any]) -> NDArray[np.int64]:
        position = {value: i for i, value in enumerate(self.values)}
        return np.array([position.get(value, -1) for value in values], dtype=np.int64)


Parameter = Real | Integer | Categorical
_KEYS = {
    "real": {"type", "low", "high", "log", "context"},
    "integer": {"type", "low", "high", "step", "context"},
    "categorical": {"type", "values", "context"},
}


def parameter_from_dict(name: str, spec: Mapping[str, Any]) -> Parameter:
    """One parameter from its dictionary; SpaceError names the key that is missing, unknown or wrong."""
    if not isinstance(spec, Mapping):
        raise SpaceError(f'{name}: {spec!r} is no dictionary such as {{"type": "real", "low": 0.0, "high": 1.0}}')
    if not isinstance(name, str):
        raise SpaceError(f"{name!r} is no name of a parameter; names are text")
    kind = spec.get("type")
    if not isinstance(kind, str) or kind not in _KEYS:
        raise SpaceError(f"{name}: type = {kind!r} is none of real, integer, categorical")
    unknown = set(spec) - _KEYS[kind]
    if unknown:
        raise SpaceError(f"{name}: a {kind} parameter has no {sorted(unknown)[0]!r}; it has {sorted(_KEYS[kind])}")
    context = bool(spec.get("context", False))
    if kind == "categorical":
        values = spec.get("values")
        if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
            raise SpaceError(f"{name}: a categorical parameter needs 'values', a list; got {values!r}")
        return Categorical(name, tuple(values), context)
    for key in ("low", "high"):
        if isinstance(spec.get(key), bool) or not isinstance(spec.get(key), numbers.Real):
            raise SpaceError(f"{name}: {key} = {spec.get(key)!r} must be a number")
    if kind == "real":
        return Real(name, float(spec["low"]), float(spec["high"]), bool(spec.get("log", False)), context)
    whole = {key: spec[key] for key in ("low", "high", "step") if key in spec}
    for key, number in whole.items():
        if isinstance(number, bool) or not isinstance(number, numbers.Real) or number % 1 != 0:
            raise SpaceError(f"{name}: {key} = {number!r} must be a whole number")
    return Integer(name, int(whole["low"]), int(whole["high"]), int(whole.get("step", 1)), context)


def _check_bounds(name: str, low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise SpaceError(f"{name}: low = {low} and high = {high} must be finite")
    if not math.isfinite(float(high) - float(low)):
        raise SpaceError(f"{name}: from low = {low:g} to high = {high:g} is farther than a number can be")
    if low > high:
        raise SpaceError(f"{name}: low = {low:g} is above high = {high:g}")


def _number(name: str, value: Any) -> float:
    if isinstance(value, str | bytes) or value is None:
        raise DesignError(f"{name} = {value!r} is not a number")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise DesignError(f"{name} = {value!r} is not a number") from error
    if not math.isfinite(number):
        raise DesignError(f"{name} = {number} is not finite")
    return number
