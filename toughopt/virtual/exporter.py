"""The virtual press as a frame with a computer of its own: told to start, it leaves a numbered file in a folder."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from toughopt.errors import FrameFault
from toughopt.frames.folder import DEFAULT_PATTERN, FolderWatch
from toughopt.frames.record import raw_data_text, write_whole
from toughopt.virtual.press import PressSettings, simulate

if TYPE_CHECKING:
    from toughopt.frames.base import TestLimits
    from toughopt.gcode.deposit import Deposit

PIECE_BYTES = 4096


@dataclass
class VirtualPress:
    """Lay a deposit on its plate, start it, and the file appears; a `Trigger` for `WatchedFolderFrame`.

    `piece_pause_s` None writes each file whole, under another name first; a number writes it in pieces with that
    pause in between, as the software of many real frames does.
    """

    folder: Path
    settings: PressSettings = field(default_factory=PressSettings)
    pattern: str = DEFAULT_PATTERN
    piece_pause_s: float | None = None
    _on_plate: tuple[str, Deposit, int] | None = field(default=None, init=False, repr=False)
    _writer: threading.Thread | None = field(default=None, init=False, repr=False)
    _halt: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    def place(self, specimen: str, deposit: Deposit, seed: int) -> None:
        """Lay a part between the plates; `seed` is this specimen's own."""
        self._on_plate = (specimen, deposit, seed)

    def clear(self) -> None:
        """Take away what is left of it."""
        self._on_plate = None

    def start(self, specimen: str, limits: TestLimits) -> None:
        """Crush what lies on the plate within `limits`."""
        if self._on_plate is None:
            raise FrameFault(f"the virtual press has nothing on its plate; {specimen} was to be crushed")
        _, deposit, seed = self._on_plate
        settings = replace(
            self.settings,
            force_limit_n=limits.force_n,
            travel_limit_mm=limits.travel_mm,
            speed_mm_per_min=limits.speed_mm_per_min,
        )
        displacement, load, time = simulate(deposit, np.random.default_rng(seed), settings)
        number = FolderWatch(self.folder, self.pattern).expect()
        # the label that an operator types, and the method's settings; the number tells the file of a part that is made
        # again, and comes out as the one before, from a copy of that one's file
        rate = f"{settings.speed_mm_per_min:g} mm/min"
        preamble = {"Specimen label": specimen, "Test": str(number), "Rate": rate}
        path = self.folder / self.pattern.format(number=number)
        text = raw_data_text(displacement, load, time, preamble)
        self._halt.clear()
        if self.piece_pause_s is None:
            write_whole(path, text)
            return
        self._writer = threading.Thread(
            target=self._in_pieces, args=(path, text, self.piece_pause_s), name="virtual-press", daemon=True
        )
        self._writer.start()

    def stop(self) -> bool:
        """Stop writing and moving; a virtual crosshead always obeys."""
        self._halt.set()
        self._join()
        return True

    def close(self) -> None:
        """Finish the file in hand."""
        self._join()

    def _join(self) -> None:
        if self._writer is not None:
            self._writer.join(timeout=10.0)
            self._writer = None

    def _in_pieces(self, path: Path, text: str, pause_s: float) -> None:
        data = text.replace("\n", "\r\n").encode()
        with path.open("wb", buffering=0) as file:
            for at in range(0, len(data), PIECE_BYTES):
                file.write(data[at : at + PIECE_BYTES])
                if self._halt.wait(pause_s):
                    return
