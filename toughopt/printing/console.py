"""A terminal for G-code: one command in, what the machine says out; its heaters are off when it is left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from toughopt.errors import HeatersUnknown
from toughopt.printing.clock import Clock
from toughopt.printing.marlin import MarlinPrinter
from toughopt.printing.replies import Temperature
from toughopt.profiles import PrinterProfile


class Console:
    """An open machine to talk to by hand, within the limits of its profile.

    Raises
    ------
    DeviceError
        If it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        profile: PrinterProfile,
        *,
        wire_log: Path | None = None,
        watchdog: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self._printer = MarlinPrinter("console", url, profile, wire_log=wire_log, watchdog=watchdog, clock=clock)
        try:
            self.machine = self._printer.connect()
        except BaseException:
            self._printer.close()
            raise
        self.temperatures: Mapping[str, Temperature] = {}

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def command(self, line: str) -> list[str]:
        """What the machine says to one command, up to its ok; empty for a comment.

        Raises
        ------
        ProgramError
            If the command exceeds the profile's limits, or moves before homing.
        DeviceError
            If the machine does not answer.
        """
        said = []
        for reply in self._printer.command(line):
            if reply.temperatures:
                self.temperatures = reply.temperatures
            said.append(reply.text)
        return said

    def close(self) -> None:
        """Turn everything off and let the line go.

        Raises
        ------
        HeatersUnknown
            If the machine does not confirm that its heaters are off.
        """
        try:
            if not self._printer.make_safe():
                raise HeatersUnknown(
                    "the heaters are NOT known to be off: go and look, and turn the machine off at the mains"
                )
        finally:
            self._printer.close()
