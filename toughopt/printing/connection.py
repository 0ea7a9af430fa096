"""From a URL to an open line with a known machine at its end, and back; with a watchdog beside it."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from pathlib import Path

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.clock import Clock
from toughopt.printing.dialogue import RESET_NUMBERS, Machine, ask, greet, introduce, settle
from toughopt.printing.guardian import Guardian
from toughopt.printing.link import Link, Request
from toughopt.printing.safety import hush
from toughopt.printing.shield import shielded
from toughopt.printing.states import State, StateMachine
from toughopt.printing.wire import BUSY_FOR_S, Port
from toughopt.printing.wirelog import WireLog
from toughopt.profiles import PrinterProfile

ANSWER_S = 10.0
_log = logging.getLogger("toughopt.printing")


class Connection:
    """The line to one printer, opened when it is needed."""

    def __init__(
        self,
        url: str,
        profile: PrinterProfile,
        states: StateMachine,
        clock: Clock,
        requests: deque[Request],
        wire_log: Path | None,
        watchdog: bool,
    ) -> None:
        self.url = url
        self.machine = Machine()
        self.link: Link | None = None
        self._profile = profile
        self._states = states
        self._clock = clock
        self._requests = requests
        self._log_path = wire_log
        self._log: WireLog | None = None
        self._watch = watchdog
        self._guardian: Guardian | None = None
        self._doubted = False  # connecting was interrupted, and whatever is there did not confirm that it is off

    def open(self) -> Link:
        """The open line; it is opened, and the machine asked who it is, where that has not been done.

        Raises
        ------
        DeviceError
            If there is no port, no answer, or no printer behind it.
        """
        why = "connecting anew"
        if self.link is not None and self._states.now is State.IDLE:
            try:
                self.link.attend()
                return self.link
            except LinkLost as error:  # it went while nothing was printed: nothing is lost
                why = str(error)
        self.drop(why)
        watched = self._guardian is not None
        try:
            self._states.to(State.CONNECTING, self.url)
            self.link = link = Link(self.open_port(), self._clock, self._requests)
            self._have_watched()
            greet(link, self._profile.serial)
            self.machine = introduce(link)
            for line in ["M113 S2"] + (["M155 S1"] if self.machine.can("AUTOREPORT_TEMP") else []):
                ask(link, line, ANSWER_S)
            if self._guardian is not None:
                self._guardian.require()
            self._states.to(State.IDLE, self.machine.firmware or "a printer that does not say what it is")
            self._doubted = False
        except DeviceError:
            self.drop("no printer there")
            if not watched:
                self._release()
            raise
        except BaseException:  # Ctrl-C, or a listener that fails: a machine that may be hot is not left alone
            shielded(self._hush)
            raise
        return link

    def fresh(self) -> Link:
        """The open line to a machine whose line counter is 0."""
        if self.link is not None and self._states.now is State.IDLE:
            try:
                self.link.attend()
                return self._reset_numbers(self.link)
            except LinkLost as error:  # it went while nothing was printed: nothing is lost
                self.drop(str(error))
        return self._reset_numbers(self.open())

    def open_port(self, busy_for_s: float = BUSY_FOR_S) -> Port:
        """The bare port, waited for where somebody else still has it. Raises LinkLost."""
        if self._log_path is not None and self._log is None:
            self._log = WireLog(self._log_path)
        serial = self._profile.serial
        return Port(self.url, serial.baud, reset=serial.reset_on_connect, log=self._log, busy_for_s=busy_for_s)

    def rest(self) -> None:
        """Nobody talks to the machine for now."""
        if self.link is not None:
            self.link.rest()

    def drop(self, why: str) -> None:
        """Let the line go, for now."""
        if self.link is not None:
            self.link.close()
            self.link = None
        self._states.to(State.DISCONNECTED, why)

    def close(self, cold: bool) -> None:
        """Let everything go; but for the watchdog where the machine is not known to be `cold`, or is in doubt."""
        self.drop("closed")
        if cold and not self._doubted:
            self._release()
        if self._log is not None:
            self._log.close()
            self._log = None

    def _have_watched(self) -> None:
        if self._watch and (self._guardian is None or not self._guardian.is_running()):
            serial, tools = self._profile.serial, len(self._profile.nozzles)
            self._guardian = Guardian(self.url, serial.baud, tools, self._profile.fan_off_at_end)

    def _release(self) -> None:
        if self._guardian is not None:
            self._guardian.release()
            self._guardian = None

    def _hush(self) -> None:
        """Turn off what is at the end of the line, printer or not, and let it go."""
        self._doubted = True
        with suppress(DeviceError):
            link = self.link = self.link or Link(self.open_port(0.0), self._clock, self._requests)
            self._doubted = not hush(link, len(self._profile.nozzles), self._profile.fan_off_at_end)
        if self._doubted:
            _log.critical("%s: interrupted while connecting; if the machine is hot, turn it off at the mains", self.url)
        self.drop("interrupted")

    def _reset_numbers(self, link: Link) -> Link:
        settle(link, 0.0)
        command = RESET_NUMBERS.decode("ascii").strip()
        try:
            ask(link, command, ANSWER_S)
        except LinkLost:  # it may have been lost, or its ok: nothing is printed yet, so it is said again
            ask(link, command, ANSWER_S)
        settle(link)
        return link
