"""Machines on several PCs: here each PC is a process, and the database is on the loopback."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from toughopt.errors import ConfigError, DeviceError, JournalError, Mistake
from toughopt.gcode import Program
from toughopt.printing import Printer, PrintEvent, PrintOutcome, PrintStatus
from toughopt.virtual.firmware import VirtualPrinterProcess

if TYPE_CHECKING:
    from toughopt.agents import Agent, Exchange

pytestmark = pytest.mark.full

STALE_S = 3.0  # as in conftest.py
MOVES = [f"G1 X{20 + k % 50} Y{30 + k // 50} E{k / 20 + 1:.2f} F3000" for k in range(200)]
TEXT = "G28\nM190 S60\nM109 S210\nG90\nM82\nG92 E0\nG1 Z0.2 F600\n" + "\n".join(MOVES) + "\n"


def program(text: str = TEXT) -> Program:
    return Program(text, 1, 20.0, 10.0, 0.03, ((20, 30, 0.2), (70, 34, 0.2)), "virtual", {"design": "n=8"})


@pytest.fixture
def machine() -> Iterator[Callable[..., VirtualPrinterProcess]]:
    """Virtual printers. With a clock of 15, one print takes some ten seconds."""
    made: list[VirtualPrinterProcess] = []

    def make(clock: float | str = "max") -> VirtualPrinterProcess:
        made.append(VirtualPrinterProcess("virtual", clock=clock, options=["--log", "100000"]))
        return made[-1]

    yield make
    for virtual in made:
        virtual.close()


@contextmanager
def at_work(agent: Agent, exchange: Exchange) -> Iterator[None]:
    """An agent that serves in this process until the block ends."""
    serving = threading.Thread(target=agent.serve)
    serving.start()
    try:
        end = time.monotonic() + 60
        while exchange.agent(agent.name) is None:
            assert time.monotonic() < end
        yield
    finally:
        agent.stop()
        serving.join(60)
    assert not serving.is_alive()


def moves_on(virtual: VirtualPrinterProcess) -> list[str]:
    return [text for _, text in virtual.executed() if text.startswith("G1 X")]


def becomes_cold(virtual: VirtualPrinterProcess, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while any(virtual.status()["targets_c"].values()):
        if time.monotonic() > end:
            return False
    return True


def at_first(kind: str, act: Callable[[], None]) -> Callable[[PrintEvent], None]:
    left = [act]

    def listen(event: PrintEvent) -> None:
        if event.kind == kind and left:
            left.pop()()

    return listen


def test_a_program_is_printed_on_another_pc(start_agent, exchange, machine) -> None:
    from toughopt.agents import RemotePrinter

    virtual = machine()
    start_agent("pc2", p1=virtual.url)
    printer = RemotePrinter("p1", "pc2", exchange)
    assert isinstance(printer, Printer)
    events: list[PrintEvent] = []
    outcome = printer.print(program(), events.append)
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), outcome
    assert moves_on(virtual) == MOVES
    assert "state" in {event.kind for event in events}
    assert printer.make_safe()


def test_an_agent_that_is_killed_makes_its_print_uncertain_and_the_other_goes_on(
    start_agent, exchange, machine
) -> None:
    from toughopt.agents import RemotePrinter

    one, two = machine(15), machine(15)
    first = start_agent("pc1", p1=one.url)
    start_agent("pc2", p2=two.url)
    killed_at: list[float] = []

    def kill() -> None:
        first.kill()
        killed_at.append(time.monotonic())

    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(RemotePrinter("p2", "pc2", exchange).print, program())
        outcome = RemotePrinter("p1", "pc1", exchange).print(program(), at_first("progress", kill))
        took_s = time.monotonic() - killed_at[0]
        assert outcome.status is PrintStatus.UNCERTAIN, outcome
        assert not outcome.heaters_off
        assert took_s < STALE_S + 3.0
        assert other.result(60).status is PrintStatus.PRINTED
    assert moves_on(two) == MOVES
    assert becomes_cold(one, 60.0)  # its watchdog has outlived it
    part = moves_on(one)
    assert len(part) < len(MOVES)

    again = start_agent("pc1", p1=one.url)
    assert again.says("are lost")
    assert moves_on(one) == part  # nothing is begun again by itself
    assert RemotePrinter("p1", "pc1", exchange).print(program()).status is PrintStatus.PRINTED
    assert moves_on(one) == part + MOVES


def test_a_database_that_is_away_for_a_while_ends_no_print(start_agent, exchange, machine, postgres_cluster) -> None:
    from toughopt.agents import RemotePrinter

    def outage() -> None:
        postgres_cluster.stop()
        postgres_cluster.restart()

    virtual = machine(15)
    agent = start_agent("pc2", p1=virtual.url)
    printer = RemotePrinter("p1", "pc2", exchange)
    outcome = printer.print(program(), at_first("progress", outage))
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.PRINTED, True), (outcome, agent.said)
    assert moves_on(virtual) == MOVES
    assert printer.print(program()).status is PrintStatus.PRINTED  # and the queue goes on
    assert moves_on(virtual) == MOVES * 2


class Held:
    """A printer that prints until it is let go."""

    name = "p1"

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.printed = 0

    def print(self, program: Program, on_event: Callable[[PrintEvent], None]) -> PrintOutcome:
        self.begun.set()
        assert self.go.wait(60)
        self.printed += 1
        return PrintOutcome(PrintStatus.PRINTED, "printed", True, 1.0, 200)

    def cancel(self, reason: str) -> None:
        self.go.set()

    def make_safe(self) -> bool:
        return True


def test_making_safe_is_not_given_up_while_the_database_is_away_for_a_moment(
    exchange, postgres_url, tmp_path, monkeypatch
) -> None:
    from toughopt.agents import Agent, RemotePrinter, open_exchange

    failed = {"wish": 0, "agent": 0, "offer": 0}

    def fail_twice(name: str) -> None:
        really = getattr(exchange, name)

        def call(*arguments: object) -> object:
            failed[name] += 1
            if failed[name] <= 2:
                raise JournalError("the server closed the connection")
            return really(*arguments)

        monkeypatch.setattr(exchange, name, call)

    held = Held()
    theirs = open_exchange(postgres_url, tmp_path / "theirs")
    with at_work(Agent("pc2", theirs, {"p1": held}, stale_s=30.0), exchange), ThreadPoolExecutor(1) as pool:
        printer = RemotePrinter("p1", "pc2", exchange)
        outcome = pool.submit(printer.print, program())
        try:
            assert held.begun.wait(60)
            for name in failed:
                fail_twice(name)
            assert printer.make_safe()
        finally:
            held.go.set()
        assert outcome.result(60).status is PrintStatus.PRINTED
    theirs.close()
    assert min(failed.values()) > 2, failed


def test_the_queue_is_taken_up_again_after_a_long_outage(
    exchange, postgres_cluster, postgres_url, tmp_path, monkeypatch
) -> None:
    from toughopt.agents import Agent, RemotePrinter, open_exchange

    monkeypatch.setattr("toughopt.agents.exchange._PATIENCE_S", 1.0)
    held, said, lost = Held(), [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        if "cannot be read or written" in text:
            lost.set()

    theirs = open_exchange(postgres_url, tmp_path / "theirs")
    agent = Agent("pc2", theirs, {"p1": held}, stale_s=30.0, say=say)
    with at_work(agent, exchange), ThreadPoolExecutor(1) as pool:
        printer = RemotePrinter("p1", "pc2", exchange)
        outcome = pool.submit(printer.print, program())
        assert held.begun.wait(60), said
        postgres_cluster.stop()
        was_lost = lost.wait(60)  # its heart could not beat, and the queue's connections have timed out
        held.go.set()
        postgres_cluster.restart()
        assert was_lost, said
        assert outcome.result(60).status is PrintStatus.PRINTED
        assert printer.print(program()).status is PrintStatus.PRINTED
        assert held.printed == 2
    theirs.close()


def test_a_print_is_cancelled_from_here(start_agent, exchange, machine) -> None:
    from toughopt.agents import RemotePrinter

    virtual = machine(15)
    start_agent("pc2", p1=virtual.url)
    printer = RemotePrinter("p1", "pc2", exchange)
    outcome = printer.print(program(), at_first("progress", lambda: printer.cancel("enough")))
    assert (outcome.status, outcome.reason, outcome.heaters_off) == (PrintStatus.CANCELLED, "enough", True)
    assert not any(virtual.status()["targets_c"].values())


@pytest.mark.parametrize("sent", [signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_an_agent_that_is_stopped_ends_its_print_safely(start_agent, exchange, machine, sent) -> None:
    from toughopt.agents import RemotePrinter

    virtual = machine(15)
    agent = start_agent("pc2", p1=virtual.url)
    outcome = RemotePrinter("p1", "pc2", exchange).print(
        program(), at_first("progress", lambda: agent.process.send_signal(sent))
    )
    assert (outcome.status, outcome.heaters_off) == (PrintStatus.CANCELLED, True), outcome
    assert agent.process.wait(30) == 0


def test_what_a_machine_raises_is_raised_here(start_agent, exchange, machine) -> None:
    from toughopt.agents import RemotePrinter
    from toughopt.errors import ProgramError

    virtual = machine()
    start_agent("pc2", p1=virtual.url)
    with pytest.raises(ProgramError, match=r"p1: .*above 260 C"):
        RemotePrinter("p1", "pc2", exchange).print(program("G28\nM109 S400\nG1 X1 E1\n"))
    with pytest.raises(DeviceError, match="not p7"):
        RemotePrinter("p7", "pc2", exchange).print(program())


class Broken(Held):
    """A machine whose driver has a mistake."""

    def print(self, program: Program, on_event: Callable[[PrintEvent], None]) -> PrintOutcome:
        raise ZeroDivisionError("division by zero")


def test_a_mistake_at_a_machine_is_told_here_and_awaited_by_nobody(exchange, postgres_url, tmp_path) -> None:
    from toughopt.agents import Agent, RemotePrinter, open_exchange

    said: list[str] = []
    theirs = open_exchange(postgres_url, tmp_path / "theirs")
    agent = Agent("pc2", theirs, {"p1": Broken()}, stale_s=30.0, say=said.append)
    with at_work(agent, exchange), ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(RemotePrinter("p1", "pc2", exchange).print, program())
        with pytest.raises(Mistake, match=r"p1: .*ZeroDivisionError: division by zero"):
            outcome.result(30)
    theirs.close()
    assert any("ZeroDivisionError" in line for line in said)


def test_nothing_is_queued_for_an_agent_that_is_not_there(exchange) -> None:
    from toughopt.agents import RemotePrinter

    with pytest.raises(DeviceError, match="toughopt agent pc9"):
        RemotePrinter("p1", "pc9", exchange).print(program())


def test_a_queue_that_falls_silent_is_given_up_and_nothing_is_begun(exchange, postgres_cluster, monkeypatch) -> None:
    from procrastinate import App

    monkeypatch.setattr("toughopt.journal.line.SILENCE_S", 1.0)
    monkeypatch.setattr("toughopt.agents.exchange._PATIENCE_S", 2.0)  # for a second connection, which it tries
    configure = App.configure_task
    with ExitStack() as standing:

        def configured(app: App, *arguments: str, **options: str) -> object:
            standing.enter_context(postgres_cluster.frozen())  # its connection is open already
            return configure(app, *arguments, **options)

        monkeypatch.setattr(App, "configure_task", configured)
        with pytest.raises(DeviceError, match=r"queues nothing for lab-2/left: .*(no answer|a connection)"):
            exchange.offer("job", "lab-2", "left", "print", {})
    assert exchange.withdraw("job")


def test_a_job_is_claimed_once(exchange) -> None:
    from toughopt.agents.exchange import new_job

    exchange.sign_on("pc1", "a", ["p1"], 60.0)
    job = new_job()
    exchange.offer(job, "pc1", "p1", "print", {})
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda n: exchange.claim(job, f"session {n}"), range(8)))
    (mine,) = [number for number, claim in enumerate(claims) if claim is not None]
    assert exchange.claim(job, f"session {mine}") is not None  # whoever has not heard the answer asks again
    assert not exchange.withdraw(job)
    assert exchange.give_up(job)
    assert not exchange.answer(job, {"safe": True})  # too late: it stays lost
    assert exchange.job(job).state == "lost"
    assert exchange.claim(job, "another") is None


def test_a_machine_that_may_still_print_what_was_given_up_gets_nothing_new(exchange) -> None:
    from toughopt.agents import RemotePrinter
    from toughopt.agents.exchange import new_job

    exchange.sign_on("pc1", "a", ["p1"], 60.0)
    job = new_job()
    exchange.offer(job, "pc1", "p1", "print", {})
    exchange.claim(job, "a")
    exchange.give_up(job)
    with pytest.raises(DeviceError, match="may still be at an earlier print"):
        RemotePrinter("p1", "pc1", exchange).print(program())
    assert exchange.take_over("pc1") == [job]
    assert not exchange.at_work("pc1", "p1")


def test_a_name_is_taken_by_one_agent_that_is_alive(exchange) -> None:
    assert exchange.sign_on("pc1", "a", ["p1"], 60.0)
    assert not exchange.sign_on("pc1", "b", ["p1"], 60.0)
    assert exchange.beat("pc1", "a")
    exchange.sign_off("pc1", "a")
    record = exchange.agent("pc1")
    assert record is not None
    assert record.lost
    assert exchange.sign_on("pc1", "b", ["p1"], 60.0)
    assert not exchange.beat("pc1", "a")


def test_the_counter_is_made_once_where_many_come_at_the_same_time(postgres_url, tmp_path) -> None:
    from toughopt.agents import open_exchange

    begin = threading.Barrier(4)

    def come(number: int) -> None:
        begin.wait(10)
        open_exchange(postgres_url, tmp_path / str(number)).close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come, range(4)))


def test_a_pc_without_machines_is_told_what_to_give(capsys, postgres_url) -> None:
    from toughopt.cli import main

    assert main(["agent", "pc1", postgres_url]) == ConfigError.exit_code
    assert "--machine" in capsys.readouterr().err


def test_on_one_pc_nothing_of_it_is_imported() -> None:
    code = (
        "import sys, toughopt, toughopt.loop, toughopt.cli.run; print([m for m in sys.modules if 'procrastinate' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
