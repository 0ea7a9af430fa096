"""The Marlin host: prints on a machine at the end of a serial line, and leaves it safe whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Signal
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.base import PrintEvent, PrintOutcome, PrintStatus
from toughopt.printing.clock import Clock, SystemClock
from toughopt.printing.dialogue import RESET_NUMBERS, Machine, ask, greet, introduce, settle
from toughopt.printing.guardian import Guardian
from toughopt.printing.job import Ending, PrintJob
from toughopt.printing.lines import Command
from toughopt.printing.link import Event, Link, Request, Verb
from toughopt.printing.pace import StreamSettings
from toughopt.printing.reader import ProgramReader, check_lines, lines_in, lines_of
from toughopt.printing.replies import Reply
from toughopt.printing.rescue import Rescuer
from toughopt.printing.safety import SafetyReport, is_off, make_safe, off_commands
from toughopt.printing.shield import shielded
from toughopt.printing.states import State, StateMachine
from toughopt.printing.stream import LineStream
from toughopt.printing.teller import Teller
from toughopt.printing.wire import Port
from toughopt.printing.wirelog import WireLog
from toughopt.profiles import PrinterProfile

if TYPE_CHECKING:
    from toughopt.gcode import Program

_log = logging.getLogger("toughopt.printing")
_UNREACHED = SafetyReport(False, "the machine cannot be reached; trying on in the background")
_ANSWER_S = 10.0
_STOP_S = 60.0  # a stop takes at most seconds; what waits for one waits no longer than this


def _ignore(event: PrintEvent) -> None:
    """For those who do not want to know."""


class MarlinPrinter:
    """A printer with Marlin-like firmware on a pyserial URL.

    Nothing is opened before `connect` or the first `print`. `pause`, `resume`, `cancel` and `make_safe` may be called
    from any thread; everything is written by the thread that prints.

    Parameters
    ----------
    name : how people call the machine
    url : ``COM3``, ``/dev/ttyUSB0``, ``socket://host:port``, ``rfc2217://host:port``, …
    profile : what the machine can do, and the limits that are never exceeded
    clock : where timers look
    wire_log : a file to which every byte is logged
    watchdog : start the process that turns the heaters off should this one die
    stream : how lines are paced; the profile's buffer sizes are used where it is not given
    """

    def __init__(
        self,
        name: str,
        url: str,
        profile: PrinterProfile,
        *,
        clock: Clock | None = None,
        wire_log: Path | None = None,
        watchdog: bool = True,
        stream: StreamSettings | None = None,
        rescue_s: float = 30.0,
    ) -> None:
        self.name = name
        self.url = url
        self.profile = profile
        self.machine = Machine()
        serial = profile.serial
        self._tools = len(profile.nozzles)
        self._reader = ProgramReader(profile, "the command")
        self._settings = stream or StreamSettings(
            window_bytes=serial.rx_buffer_bytes - 8, window_lines=serial.buffer_lines
        )
        self._clock = clock or SystemClock()
        self._log_path = wire_log
        self._wire_log: WireLog | None = None
        self._watch = watchdog
        self._rescue_s = rescue_s
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._link: Link | None = None
        self._guardian: Guardian | None = None
        self._rescuer: Rescuer | None = None
        self._states = StateMachine(name)
        self._seat = Lock()  # who holds it writes
        self._over = Signal()  # no print is in hand
        self._over.set()
        self._left_safe = True

    def __enter__(self) -> MarlinPrinter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def state(self) -> State:
        """What it is at."""
        return self._states.now

    def connect(self) -> Machine:
        """Open the line and learn who is there; does nothing where that has been done.

        Raises
        ------
        DeviceError
            If there is no port, no answer, or no printer behind it.
        """
        with self._seated("connect"):
            self._connect()
        return self.machine

    def print(self, program: Program, on_event: Callable[[PrintEvent], None] = _ignore) -> PrintOutcome:
        """Print to the end and leave the machine safe. See `Printer.print`."""
        total = check_lines(lines_of(program.text), self.profile, "the program")
        return self._run(lambda: lines_of(program.text), "the program", total, program.time_s, on_event)

    def print_file(self, path: Path, on_event: Callable[[PrintEvent], None] = _ignore) -> PrintOutcome:
        """Print a file of any length from disk, in bounded memory; it is read once before anything is sent.

        Raises
        ------
        ProgramError, DeviceError
            As `print`.
        """
        total = check_lines(lines_in(path), self.profile, path.name)
        return self._run(lambda: lines_in(path), path.name, total, 0.0, on_event)

    def pause(self) -> None:
        """Stop feeding lines; the machine finishes what it has."""
        self._events.put(Request(Verb.PAUSE, "paused by hand"))

    def resume(self) -> None:
        """Go on feeding."""
        self._events.put(Request(Verb.RESUME, "resumed by hand"))

    def cancel(self, reason: str) -> None:
        """End the print in hand, safely; `print` then returns CANCELLED."""
        if not self._over.is_set():
            self._events.put(Request(Verb.CANCEL, reason))

    def make_safe(self) -> bool:
        """Heaters, motors and fan off; True where the machine confirmed it. Ends the print in hand."""
        if not self._over.is_set():
            self.cancel("made safe")
            return self._over.wait(_STOP_S) and self._left_safe
        with self._seated("make it safe"):
            try:
                self._connect()
            except DeviceError:
                return False
            return self._stop("made safe", Teller(_ignore)).confirmed

    def command(self, line: str, timeout_s: float = _ANSWER_S) -> list[Reply]:
        """Send one command while nothing is printed; what the machine answers, up to its ok.

        Raises
        ------
        ProgramError
            If the command exceeds the profile's limits.
        DeviceError
            If the machine is printing, or does not answer.
        """
        with self._seated("send a command"):
            link = self._connect()
            command = self._reader.read(line)
            if command is None:
                return []
            return ask(link, command.body.decode("ascii"), max(timeout_s, command.patience_s))

    def heard(self) -> list[str]:
        """What the machine has said unasked while nothing is printed."""
        with self._seated("listen"):
            return settle(self._link, 0.0) if self._link is not None else []

    def close(self) -> None:
        """End what is in hand safely, and let the line go."""
        if not self._over.is_set():
            self.cancel("the printer was closed")
            self._over.wait(_STOP_S)
        if self._rescuer is not None:
            self._rescuer.stop()
        with self._seat:
            self._disconnect("closed")
            if self._guardian is not None:
                self._guardian.release()
                self._guardian = None
            if self._wire_log is not None:
                self._wire_log.close()
                self._wire_log = None

    @contextmanager
    def _seated(self, purpose: str) -> Iterator[None]:
        if not self._seat.acquire(blocking=False):
            raise DeviceError(f"{self.name} is {self._states.now}; wait until that is over, or cancel it, to {purpose}")
        try:
            yield
        finally:
            self._seat.release()

    def _run(
        self,
        lines: Callable[[], Iterator[str]],
        source: str,
        total: int,
        planned_s: float,
        on_event: Callable[[PrintEvent], None],
    ) -> PrintOutcome:
        teller = Teller(on_event)
        with self._seated("print"):
            self._states.listen(teller.changed)
            self._over.clear()
            try:
                link = self._ready()
                stream = LineStream(self._feed(lines, source), self._settings)
                job = PrintJob(link, stream, self._states, self.machine, self.profile.limits, teller, total, planned_s)
                return self._print(job, total, teller)
            finally:
                self._states.listen(None)
                self._over.set()

    def _feed(self, lines: Callable[[], Iterator[str]], source: str) -> Iterator[Command]:
        """The program, then the commands that end every print."""
        yield from ProgramReader(self.profile, source).commands(lines())
        self._states.to(State.DRAINING, "all lines are sent")
        yield Command(b"M400", solo=True, patience_s=60.0, limit_s=900.0)
        for line in off_commands(self._tools, self.profile.fan_off_at_end):
            yield Command(line.encode("ascii"))

    def _print(self, job: PrintJob, total: int, teller: Teller) -> PrintOutcome:
        started = self._clock.now()
        ending: Ending | None = None
        safety: SafetyReport | None = None
        try:
            self._states.to(State.STREAMING, f"{total} commands")
            try:
                ending = job.run()
                safety = self._after(ending, teller)
            except LinkLost as error:
                job.note_fault({"fault": "link_lost", "reason": str(error)})
                if ending is None:
                    ending = Ending(PrintStatus.UNCERTAIN, f"{error}; the machine may have gone on with what it had")
                safety = self._rescue(teller)
        finally:
            if safety is None:  # something is being raised: Ctrl-C, a full disk, a mistake
                safety = self._stop("interrupted", teller)
            self._left_safe = safety.confirmed
        return PrintOutcome(
            ending.status,
            ending.reason if safety.confirmed else f"{ending.reason}; heaters NOT known to be off: {safety.how}",
            safety.confirmed,
            self._clock.now() - started,
            job.stream.landed,
            job.stream.resends,
            job.stream.strays,
            tuple(job.faults),
        )

    def _after(self, ending: Ending, teller: Teller) -> SafetyReport:
        """What remains to be done when the lines have ended."""
        assert self._link is not None
        if ending.status is PrintStatus.PRINTED and any(is_off(reply) for reply in ask(self._link, "M105", _ANSWER_S)):
            self._states.to(State.IDLE, "printed")
            return SafetyReport(True, "targets reported as 0")
        if ending.confirmed:
            self._states.to(State.STOPPING, ending.reason)
            self._states.to(State.HALTED, ending.reason)
            return SafetyReport(True, ending.reason, halted=True)
        return self._stop(ending.reason, teller, ending.halted)

    def _stop(self, why: str, teller: Teller, halted: bool = False) -> SafetyReport:
        """Make the machine safe over the open line, or over a new one where that is broken."""
        if self._rescuer is not None:
            return self._rescuer.report or _UNREACHED
        with teller.deferring():
            self._states.to(State.STOPPING, why)
            report = shielded(lambda: self._make_safe(halted))
            if report is not None:
                self._states.to(State.HALTED if report.halted else State.IDLE, report.how)
            if report is not None and not report.confirmed:
                _log.critical("%s: heaters NOT known to be off: %s", self.name, report.how)
                teller(PrintEvent("fault", {"fault": "heaters_unknown", "reason": report.how}))
        return report or self._rescue(teller)

    def _make_safe(self, halted: bool) -> SafetyReport | None:
        if self._link is None:
            return None
        try:
            return make_safe(self._link, self._tools, self.profile.fan_off_at_end, halted)
        except LinkLost:
            return None

    def _rescue(self, teller: Teller) -> SafetyReport:
        """The line broke with the heaters perhaps on: try to reach the machine, and go on trying behind the scenes."""
        self._rescuer = rescuer = Rescuer(self._open_port, self._tools, self.profile.fan_off_at_end)
        reason = "heaters NOT known to be off: the line broke; if the machine is hot, turn it off at the mains"
        _log.critical("%s: %s", self.name, reason)
        try:
            self._disconnect("the line broke")
            teller(PrintEvent("fault", {"fault": "heaters_unknown", "reason": reason}))
        finally:
            report = rescuer.wait(self._rescue_s) or _UNREACHED
        teller(PrintEvent("note", {"text": f"rescue: {report.how}"}))
        return report

    def _ready(self) -> Link:
        """An open line to a machine whose line counter is 0."""
        if self._link is not None and self._states.now is State.IDLE:
            try:
                return self._reset_numbers(self._link)
            except LinkLost as error:  # it went while nothing was printed: nothing is lost
                self._disconnect(str(error))
        return self._reset_numbers(self._connect())

    def _reset_numbers(self, link: Link) -> Link:
        settle(link, 0.0)
        link.requests.clear()
        ask(link, RESET_NUMBERS.decode("ascii").strip(), _ANSWER_S)
        settle(link)
        return link

    def _connect(self) -> Link:
        if self._rescuer is not None:
            self._rescuer.stop()
            self._rescuer = None
        if self._link is not None and self._states.now is State.IDLE:
            return self._link
        self._disconnect("connecting anew")
        self._states.to(State.CONNECTING, self.url)
        try:
            self._link = link = Link(self._open_port(), self._events, self._clock)
            greet(link, self.profile.serial)
            if self._watch and (self._guardian is None or not self._guardian.is_running()):
                self._guardian = Guardian(self.url, self.profile.serial.baud, self._tools, self.profile.fan_off_at_end)
            self.machine = introduce(link)
            for line in ["M113 S2"] + (["M155 S1"] if self.machine.can("AUTOREPORT_TEMP") else []):
                ask(link, line, _ANSWER_S)
            self._states.to(State.IDLE, self.machine.firmware or "a printer that does not say what it is")
        finally:
            if self._states.now is State.CONNECTING:
                self._disconnect("no printer there")
        return link

    def _open_port(self) -> Port:
        if self._log_path is not None and self._wire_log is None:
            self._wire_log = WireLog(self._log_path)
        serial = self.profile.serial
        return Port(self.url, serial.baud, reset=serial.reset_on_connect, log=self._wire_log)

    def _disconnect(self, why: str) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        self._states.to(State.DISCONNECTED, why)
