"""Getting to know a machine."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.clock import LeapingClock
from toughopt.printing.dialogue import Machine, ask, greet, introduce, settle
from toughopt.printing.link import Link
from toughopt.printing.wire import Port
from toughopt.profiles import Serial

SERIAL = Serial(banner_timeout_s=3.0)


@pytest.fixture
def link_to():
    links = []

    def make(machine):
        links.append(Link(Port(machine.url), LeapingClock(0.1)))
        return links[-1]

    yield make
    for link in links:
        link.close()


@pytest.mark.parametrize("banner", [(), ("start", "echo:Marlin 2.1")])
def test_greeting_sets_the_line_counter(banner, make_machine, link_to):
    machine = make_machine(banner=banner, last=99)
    greet(link_to(machine), SERIAL)
    assert machine.last == 0


def test_a_machine_that_starts_late_is_greeted_again(make_machine, link_to):
    heard = []

    def late(machine, raw, number, body):
        heard.append(raw)
        return ["start"] if len(heard) == 1 else None

    machine = make_machine(script=late, banner=())
    greet(link_to(machine), SERIAL)
    assert len(heard) == 2


def test_who_it_is(make_machine, link_to):
    machine = make_machine(capabilities=("AUTOREPORT_TEMP:1", "EMERGENCY_PARSER:0"))
    link = link_to(machine)
    greet(link, SERIAL)
    found = introduce(link)
    assert found.firmware == "Marlin 2.1.2 (Sep 1 2023)"
    assert (found.machine, found.uuid, found.extruders) == ("Fake One", "0-1", 1)
    assert found.can("AUTOREPORT_TEMP") and not found.can("EMERGENCY_PARSER") and not found.can("ANYTHING")


def test_one_that_does_not_say_who_it_is(make_machine, link_to):
    machine = make_machine(script=lambda machine, raw, number, body: ["ok"])
    link = link_to(machine)
    greet(link, SERIAL)
    assert introduce(link) == Machine()


@pytest.mark.parametrize("nonsense", [["HTTP/1.1 400 Bad Request"], ["\x80\x81\x82"], ["hello there, who are you"]])
def test_what_answers_nonsense_is_no_printer(nonsense, make_machine, link_to):
    machine = make_machine(script=lambda *_: nonsense, banner=())
    with pytest.raises(DeviceError, match=r"not like a printer.*baud"):
        greet(link_to(machine), SERIAL)


def test_what_says_nothing(make_machine, link_to):
    machine = make_machine(script=lambda *_: [], banner=())
    with pytest.raises(LinkLost, match="nothing answers"):
        greet(link_to(machine), SERIAL)


def test_a_question_is_answered_up_to_its_ok(make_machine, link_to):
    link = link_to(make_machine(banner=()))
    assert [reply.text for reply in ask(link, "M114", 2.0)] == ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", "ok"]
    assert settle(link) == []


def test_a_question_without_an_answer_ends(make_machine, link_to):
    link = link_to(make_machine(script=lambda *_: [], banner=()))
    with pytest.raises(LinkLost, match="no ok to 'M114' within 2 s"):
        ask(link, "M114", 2.0)


class Reporting:
    """A line on which temperatures are told once a second, and nothing else but an ok after so many of them."""

    port = SimpleNamespace(url="socket://fake")

    def __init__(self, ok_after: int | None) -> None:
        self.seconds, self.clock, self._ok_after = 0, SimpleNamespace(now=lambda: float(self.seconds)), ok_after

    def write(self, data: bytes) -> None:
        """Nobody listens."""

    def line(self, timeout_s: float) -> str:
        self.seconds += 1
        assert self.seconds < 200, "it waits for ever"
        return "ok" if self.seconds == self._ok_after else "T:23.00 /0.00 B:23.48 /0.00 @:0 B@:0"


def test_temperatures_told_by_themselves_do_not_excuse_a_lost_ok():
    link = Reporting(ok_after=None)
    with pytest.raises(LinkLost, match="no ok to 'M114' within 10 s"):
        ask(link, "M114", 10.0)
    assert link.seconds == 10


def test_temperatures_are_a_sign_of_life_of_what_waits_for_one():
    assert ask(Reporting(ok_after=90), "M109 S210", 10.0, waits=True)[-1].text == "ok"
