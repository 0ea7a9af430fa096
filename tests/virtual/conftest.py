"""Parts to crush: executed paths of crossed barrels and plain shapes, made without a slicer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from toughopt.gcode.base import ExecutedPath
from toughopt.gcode.deposit import Deposit, deposit

FILAMENT_MM2 = np.pi * 1.75**2 / 4.0


class PathMaker:
    """Collects closed lines, layer by layer, as a printer would execute them."""

    def __init__(self, layer_mm: float, flow: float = 1.0) -> None:
        self.layer_mm, self.flow = layer_mm, flow
        self._start: list[np.ndarray] = []
        self._end: list[np.ndarray] = []
        self._filament: list[np.ndarray] = []
        self._nozzle: list[np.ndarray] = []

    def loop(self, points: np.ndarray, top_mm: float, area_mm2: float, nozzle_c: float = 210.0) -> None:
        """A closed line through `points` (n, 2) with a cross-section of `area_mm2`."""
        here = np.column_stack([points, np.full(len(points), top_mm)])
        there = np.roll(here, -1, axis=0)
        length = np.linalg.norm(there - here, axis=1)
        if self._end:  # the way to it
            self._add(self._end[-1][-1:], here[:1], np.zeros(1), nozzle_c)
        self._add(here, there, length * area_mm2 * self.flow / FILAMENT_MM2, nozzle_c)

    def _add(self, start: np.ndarray, end: np.ndarray, filament: np.ndarray, nozzle_c: float) -> None:
        self._start.append(start)
        self._end.append(end)
        self._filament.append(filament)
        self._nozzle.append(np.full(len(filament), nozzle_c))

    def path(self) -> ExecutedPath:
        start, end = np.concatenate(self._start), np.concatenate(self._end)
        count = len(start)
        return ExecutedPath(
            start_mm=start,
            end_mm=end,
            filament_mm=np.concatenate(self._filament),
            nozzle_c=np.concatenate(self._nozzle),
            speed_mm_s=np.full(count, 40.0),
            time_s=np.arange(1.0, count + 1.0),
            tool=np.zeros(count, dtype=np.int64),
        )


def circle(radius_mm: float, centre: tuple[float, float] = (0.0, 0.0), sides: int = 24) -> np.ndarray:
    angle = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    return np.column_stack([centre[0] + radius_mm * np.cos(angle), centre[1] + radius_mm * np.sin(angle)])


def barrel_path(
    n: int,
    theta: float,
    r: float,
    t: float,
    *,
    height: float = 20.0,
    layer: float = 0.2,
    platform: float = 1.0,
    flow: float = 1.0,
    missing: range = range(0),
    place: tuple[float, float] = (125.0, 105.0),
    senses: int = 2,
    turned: float = 0.3,
    cold: range = range(0),
) -> ExecutedPath:
    """A crossed barrel: rings of two lines a strut, on a circle of 10 mm, between plates of 13 mm."""
    maker = PathMaker(layer, flow)
    for index in range(round(height / layer)):
        if index in missing:
            continue
        top = (index + 1) * layer
        middle = top - layer / 2.0
        nozzle = 150.0 if index in cold else 210.0
        if not platform < middle < height - platform:
            for radius in np.arange(0.25, 13.0, 0.5):
                maker.loop(circle(radius, place, 48), top, 0.5 * layer, nozzle)
            continue
        wall = min(t, r)
        for strut in range(n):
            sense = 1.0 if senses == 1 or strut % 2 == 0 else -1.0
            angle = turned + 2.0 * np.pi * strut / n + sense * np.radians(theta) * middle / height
            centre = (place[0] + 10.0 * np.cos(angle), place[1] + 10.0 * np.sin(angle))
            for share in (0.25, 0.75):
                maker.loop(circle(r - share * wall, centre), top, 0.5 * wall * layer, nozzle)
    return maker.path()


@pytest.fixture(scope="session")
def barrel() -> Callable[..., Deposit]:
    """Deposits of crossed barrels, each made once a session."""
    made: dict[str, Deposit] = {}

    def make(n: int, theta: float, r: float, t: float, **options) -> Deposit:
        key = repr((n, theta, r, t, sorted(options.items())))
        if key not in made:
            made[key] = deposit(barrel_path(n, theta, r, t, **options))
        return made[key]

    return make


@pytest.fixture(scope="session")
def tube() -> Callable[..., Deposit]:
    """Deposits of plain tubes."""

    def make(
        radius: float,
        wall: float,
        height: float = 12.0,
        layer: float = 0.3,
        flow: float = 1.0,
        missing: range = range(0),
    ) -> Deposit:
        maker = PathMaker(layer, flow)
        for index in range(round(height / layer)):
            if index not in missing:
                for share in (0.25, 0.75):
                    maker.loop(circle(radius - share * wall, (50.0, 50.0), 64), (index + 1) * layer, 0.5 * wall * layer)
        return deposit(maker.path())

    return make
