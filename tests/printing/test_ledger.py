"""Which lines were sent, have landed, and are sent again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.printing.ledger import Ledger, OutOfHistory, Sent
from toughopt.printing.lines import Command, encode


def sent(count, landed):
    ledger = Ledger(history=8)
    for k in range(count):
        command = Command(b"G1 X%d" % k, k + 1, position=(float(k), None, None, None))
        ledger.send(Sent(ledger.next, command, encode(ledger.next, command.body)), 0.0)
    for _ in range(landed):
        ledger.land()
    return ledger


def test_counting():
    ledger = sent(5, 2)
    assert (ledger.last, ledger.landed, len(ledger.flying)) == (5, 2, 3)
    assert ledger.bytes_flying == sum(len(entry.data) for entry in ledger.flying)
    assert ledger.position == (1.0, None, None, None)


def test_going_back_lands_what_came_before():
    again, not_executed, presumed = sent(5, 2).rewind(4)
    assert [command.body for command in again] == [b"G1 X3", b"G1 X4"]
    assert (not_executed, presumed) == (0, 0)


def test_going_back_behind_an_ok_says_so():
    ledger = sent(5, 3)
    again, not_executed, presumed = ledger.rewind(2)
    assert [command.body for command in again] == [b"G1 X1", b"G1 X2", b"G1 X3", b"G1 X4"]
    assert (not_executed, presumed) == (2, 0)
    assert ledger.last == 1


@pytest.mark.parametrize("number", [0, 1, 14])
def test_beyond_history_and_beyond_what_was_sent(number):
    ledger = sent(12, 12)
    with pytest.raises(OutOfHistory):
        ledger.rewind(number)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(count=st.integers(1, 8), data=st.data())
def test_nothing_is_lost_by_going_back(count, data):
    landed = data.draw(st.integers(0, count))
    number = data.draw(st.integers(1, count + 1))
    ledger = sent(count, landed)
    again, _, _ = ledger.rewind(number)
    assert ledger.last == number - 1
    assert [command.source_line for command in again] == list(range(number, count + 1))
