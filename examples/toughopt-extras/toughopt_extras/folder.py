"""A printer that prints from a card: programs are left in a folder, and a person puts the card in.

`folder+file:///media/card` is its URL. Nothing is heated from here, so nothing has to be switched off.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from toughopt.errors import DeviceError
from toughopt.gcode import Program
from toughopt.printing import PrintEvent, PrintOutcome, PrintStatus
from toughopt.profiles import PrinterProfile


class FolderPrinter:
    """Writes each program whole, or not at all."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder

    def print(self, program: Program, on_event: Callable[[PrintEvent], None]) -> PrintOutcome:
        """Leave the program in the folder; a real one would now wait for the person's word that it is printed."""
        if not self._folder.is_dir():
            raise DeviceError(f"{self._folder} is not there; put the card in")
        began = time.monotonic()
        target = self._folder / f"{program.sha256[:12]}.gcode"
        partial = target.with_suffix(".part")
        partial.write_text(program.text, encoding="utf-8", newline="\n")
        partial.replace(target)
        on_event(PrintEvent("progress", {"fraction": 1.0}))
        reason = f"written to {target}"
        return PrintOutcome(PrintStatus.PRINTED, reason, True, time.monotonic() - began, program.line_count)

    def pause(self) -> None:
        """Nothing to hold."""

    def resume(self) -> None:
        """Nothing was held."""

    def cancel(self, reason: str) -> None:
        """Writing takes a moment only."""

    def make_safe(self) -> bool:
        """True: nothing was heated from here."""
        return True

    def close(self) -> None:
        """Nothing to let go."""


def open_printer(name: str, url: str, profile: PrinterProfile) -> FolderPrinter:
    """What the entry point names; `url` is what stands after `folder+`."""
    return FolderPrinter(name, Path(url2pathname(unquote(urlparse(url).path))))
