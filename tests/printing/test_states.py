"""States and what may follow them."""

from __future__ import annotations

import pytest

from toughopt.errors import DeviceError
from toughopt.printing.states import NEXT, State, StateMachine


def test_every_state_is_in_the_table_and_can_be_left_and_reached():
    assert set(NEXT) == set(State)
    assert all(NEXT.values())
    assert set().union(*NEXT.values()) == set(State)


def test_every_state_leads_to_being_safe_or_disconnected():
    for state in State:
        assert NEXT[state] & {State.STOPPING, State.DISCONNECTED, State.CONNECTING}


def test_changes_are_told_and_impossible_ones_refused():
    machine = StateMachine("one")
    told = []
    machine.listen(lambda before, after, why: told.append((before, after, why)))
    machine.to(State.CONNECTING, "now")
    machine.to(State.CONNECTING, "again")
    assert told == [(State.DISCONNECTED, State.CONNECTING, "now")]
    with pytest.raises(DeviceError, match="one is connecting and cannot become paused"):
        machine.to(State.PAUSED, "no")
    assert machine.now is State.CONNECTING
