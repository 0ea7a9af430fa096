"""What a family of structures is: typed parameters, limits, features, and a solid for each design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from toughopt.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry import Solid

Value: TypeAlias = "float | int | str"
Design: TypeAlias = "Mapping[str, Any]"
#: Many designs at once: parameter name -> (n,) array.
Designs: TypeAlias = "Mapping[str, Any]"

#: Rounding that arithmetic on grids leaves behind; a value this close to a limit is on it.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number or choice that tells designs of a family apart.

    Real parameters have `low` and `high`; integers also a `step`, counted from `low`; categorical ones `categories`.
    """

    name: str
    kind: Literal["real", "integer", "categorical"]
    low: float | None = None
    high: float | None = None
    step: int | None = None
    default: Value | None = None
    unit: str = ""
    description: str = ""
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise DesignError(f"a parameter cannot be called {self.name!r}; choose a Python identifier")
        if self.kind == "categorical":
            if not self.categories:
                raise DesignError(f"parameter {self.name} is categorical, but has no categories")
        elif self.low is None or self.high is None or not -np.inf < self.low < self.high < np.inf:
            raise DesignError(f"parameter {self.name} needs finite low < high, not {self.low} and {self.high}")
        if self.kind == "integer" and self.step is not None and self.step < 1:
            raise DesignError(f"parameter {self.name}: step = {self.step}, but must be at least 1")
        if self.default is not None:
            object.__setattr__(self, "default", self.value(self.default, "its default"))

    @property
    def allowed(self) -> str:
        """What may be chosen, in words: `0.7 to 1.4 mm`, `6 to 12 in steps of 2`, `alternating, right or left`."""
        if self.kind == "categorical":
            *most, last = self.categories
            return f"{', '.join(most)} or {last}" if most else last
        step = f" in steps of {self.step}" if self.kind == "integer" and (self.step or 1) > 1 else ""
        whole = ", a whole number" if self.kind == "integer" and not step else ""
        return f"{self.low:g} to {self.high:g}{' ' + self.unit if self.unit else ''}{step}{whole}"

    def value(self, given: Any, where: str) -> Value:
        """`given` as a plain Python value; DesignError names `where` and what is allowed."""
        if self.kind == "categorical":
            if isinstance(given, str) and str(given) in self.categories:
                return str(given)
            raise DesignError(f"{self.name} = {given!r} is no choice of {where}; choose {self.allowed}")
        if isinstance(given, (bool, np.bool_)) or not isinstance(given, (int, float, np.integer, np.floating)):
            kind = "a whole number" if self.kind == "integer" else "a number"
            raise DesignError(
                f"{self.name} = {given!r} ({type(given).__name__}) in {where} is not {kind}; choose {self.allowed}"
            )
        number = float(given)
        if (fault := self.fault(number)) is not None:
            raise DesignError(f"{self.name} = {number:g}{self._unit} {fault} of {where}; choose {self.allowed}")
        if self.kind == "integer":
            return round(number)
        assert self.low is not None and self.high is not None
        return min(max(number, float(self.low)), float(self.high))

    def fault(self, number: float) -> str | None:
        """What is wrong with `number`, ready for a sentence, or None."""
        return next((words for bad, words in self.tests(np.asarray(number)) if bool(bad)), None)

    def tests(self, column: NDArray[np.float64]) -> tuple[tuple[NDArray[np.bool_], str], ...]:
        """Every way in which numbers may break this parameter's limits: which do, and how to say it."""
        assert self.low is not None and self.high is not None
        slack = _SLACK * (self.high - self.low)
        tests = [
            (~np.isfinite(column), "is not a finite number, the first demand"),
            (column < self.low - slack, f"is below {self.low:g}, the least"),
            (column > self.high + slack, f"is above {self.high:g}, the largest"),
        ]
        if self.kind == "integer":
            steps = (np.where(np.isfinite(column), column, self.low) - self.low) / (self.step or 1)
            words = "is not a whole number, the demand" if (self.step or 1) == 1 else "lies between the steps"
            tests.append((np.abs(steps - np.round(steps)) > _SLACK, words))
        return tuple(tests)

    def space(self) -> dict[str, Any]:
        """This parameter as `Space.from_dict` takes it."""
        if self.kind == "categorical":
            return {"type": "categorical", "values": list(self.categories)}
        if self.kind == "integer":
            assert self.low is not None and self.high is not None
            limits: dict[str, Any] = {"type": "integer", "low": int(self.low), "high": int(self.high)}
            return limits | ({"step": self.step} if self.step not in (None, 1) else {})
        return {"type": "real", "low": self.low, "high": self.high}

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


@runtime_checkable
class Family(Protocol):
    """A parametric structure: what can be chosen, what is possible, and what it looks like."""

    name: str
    version: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What an optimizer chooses."""
        ...

    @property
    def fixed(self) -> Mapping[str, Value]:
        """What is the same for every design of this family object."""
        ...

    @property
    def print_mode(self) -> Literal["solid", "vase"]:
        """Whether the solid is printed as it is, or as the single wall around it."""
        ...

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What the columns of `features` are, with their units."""
        ...

    def complete(self, design: Design, *, fill: bool = False) -> dict[str, Value]:
        """The same design in plain Python values, checked; `fill` puts defaults where a parameter is missing."""
        ...

    def is_valid(self, designs: Designs) -> NDArray[np.bool_]:
        """(n,) bool: which of many designs can be made."""
        ...

    def reasons(self, designs: Designs) -> list[str]:
        """Why not, one sentence a design; empty where it can be made."""
        ...

    def features(self, designs: Designs) -> NDArray[np.float64]:
        """(n, k) float: what is known of each design before it is printed; NaN where it cannot be made."""
        ...

    @property
    def model_feature_names(self) -> tuple[str, ...]:
        """Those of `feature_names` that help a model beside the parameters themselves."""
        ...

    def model_features(self, designs: Designs) -> NDArray[np.float64]:
        """(n, j) float: the columns of `features` that `model_feature_names` names."""
        ...

    def solid(self, design: Design) -> Solid:
        """The design as a closed body, in mm, standing on z = 0."""
        ...

    def space(self) -> dict[str, dict[str, Any]]:
        """The parameters as `Space.from_dict` takes them."""
        ...
