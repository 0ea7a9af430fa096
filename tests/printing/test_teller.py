"""Telling what happens."""

from __future__ import annotations

import pytest

from toughopt.printing import PrintEvent
from toughopt.printing.states import State
from toughopt.printing.teller import Teller


def test_told_at_once_or_when_it_is_over():
    told = []
    teller = Teller(lambda event: told.append(event.kind))
    teller(PrintEvent("one"))
    with teller.deferring():
        teller.changed(State.IDLE, State.STREAMING, "why")
        with teller.deferring():
            teller(PrintEvent("two"))
        assert told == ["one"]
    assert told == ["one", "state", "two"]


def test_a_listener_that_fails_is_heard_afterwards():
    def fail(event):
        raise OSError("disk full")

    teller = Teller(fail)
    reached = []
    with pytest.raises(OSError, match="disk full"), teller.deferring():
        teller(PrintEvent("one"))
        reached.append(True)
    assert reached == [True]
