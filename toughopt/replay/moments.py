"""A campaign as it was: its state at earlier moments, by folding its journal up to there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from toughopt.journal import State

if TYPE_CHECKING:
    from toughopt.loop import Workspace


def state_at(workspace: Workspace, until: int) -> State:
    """The state right before the experiment after `until` was proposed; the newest where there is none."""
    state = State()
    for event in workspace.store.read():
        if event.kind == "proposed" and (event.experiment_id or 0) > until:
            break
        state.apply(event)
    return state


def results_one_by_one(workspace: Workspace, first: int = 1, until: int | None = None) -> Iterator[State]:
    """The state after each result of the experiments from `first` to `until`; one object that changes."""
    state = State()
    for event in workspace.store.read():
        state.apply(event)
        identity = event.experiment_id or 0
        if event.kind == "complete" and first <= identity and (until is None or identity <= until):
            yield state
