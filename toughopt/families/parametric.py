"""The common part of families: reading designs, checking limits, fixing and freeing parameters."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from toughopt.errors import DesignError, ExtensionError
from toughopt.extensions import blamed, called
from toughopt.families.base import Design, Designs, Parameter, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry import Solid

    Columns = Mapping[str, NDArray[Any]]


_CHUNK = 16_384
_OFF_THE_BED_MM = 0.01


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that may be wrong with designs.

    bad : (n,) bool or one bool for all, which designs have it
    say : from the values of such a design, fixed ones included, to a sentence that names them and what to do
    """

    bad: NDArray[np.bool_] | np.bool_ | bool
    say: Callable[[Mapping[str, Any]], str]


class ParametricFamily(ABC):
    """A family from a table of parameters.

    A subclass names its `chosen` and `settled` parameters, and says which designs are impossible (`faults`), what is
    known of a design (`describe`) and what it looks like (`build`). Every parameter can be fixed or freed on making
    the family: ``Family(height=6.0)`` fixes the height, ``Family(height=(10.0, 30.0))`` lets an optimizer choose it;
    both may go beyond the usual limits of a parameter, as far as `possible` says.
    """

    name: str
    version: str
    chosen: ClassVar[tuple[Parameter, ...]]  # by an optimizer, unless fixed
    settled: ClassVar[tuple[Parameter, ...]]  # at their defaults, unless freed
    possible: ClassVar[Mapping[str, tuple[float, float]]] = MappingProxyType({})  # limits wider than the usual ones
    feature_names: tuple[str, ...]
    model_feature_names: tuple[str, ...] = ()  # those that help a model beside the parameters

    def __init__(self, **fixed: Any) -> None:
        known = {parameter.name: parameter for parameter in (*self.chosen, *self.settled)}
        self._refuse_unknown(fixed, known, "no parameter of")
        free = {parameter.name for parameter in self.chosen}
        parameters, values = [], {}
        for name, parameter in known.items():
            given = fixed.get(name)
            if isinstance(given, (tuple, list)):
                parameters.append(self._narrowed(parameter, given))
            elif given is not None:
                values[name] = self._wide(parameter).value(given, self.name)
            elif name in free:
                parameters.append(parameter)
            else:
                values[name] = parameter.default if parameter.default is not None else parameter.low or 0.0
        self._parameters = tuple(parameters)
        self._fixed: dict[str, Value] = values

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What an optimizer chooses."""
        return self._parameters

    @property
    def fixed(self) -> Mapping[str, Value]:
        """What is the same for every design of this family object."""
        return MappingProxyType(self._fixed)

    @property
    def documented(self) -> tuple[Parameter, ...]:
        """Every parameter with its unit, limits and reason, chosen ones first."""
        return (*self.chosen, *self.settled)

    @property
    def print_mode(self) -> Literal["solid", "vase"]:
        """Whether the solid is printed as it is, or as the single wall around it."""
        return "solid"

    def space(self) -> dict[str, dict[str, Any]]:
        """The parameters as `Space.from_dict` takes them."""
        return {parameter.name: parameter.space() for parameter in self.parameters}

    def complete(self, design: Design, *, fill: bool = False) -> dict[str, Value]:
        """The design in plain Python values, in the family's order.

        Parameters
        ----------
        design : parameter name -> value; numpy scalars are welcome
        fill : put the default where a parameter is missing, instead of refusing

        Raises
        ------
        DesignError
            If a parameter is missing, unknown, of the wrong type, or outside its limits. What several parameters
            together make impossible is told by `reasons`.
        """
        names = {parameter.name: parameter for parameter in self.parameters}
        self._refuse_nameless(design, "a design of {} is a mapping from parameters to values")
        self._refuse_fixed(design)
        self._refuse_unknown(design, names, "no parameter of")
        whole: dict[str, Value] = {}
        for name, parameter in names.items():
            if name in design:
                whole[name] = parameter.value(design[name], self.name)
            elif fill and parameter.default is not None:
                whole[name] = parameter.default
            else:
                raise DesignError(f"{name} is missing from a design of {self.name}; choose {parameter.allowed}")
        return whole

    def is_valid(self, designs: Designs) -> NDArray[np.bool_]:
        """(n,) bool: which of many designs can be made."""
        columns = self.columns(designs)
        valid = np.ones(_length(columns), dtype=bool)
        for rows, part in _parts(columns):
            for bad, _ in self._all_faults(part, self._whole(part)):
                valid[rows] &= ~bad
        return valid

    def reasons(self, designs: Designs) -> list[str]:
        """Why not, one sentence a design; empty where it can be made."""
        columns = self.columns(designs)
        told = [""] * _length(columns)
        whole = self._whole(columns)
        for bad, say in self._all_faults(columns, whole):
            for index in np.flatnonzero(bad):
                row = {name: column[index] if np.ndim(column) else column for name, column in whole.items()}
                told[index] = told[index] or say(row)
        return told

    def features(self, designs: Designs) -> NDArray[np.float64]:
        """(n, k) float: what is known of each design before it is printed; NaN where it cannot be made.

        The columns are named by `feature_names`, unit last.
        """
        columns = self.columns(designs)
        table = np.full((_length(columns), len(self.feature_names)), np.nan)
        for rows, part in _parts(columns):
            whole = self._whole(part)
            valid = np.ones(_length(part), dtype=bool)
            for bad, _ in self._all_faults(part, whole):
                valid &= ~bad
            sound = {name: column[valid] if np.ndim(column) else column for name, column in whole.items()}
            self._fill(table[rows], valid, sound)
        return table

    def model_features(self, designs: Designs) -> NDArray[np.float64]:
        """(n, j) float: the features named by `model_feature_names`, worth handing to a model beside the parameters."""
        index = [self.feature_names.index(name) for name in self.model_feature_names]
        return self.features(designs)[:, index]

    def solid(self, design: Design) -> Solid:
        """The design as a closed body, in mm, standing on z = 0.

        Raises
        ------
        DesignError
            If the design is not one, or cannot be made; the message is that of `reasons`.
        """
        whole = self.complete(design)
        (reason,) = self.reasons({name: np.array([value]) for name, value in whole.items()})
        if reason:
            raise DesignError(reason)
        who = called("family", self)
        with blamed(f"{who} cannot build {whole}", self):
            solid = self.build({**self.fixed, **whole})
        if not hasattr(solid, "with_metadata"):
            raise ExtensionError(f"{who} built a {type(solid).__name__} from {whole}; return a toughopt.geometry.Solid")
        if abs(bottom := float(solid.bounds_mm[0, 2])) > _OFF_THE_BED_MM:  # what is below would not be printed
            raise ExtensionError(f"{who} built {whole} from z = {bottom:g} mm on; a part stands on z = 0: translate it")
        return solid.with_metadata(
            family=self.name,
            version=self.version,
            design=json.dumps(whole),
            fixed=json.dumps(dict(self.fixed)),
        )

    @abstractmethod
    def faults(self, columns: Mapping[str, Any]) -> Iterable[Fault]:
        """What several parameters together make impossible.

        `columns` holds (n,) arrays for parameters that are chosen, scalars for fixed ones, and what `derive` adds.
        """

    @abstractmethod
    def describe(self, columns: Mapping[str, Any]) -> Iterator[Any]:
        """The features' columns, in the order of `feature_names`; `columns` as for `faults`, possible designs only."""

    @abstractmethod
    def build(self, values: Mapping[str, Any]) -> Solid:
        """The body of one design whose values, fixed ones included, are all possible."""

    def columns(self, designs: Designs) -> dict[str, NDArray[Any]]:
        """Parameter name -> (n,) array, for the parameters that an optimizer chooses.

        Raises
        ------
        DesignError
            If a column is missing, unknown, of the wrong type, or as long as no other.
        """
        names = {parameter.name: parameter for parameter in self.parameters}
        self._refuse_nameless(designs, "designs of {} are a mapping from parameters to columns, one value a design")
        self._refuse_fixed(designs)
        self._refuse_unknown(designs, names, "no parameter of")
        columns = {}
        for name, parameter in names.items():
            if name not in designs:
                raise DesignError(f"{name} is missing from the designs of {self.name}; choose {parameter.allowed}")
            columns[name] = _column(parameter, designs[name])
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            sizes = ", ".join(f"{name}: {len(column)}" for name, column in columns.items())
            raise DesignError(f"the columns of the designs differ in length ({sizes})")
        return columns

    def derive(self, columns: Mapping[str, Any]) -> Mapping[str, Any]:
        """Columns worked out from the parameters once, for both `faults` and `describe`; none unless overridden."""
        return {}

    def _whole(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        whole = {**self.fixed, **columns}
        # impossible designs may divide by zero on their way to being refused
        with np.errstate(all="ignore"), blamed(f"{called('family', self)} cannot derive its columns", self):
            return {**whole, **self.derive(whole)}

    def _all_faults(
        self, columns: Mapping[str, NDArray[Any]], whole: Mapping[str, Any]
    ) -> Iterator[tuple[NDArray[np.bool_], Callable[[Mapping[str, Any]], str]]]:
        who, count = called("family", self), _length(columns)
        with np.errstate(all="ignore"):
            found = [fault for parameter in self.parameters for fault in _limit_faults(parameter, columns, self.name)]
            with blamed(f"{who} cannot say which designs are impossible", self):
                found += self.faults(whole)
        for fault in found:
            if not isinstance(fault, Fault):
                raise ExtensionError(f"{who}: faults gave a {type(fault).__name__}, not a Fault(bad, say)")
            bad = np.asarray(fault.bad, dtype=bool)
            if bad.shape not in ((), (1,), (count,)):
                raise ExtensionError(f"{who}: a fault's bad has shape {bad.shape} for {count} designs")
            yield np.broadcast_to(bad, (count,)), fault.say

    def _fill(self, table: NDArray[np.float64], valid: NDArray[np.bool_], sound: Mapping[str, Any]) -> None:
        """Features of the designs that can be made, into a table of all of them."""
        who, names, count, filled = called("family", self), self.feature_names, int(valid.sum()), 0
        with blamed(f"{who} cannot describe its designs", self):
            for index, column in enumerate(self.describe(sound)):
                if index < len(names):
                    if np.shape(column) not in ((), (1,), (count,)):
                        shape = np.shape(column)
                        raise ExtensionError(f"{who}: feature {names[index]!r} has shape {shape} for {count} designs")
                    table[valid, index] = column
                filled += 1
        if filled != len(names):
            raise ExtensionError(f"{who} describes {filled} features; feature_names has {len(names)}")

    def _refuse_nameless(self, given: object, what: str) -> None:
        if not hasattr(given, "keys"):  # tables of other packages have columns by name as well
            names = ", ".join(parameter.name for parameter in self.parameters)
            raise DesignError(f"{what.format(self.name)} ({names}), not a {type(given).__name__}")

    def _refuse_fixed(self, given: Mapping[str, Any]) -> None:
        for name in given:
            if name in self.fixed:
                raise DesignError(
                    f"{name} is fixed at {self.fixed[name]} in this {self.name}, so a design cannot choose it; "
                    f"make the family with {name}=... to change it"
                )

    def _refuse_unknown(self, given: Mapping[str, Any], known: Mapping[str, Parameter], what: str) -> None:
        for name in given:
            if name not in known:
                near = get_close_matches(str(name), known, n=1, cutoff=0.4)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
                raise DesignError(f"{name!r} is {what} {self.name}; {hint}")

    def _wide(self, parameter: Parameter) -> Parameter:
        low, high = self.possible.get(parameter.name, (parameter.low, parameter.high))
        return replace(parameter, low=low, high=high)

    def _narrowed(self, parameter: Parameter, given: tuple[Any, ...] | list[Any]) -> Parameter:
        if parameter.kind != "categorical" and len(given) != 2:
            raise DesignError(f"{parameter.name} = {given!r}: give one value to fix it, or (low, high) to free it")
        values = [self._wide(parameter).value(item, self.name) for item in given]
        if parameter.kind == "categorical":
            kept = tuple(str(value) for value in values)
            default = parameter.default if parameter.default in kept else kept[0]
            return replace(parameter, categories=kept, default=default)
        low, high = float(values[0]), float(values[1])
        inside = parameter.default is not None and low <= float(parameter.default) <= high
        return replace(parameter, low=low, high=high, default=parameter.default if inside else None)


def _column(parameter: Parameter, given: Any) -> NDArray[Any]:
    try:
        array = np.atleast_1d(np.asarray(given))
    except ValueError as error:
        raise DesignError(f"{parameter.name}: {error}") from error
    if array.ndim != 1:
        raise DesignError(f"{parameter.name}: many designs are one column each, not an array of shape {array.shape}")
    if parameter.kind == "categorical":
        return array.astype(object)
    if array.dtype.kind not in "iuf":
        raise DesignError(f"{parameter.name}: a column of {array.dtype} is no column of numbers")
    return array.astype(np.float64)


def _limit_faults(parameter: Parameter, columns: Mapping[str, NDArray[Any]], family: str) -> Iterator[Fault]:
    name, column = parameter.name, columns[parameter.name]
    rest = f"of {family}; choose {parameter.allowed}"
    if parameter.kind == "categorical":
        known = np.isin(column.astype(str), parameter.categories)
        yield Fault(~known, lambda design: f"{name} = {design[name]!r} is no choice {rest}")
        return
    unit = f" {parameter.unit}" if parameter.unit else ""
    for bad, words in parameter.tests(column):
        yield Fault(bad, _teller(name, f"{unit} {words} {rest}"))


def _teller(name: str, rest: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda design: f"{name} = {design[name]:g}{rest}"


def _parts(columns: Mapping[str, NDArray[Any]]) -> Iterator[tuple[slice, dict[str, NDArray[Any]]]]:
    """The same columns in runs of rows that fit a processor's cache."""
    for begin in range(0, _length(columns), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        yield rows, {name: column[rows] for name, column in columns.items()}


def _length(columns: Mapping[str, NDArray[Any]]) -> int:
    return len(next(iter(columns.values()))) if columns else 0
