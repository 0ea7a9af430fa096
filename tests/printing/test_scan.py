"""Which machines are connected."""

from __future__ import annotations

import pytest

from toughopt.errors import DeviceError
from toughopt.printing import FoundPort, LeapingClock, detect_baud, scan_ports


def scan(*urls, bauds=(250000, 115200)):
    return scan_ports(urls, bauds, clock=LeapingClock(0.1), banner_s=1.0)


def test_a_machine_is_named(make_machine):
    machine = make_machine()
    assert scan(machine.url) == [FoundPort(machine.url, "", 250000, "Marlin 2.1.2 (Sep 1 2023)", "Fake One", "")]
    assert not [body for body in machine.executed if body.startswith("G")]


def test_the_right_baud_rate_is_found(make_machine):
    """At the wrong one, what comes back is noise; the fake cannot tell, so it answers the second greeting only."""
    heard = []

    def deaf_at_first(machine, raw, number, body):
        heard.append(raw)
        return ["\xf8\x00\x80"] if len(heard) <= 2 else None

    machine = make_machine(kind="pty", script=deaf_at_first)
    assert scan(machine.url)[0].baud == 115200
    heard.clear()
    assert detect_baud(machine.url, (57600, 38400), clock=LeapingClock(0.1), banner_s=1.0) == 38400


def test_why_nothing_is_known_of_a_port_is_said(make_machine):
    silent = make_machine(script=lambda *_: [], banner=())
    nonsense = make_machine(script=lambda *_: ["GET / HTTP/1.1 what"], banner=())
    found = scan(silent.url, nonsense.url, "/dev/no-such-port")
    assert [port.baud for port in found] == [None, None, None]
    assert "nothing answers" in found[0].note
    assert "not like a printer" in found[1].note
    assert "cannot be opened" in found[2].note


def test_no_baud_rate_fits(make_machine):
    silent = make_machine(script=lambda *_: [], banner=())
    with pytest.raises(DeviceError, match="answers at none of 115200"):
        detect_baud(silent.url, (115200,), clock=LeapingClock(0.02), banner_s=0.5)


def test_without_urls_the_computers_own_ports_are_asked():
    assert all(isinstance(port, FoundPort) for port in scan_ports(bauds=(), banner_s=0.1))
