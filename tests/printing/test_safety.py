"""However a print ends, and in whatever state: heaters off, seen on the machine's side."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from toughopt.errors import DeviceError
from toughopt.printing import PrintStatus, State
from toughopt.printing.replies import parse
from toughopt.printing.safety import is_off, off_commands

STATES = ["streaming", "paused", "draining"]


class DiskFull(OSError):
    """What a journal on a full disk raises."""


@pytest.fixture
def program(tmp_path, program_text):
    path = tmp_path / "part.gcode"
    path.write_text(program_text)
    return path


def reach(state, machine, printer):
    """A listener's condition: the print is in `state` (and, while streaming, the nozzle is hot)."""

    def at(event):
        if state == "streaming":
            return machine.nozzle > 0
        return event.kind == "state" and event.data["to"] == state

    return at


def pause_once(machine, raw, number, body):
    """A machine that asks for a pause in the middle; the pause is answered by the test."""
    if number == 30 and machine.received.count(raw) == 1:
        machine.marlin(raw, number, body)
        return ["//action:pause", "ok"]
    return None


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "error", [RuntimeError("a mistake"), KeyboardInterrupt(), DiskFull(errno.ENOSPC, "No space left on device")]
)
def test_what_a_listener_raises_comes_out_only_when_the_machine_is_safe(
    state, error, make_machine, make_printer, program
):
    machine = make_machine(script=pause_once if state == "paused" else None)
    printer = make_printer(machine)
    at = reach(state, machine, printer)
    hot = []

    def listen(event):
        if at(event):
            hot.append(machine.nozzle)
            raise error

    with pytest.raises(type(error)):
        printer.print_file(program, listen)
    assert hot[0] == 210
    assert machine.is_safe
    assert printer.state is State.IDLE
    assert "M84" in machine.executed


@pytest.mark.parametrize("state", STATES)
def test_cancel_from_another_thread(state, make_machine, make_printer, program):
    machine = make_machine(script=pause_once if state == "paused" else None)
    printer = make_printer(machine)
    at = reach(state, machine, printer)

    def listen(event):
        if at(event):
            thread = threading.Thread(target=printer.cancel, args=("enough",))
            thread.start()
            thread.join()

    outcome = printer.print_file(program, listen)
    assert outcome.heaters_off
    assert machine.is_safe
    assert outcome.status is (PrintStatus.PRINTED if outcome.reason == "printed" else PrintStatus.CANCELLED)


@pytest.mark.parametrize("state", STATES)
def test_a_lost_port_is_fault_first_and_safe_once_it_is_back(state, make_machine, make_printer, program):
    machine = make_machine(script=pause_once if state == "paused" else None)
    printer = make_printer(machine)
    at = reach(state, machine, printer)
    told = []
    dropped = []

    def listen(event):
        if event.kind == "fault":
            told.append((event.data["fault"], machine.is_safe))
        if at(event) and not dropped:
            dropped.append(True)
            machine.drop()

    outcome = printer.print_file(program, listen)
    assert outcome.status in (PrintStatus.UNCERTAIN, PrintStatus.FAILED)
    assert [kind for kind, _ in told][:2] == ["link_lost", "heaters_unknown"]
    assert outcome.heaters_off  # the machine took a new connection at once
    assert machine.is_safe
    assert machine.connections == 2


def test_a_port_that_stays_away_is_said_loudly_and_rescued_later(make_machine, make_printer, program, caplog):
    machine = make_machine()
    printer = make_printer(machine, rescue_s=0.2)
    gone = []

    def listen(event):
        if machine.nozzle > 0 and not gone:
            gone.append(True)
            machine._listener.close()
            machine.drop()

    outcome = printer.print_file(program, listen)
    assert outcome.status is PrintStatus.UNCERTAIN
    assert not outcome.heaters_off
    assert "NOT known to be off" in outcome.reason
    assert "NOT known to be off" in caplog.text
    assert printer.state is State.DISCONNECTED
    assert not printer.make_safe()


@pytest.mark.parametrize("state", STATES)
def test_firmware_that_halts(state, make_machine, make_printer, program):
    machine = make_machine(script=pause_once if state == "paused" else None)
    printer = make_printer(machine)
    at = reach(state, machine, printer)

    def listen(event):
        if at(event) and not machine.killed:
            machine.killed = True
            machine.nozzle = machine.bed = 0.0
            machine.say("Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!")

    outcome = printer.print_file(program, listen)
    assert outcome.status is PrintStatus.FAILED
    assert outcome.heaters_off
    assert printer.state is State.HALTED
    assert printer.make_safe()


def test_cancelled_while_connecting_nothing_is_printed(make_machine, make_printer, program):
    machine = make_machine()
    printer = make_printer(machine)

    def listen(event):
        if event.kind == "state" and event.data["to"] == "connecting":
            printer.cancel("changed my mind")

    outcome = printer.print_file(program, listen)
    assert (outcome.status, outcome.reason) == (PrintStatus.CANCELLED, "changed my mind")
    assert not [raw for raw in machine.received if " G" in raw]


def test_make_safe_when_idle_and_hot(make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine)
    printer.command("M104 S200")
    assert machine.nozzle == 200
    assert printer.make_safe()
    assert machine.is_safe


def test_make_safe_from_another_thread_ends_the_print(make_machine, make_printer, program):
    machine = make_machine(script=lambda machine, raw, number, body: ["//action:pause", "ok"] if number == 30 else None)
    machine.script = pause_once
    printer = make_printer(machine)
    answers = []

    def listen(event):
        if event.kind == "state" and event.data["to"] == "paused":
            threading.Thread(target=lambda: answers.append(printer.make_safe())).start()

    outcome = printer.print_file(program, listen)
    assert outcome.status is PrintStatus.CANCELLED
    assert machine.is_safe


def test_an_urgent_command_begins_with_a_newline(make_machine, make_printer, program):
    """Whatever was half sent before must not swallow it."""
    machine = make_machine(script=pause_once)
    printer = make_printer(machine)
    raw = []
    take = machine._take

    def spy(line):
        raw.append(line)
        take(line)

    machine._take = spy

    def listen(event):
        if event.kind == "state" and event.data["to"] == "paused":
            printer.cancel("enough")

    printer.print_file(program, listen)
    assert raw[raw.index("M108") - 1] == ""


def deaf_to(*codes):
    """A machine busy with something long: it does not get round to these commands."""

    def script(machine, raw, number, body):
        return [] if number is None and body.split()[0] in codes and machine.nozzle > 0 else None

    return script


def test_planned_moves_are_dropped_where_they_are_in_the_way(make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine)
    printer.command("M104 S200")

    def busy_until_m410(machine, raw, number, body):
        if body == "M410":
            machine.script = None
            return ["ok"]
        return []

    machine.script = busy_until_m410
    assert printer.make_safe()
    assert machine.is_safe
    assert not machine.killed


def test_an_emergency_stop_is_the_last_word(make_machine, make_printer):
    machine = make_machine(script=deaf_to("M104", "M140", "M105", "M84", "M107", "M108", "M410"))
    printer = make_printer(machine)
    machine.script, script = None, machine.script
    printer.command("M104 S200")
    machine.script = script
    assert printer.make_safe()
    assert machine.killed
    assert printer.state is State.HALTED


def test_off_is_said_only_where_it_was_verified(make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine)
    printer.command("M104 S200")
    machine.script = lambda machine, raw, number, body: ["ok T:200.0 /200.0 B:0.0 /0.0"] if "M105" in body else []
    assert not printer.make_safe()
    assert machine.nozzle == 200


@pytest.mark.parametrize(
    ("line", "off"),
    [
        ("ok T:200.0 /0.0 B:60.0 /0.0 @:0", True),
        ("ok T:200.0 /0.0 B:60.0 /60.0 @:0", False),
        ("ok T:200.0 /0.0 T0:200.0 /0.0 T1:180.0 /170.0", False),
        ("ok B:60.0 /0.0", False),
        ("ok T:200.0", False),
    ],
)
def test_a_report_proves_it_only_where_every_target_is_zero(line, off):
    assert is_off(parse(line)) is off


def test_every_tool_is_turned_off():
    assert off_commands(3, True)[:5] == ["M104 S0", "M104 T0 S0", "M104 T1 S0", "M104 T2 S0", "M140 S0"]


HOST = """
import sys
from pathlib import Path
from toughopt.printing import MarlinPrinter
from toughopt.profiles import PrinterProfile, Serial
printer = MarlinPrinter("host", sys.argv[1], PrinterProfile(name="host", serial=Serial(banner_timeout_s=3.0)))
if sys.argv[3] == "idle":
    printer.connect()
    printer.command("M104 S200")
    print("there", flush=True)
    sys.stdin.read()
def listen(event):
    if event.kind == "state":
        print(event.data["to"], flush=True)
printer.print_file(Path(sys.argv[2]), listen)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("name", "state", "kind"),
    [
        ("SIGKILL", "idle", "socket"),
        ("SIGKILL", "streaming", "socket"),
        ("SIGKILL", "paused", "socket"),
        ("SIGKILL", "streaming", "pty"),
        ("SIGTERM", "streaming", "socket"),
        ("SIGINT", "streaming", "socket"),
    ],
)
def test_when_the_host_dies_its_watchdog_turns_the_heaters_off(name, state, kind, make_machine, program):
    def hold(machine, raw, number, body):
        if number != 30:
            return None
        machine.marlin(raw, number, body)
        return ["//action:pause", "ok"] if state == "paused" else ["echo:busy: processing"]

    machine = make_machine(script=hold, kind=kind)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, machine.url, str(program), state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        wanted = {"idle": "there", "streaming": "streaming", "paused": "paused"}[state]
        while host.stdout.readline().strip() != wanted:
            assert host.poll() is None
        assert machine.wait_for(lambda: machine.nozzle > 0 and (state == "idle" or machine.last >= 30))
        killed_at = time.monotonic()
        host.send_signal(getattr(signal, name))
        assert machine.wait_for(lambda: machine.is_safe or machine.killed, timeout_s=30.0 if name == "SIGKILL" else 5.0)
        assert time.monotonic() - killed_at < (30.0 if name == "SIGKILL" else 5.0)
    finally:
        host.kill()
        host.wait()
        host.stdin.close()
        host.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_suspended_host_is_not_a_dead_one(make_machine, program):
    """Closing the lid: nothing is turned off, and the stream goes on where it was."""

    def hold(machine, raw, number, body):
        if number == 30 and machine.received.count(raw) == 1:
            machine.marlin(raw, number, body)
            return ["echo:busy: processing"]
        return None

    machine = make_machine(script=hold)
    command = [sys.executable, "-c", HOST, machine.url, str(program), "streaming"]
    host = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        assert machine.wait_for(lambda: machine.last >= 30)
        os.kill(host.pid, signal.SIGSTOP)
        machine.say("ok")
        assert not machine.wait_for(lambda: machine.connections > 1 or machine.is_safe, timeout_s=2.0)
        os.kill(host.pid, signal.SIGCONT)
        assert host.wait(timeout=30) == 0
        assert machine.is_safe
        assert machine.connections == 1
    finally:
        host.kill()
        host.wait()


def test_closing_turns_off_what_was_turned_on_by_hand(make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine)
    printer.command("M104 S200")
    printer.close()
    assert machine.is_safe


def test_the_watchdog_stays_where_the_machine_does_not_confirm(make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine, watchdog=True)
    printer.command("M104 S200")
    machine.script = lambda *_: []
    printer.close()
    guardian = printer._connection._guardian
    assert guardian.is_running()
    guardian.release()


def test_a_listener_cannot_wait_for_its_own_print(make_machine, make_printer, program):
    machine = make_machine()
    printer = make_printer(machine)

    def listen(event):
        if event.kind == "state" and event.data["to"] == "streaming":
            printer.make_safe()

    with pytest.raises(DeviceError, match="by its own listener"):
        printer.print_file(program, listen)
    assert machine.is_safe
