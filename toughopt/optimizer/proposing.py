"""What policies answer; those of other packages are checked before anything is made of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np

from toughopt.errors import DesignError, ExtensionError
from toughopt.extensions import blamed, called, foreign
from toughopt.optimizer.base import Policy, Proposal, Surrogate, Task
from toughopt.optimizer.observations import as_number
from toughopt.optimizer.posterior import FitFailed


def proposed(task: Task, chosen_by: Policy) -> Proposal:
    """What the policy proposes.

    Raises
    ------
    ExtensionError
        If the policy of another package fails, or answers with something else than `task.k` designs of the space and
        one number, or None, for each.
    """
    who = called("policy", chosen_by)
    with blamed(f"{who} could not choose", chosen_by):
        answer = chosen_by.propose(task)
    return _checked(who, task, answer) if foreign(chosen_by) else answer


def fitted(task: Task, chosen_by: Policy) -> Surrogate | None:
    """The policy's surrogate, or None where it has none.

    Raises
    ------
    FitFailed, LinAlgError
        If the data do not determine it.
    ExtensionError
        If that of another package fails otherwise, or is none.
    """
    who = called("policy", chosen_by)
    with blamed(f"{who} could not fit its model", chosen_by, but=(FitFailed, np.linalg.LinAlgError)):
        model = chosen_by.surrogate(task)
    if model is not None and not isinstance(model, Surrogate):
        raise ExtensionError(f"{who} gave a {type(model).__name__} as its model, which is no Surrogate")
    return model


def _checked(who: str, task: Task, answer: object) -> Proposal:
    if not isinstance(answer, Proposal):
        raise ExtensionError(f"{who} answered with a {type(answer).__name__} instead of a Proposal")
    given: dict[str, Any] = {name: getattr(answer, name) for name in ("designs", "mean", "std", "acquisition")}
    for name, each in given.items():
        if not hasattr(each, "__len__") or len(each) != task.k:
            count = len(each) if hasattr(each, "__len__") else type(each).__name__
            raise ExtensionError(
                f"{who}: its proposal has {count} for {name}; {task.k} designs were asked for, one each"
            )
    try:
        designs = [task.space.check(design) for design in answer.designs]
    except DesignError as error:
        raise ExtensionError(f"{who} proposed what is none of the space: {error}") from error
    try:
        json.dumps(dict(answer.hyperparameters))
    except (TypeError, ValueError) as error:
        raise ExtensionError(f"{who}: its hyperparameters cannot be written as JSON: {error}") from error
    mean, std, acquisition = (
        [_number(who, name, value) for value in given[name]] for name in ("mean", "std", "acquisition")
    )
    return replace(answer, designs=designs, mean=mean, std=std, acquisition=acquisition)


def _number(who: str, name: str, value: object) -> float | None:
    """A plain number for the journal; None, unknown, for NaN as well."""
    if value is None:
        return None
    number = as_number(value)
    if number is None:
        raise ExtensionError(f"{who}: {value!r} for {name} is neither a number nor None")
    return number if math.isfinite(number) else None
