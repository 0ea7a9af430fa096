"""Lines out of chunks; requests; who reads."""

from __future__ import annotations

import threading

import pytest

from toughopt.errors import LinkLost
from toughopt.printing.clock import LeapingClock, SystemClock
from toughopt.printing.link import Link, Request, Verb
from toughopt.printing.wire import Port


@pytest.fixture
def link_to(make_machine):
    links = []

    def make(machine=None, clock=None):
        machine = machine or make_machine(banner=())
        link = Link(Port(machine.url), clock or SystemClock())
        links.append(link)
        assert machine.wait_for(lambda: machine.connections > 0)
        return machine, link

    yield make
    for link in links:
        link.close()


def test_lines_are_put_together_and_taken_apart(link_to):
    machine, link = link_to()
    machine.say_bytes(b"ok\nT:2")
    assert link.line(5.0) == "ok"
    machine.say_bytes(b"1.0\r\n\n \xffx\0\n")
    assert link.line(5.0) == "T:21.0"
    assert link.line(5.0) == "\xffx"
    assert link.line(0.01) is None


def test_oks_that_come_together_are_as_many_lines(link_to):
    machine, link = link_to()
    machine.say_bytes(b"ok\nok\nok\n")
    assert [link.line(5.0) for _ in range(3)] == ["ok"] * 3
    machine.say_bytes(b"lo")
    assert link.line(0.05) is None
    machine.say_bytes(b"ok\nok\nokok\n")
    assert [link.line(5.0) for _ in range(3)] == ["look", "ok", "okok"]


def test_a_flood_without_a_newline_does_not_fill_the_memory(link_to):
    machine, link = link_to()
    machine.say_bytes(b"x" * 20_000 + b"\n")
    lengths = []
    while sum(lengths) < 20_000:
        lengths.append(len(link.line(5.0)))
    assert max(lengths) < 10_000


def test_a_request_is_seen_at_once(link_to):
    _, link = link_to()

    def ask():
        link.requests.append(Request(Verb.PAUSE, "why"))
        link.port.wake()

    threading.Timer(0.05, ask).start()
    assert link.line(30.0, heed=True) is None
    assert link.line(0.01) is None
    assert list(link.requests) == [Request(Verb.PAUSE, "why")]


def test_while_nobody_talks_somebody_listens(link_to):
    machine, link = link_to()
    link.rest()
    for _ in range(500):
        machine.say(" T:20.0 /0.0")
    machine.say("the last")
    link.rest()
    seen = []
    while "the last" not in seen:
        link.attend()
        while (line := link.line(0.05)) is not None:
            seen.append(line)
        link.rest()
    assert len(seen) <= 501


def test_a_line_that_broke_meanwhile_is_said_to_whoever_comes_next(link_to):
    machine, link = link_to()
    link.rest()
    machine.drop()
    link._listener.join(5.0)
    with pytest.raises(LinkLost):
        link.attend()


def test_a_leaping_clock_waits_little(link_to):
    _, link = link_to(clock=LeapingClock(0.01))
    before = link.clock.now()
    assert link.line(3600.0) is None
    assert link.clock.now() - before >= 3600.0
