"""Ports: opening, reading, writing, waking, losing."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time

import pytest

from toughopt.errors import ConfigError, LinkLost
from toughopt.frames.lines import LineLink
from toughopt.printing.wire import Port
from toughopt.printing.wirelog import WireLog


@pytest.fixture
def server():
    listener = socket.create_server(("127.0.0.1", 0))
    yield listener
    listener.close()


def url_of(listener):
    return f"socket://127.0.0.1:{listener.getsockname()[1]}"


def read_all(port, count):
    data = b""
    while len(data) < count:
        data += port.read(2.0)
    return data


@pytest.fixture(params=["socket", "pty", "loop", "spy"])
def pair(request, server):
    """A port and the two functions of its other end: send, receive."""
    if request.param in ("pty", "spy"):
        if sys.platform == "win32":
            pytest.skip("pseudo-terminals need POSIX")
        import tty

        master, slave = os.openpty()
        tty.setraw(slave)
        prefix = "spy://" if request.param == "spy" else ""
        port = Port(prefix + os.ttyname(slave) + ("?file=/dev/null" if prefix else ""))
        yield port, lambda data: os.write(master, data), lambda count: os.read(master, count)
        port.close()
        os.close(master)
        os.close(slave)
        return
    if request.param == "loop":
        port = Port("loop://")
        yield port, port.write, lambda count: read_all(port, count)
        port.close()
        return
    port = Port(url_of(server))
    conn, _ = server.accept()
    yield port, conn.sendall, conn.recv
    port.close()
    conn.close()


def test_bytes_go_both_ways(pair):
    port, send, receive = pair
    port.write(b"hello\n")
    assert receive(6) == b"hello\n"
    send(b"\xff\0ok\n")
    assert read_all(port, 5) == b"\xff\0ok\n"


def test_a_read_ends_when_nothing_comes(pair):
    port, _, _ = pair
    assert port.read(0.01) == b""


def test_reading_never_sets_the_port_up_anew(monkeypatch):
    """On Windows and over RFC 2217 that takes longer than a line does."""
    port = Port("loop://")
    changes = []
    monkeypatch.setattr(port._serial, "_reconfigure_port", lambda: changes.append(port._serial.timeout))
    assert port.read(0.0) == b""
    port.write(b"ok\nok\n")
    assert port.read(1.0) == b"ok\nok\n"
    assert port.read(0.05) == b""
    port.close()
    assert changes == []


def test_a_read_can_be_woken(pair):
    port, _, _ = pair
    timer = threading.Timer(0.05, port.rouse)
    timer.start()
    started = time.monotonic()
    port.read(20.0)
    assert time.monotonic() - started < 10.0
    assert port.roused()
    assert not port.roused()
    timer.join()


def test_none_of_them_has_a_reset_line(pair):
    port, _, _ = pair
    assert not port.has_dtr
    assert not port.pulse_dtr()


def test_closing_twice_does_no_harm(pair):
    port, _, _ = pair
    port.close()
    port.close()
    port.wake()
    with pytest.raises(LinkLost):
        port.read(0.1)
    with pytest.raises(LinkLost):
        port.write(b"x")


def test_the_other_end_goes_away(server):
    port = Port(url_of(server))
    conn, _ = server.accept()
    conn.close()
    with pytest.raises(LinkLost, match="can no longer be read"):
        port.read(2.0)
    port.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/dev/does-not-exist", "cannot be opened"),
        ("socket://127.0.0.1:1", "cannot be opened"),
        ("socket://nonsense", "no port|cannot be opened"),
        ("strange://x", "no port that can be opened"),
    ],
)
def test_a_port_that_is_none(url, reason):
    with pytest.raises(LinkLost, match=reason):
        Port(url, busy_for_s=0.0)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals need POSIX")
def test_a_port_in_use_is_refused_and_had_once_it_is_free():
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    url = os.ttyname(slave)
    first = Port(url)
    with pytest.raises(LinkLost, match="in use by another program"):
        Port(url, busy_for_s=0.0)
    threading.Timer(0.2, first.close).start()
    second = Port(url, busy_for_s=10.0)
    second.close()
    os.close(master)
    os.close(slave)


def test_the_wire_log_has_every_byte(server, tmp_path):
    path = tmp_path / "wire.log"
    with WireLog(path) as log:
        port = Port(url_of(server), log=log)
        conn, _ = server.accept()
        port.write(b"M105\n")
        conn.sendall(b"ok\xff\n")
        read_all(port, 4)
        port.close()
        conn.close()
    text = path.read_text()
    assert "> b'M105\\n'" in text
    assert "< b'ok\\xff\\n'" in text
    assert "opened" in text and "closed" in text
    log.sent(b"after the end")


def test_a_wire_log_that_cannot_be_opened(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        WireLog(tmp_path / "no" / "such" / "folder.log")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_ends_the_log_and_nothing_else():
    from pathlib import Path

    log = WireLog(Path("/dev/full"))
    log.sent(b"x" * 100)
    log.received(b"y")
    assert "space" in log.failure
    log.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")
def test_an_adapter_that_goes_as_it_is_opened_is_a_lost_link(monkeypatch):
    import termios

    def vanish(*given, **options):
        raise termios.error(5, "Input/output error")

    monkeypatch.setattr("serial.serial_for_url", vanish)
    with pytest.raises(LinkLost, match="/dev/ttyUSB0 cannot be opened"):
        Port("/dev/ttyUSB0", busy_for_s=0.0)
    with pytest.raises(LinkLost, match="/dev/ttyUSB0 does not open"):
        LineLink("/dev/ttyUSB0")
