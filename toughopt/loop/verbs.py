"""What every request is: a verb with arguments, from somebody, for a reason; its answer is the events that follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toughopt.digits import decimal_comma
from toughopt.errors import InputError, UnknownName
from toughopt.journal import Experiment
from toughopt.journal import events as ev

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor

Events = list[tuple[ev.Payload, int | None]]
Answer = tuple[Events, str, dict[str, Any]]
Verb = Callable[["Conductor", Mapping[str, Any], str, str], Answer]


def refuse_odd_numbers(arguments: Mapping[str, Any]) -> None:
    """InputError where a number is none or infinite: a journal, which is JSON, would keep nothing of it."""
    for key, value in arguments.items():
        if isinstance(value, Mapping):
            refuse_odd_numbers(value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{key} = {value} is not a finite number; a test that gave none is declared with `fail`")


def find(conductor: Conductor, arguments: Mapping[str, Any]) -> Experiment:
    """The experiment that a request is about. Raises UnknownName."""
    identity = arguments.get("id")
    known = conductor.state.experiments
    experiment = known.get(int(identity)) if isinstance(identity, int | str) and str(identity).isdecimal() else None
    if experiment is None:
        raise UnknownName("experiment", str(identity), (str(i) for i in known))
    return experiment


def printer_of(conductor: Conductor, arguments: Mapping[str, Any]) -> str:
    """The printer that a request is about. Raises UnknownName."""
    name = str(arguments.get("printer", ""))
    known = [printer.name for printer in conductor.workspace.config.printers]
    if name not in known:
        raise UnknownName("printer in this campaign", name, known)
    return name


def finite(arguments: Mapping[str, Any], key: str, what: str) -> float:
    """A number among the arguments. Raises InputError."""
    given = arguments.get(key)
    if given is None:
        raise InputError(f"{what} is missing; give a number")
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{given!r} is not {what}; give a number{decimal_comma(given)}")
    return number


def positive(arguments: Mapping[str, Any], key: str, what: str) -> float:
    """A positive number among the arguments. Raises InputError."""
    number = finite(arguments, key, what)
    if number <= 0:
        raise InputError(f"{number:g} is not {what}; give a positive number")
    return number


def whole(arguments: Mapping[str, Any], key: str, what: str) -> int:
    """A whole number of 1 or more among the arguments. Raises InputError."""
    number = positive(arguments, key, what)
    if number != int(number):
        raise InputError(f"{number:g} is not {what}; give a whole number")
    return int(number)
