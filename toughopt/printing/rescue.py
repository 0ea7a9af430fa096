"""After a line broke with the heaters perhaps on: tries to reach the machine again until it says that they are off."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Signal
from threading import Thread

from toughopt.errors import DeviceError
from toughopt.ports import PORT_ERRORS
from toughopt.printing.clock import SystemClock
from toughopt.printing.dialogue import await_banner
from toughopt.printing.link import Link
from toughopt.printing.safety import SafetyReport, make_safe
from toughopt.printing.wire import Port

_TRY_EVERY_S = 1.0
_BANNER_S = 3.0
_FAILURES: tuple[type[Exception], ...] = (DeviceError, *PORT_ERRORS)  # nothing of a line may end the thread


class Rescuer:
    """Tries on in a thread of its own, until it has succeeded or is stopped."""

    def __init__(self, open_port: Callable[[], Port], tools: int, fan_off: bool) -> None:
        self.report: SafetyReport | None = None
        self._open_port = open_port
        self._tools = tools
        self._fan_off = fan_off
        self._stopped = Signal()
        self._thread = Thread(target=self._try_on, name="rescuer", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> SafetyReport | None:
        """Its report, or None where it has not succeeded within `timeout_s`."""
        self._thread.join(timeout_s)
        return self.report

    def stop(self) -> None:
        """Give up."""
        self._stopped.set()
        self._thread.join(timeout=30.0)

    def _try_on(self) -> None:
        while not self._stopped.is_set():
            try:
                link = Link(self._open_port(), SystemClock())
            except _FAILURES:
                self._stopped.wait(_TRY_EVERY_S)
                continue
            try:
                if link.port.has_dtr:
                    await_banner(link, _BANNER_S)
                report = make_safe(link, self._tools, self._fan_off)
            except _FAILURES:
                report = SafetyReport(False, "the line broke again")
            finally:
                link.close()
            if report.confirmed:
                self.report = SafetyReport(True, f"reached again: {report.how}", report.halted)
                return
            self._stopped.wait(_TRY_EVERY_S)
