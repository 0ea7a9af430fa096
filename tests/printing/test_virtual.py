"""The print host on the virtual printer: two programs that know of each other only what goes over the line."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from toughopt.errors import ProgramError
from toughopt.printing import (
    Console,
    LeapingClock,
    MarlinPrinter,
    PrintStatus,
    StreamSettings,
    open_printer,
    scan_ports,
)
from toughopt.profiles import load_profile
from toughopt.virtual.firmware import VirtualPrinterProcess

MOVES = [f"G1 X{20 + k % 50} Y{20 + k // 50} E{k / 20 + 1:.2f} F3000" for k in range(400)]
PROGRAM = "G28\nM190 S60\nM109 S210\nG90\nM82\nG92 E0\nG1 Z0.2 F600\n" + "\n".join(MOVES) + "\n"


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "part.gcode"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def lab():
    """A virtual printer and a host on it."""
    opened = []

    def make(*faults, window="off", options=(), **more):
        virtual = VirtualPrinterProcess("virtual", faults=faults, options=["--log", "100000", *options], seed=3)
        opened.append(virtual)
        more = {"clock": LeapingClock(0.3), "watchdog": False} | more
        stream = StreamSettings(window=window)
        printer = MarlinPrinter("virtual", virtual.url, load_profile("virtual"), stream=stream, **more)
        opened.append(printer)
        return virtual, printer

    yield make
    for thing in reversed(opened):
        thing.close()


def moves_on(virtual):
    return [text for _, text in virtual.executed() if text.startswith("G1 X")]


def is_off(virtual):
    return all(target == 0 for target in virtual.status()["targets_c"].values())


@pytest.mark.parametrize("window", ["off", "on"])
def test_a_program_is_executed_as_it_is_written(window, lab, program):
    virtual, printer = lab(window=window)
    outcome = printer.print_file(program)
    assert (outcome.status, outcome.heaters_off, outcome.resends, outcome.strays) == (PrintStatus.PRINTED, True, 0, 0)
    assert moves_on(virtual) == MOVES
    assert is_off(virtual)


@pytest.mark.parametrize(
    "faults",
    [
        ["garble_in=7e-3", "drop_in=5e-3", "double_in=5e-3", "lost_newline=5e-3"],
        ["lost_ok=5e-3", "lost_line=5e-3"],
        ["resend_without_ok=5e-3", "resend_storm=5e-3"],
        ["garble_out=3e-3", "drop_out=3e-3"],
        ["spurious_ok=5e-3"],
    ],
    ids=lambda faults: "+".join(faults),
)
def test_the_line_may_be_bad(faults, lab, program):
    virtual, printer = lab(*faults)
    outcome = printer.print_file(program)
    assert outcome.status is PrintStatus.PRINTED, outcome.reason
    assert moves_on(virtual) == MOVES
    assert is_off(virtual)


@pytest.mark.parametrize("options", [["--skip-repeated"], ["--advanced-ok"], ["--no-emergency-parser"]], ids=str)
@pytest.mark.parametrize("window", [pytest.param("off", marks=pytest.mark.full), "on"])
def test_firmware_of_other_makes_on_a_bad_line(options, window, lab, program):
    virtual, printer = lab("lost_ok=5e-3", "lost_line=5e-3", "garble_in=5e-3", window=window, options=options)
    outcome = printer.print_file(program)
    assert outcome.status is PrintStatus.PRINTED, outcome.reason
    executed = moves_on(virtual)
    if outcome.strays == 0:
        assert executed == MOVES
    assert is_off(virtual)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("reset=line:200", "reset"),
        ("halt=line:200", "stopped itself"),
        ("stop=line:200", "Printer stopped"),
        ("homing_failed=", "Homing"),
        ("heating_failed=", "stopped itself"),
        ("maxtemp=", "stopped itself"),
        ("bed_heating_failed=", "stopped itself"),
    ],
)
def test_the_machine_may_fail(fault, reason, lab, program):
    virtual, printer = lab(fault)
    outcome = printer.print_file(program)
    assert outcome.status is PrintStatus.FAILED
    assert reason.lower() in outcome.reason.lower()
    assert outcome.heaters_off
    assert is_off(virtual)
    moves = moves_on(virtual)
    assert moves == MOVES[: len(moves)]


def test_the_line_may_break(lab, program):
    virtual, printer = lab("disconnect=line:200")
    outcome = printer.print_file(program)
    assert outcome.status is PrintStatus.UNCERTAIN
    assert outcome.heaters_off
    assert is_off(virtual)


def test_cancel_leaves_it_cold(lab, program):
    virtual, printer = lab()
    outcome = printer.print_file(program, lambda event: printer.cancel("enough"))
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.CANCELLED, True)
    assert is_off(virtual)


def test_without_an_emergency_parser_too(lab, program):
    virtual, printer = lab(options=["--no-emergency-parser"])
    outcome = printer.print_file(program, lambda event: printer.cancel("enough"))
    assert outcome.heaters_off
    assert is_off(virtual)


def test_two_prints_on_one_line(lab, program):
    virtual, printer = lab()
    assert printer.print_file(program).status is PrintStatus.PRINTED
    assert printer.print_file(program).status is PrintStatus.PRINTED
    assert moves_on(virtual) == MOVES * 2


def test_the_watchdog_is_released_when_the_printer_is_closed(lab, program):
    _, printer = lab(watchdog=True)
    printer.connect()
    guardian = printer._connection._guardian
    assert guardian.is_running()
    printer.close()
    assert not guardian.is_running()


def test_the_console_stays_within_the_limits_and_leaves_it_cold(lab):
    virtual, _ = lab()
    with Console(virtual.url, load_profile("virtual"), watchdog=False) as console:
        assert console.command("M104 S200") == ["ok"]
        assert any("FIRMWARE_NAME" in line for line in console.command("M115"))
        console.command("M105")
        assert console.temperatures["T"].target_c == 200
        assert console.command("; nothing") == []
        with pytest.raises(ProgramError, match="not sent: 'M104 S300' asks for 300 C, above 260 C"):
            console.command("M104 S300")
    assert is_off(virtual)


def test_scan_names_the_machine_and_moves_nothing(lab):
    virtual, _ = lab()
    (found,) = scan_ports([virtual.url])
    assert "virtual" in found.firmware
    assert (found.url, found.note) == (virtual.url, "")
    assert not [text for _, text in virtual.executed() if text.startswith("G")]


def test_a_printer_is_opened_by_url_and_profile(lab, program):
    virtual, _ = lab()
    printer = open_printer("one", virtual.url, load_profile("virtual"))
    try:
        assert printer.print_file(program).status is PrintStatus.PRINTED
    finally:
        printer.close()
    assert moves_on(virtual) == MOVES


@pytest.mark.skipif(sys.platform == "win32", reason="the watchdog's host is killed by a POSIX signal")
def test_a_killed_host_leaves_a_cold_machine(lab, tmp_path):
    import subprocess

    virtual, _ = lab()
    script = f"""
import time
from toughopt.printing import MarlinPrinter
from toughopt.profiles import load_profile
printer = MarlinPrinter("host", {virtual.url!r}, load_profile("virtual"))
printer.command("M104 S200")
printer.command("M140 S60")
print("hot", flush=True)
time.sleep(60)
"""
    path = Path(tmp_path / "host.py")
    path.write_text(script)
    host = subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE)
    assert host.stdout.readline().strip() == b"hot"
    assert not is_off(virtual)
    host.kill()
    host.wait()
    host.stdout.close()
    end = time.monotonic() + 30
    while not is_off(virtual):
        assert time.monotonic() < end
