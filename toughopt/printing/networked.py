"""A printer behind another host program: hands it the whole program, follows the print, and has the machine left safe.

The host goes on printing without us. So the commands that turn everything off are part of what it is handed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.base import PrintEvent, PrintOutcome, PrintStatus
from toughopt.printing.clock import Clock
from toughopt.printing.following import Follower
from toughopt.printing.hosts import PrintHost
from toughopt.printing.job import Ending
from toughopt.printing.reader import check_lines
from toughopt.printing.refusal import refuse_errors
from toughopt.printing.safety import SafetyReport, off_commands
from toughopt.printing.seat import SeatedPrinter, ignore
from toughopt.printing.states import State
from toughopt.printing.teller import Teller
from toughopt.printing.text import lines_of
from toughopt.profiles import PrinterProfile

if TYPE_CHECKING:
    from toughopt.gcode import Program

_STOP_S = 180.0  # a cancelled print may have to finish heating first


class NetworkPrinter(SeatedPrinter):
    """A printer that another program drives: OctoPrint, or Klipper through Moonraker.

    Nothing is opened before the first `print`. `pause`, `resume`, `cancel` and `make_safe` may be called from any
    thread. A lost connection does not end a print: the host is asked what has become of it as soon as it answers again,
    and only after `patience_s` is the outcome UNCERTAIN.

    Parameters
    ----------
    name : how people call the machine
    host : the program that drives it
    profile : what the machine can do, and the limits that are never exceeded
    patience_s : how long a host may be out of reach in mid-print
    clock : where timers look
    """

    def __init__(
        self,
        name: str,
        host: PrintHost,
        profile: PrinterProfile,
        *,
        patience_s: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(name, profile, clock, _STOP_S)
        self._host = host
        self._patience_s = patience_s

    def print(self, program: Program, on_event: Callable[[PrintEvent], None] = ignore) -> PrintOutcome:
        """Print to the end and leave the machine safe. See `Printer.print`."""
        with self._in_hand(on_event) as teller:
            total = check_lines(lines_of(program.text), self.profile, program.name)
            refuse_errors(program, self.profile)
            off = off_commands(len(self.profile.nozzles), self.profile.fan_off_at_end)
            # some hosts take a lone carriage return for the end of a comment, and send what follows
            plain = program.text.replace("\r\n", "\n").replace("\r", " ").rstrip("\n")
            text = "\n".join([plain, "M400", *off, ""])
            name = f"toughopt-{program.sha256[:12]}-{uuid4().hex[:8]}.gcode"
            self._prepare(name, text)
            follower = Follower(
                self._host, name, self._states, self._requests, teller, self._clock, self.profile.limits
            )
            follower.expects(total, program.time_s, self._patience_s)
            outcome = self._print(follower, teller)
            self._tidy(name, outcome)
            return outcome

    def close(self) -> None:
        """End what is in hand safely, and let the host go."""
        self._ended("the printer was closed")
        with self._seated("close", _STOP_S):
            self._drop("closed")

    def _turn_off(self) -> bool:
        try:
            self._open()
        except DeviceError:
            return False
        return self._stop("made safe").confirmed

    def _wake(self) -> None:
        """The follower looks several times a second."""

    def _rise(self) -> None:
        """The host is left as it is."""

    def _open(self) -> None:
        if self._states.now is State.DISCONNECTED:
            self._states.to(State.CONNECTING, self._host.where)
        try:
            self._host.attach()
        except DeviceError:
            self._drop("not reached")
            raise

    def _prepare(self, name: str, text: str) -> None:
        """Everything before the print: what fails here has started nothing."""
        self._open()
        try:
            self._host.ready()
            if self._states.now is not State.IDLE:
                if self._states.now is State.HALTED:
                    self._states.to(State.CONNECTING, "it answers again")
                self._states.to(State.IDLE, "connected")
            self._host.upload(name, text)
        except DeviceError:
            self._drop("not ready")
            raise

    def _drop(self, why: str) -> None:
        self._host.detach()
        if self._states.now is not State.DISCONNECTED:
            self._states.to(State.DISCONNECTED, why)

    def _print(self, follower: Follower, teller: Teller) -> PrintOutcome:
        started = self._clock.now()
        self._left_safe = False
        safety: SafetyReport | None = None
        try:
            ending = follower.run()
            safety = self._after(ending, teller)
        finally:
            if safety is None:  # something is being raised: Ctrl-C, a refused start, a mistake
                with teller.deferring():
                    follower.abandon()
                    safety = self._stop("interrupted")
            self._left_safe = safety.confirmed
        if ending.status is PrintStatus.PRINTED and follower.sent < follower.total:
            follower.sent = follower.total
        return PrintOutcome(
            ending.status,
            ending.reason if safety.confirmed else f"{ending.reason}; heaters NOT known to be off: {safety.how}",
            safety.confirmed,
            self._clock.now() - started,
            follower.sent,
            follower.resends,
            0,
            tuple(follower.faults),
        )

    def _tidy(self, name: str, outcome: PrintOutcome) -> None:
        """Have the program deleted, unless somebody may have to look at what has become of it."""
        if outcome.status is not PrintStatus.UNCERTAIN and self._states.now is not State.DISCONNECTED:
            with suppress(DeviceError):
                self._host.remove(name)

    def _after(self, ending: Ending, teller: Teller) -> SafetyReport:
        if self._states.now is State.DISCONNECTED:
            return SafetyReport(False, f"{self._host.where} is out of reach; go and look")
        if ending.status is PrintStatus.PRINTED:
            with teller.deferring():
                if self._states.now is not State.DRAINING:
                    self._states.to(State.DRAINING, "the host has sent all lines")
                report = self._off()
                self._states.to(State.IDLE if report.confirmed else State.STOPPING, report.how)
            return report
        with teller.deferring():
            return self._stop(ending.reason)

    def _stop(self, why: str) -> SafetyReport:
        """Everything off, whatever the machine is at."""
        if self._states.now is not State.DISCONNECTED:
            self._states.to(State.STOPPING, why)
        report = self._off()
        if self._states.now is State.STOPPING:
            self._states.to(State.HALTED if report.halted or not report.confirmed else State.IDLE, report.how)
        return report

    def _off(self) -> SafetyReport:
        try:
            self._host.attach()
            return self._host.turn_off()
        except LinkLost as error:
            self._drop(str(error))
            return SafetyReport(False, str(error))
        except DeviceError as error:
            return SafetyReport(False, str(error))
