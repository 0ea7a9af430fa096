"""The Marlin host from end to end, on a scripted machine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from toughopt.errors import DeviceError, LinkLost, ProgramError
from toughopt.printing import PrintStatus, State, marlin
from toughopt.printing.reader import check_lines
from toughopt.printing.text import lines_in


@pytest.fixture
def program(tmp_path: Path, program_text: str) -> Path:
    path = tmp_path / "part.gcode"
    path.write_text(program_text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["socket", "pty"])
def test_a_program_arrives_whole_and_the_machine_is_left_safe(kind, make_machine, make_printer, program, program_text):
    machine = make_machine(kind=kind)
    printer = make_printer(machine)
    events = []
    outcome = printer.print_file(program, events.append)
    assert (outcome.status, outcome.heaters_off, outcome.resends, outcome.faults) == (PrintStatus.PRINTED, True, 0, ())
    wanted = [line for line in program_text.splitlines() if line and not line.startswith(";")]
    sent = [line for line in machine.executed if line in set(wanted)]
    assert sent == [*wanted, "M400"]
    assert machine.is_safe
    assert not machine.motors
    assert [event.data["to"] for event in events if event.kind == "state"][-3:] == ["streaming", "draining", "idle"]
    assert printer.state is State.IDLE


def test_a_corrupt_line_is_sent_again(make_machine, make_printer, program):
    def garble_once(machine, raw, number, body):
        if number == 20 and machine.received.count(raw) == 1:
            return machine.refuse("checksum mismatch")
        return None

    machine = make_machine(script=garble_once)
    outcome = make_printer(machine).print_file(program)
    assert (outcome.status, outcome.resends, outcome.strays) == (PrintStatus.PRINTED, 1, 0)
    moves = [line for line in machine.executed if line.startswith("G1")]
    assert moves == [line for line in program.read_text().splitlines() if line.startswith("G1")]


def test_what_exceeds_the_limits_is_refused_before_the_port_is_opened(make_machine, make_printer, tmp_path):
    machine = make_machine()
    path = tmp_path / "hot.gcode"
    path.write_text("G28\nM109 S400\nG1 X1 E1\n")
    with pytest.raises(ProgramError, match=r"hot.gcode, line 2: .*400 C, above 260 C"):
        make_printer(machine).print_file(path)
    assert machine.connections == 0


def test_nobody_there_is_one_clear_error(make_machine, make_printer, program):
    machine = make_machine(script=lambda *_: [], banner=())
    with pytest.raises(LinkLost, match="nothing answers"):
        make_printer(machine).print_file(program)


def test_a_whole_program_is_checked_and_printed(make_machine, make_printer, program, profile):
    from toughopt.gcode import read_program

    machine = make_machine()
    outcome = make_printer(machine).print(read_program(program))
    assert outcome.status is PrintStatus.PRINTED
    assert machine.is_safe


def test_a_program_that_the_checker_refuses_is_not_sent(make_machine, make_printer, tmp_path, program_text):
    from toughopt.gcode import read_program

    path = tmp_path / "far.gcode"
    path.write_text(program_text + "G4 S99999\n")
    machine = make_machine()
    with pytest.raises(ProgramError, match="not printed"):
        make_printer(machine).print(read_program(path))
    assert machine.connections == 0


def test_a_second_print_has_to_wait_for_the_first(make_machine, make_printer, program):
    machine = make_machine()
    printer = make_printer(machine)
    refused = []

    def listen(event):
        if event.kind == "state" and event.data["to"] == "streaming":
            with pytest.raises(DeviceError, match="streaming; wait until that is over"):
                printer.command("M105")
            refused.append(True)

    assert printer.print_file(program, listen).status is PrintStatus.PRINTED
    assert refused == [True]


def test_pause_and_resume_by_hand(make_machine, make_printer, program):
    machine = make_machine()
    printer = make_printer(machine)
    states = []

    def listen(event):
        if event.kind != "state":
            return
        states.append(event.data["to"])
        if event.data["to"] == "streaming" and states.count("paused") == 0:
            printer.pause()
        elif event.data["to"] == "paused":
            printer.resume()

    assert printer.print_file(program, listen).status is PrintStatus.PRINTED
    assert states == ["connecting", "idle", "streaming", "paused", "streaming", "draining", "idle"]


def test_a_line_lost_while_idle_is_opened_again(make_machine, make_printer, program):
    machine = make_machine()
    printer = make_printer(machine)
    printer.connect()
    machine.drop()
    assert machine.wait_for(lambda: True)
    assert printer.print_file(program).status is PrintStatus.PRINTED
    assert machine.connections == 2


def test_by_hand_it_has_to_be_homed_again_once_the_motors_were_off_or_the_line_was_lost(
    make_machine, make_printer, program
):
    machine = make_machine()
    printer = make_printer(machine)

    def lose():
        machine.drop()

    for loses_the_place in (printer.make_safe, lambda: printer.print_file(program), lose):
        printer.command("G28")
        printer.command("G1 X10 F3000")
        loses_the_place()
        with pytest.raises(ProgramError, match="before any G28"):
            for _ in range(100):  # a line that was lost is noticed when it is read
                printer.command("G1 X20 F3000")
    assert machine.connections == 2


def test_what_is_wished_while_a_program_is_checked_counts(make_machine, make_printer, monkeypatch, program):
    machine = make_machine()
    printer = make_printer(machine)
    monkeypatch.setattr(
        marlin, "check_lines", lambda *given: (printer.cancel("the run was aborted"), check_lines(*given))[1]
    )
    outcome = printer.print_file(program)
    assert (outcome.status, outcome.reason) == (PrintStatus.CANCELLED, "the run was aborted")
    assert not any(line.startswith("G1") for line in machine.executed)


def test_a_part_is_printed_even_where_the_machine_halts_as_it_is_asked_whether_it_is_off(
    make_machine, make_printer, program
):
    def halt_at_the_end(machine, raw, number, body):
        if body == "M105" and "M84" in machine.executed:
            machine.killed, machine.nozzle, machine.bed = True, 0, 0
            return ["Error:MINTEMP triggered, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!"]
        return None

    outcome = make_printer(make_machine(script=halt_at_the_end)).print_file(program)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True)
    assert ["MINTEMP" in fault["reason"] for fault in outcome.faults] == [True]


def test_what_happens_is_told(make_machine, make_printer, program):
    machine = make_machine()
    events = []
    make_printer(machine).print_file(program, events.append)
    last = [event for event in events if event.kind == "progress"][-1]
    assert last.data["fraction"] == 1.0
    assert last.data["left_s"] == 0.0
    assert {"state", "progress"} <= {event.kind for event in events}


def test_temperatures_are_asked_for_where_the_machine_does_not_report(make_machine, make_printer, tmp_path):
    """A silent machine that takes its time: each busy message lets the leaping clock go on by some seconds."""
    path = tmp_path / "slow.gcode"
    path.write_text("G28\nM109 S210\nG90\n" + "".join(f"G1 X{k} F60\n" for k in range(8)))

    def slow(machine, raw, number, body):
        if body.startswith("G1") and machine.received.count(raw) == 1:
            return []  # lost: the host waits for 3 s before it sends the line again
        return None

    machine = make_machine(script=slow)
    events = []
    assert make_printer(machine).print_file(path, events.append).status is PrintStatus.PRINTED
    assert "M105" in [line.partition(" ")[2].partition("*")[0] for line in machine.received if line.startswith("N")]
    assert [event for event in events if event.kind == "temperature"]


def test_a_program_of_any_length_takes_the_same_memory(make_machine, make_printer, tmp_path):
    import tracemalloc

    machine = make_machine()
    printer = make_printer(machine)

    def peak(lines):
        path = tmp_path / f"{lines}.gcode"
        with path.open("w") as file:
            file.write("G28\nM109 S210\n")
            file.writelines(f"G1 X{k % 50} Y{k % 40}\n" for k in range(lines))
        machine.received.clear()
        machine.executed.clear()
        tracemalloc.start()
        try:
            reader_count = check_lines(lines_in(path), printer.profile, "x")
            return reader_count, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    (_, small), (count, large) = peak(500), peak(20_000)
    assert count == 20_002
    assert large < 2 * small + 50_000


def test_closing_ends_a_print_safely(make_machine, make_printer, program):
    machine = make_machine()
    printer = make_printer(machine)
    closers = []

    def listen(event):
        if event.kind == "state" and event.data["to"] == "streaming" and not closers:
            closers.append(threading.Thread(target=printer.close))
            closers[0].start()

    outcome = printer.print_file(program, listen)
    closers[0].join()
    assert outcome.heaters_off
    assert machine.is_safe
    assert printer.state is State.DISCONNECTED
