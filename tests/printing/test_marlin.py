"""The Marlin host from end to end, on a scripted machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from toughopt.errors import LinkLost, ProgramError
from toughopt.printing import PrintStatus, State


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
