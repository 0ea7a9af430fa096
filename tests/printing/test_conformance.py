"""What every printer promises, whichever way it is driven: a serial line, OctoPrint, Moonraker."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from toughopt.errors import DeviceError, ProgramError
from toughopt.gcode import Program
from toughopt.printing import LeapingClock, MarlinPrinter, Printer, PrintEvent, PrintStatus, StreamSettings
from toughopt.profiles import Limits, PrinterProfile, Serial

MOVES = [f"G1 X{20 + k % 40} Y{30 + k // 40} E{k / 20 + 1:.2f} F3000" for k in range(120)]
TEXT = "G28\nM190 S60\nM109 S210\nG90\nM82\nG92 E0\n" + "\n".join(MOVES) + "\n"
PROFILE = PrinterProfile(
    name="bench",
    serial=Serial(banner_timeout_s=3.0),
    limits=Limits(heating_timeout_s=60.0, longest_pause_s=60.0, max_bed_c=250.0),
)


def program(text: str = TEXT) -> Program:
    return Program(text, 1, 20.0, 10.0, 0.03, ((0, 0, 0), (60, 40, 0)), "bench")


@dataclass
class Bench:
    """A machine, the printer that drives it, and what a test may do to the machine.

    `fail` makes the machine fail at the next opportunity; `vanish` makes it unreachable for good.
    """

    printer: Printer
    received: Callable[[], list[str]]
    targets: Callable[[], dict[str, float]]
    fail: Callable[[], None]
    vanish: Callable[[], None]

    def moves(self) -> list[str]:
        return [re.sub(r"\s+", " ", line) for line in self.received() if line.startswith("G1 X")]


def serial_bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    failing = threading.Event()

    def script(machine: Any, raw: str, number: int | None, body: str) -> list[str] | None:
        if failing.is_set() and body.startswith("G1"):
            machine.killed = True
            machine.nozzle = machine.bed = 0.0
            return ["Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!"]
        return None

    machine = request.getfixturevalue("make_machine")(script=script)
    stream = StreamSettings(window="off")
    printer = MarlinPrinter(
        "bench", machine.url, PROFILE, clock=LeapingClock(), watchdog=False, rescue_s=1.0, stream=stream
    )
    targets = lambda: {"nozzle": machine.nozzle, "bed": machine.bed}  # noqa: E731
    yield Bench(printer, lambda: list(machine.executed), targets, failing.set, machine.close)
    printer.close()


def moonraker_bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    from toughopt.printing.moonraker import Moonraker
    from toughopt.printing.networked import NetworkPrinter

    server = request.getfixturevalue("make_moonraker")()
    klipper = server.klipper
    host = Moonraker("bench", server.url, PROFILE)
    printer = Held(NetworkPrinter("bench", host, PROFILE, patience_s=1.0), klipper)
    yield Bench(
        printer,
        lambda: list(klipper.executed),
        lambda: dict(klipper.targets),
        lambda: klipper.shutdown("Heater extruder not heating at expected rate"),
        server.close,
    )
    printer.close()


class Held:
    """A printer whose machine goes on only when the listener has seen that it is printing, and had time to meddle."""

    def __init__(self, printer: Any, klipper: Any) -> None:
        self._printer, self._klipper = printer, klipper

    def print(self, program: Program, on_event: Callable[[PrintEvent], None] = lambda event: None) -> Any:
        def heard(event: PrintEvent) -> None:
            on_event(event)
            if event.kind == "progress":
                self._klipper.go()

        self._klipper.hold_at = 60
        return self._printer.print(program, heard)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._printer, name)


def octoprint_bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    from toughopt.printing.networked import NetworkPrinter
    from toughopt.printing.octoprint import OctoPrint

    vanishes = "vanish" in request.node.name or "nobody" in request.node.name
    server = request.getfixturevalue("start_octoprint")() if vanishes else request.getfixturevalue("octoprint")
    import sys

    key = sys.modules["printing_octoprint_server"].KEY
    host = OctoPrint("bench", server.url, PROFILE, key=key)
    before = len(server.lines())

    def targets() -> dict[str, float]:
        found = {"M104": 0.0, "M140": 0.0}
        for line in server.lines():
            if match := re.match(r"(M10[49]|M1[49]0)\b.*?S(\d+)", line):
                found["M104" if match[1] in ("M104", "M109") else "M140"] = float(match[2])
        return found

    def fail() -> None:
        host._rest.post("/api/printer/command", json={"command": "!!DEBUG:trigger_fatal_error_marlin"})

    printer = NetworkPrinter("bench", host, PROFILE, patience_s=1.0)
    yield Bench(printer, lambda: server.lines()[before:], targets, fail, server.kill)
    printer.close()


@pytest.fixture(
    params=[
        serial_bench,
        moonraker_bench,
        pytest.param(octoprint_bench, marks=pytest.mark.full),
    ],
    ids=["serial", "moonraker", "octoprint"],
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from request.param(request)


def once(kind: str, act: Callable[[], None], **data: object) -> Callable[[PrintEvent], None]:
    """A listener that acts at the first event of a kind, and data."""
    left = [act]

    def listen(event: PrintEvent) -> None:
        if event.kind == kind and all(event.data.get(k) == v for k, v in data.items()) and left:
            left.pop()()

    return listen


class TestEveryPrinter:
    """What the closed loop relies on."""

    def test_is_a_printer(self, bench: Bench) -> None:
        assert isinstance(bench.printer, Printer)
        assert bench.printer.name == "bench"

    def test_prints_to_the_end_and_leaves_it_off(self, bench: Bench) -> None:
        events: list[PrintEvent] = []
        outcome = bench.printer.print(program(), events.append)
        assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), outcome
        assert bench.moves() == MOVES
        assert not any(bench.targets().values())
        assert outcome.lines_sent >= 126
        states = [event.data["to"] for event in events if event.kind == "state"]
        assert states[-3:] == ["streaming", "draining", "idle"]
        assert [event.data for event in events if event.kind == "progress"][-1]["fraction"] == 1.0

    def test_prints_a_second_time(self, bench: Bench) -> None:
        assert bench.printer.print(program(), lambda event: None).status is PrintStatus.PRINTED
        assert bench.printer.print(program(), lambda event: None).status is PrintStatus.PRINTED
        assert bench.moves() == MOVES * 2

    def test_pauses_and_goes_on(self, bench: Bench) -> None:
        states: list[str] = []
        pause = once("state", bench.printer.pause, to="streaming")
        resume = once("state", bench.printer.resume, to="paused")

        def listen(event: PrintEvent) -> None:
            if event.kind == "state":
                states.append(event.data["to"])
            pause(event)
            resume(event)

        outcome = bench.printer.print(program(), listen)
        assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), outcome
        assert states[-5:] == ["streaming", "paused", "streaming", "draining", "idle"], outcome
        assert bench.moves() == MOVES

    def test_a_resume_right_behind_a_pause_is_not_lost(self, bench: Bench) -> None:
        def hesitate() -> None:
            bench.printer.pause()
            bench.printer.resume()

        outcome = bench.printer.print(program(), once("state", hesitate, to="streaming"))
        assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), outcome
        assert bench.moves() == MOVES

    def test_cancels_and_leaves_it_off(self, bench: Bench) -> None:
        outcome = bench.printer.print(program(), once("state", lambda: bench.printer.cancel("enough"), to="streaming"))
        assert (outcome.status, outcome.reason, outcome.heaters_off) == (PrintStatus.CANCELLED, "enough", True)
        assert not any(bench.targets().values())
        assert bench.moves() == MOVES[: len(bench.moves())]

    def test_tells_a_failure_of_the_machine(self, bench: Bench) -> None:
        events: list[PrintEvent] = []
        fail = once("state", bench.fail, to="streaming")

        def listen(event: PrintEvent) -> None:
            events.append(event)
            fail(event)

        outcome = bench.printer.print(program(), listen)
        assert (outcome.status, outcome.heaters_off) == (PrintStatus.FAILED, True), outcome
        assert outcome.faults
        assert [event for event in events if event.kind == "fault"]
        assert len(bench.moves()) < len(MOVES)

    def test_is_uncertain_where_it_vanishes(self, bench: Bench) -> None:
        outcome = bench.printer.print(program(), once("state", bench.vanish, to="streaming"))
        assert outcome.status is PrintStatus.UNCERTAIN
        assert not outcome.heaters_off
        assert "NOT known to be off" in outcome.reason

    def test_refuses_what_exceeds_the_limits_before_anything_is_sent(self, bench: Bench) -> None:
        with pytest.raises(ProgramError, match="above 260 C"):
            bench.printer.print(program("G28\nM109 S400\nG1 X1 E1\n"), lambda event: None)
        assert bench.received() == []

    def test_prints_one_program_at_a_time(self, bench: Bench) -> None:
        refused: list[str] = []

        def second() -> None:
            def other() -> None:
                try:
                    bench.printer.print(program(), lambda event: None)
                except DeviceError as error:
                    refused.append(str(error))

            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

        assert bench.printer.print(program(), once("state", second, to="streaming")).status is PrintStatus.PRINTED
        assert ["wait until that is over" in text for text in refused] == [True]
        assert bench.moves() == MOVES

    def test_is_made_safe_from_another_thread(self, bench: Bench) -> None:
        answers: list[bool] = []
        makers = [threading.Thread(target=lambda: answers.append(bench.printer.make_safe()))]
        outcome = bench.printer.print(program(), once("state", makers[0].start, to="streaming"))
        makers[0].join()
        assert outcome.status is PrintStatus.CANCELLED
        assert answers == [True]
        assert not any(bench.targets().values())

    def test_is_made_safe_while_it_rests(self, bench: Bench) -> None:
        assert bench.printer.make_safe()
        assert not any(bench.targets().values())

    def test_leaves_it_off_where_its_listener_fails(self, bench: Bench) -> None:
        def fails() -> None:
            raise KeyError("a mistake")

        with pytest.raises(KeyError, match="a mistake"):
            bench.printer.print(program(), once("state", fails, to="streaming"))
        assert not any(bench.targets().values())

    def test_says_so_where_nobody_is_there(self, bench: Bench) -> None:
        bench.vanish()
        with pytest.raises(DeviceError, match=r"does not answer|opens no websocket|cannot be opened"):
            bench.printer.print(program(), lambda event: None)
