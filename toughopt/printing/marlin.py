"""The Marlin host: prints on a machine at the end of a serial line, and leaves it safe whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.address import check_address
from toughopt.printing.base import PrintEvent, PrintOutcome, PrintStatus
from toughopt.printing.clock import Clock
from toughopt.printing.connection import ANSWER_S, Connection
from toughopt.printing.dialogue import Machine, ask, settle
from toughopt.printing.job import DRAIN, Ending, PrintJob
from toughopt.printing.lines import Command
from toughopt.printing.pace import StreamSettings
from toughopt.printing.reader import ProgramReader, check_lines
from toughopt.printing.refusal import refuse_errors
from toughopt.printing.replies import Reply, parse
from toughopt.printing.safety import SafetyReport, is_off, off_commands
from toughopt.printing.seat import SeatedPrinter, ignore
from toughopt.printing.states import State
from toughopt.printing.stream import LineStream
from toughopt.printing.teller import Teller
from toughopt.printing.text import lines_in, lines_of
from toughopt.printing.warden import Warden
from toughopt.profiles import PrinterProfile

if TYPE_CHECKING:
    from toughopt.gcode import Program

_STOP_S = 60.0  # a stop takes at most seconds; what waits for one waits no longer than this


class MarlinPrinter(SeatedPrinter):
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
    rescue_s : how long the outcome of a print whose line was lost waits for the machine to be turned off, s

    Raises
    ------
    ConfigError
        If `url` can be no port's address.
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
        check_address(url)
        super().__init__(name, profile, clock, _STOP_S)
        self.url = url
        serial = profile.serial
        self._settings = stream or StreamSettings(
            window_bytes=serial.rx_buffer_bytes - 8, window_lines=serial.buffer_lines
        )
        self._connection = Connection(url, profile, self._states, self._clock, self._requests, wire_log, watchdog)
        self._warden = Warden(name, self._connection, self._states, profile, rescue_s)
        self._by_hand = self._knowing_nothing()

    @property
    def machine(self) -> Machine:
        """What the machine says of itself; empty before `connect`."""
        return self._connection.machine

    def connect(self) -> Machine:
        """Open the line and learn who is there; does nothing where that has been done.

        Raises
        ------
        DeviceError
            If there is no port, no answer, or no printer behind it.
        """
        with self._seated("connect"):
            self._warden.dismiss()
            self._connection.open()
        return self.machine

    def print(self, program: Program, on_event: Callable[[PrintEvent], None] = ignore) -> PrintOutcome:
        """Print to the end and leave the machine safe. See `Printer.print`."""
        with self._in_hand(on_event) as teller:  # from here on: what is wished while it is checked counts too
            total = check_lines(lines_of(program.text), self.profile, program.name)
            refuse_errors(program, self.profile)
            return self._run(lambda: lines_of(program.text), program.name, total, program.time_s, teller)

    def print_file(self, path: Path, on_event: Callable[[PrintEvent], None] = ignore) -> PrintOutcome:
        """Print a file of any length from disk, in bounded memory; it is read once before anything is sent.

        Raises
        ------
        ProgramError, DeviceError
            As `print`.
        """
        with self._in_hand(on_event) as teller:
            total = check_lines(lines_in(path), self.profile, path.name)
            return self._run(lambda: lines_in(path), path.name, total, 0.0, teller)

    def command(self, line: str, timeout_s: float = ANSWER_S) -> list[Reply]:
        """Send one command while nothing is printed; what the machine answers, up to its ok.

        Raises
        ------
        ProgramError
            If the command exceeds the profile's limits.
        DeviceError
            If the machine is printing, or does not answer.
        """
        with self._seated("send a command"):
            before = self._connection.link
            command = self._by_hand.read(line)
            if command is None:
                return []
            self._warden.dismiss()
            link = self._connection.open()
            if before is not None and link is not before:  # lost while idle: perhaps the machine was reset
                self._by_hand = self._knowing_nothing()
                self._by_hand.read(line)
            settle(link, 0.0)
            self._left_safe = False
            return ask(link, command.body.decode("ascii"), max(timeout_s, command.patience_s), waits=command.waits)

    def close(self) -> None:
        """End what is in hand safely, turn off what was turned on by hand, and let the line go.

        Where the machine does not confirm that it is off, the watchdog stays, and tries on once this process has ended.
        """
        self._ended("the printer was closed")
        with self._seated("close", _STOP_S):
            if not self._left_safe and (self._connection.link is not None or self._warden.has_reopened()):
                self._left_safe = self._warden.stop("closed", Teller(ignore)).confirmed
            self._warden.dismiss()
            self._connection.close(cold=self._left_safe)

    def _knowing_nothing(self) -> ProgramReader:
        """Reads commands by hand to a machine of which nothing is known: motors were off, or it was reset."""
        return ProgramReader(self.profile, "")

    def _turn_off(self) -> bool:
        if self._states.now is State.HALTED and self._left_safe:
            return True  # it has said so, and says no more
        self._warden.dismiss()
        try:
            self._connection.open()
        except DeviceError:
            return False
        self._by_hand = self._knowing_nothing()
        return self._warden.stop("made safe", Teller(ignore)).confirmed

    def _wake(self) -> None:
        if (link := self._connection.link) is not None:
            link.port.wake()

    def _rise(self) -> None:
        self._connection.rest()

    def _run(
        self,
        lines: Callable[[], Iterator[str]],
        source: str,
        total: int,
        planned_s: float,
        teller: Teller,
    ) -> PrintOutcome:
        job: PrintJob | None = None
        try:
            self._warden.dismiss()
            link = self._connection.fresh()
            stream = LineStream(self._feed(lines, source), self._settings)
            limits = self.profile.limits
            job = PrintJob(link, stream, self._states, self.machine, limits, teller, total, planned_s)
            return self._print(job, total, teller)
        finally:
            if job is None and self._connection.link is not None:  # interrupted before it began
                self._left_safe = self._warden.stop("interrupted", teller).confirmed
            self._by_hand = self._knowing_nothing()

    def _feed(self, lines: Callable[[], Iterator[str]], source: str) -> Iterator[Command]:
        """The program, then the commands that end every print."""
        yield from ProgramReader(self.profile, source).commands(lines())
        yield DRAIN
        for line in off_commands(len(self.profile.nozzles), self.profile.fan_off_at_end):
            yield Command(line.encode("ascii"))

    def _print(self, job: PrintJob, total: int, teller: Teller) -> PrintOutcome:
        started = self._clock.now()
        self._left_safe = False
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
                safety = self._warden.rescue(teller)
            except DeviceError as error:  # of the questions at the end: the part is on the bed all the same
                job.note_fault({"fault": "refused", "reason": str(error)})
                if ending is None:
                    ending = Ending(PrintStatus.UNCERTAIN, str(error))
                safety = self._warden.stop(str(error), teller)
        finally:
            if safety is None:  # something is being raised: Ctrl-C, a full disk, a mistake
                safety = self._warden.stop("interrupted", teller)
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
        link = self._connection.link
        assert link is not None
        if ending.status is PrintStatus.PRINTED:
            said = ask(link, "M105", ANSWER_S) + [parse(line) for line in settle(link)]
            if any(is_off(reply) for reply in said):
                self._states.to(State.IDLE, "printed")
                return SafetyReport(True, "targets reported as 0")
        if ending.confirmed:
            return self._warden.halted(ending.reason)
        return self._warden.stop(ending.reason, teller)
