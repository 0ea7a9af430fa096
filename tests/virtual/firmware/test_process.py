"""The virtual printer as others reach it: over TCP, over a pseudo-terminal, as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from toughopt.errors import DeviceError, InputError, LinkLost
from toughopt.virtual.firmware import FirmwareOptions, VirtualFirmware, VirtualPrinterProcess
from toughopt.virtual.firmware.ports import PtyPort, TcpPort
from toughopt.virtual.firmware.server import Server

posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


class Host:
    """A trivial host: one command, then everything up to its ok."""

    def __init__(self, url: str) -> None:
        self.line = serial.serial_for_url(url, timeout=20)

    def __call__(self, command: str) -> list[str]:
        self.line.write(command.encode() + b"\n")
        return self.until("ok")

    def until(self, start: str) -> list[str]:
        found: list[str] = []
        while not found or not found[-1].startswith(start):
            line = self.line.readline()
            assert line.endswith(b"\n"), f"no {start!r} after {found[-3:]}"
            found.append(line.decode().rstrip())
        return found

    def close(self) -> None:
        self.line.close()


@contextlib.contextmanager
def served(firmware: VirtualFirmware, port: TcpPort | PtyPort, wait: bool = False) -> Iterator[Server]:
    server = Server(firmware, port, wait=wait)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def test_over_tcp_a_host_sees_the_banner_and_prints(profile):
    firmware = VirtualFirmware(profile)
    with served(firmware, TcpPort(0)) as server:
        host = Host(server.port.url)
        assert host.until("start")
        for command in ("G28", "M109 S200", "G1 Z0.2 F600", "G1 X50 E5 F1200", "M400"):
            assert host(command)[-1] == "ok"
        host.close()
    assert firmware.take().filament_mm.sum() == pytest.approx(5.0)


def test_the_machine_outlives_its_host_and_resets_only_where_it_is_wired_so(profile):
    firmware = VirtualFirmware(profile, options=FirmwareOptions(reset_on_connect=False))
    with served(firmware, TcpPort(0)) as server:
        first = Host(server.port.url)
        first("M104 S200")
        first.close()
        second = Host(server.port.url)
        assert "/200.00" in second("M105")[-1]
        second.close()
    resetting = VirtualFirmware(profile)
    with served(resetting, TcpPort(0)) as server:
        first = Host(server.port.url)
        first("M104 S200")
        first.close()
        second = Host(server.port.url)
        second.until("start")
        assert "/0.00" in second("M105")[-1]
        second.close()


def test_a_second_host_waits_for_the_first_to_leave(profile):
    with served(VirtualFirmware(profile), TcpPort(0)) as server:
        first = Host(server.port.url)
        first.until("start")
        second = Host(server.port.url)
        second.line.timeout = 0.2
        assert second.line.readline() == b""
        second.line.timeout = 20
        first.close()
        second.until("start")
        second.close()


def test_a_disconnect_cuts_the_host_off_and_the_next_may_come(profile):
    firmware = VirtualFirmware(profile)
    with served(firmware, TcpPort(0)) as server:
        host = Host(server.port.url)
        host.until("start")
        firmware.inject("disconnect")
        host.line.write(b"M105\n")
        with pytest.raises(serial.SerialException):
            while host.line.readline():
                pass
        host.close()
        again = Host(server.port.url)
        again.until("start")
        again.close()


def test_a_host_that_does_not_read_does_not_stop_the_machine(profile):
    firmware = VirtualFirmware(profile)
    with served(firmware, TcpPort(0)) as server:
        host = Host(server.port.url)
        host.until("start")
        host.line.write(b"M109 S210\nM109 R30\nM109 S210\nM109 R30\n")
        until = time.monotonic() + 20
        while firmware.machine.executed < 4 or firmware.machine.queue:
            assert time.monotonic() < until
            time.sleep(0.01)
        assert host.until("ok")
        host.close()


def test_a_port_in_use_is_said_so():
    port = TcpPort(0)
    number = int(port.url.rpartition(":")[2])
    try:
        with pytest.raises(LinkLost, match=str(number)):
            TcpPort(number)
    finally:
        port.close()


@posix
def test_over_a_pseudo_terminal(profile, tmp_path):
    firmware = VirtualFirmware(profile)
    link = tmp_path / "ttyPRINTER"
    with served(firmware, PtyPort(link)) as server:
        host = Host(str(link))
        host.until("start")
        assert host("G28")[-1] == "ok"
        host.close()
        until = time.monotonic() + 20
        while server.port.connected:
            assert time.monotonic() < until
            time.sleep(0.01)
        again = Host(str(link))
        again.until("start")
        assert "Cap:AUTOREPORT_TEMP:1" in again("M115")
        long_answer = again("M109 S210")
        assert len(long_answer) > 80
        again.close()
    assert not link.exists()


@pytest.mark.skipif(os.name != "nt", reason="only Windows has none")
def test_without_pseudo_terminals_a_port_is_recommended():
    with pytest.raises(InputError, match="--tcp"):
        PtyPort()


def test_a_process_is_launched_driven_and_ended(profile, tmp_path):
    with VirtualPrinterProcess(profile, seed=3, options=["--log", "100"]) as printer:
        host = Host(printer.url)
        host.until("start")
        for command in ("G28", "M109 S200", "M83", "G1 Z0.2 F600", "G1 X50 E5 F1200"):
            host(command)
        status = printer.status()
        assert status["targets_c"]["0"] == 200.0
        assert status["bed_occupied"] is False  # the move is planned, not made
        host("M400")
        assert printer.status()["bed_occupied"] is True
        path = printer.take(tmp_path / "part.npz")
        assert path.filament_mm.sum() == pytest.approx(5.0)
        assert printer.status()["bed_occupied"] is False
        printer.inject("jam")
        host("G1 X100 E5")
        assert printer.take(tmp_path / "jammed.npz").filament_mm.sum() == 0.0
        assert (None, "M400") in printer.executed()
        printer.reset()
        assert host.until("start")
        assert printer.status()["target_history"][-1]["target_c"] == 0.0
        host.close()
        process = printer._process
    assert process.returncode == 0


def test_a_faster_clock_takes_its_time_and_an_urgent_command_cuts_it_short(profile):
    with VirtualPrinterProcess(profile, clock=20) as printer:
        host = Host(printer.url)
        host.until("start")
        began = time.monotonic()
        assert host("G4 S10")[-1] == "ok"
        assert time.monotonic() - began > 0.45
        host.line.write(b"M109 S210\n")
        host.until("T:")
        host.until("echo:busy")
        host.line.write(b"M108\n")
        host.until("ok")
        assert printer.status()["temperatures_c"]["0"] < 200.0
        host("M104 S0")
        host("M105")  # the wait that was cut short and what cut it short each say ok: now M104 has had its own, too
        changes = [change for change in printer.status()["target_history"] if change["heater"] == "0"]
        assert [change["target_c"] for change in changes] == [210.0, 0.0]
        assert changes[0]["wall_s"] < changes[1]["wall_s"]
        host.close()


def test_control_lines_that_make_no_sense_are_refused_and_do_no_harm(profile, tmp_path):
    with VirtualPrinterProcess(profile) as printer:
        with pytest.raises(DeviceError, match="garble_in"):
            printer.inject("garbel_in=0.1")
        with pytest.raises(DeviceError, match="dance"):
            printer.request({"do": "dance"})
        with pytest.raises(DeviceError):
            printer.take(tmp_path / "missing" / "part.npz")
        assert printer.status()["executed_commands"] == 0


def test_what_cannot_start_says_why(tmp_path):
    with pytest.raises(LinkLost, match="sideways"):
        VirtualPrinterProcess("virtual", clock="sideways")


def test_an_orphan_serves_on_for_a_while_and_then_ends(profile):
    command = [sys.executable, "-m", "toughopt.virtual.firmware", "--control", "--clock", "max"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    url = json.loads(process.stdout.readline())["url"]
    process.stdin.close()
    since = time.monotonic()
    host = Host(url)
    host.until("start")
    assert host("M104 S0")[-1] == "ok"
    process.wait(20)
    assert 5.0 < time.monotonic() - since < 12.0
    host.close()
    process.stdout.close()


@posix
def test_ctrl_c_ends_a_printer_served_by_hand_without_complaint(tmp_path: Path):
    command = [sys.executable, "-m", "toughopt.virtual.firmware", "--tcp", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["pid"] == process.pid
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert process.stderr.read() == ""
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("wait", [True, False])
def test_the_clock_may_stand_still_until_a_host_is_there(wait, profile):
    port = TcpPort(0)
    there = []
    fed = threading.Event()

    class Watched(VirtualFirmware):
        def feed(self, data: bytes = b"", wall_s: float | None = None) -> bytes:
            there.append(port.connected)
            fed.set()
            return super().feed(data, wall_s)

    with served(Watched(profile, clock="real"), port, wait) as server:
        server.wake()
        assert wait or fed.wait(10)
        host = Host(port.url)
        assert host("M105")[-1].startswith("ok T:")
        host.close()
    assert there[0] is wait
    assert True in there
