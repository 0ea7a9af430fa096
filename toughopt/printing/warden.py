"""Sees to it that a print, however it ended, leaves the machine safe; says so loudly where that could not be had."""

from __future__ import annotations

import logging

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.base import PrintEvent
from toughopt.printing.connection import Connection
from toughopt.printing.rescue import Rescuer
from toughopt.printing.safety import SafetyReport, make_safe
from toughopt.printing.shield import shielded
from toughopt.printing.states import State, StateMachine
from toughopt.printing.teller import Teller
from toughopt.profiles import PrinterProfile

_log = logging.getLogger("toughopt.printing")
_UNREACHED = SafetyReport(False, "the machine cannot be reached; trying on in the background")
_GO_AND_LOOK = "heaters NOT known to be off: the line broke; if the machine is hot, turn it off at the mains"


class Warden:
    """Turns one printer off. While it tries to reach a machine whose line broke, nobody else opens that line."""

    def __init__(
        self, name: str, connection: Connection, states: StateMachine, profile: PrinterProfile, rescue_s: float
    ) -> None:
        self._name = name
        self._connection = connection
        self._states = states
        self._tools = len(profile.nozzles)
        self._fan_off = profile.fan_off_at_end
        self._rescue_s = rescue_s
        self._rescuer: Rescuer | None = None

    def stop(self, why: str, teller: Teller) -> SafetyReport:
        """Turn everything off, over the open line or a new one where that is broken. Ctrl-C does not interrupt it."""
        if self._rescuer is not None:
            return self._rescuer.report or _UNREACHED
        with teller.deferring():  # a listener that fails must not keep heaters on
            self._states.to(State.STOPPING, why)
            report = shielded(self._make_safe)
            if report is not None:
                self._states.to(State.HALTED if report.halted else State.IDLE, report.how)
            if report is not None and not report.confirmed:
                _log.critical("%s: heaters NOT known to be off: %s", self._name, report.how)
                teller(PrintEvent("fault", {"fault": "heaters_unknown", "reason": report.how}))
        return report or self.rescue(teller)

    def has_reopened(self) -> bool:
        """Whether a line that broke while nothing was printed could be opened again, to turn off what is at its end."""
        if self._rescuer is not None:
            return False
        try:
            self._connection.open()
        except DeviceError as error:
            _log.critical("%s: %s (%s)", self._name, _GO_AND_LOOK, error)
            return False
        return True

    def halted(self, why: str) -> SafetyReport:
        """The firmware has turned itself off and said so."""
        self._states.to(State.STOPPING, why)
        self._states.to(State.HALTED, why)
        return SafetyReport(True, why, halted=True)

    def rescue(self, teller: Teller) -> SafetyReport:
        """The line broke with the heaters perhaps on: try to reach the machine, after a while behind the scenes."""
        self._connection.drop("the line broke")
        self._rescuer = rescuer = Rescuer(self._connection.open_port, self._tools, self._fan_off)
        _log.critical("%s: %s", self._name, _GO_AND_LOOK)
        try:
            teller(PrintEvent("fault", {"fault": "heaters_unknown", "reason": _GO_AND_LOOK}))
        finally:
            report = rescuer.wait(self._rescue_s) or _UNREACHED
        teller(PrintEvent("note", {"text": f"rescue: {report.how}"}))
        return report

    def dismiss(self) -> None:
        """End the attempts behind the scenes: somebody else takes over the line."""
        if self._rescuer is not None:
            self._rescuer.stop()
            self._rescuer = None

    def _make_safe(self) -> SafetyReport | None:
        link = self._connection.link
        if link is None:
            return None
        try:
            link.attend()
            return make_safe(link, self._tools, self._fan_off)
        except (LinkLost, DeviceError):
            return None
