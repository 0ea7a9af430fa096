"""Draws a campaign's overview on a thread of its own, so that a window only ever has to show a finished picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import ToughoptError
from toughopt.plots.board import overview
from toughopt.plots.scene import Scene
from toughopt.plots.style import new_figure, styled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_LOOK_S = 0.5
_SHARE = 0.25  # of one processor's time, at most, for drawing


class Painter:
    """Follows the journal of the campaign in a folder, and draws when it has something new.

    Parameters
    ----------
    size_px : width and height of the picture
    look_s : how often the journal is looked at

    Raises
    ------
    ConfigError, JournalError
        If there is no campaign. A journal that cannot be read later is tried again, and `trouble` says why.
    """

    def __init__(
        self,
        folder: Path,
        size_px: tuple[int, int] = (1150, 800),
        look_s: float = _LOOK_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from toughopt.loop import open_workspace

        self.trouble = ""
        self._workspace = open_workspace(folder)
        self.name = str(self._workspace.config.name)
        self._size, self._drawn_size = size_px, (0, 0)
        self._look_s, self._clock = look_s, clock
        self._wake, self._ending = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._finished: Pixels | None = None
        self._thread = threading.Thread(target=self._work, name="painter", daemon=True)
        self._thread.start()

    def take(self) -> Pixels | None:
        """(height, width, 4) uint8, the newest picture; None where there is none since the last one taken."""
        with self._lock:
            newest, self._finished = self._finished, None
            return newest

    def resize(self, width_px: int, height_px: int) -> None:
        """Draw in another size from here on."""
        self._size = (max(width_px, 300), max(height_px, 200))
        self._wake.set()

    def close(self) -> None:
        """Stop drawing."""
        self._ending.set()
        self._wake.set()
        self._thread.join(30)
        self._workspace.close()

    def _work(self) -> None:
        due, changed = 0.0, True
        while not self._ending.is_set():
            try:
                changed |= bool(self._workspace.take_in())
                self.trouble = ""
                if (changed or self._size != self._drawn_size) and self._clock() >= due:
                    begun = self._clock()
                    picture = self._draw()
                    due = self._clock() + (self._clock() - begun) * (1.0 / _SHARE - 1.0)
                    changed = False
                    with self._lock:
                        self._finished = picture
            except ToughoptError as error:
                self.trouble = str(error)
            self._wake.wait(self._look_s)
            self._wake.clear()

    def _draw(self) -> Pixels:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        size = self._size
        with styled():
            figure = new_figure(size[0] / 100.0, size[1] / 100.0)
            figure.set_dpi(100)
            canvas: Any = FigureCanvasAgg(figure)
            overview(Scene(self._workspace, self._workspace.state), figure)
            canvas.draw()
        self._drawn_size = size
        return np.asarray(canvas.buffer_rgba()).copy()
