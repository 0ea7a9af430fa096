"""What may be handed to `toughopt print` by mistake: one clear message, the right exit code, a machine untouched."""

from __future__ import annotations

import socket
import sys

import pytest

from toughopt.cli import main
from toughopt.printing import scan_ports

GOOD = "G28\nG1 X10 Y10 F3000\n"
PROGRAMS = {
    "binary": (bytes(range(256)) * 100, "not text"),
    "a line of 100,000 characters": (b"G28\nG1 X" + b"1" * 100_000 + b"\n", "characters"),
    "nothing": (b"", "no G-code command"),
    "too hot": (b"G28\nM104 S400\nG1 X10\n", "above 260 C"),
    "outside the bed": (b"G28\nG1 X9999 F3000\n", "9999"),
    "not homed": (b"G1 X10 F3000\n", "hom"),
    "cold extrusion": (b"G28\nG1 X10 E5 F3000\n", "min_extrude_c"),
}


def said(capsys):
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.count("error:") == 1
    return error


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "part.gcode"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_cannot_be_printed_never_reaches_the_machine(name, make_machine, tmp_path, capsys):
    data, reason = PROGRAMS[name]
    machine = make_machine()
    path = tmp_path / "bad.gcode"
    path.write_bytes(data)
    assert main(["print", str(path), "--port", machine.url]) == 2
    error = said(capsys)
    assert reason in error
    assert "bad.gcode" in error
    assert machine.connections == 0
    assert machine.received == []


@pytest.mark.parametrize("url", ["/dev/no-such-port", "COM99", "socket://127.0.0.1:1"])
def test_an_unknown_port(url, program, capsys):
    assert main(["print", str(program), "--port", url]) == 3
    assert url in said(capsys)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "without a name"),
        ("strange://x", "'strange' not known; write e.g. COM3"),
        ("socket://localhost", "write socket://HOST:PORT"),
        ("socket://localhost:99999", "no port from 1 to 65535"),
        ("socket://[::1", "no port from 1 to 65535"),
        ("rfc2217://box:usb", "write rfc2217://HOST:PORT"),
        ("localhost:5003", "written as socket://localhost:5003"),
    ],
)
def test_what_can_be_no_address_is_bad_input_wherever_it_is_typed(url, reason, program, tmp_path, capsys):
    for command in (["print", str(program)], ["console"], ["first-print", "--yes", "--folder", str(tmp_path / "p")]):
        assert main([*command, "--port", url]) == 2
        error = said(capsys)
        assert reason in error and "NoneType" not in error
    assert reason in scan_ports([url])[0].note


def test_a_network_port_that_nobody_serves_is_not_looked_for_among_serial_ones(program, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"socket://127.0.0.1:{listener.getsockname()[1]}"
    assert main(["print", str(program), "--port", url]) == 3
    error = said(capsys)
    assert "is it served there?" in error and "--scan" not in error


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals need POSIX")
def test_a_port_in_use(make_machine, program, capsys):
    import fcntl

    machine = make_machine(kind="pty")
    with open(machine.url, "rb+", buffering=0) as other:  # noqa: PTH123
        fcntl.flock(other, fcntl.LOCK_EX)
        assert main(["print", str(program), "--port", machine.url]) == 3
    assert "in use" in said(capsys)
    assert machine.received == []


def test_a_whole_print_whose_heaters_stay_on_is_a_device_that_failed(make_machine, program, capsys):
    program.write_text(f"M104 S200\n{GOOD}")

    def stubborn(machine, raw, number, body):
        if body in ("M104 S0", "M140 S0", "M112"):
            machine.last = machine.last if number is None else number
            return ["ok"]
        return None

    machine = make_machine(script=stubborn)
    assert main(["print", str(program), "--port", machine.url]) == 3
    assert "NOT known to be off" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (["\xff\xfe\0garbage", "HTTP/1.1 400 Bad Request"], "not like a printer"),
        (["x" * 70_000], "not like a printer"),
        ([], "nothing answers"),
    ],
    ids=["nonsense", "a flood", "silence"],
)
def test_a_device_that_is_no_printer_is_sent_no_program(answer, reason, make_machine, program, capsys, tmp_path):
    profile = tmp_path / "quick.toml"
    profile.write_text('extends = "marlin_generic"\n[serial]\nbanner_timeout_s = 1.0\n')
    machine = make_machine(banner=(), script=lambda *_: answer)
    assert main(["print", str(program), "--port", machine.url, "-p", str(profile)]) == 3
    assert reason in said(capsys)
    assert not [line for line in machine.received if "G28" in line or "G1" in line]
