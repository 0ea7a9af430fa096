"""The figures that pages show: drawn when asked for, kept, and redrawn at a pace that leaves the loop its processor."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from toughopt.plots import GALLERY, PORTRAITS, Scene, draw, draw_portrait, svg

if TYPE_CHECKING:
    from toughopt.monitor.source import Source

_SHARE = 0.25  # of one processor's time, in the long run, for redrawing figures
_SAVED_S = 6.0  # of drawing at once, after a while without
_KEPT = 96
_RESULTS = ("complete", "failed", "excluded", "restored", "corrected", "campaign_changed", "steered")
_MOVES = ("proposed", "built", "sliced", "printing", "printed", "cleared", "weighed", "tested", *_RESULTS)
_DEPENDS = {"shape": _MOVES, "layers": _MOVES, "timeline": _MOVES, "choice": ("proposed", "complete"), "mass": _MOVES}


class Shelf:
    """The drawn figures of one campaign; may be asked from any thread, and draws one figure at a time."""

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._drawing = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._shown: dict[str, int] = {}  # figure -> the stamp under which pages ask for it
        self._credit_s, self._credited = _SAVED_S, clock()  # drawing that may be done at once
        self._scene: tuple[int, Scene] | None = None

    def stamps(self) -> dict[str, int]:
        """Under which stamp each figure is to be asked for: a new one means a new picture, and that it may be drawn."""
        moment, now = self._source.moment, self._clock()
        self._credit_s = min(_SAVED_S, self._credit_s + (now - self._credited) * _SHARE)
        self._credited = now
        for name in GALLERY:
            wanted = moment.stamp(_DEPENDS.get(name, _RESULTS))
            if name not in self._shown or (wanted != self._shown[name] and self._credit_s > 0.0):
                self._shown[name] = wanted
        return dict(self._shown)

    def picture(self, name: str) -> bytes:
        """The newest SVG of one of the gallery's figures."""
        stamp = self.stamps()[name]
        with self._drawing:
            kept = self._kept.get((name, stamp))
            if kept is not None:
                return kept
            begun = self._clock()
            made = svg(draw(self._current(), name))
            self._credit_s -= self._clock() - begun
            return self._keep((name, stamp), made)

    def portrait(self, name: str, experiment_id: int) -> bytes:
        """The SVG of one figure of an experiment. Raises KeyError where there is no such one."""
        moment = self._source.moment
        experiment = moment.state.experiments[experiment_id]
        key = (f"{name}/{experiment_id}", len(experiment.times) + len(experiment.notes))
        if name not in PORTRAITS:
            raise KeyError(name)
        with self._drawing:
            return self._kept.get(key) or self._keep(key, svg(draw_portrait(self._current(), name, experiment)))

    def drawn(self, make: Callable[[], bytes]) -> bytes:
        """What `make` draws, while nothing else is being drawn."""
        with self._drawing:
            return make()

    def _current(self) -> Scene:
        moment = self._source.moment
        stamp = moment.stamp(_MOVES)
        if self._scene is None or self._scene[0] != stamp:
            fresh = Scene(self._source.workspace, moment.state)
            if self._scene is not None and self._results(self._scene[1]) == self._results(fresh):
                fresh.learned = self._scene[1].learned  # the model is the same: nothing was learned since
            self._scene = (stamp, fresh)
        return self._scene[1]

    def _results(self, scene: Scene) -> int:
        learned = scene.state.learned
        return hash(tuple((e.id, e.value, e.censored) for e in learned))

    def _keep(self, key: tuple[str, int], made: bytes) -> bytes:
        self._kept[key] = made
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return made
