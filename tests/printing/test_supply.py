"""What comes next, numbered ahead of its time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.printing.lines import Command, encode
from toughopt.printing.supply import Supply


def commands(count):
    return [Command(b"G1 X%d" % k, k + 1) for k in range(count)]


def drain(supply, number=1):
    out = []
    while (upcoming := supply.peek(number)) is not None:
        assert (upcoming.number, upcoming.data) == (number, encode(number, upcoming.command.body))
        out.append(upcoming.command)
        supply.take()
        number += 1
    return out


def test_the_source_is_read_a_few_lines_ahead_and_only_when_fewer_than_asked_are_at_hand():
    read = []

    def source():
        for command in commands(99):
            read.append(command)
            yield command

    supply = Supply(source())
    supply.prepare(1, 3)
    ahead = len(read)
    assert 3 <= ahead <= 16
    for number in range(1, ahead - 1):
        supply.prepare(number, 3)
        assert len(read) == ahead
        supply.peek(number)
        supply.take()
    supply.prepare(ahead - 1, 3)
    assert len(read) == 2 * ahead - 2


def test_what_is_inserted_comes_first_and_what_is_repeated_before_that():
    supply = Supply(iter(commands(2)))
    poll, again = Command(b"M105"), commands(9)[7:]
    supply.insert(poll)
    supply.again(again)
    assert drain(supply) == [*again, poll, *commands(2)]


@settings(deadline=None, derandomize=True, max_examples=50)
@given(steps=st.lists(st.sampled_from(["prepare", "insert", "send", "back"]), max_size=30), ahead=st.integers(1, 5))
def test_whatever_happens_each_line_bears_its_own_number_and_none_is_lost(steps, ahead):
    supply, number, sent, inserted = Supply(iter(commands(12))), 1, [], 0
    for step in steps:
        if step == "prepare":
            supply.prepare(number, ahead)
        elif step == "insert":
            supply.insert(Command(b"M105"))
            inserted += 1
        elif step == "back" and sent:
            supply.again([sent.pop()])
            number -= 1
        elif step == "send" and (upcoming := supply.peek(number)) is not None:
            assert (upcoming.number, upcoming.data) == (number, encode(number, upcoming.command.body))
            sent.append(upcoming.command)
            supply.take()
            number += 1
    sent += drain(supply, number)
    assert [command for command in sent if command.source_line] == commands(12)
    assert len(sent) == 12 + inserted
