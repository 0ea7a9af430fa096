"""However a print ends, and in whatever state: heaters off, seen on the machine's side."""

from __future__ import annotations

import _thread
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing import LeapingClock, PrintStatus, State, SystemClock
from toughopt.printing.link import Link
from toughopt.printing.replies import parse
from toughopt.printing.rescue import Rescuer
from toughopt.printing.safety import is_off, make_safe, off_commands
from toughopt.printing.wire import Port

STATES = ["streaming", "paused", "draining"]


class DiskFull(OSError):
    """What a journal on a full disk raises."""


ERRORS = [RuntimeError("a mistake"), KeyboardInterrupt(), DiskFull(errno.ENOSPC, "No space left on device")]


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
@pytest.mark.parametrize("error", ERRORS)
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


@pytest.fixture
def stopped_by_hand(make_machine, make_printer, program):
    """Cancel a print; at the first word of the stop, something `happens` to the machine."""

    def go(happens):
        struck = []

        def script(machine, raw, number, body):
            if number is None and body == "M104 S0" and not struck:
                struck.append(machine.nozzle)
                return happens(machine)
            return pause_once(machine, raw, number, body)

        machine = make_machine(script=script)
        printer = make_printer(machine)
        told = []

        def listen(event):
            if event.kind == "fault":
                told.append(event.data["fault"])
            if event.kind == "state" and event.data["to"] == "paused":
                printer.cancel("enough")

        try:
            return printer.print_file(program, listen), machine, printer, told
        finally:
            assert struck == [210.0]
            assert machine.is_safe or machine.killed

    return go


def test_a_port_that_is_lost_while_stopping(stopped_by_hand):
    def lose(machine):
        machine.drop()
        return []

    outcome, machine, _, told = stopped_by_hand(lose)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.CANCELLED, True)
    assert told == ["heaters_unknown"]
    assert machine.connections == 2
    assert machine.is_safe


def test_a_firmware_that_halts_while_stopping(stopped_by_hand):
    def halt(machine):
        machine.killed = True
        machine.nozzle = machine.bed = 0.0
        return ["Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!"]

    outcome, _, printer, _ = stopped_by_hand(halt)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.CANCELLED, True)
    assert printer.state is State.HALTED


def test_ctrl_c_while_stopping_waits_until_it_is_safe(stopped_by_hand):
    def interrupt(machine):
        _thread.interrupt_main()
        return machine.run("M104 S0")

    with pytest.raises(KeyboardInterrupt):
        stopped_by_hand(interrupt)


@pytest.mark.parametrize("error", [RuntimeError("a mistake"), DiskFull(errno.ENOSPC, "No space left on device")])
def test_what_a_listener_raises_while_stopping_comes_out_when_it_is_over(error, make_machine, make_printer, program):
    machine = make_machine(script=pause_once)
    printer = make_printer(machine)

    def listen(event):
        if event.kind == "state" and event.data["to"] == "paused":
            printer.cancel("enough")
        if event.kind == "state" and event.data["to"] == "stopping":
            raise error

    with pytest.raises(type(error)):
        printer.print_file(program, listen)
    assert machine.is_safe
    assert printer.state is State.IDLE


@pytest.mark.parametrize("error", ERRORS)
def test_whatever_ends_the_host_while_idle_and_hot_closing_cools_it(error, make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine)
    with pytest.raises(type(error)), closing(printer):
        printer.command("M104 S200")
        assert machine.nozzle == 200
        raise error
    assert machine.is_safe


def test_a_port_that_is_lost_while_idle_and_hot(make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine)
    printer.command("M104 S200")
    machine.drop()
    assert printer.make_safe()
    assert machine.is_safe
    assert machine.connections == 2


def test_a_firmware_that_halts_while_idle_and_hot(make_machine, make_printer):
    machine = make_machine()
    printer = make_printer(machine)
    printer.command("M104 S200")
    machine.killed = True
    machine.nozzle = machine.bed = 0.0
    machine.say("Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!")
    assert printer.make_safe()
    assert printer.state is State.HALTED


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("state", ["connecting", "idle"])
def test_what_a_listener_raises_before_the_print_began_leaves_no_hot_machine(
    state, error, make_machine, make_printer, program
):
    """Left hot by another host, or by this one before the line broke."""
    machine = make_machine(nozzle=200.0, bed=60.0)
    printer = make_printer(machine)

    def listen(event):
        if event.kind == "state" and event.data["to"] == state:
            raise error

    with pytest.raises(type(error)):
        printer.print_file(program, listen)
    assert machine.wait_for(lambda: machine.is_safe)
    assert not [raw for raw in machine.received if " G" in raw]
    assert printer.state is State.DISCONNECTED
    assert printer.print_file(program).status is PrintStatus.PRINTED


@pytest.mark.parametrize("word", ["M110", "M115", "M113"])
def test_ctrl_c_while_connecting_leaves_no_hot_machine(word, make_machine, make_printer, program):
    """Pressed while the machine is asked the first, the second or the last question."""

    def press(machine, raw, number, body):
        if word in body and machine.nozzle:
            _thread.interrupt_main()
            return []
        return None

    machine = make_machine(nozzle=200.0, bed=60.0, script=press)
    printer = make_printer(machine, clock=SystemClock())
    with pytest.raises(KeyboardInterrupt):
        printer.print_file(program)
    assert machine.wait_for(lambda: machine.is_safe, timeout_s=5.0)


def test_ctrl_c_between_idle_and_printing_leaves_no_hot_machine(make_machine, make_printer, program):
    def press(machine, raw, number, body):
        if "M110" in body and machine.nozzle == 190.0:
            _thread.interrupt_main()
            return []
        return None

    machine = make_machine(script=press)
    printer = make_printer(machine, clock=SystemClock())
    printer.command("M104 S190")
    with pytest.raises(KeyboardInterrupt):
        printer.print_file(program)
    assert machine.is_safe
    assert printer.state is State.IDLE


def test_an_interrupted_connection_to_something_deaf_is_said(make_machine, make_printer, caplog):
    def press(machine, raw, number, body):
        if "M110" in body:
            _thread.interrupt_main()
        return []

    machine = make_machine(nozzle=200.0, script=press)
    printer = make_printer(machine, clock=SystemClock())
    with pytest.raises(KeyboardInterrupt):
        printer.connect()
    assert "turn it off at the mains" in caplog.text
    assert "M112" not in machine.received  # it may be no printer at all


def test_after_an_interrupted_connection_to_something_deaf_the_watchdog_stays(make_machine, make_printer):
    def press(machine, raw, number, body):
        if "M110" in body:
            _thread.interrupt_main()
        return []

    machine = make_machine(nozzle=200.0, script=press)
    printer = make_printer(machine, clock=SystemClock(), watchdog=True)
    with pytest.raises(KeyboardInterrupt):
        printer.connect()
    guardian = printer._connection._guardian
    try:
        printer.close()
        assert guardian.is_running()
    finally:
        guardian.release()


def test_closing_cools_a_machine_whose_line_broke_while_it_was_idle_and_hot(make_machine, make_printer, program):
    machine = make_machine()
    printer = make_printer(machine)
    printer.command("M104 S200")
    machine.script = lambda *_: []  # deaf for a while
    machine.drop()
    with pytest.raises(DeviceError):
        printer.print_file(program)
    machine.script = None
    printer.close()
    assert machine.is_safe


def test_a_line_that_breaks_while_connecting_to_a_hot_machine_is_said(make_machine, make_printer, program):
    """Left hot by another host: nothing was begun, and the error says that the line is lost."""

    def lose(machine, raw, number, body):
        machine.drop()
        return []

    machine = make_machine(nozzle=200.0, script=lose)
    printer = make_printer(machine)
    with pytest.raises(LinkLost):
        printer.print_file(program)
    machine.script = None
    assert printer.make_safe()
    assert machine.is_safe


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


def test_a_machine_that_is_deaf_to_everything_is_reset_by_its_dtr_line(make_machine, monkeypatch):
    """Its planner is full and it has no emergency parser: only the reset line still reaches it."""
    machine = make_machine(nozzle=200.0, script=lambda *_: [])
    pulses = []

    def pulse(port):
        pulses.append(port.url)
        machine.script = None
        machine.nozzle = machine.bed = 0.0  # a board that starts has its heaters off
        machine.say(*machine.banner)
        return True

    monkeypatch.setattr(Port, "pulse_dtr", pulse)
    link = Link(Port(machine.url), LeapingClock())
    try:
        report = make_safe(link, 1, True)
    finally:
        link.close()
    assert (report.confirmed, report.how) == (True, "targets reported as 0 after a reset")
    assert pulses == [machine.url]
    assert "M112" in machine.received


def test_a_rescued_machine_is_off_only_once_it_is_reached_again(make_machine):
    """Trying on for as long as the port stays away."""
    machine = make_machine(nozzle=200.0)
    refused = []

    def open_port():
        if len(refused) < 2:
            refused.append(machine.nozzle)
            raise LinkLost("it is away")
        return Port(machine.url)

    rescuer = Rescuer(open_port, 1, True)
    report = rescuer.wait(20.0)
    rescuer.stop()
    assert report is not None and report.confirmed
    assert refused == [200.0, 200.0]
    assert machine.is_safe


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
if sys.argv[3] == "connecting":
    printer.connect()
if sys.argv[3] == "idle":
    printer.connect()
    printer.command("M104 S200")
    print("idle", flush=True)
    sys.stdin.read()
def listen(event):
    if event.kind == "state":
        print(event.data["to"], flush=True)
        if sys.argv[3] == "stopping" and event.data["to"] == "paused":
            printer.cancel("enough")
printer.print_file(Path(sys.argv[2]), listen)
"""
SIGNALS = [
    ("SIGKILL", "connecting", "socket"),
    ("SIGTERM", "connecting", "socket"),
    ("SIGINT", "connecting", "socket"),
    ("SIGKILL", "idle", "socket"),
    ("SIGKILL", "streaming", "socket"),
    ("SIGKILL", "paused", "socket"),
    ("SIGKILL", "streaming", "pty"),
    ("SIGTERM", "streaming", "socket"),
    ("SIGINT", "streaming", "socket"),
]
THE_REST = [
    (name, state, "socket")
    for name in ("SIGKILL", "SIGTERM", "SIGINT")
    for state in ("idle", "streaming", "paused", "draining", "stopping")
    if (name, state, "socket") not in SIGNALS
]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("name", "state", "kind"), SIGNALS + [pytest.param(*each, marks=pytest.mark.full) for each in THE_REST]
)
def test_when_the_host_dies_its_watchdog_turns_the_heaters_off(name, state, kind, make_machine, program):
    stopping = threading.Event()  # or connecting

    def hold(machine, raw, number, body):
        if state == "connecting" and "M115" in body:
            stopping.set()
            return []
        if state == "stopping" and number is None and body.startswith("M104") and not stopping.is_set():
            stopping.set()  # the first word of the stop; the machine does not get round to it
            return []
        if state == "draining" and number is not None and body == "M400" and machine.received.count(raw) == 1:
            machine.marlin(raw, number, body)
            return ["echo:busy: processing"]
        if number != 30 or state == "draining":
            return None
        machine.marlin(raw, number, body)
        return ["//action:pause", "ok"] if state in ("paused", "stopping") else ["echo:busy: processing"]

    machine = make_machine(script=hold, kind=kind, nozzle=200.0 if state == "connecting" else 0.0)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, machine.url, str(program), state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if state in ("connecting", "stopping"):
            assert stopping.wait(20.0)
        else:
            while host.stdout.readline().strip() != state:
                assert host.poll() is None
            assert machine.wait_for(lambda: machine.nozzle > 0 and (state == "idle" or machine.last >= 30))
        killed_at = time.monotonic()
        host.send_signal(getattr(signal, name))
        limit_s = 30.0 if name == "SIGKILL" else 5.0
        assert machine.wait_for(lambda: machine.is_safe or machine.killed, timeout_s=limit_s)
        assert time.monotonic() - killed_at < limit_s
    finally:
        host.kill()
        host.wait()
        host.stdin.close()
        host.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("for_s", [2.0, pytest.param(60.0, marks=pytest.mark.full)])
def test_a_suspended_host_is_not_a_dead_one(for_s, make_machine, program, program_text):
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
        assert not machine.wait_for(lambda: machine.connections > 1 or machine.is_safe, timeout_s=for_s)
        os.kill(host.pid, signal.SIGCONT)
        assert host.wait(timeout=30) == 0
        assert machine.is_safe
        assert machine.connections == 1
        moves = [line for line in program_text.splitlines() if line.startswith("G1")]
        assert [line for line in machine.executed if line.startswith("G1")] == moves
    finally:
        host.kill()
        host.wait()


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_host_suspended_for_a_minute_between_two_reports_goes_on(make_machine, tmp_path):
    """Temperatures that were asked for and told before the lid closed are not missed afterwards."""
    moves = [f"G1 X{10 + k % 50} Y{20 + k // 50} F1800" for k in range(400)]
    program = tmp_path / "long.gcode"
    program.write_text("G28\nM190 S60\nM109 S210\n" + "\n".join(moves) + "\n")
    slow = threading.Event()

    def take_time(machine, raw, number, body):
        if body.startswith("G1"):
            slow.wait(0.03)

    def reports():
        return sum(line == "M105" for line in machine.executed)

    machine = make_machine(script=take_time)
    command = [sys.executable, "-c", HOST, machine.url, str(program), "streaming"]
    host = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        assert machine.wait_for(lambda: machine.last >= 20, 20.0)
        before = reports()
        assert machine.wait_for(lambda: reports() > before, 20.0)
        asked_at = machine.last
        assert machine.wait_for(lambda: machine.last > asked_at + 10, 20.0)
        os.kill(host.pid, signal.SIGSTOP)
        assert not machine.wait_for(lambda: machine.connections > 1 or machine.is_safe, timeout_s=60.0)
        slow.set()
        os.kill(host.pid, signal.SIGCONT)
        assert host.wait(timeout=30) == 0
        assert [line for line in machine.executed if line.startswith("G1")] == moves
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
