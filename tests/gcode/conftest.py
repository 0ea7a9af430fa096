"""Toolpaths made by hand, whose figures can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from toughopt.gcode import ExecutedPath, Program, write_program
from toughopt.geometry import Solid
from toughopt.profiles import PrinterProfile, load_profile
from toughopt.slicing.base import Layer, Line, Role, Toolpaths

DATE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
WIDTH, HEIGHT = 0.45, 0.2


@pytest.fixture
def date() -> datetime:
    return DATE


@pytest.fixture(scope="session")
def profile() -> PrinterProfile:
    return load_profile("virtual")


def square(half: float, z: float, role: Role, centre: tuple[float, float], height: float = HEIGHT) -> Line:
    """A closed square loop of 2 `half` a side, with a cross-section of WIDTH x `height`."""
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half], [-half, -half]]) + centre
    points = np.column_stack([corners, np.full(5, z)])
    return Line(points, role, WIDTH, height, WIDTH * height, 40.0)


def make_tube(
    profile: PrinterProfile,
    layers: int = 10,
    size: float = 20.0,
    skirt: bool = False,
    centre: tuple[float, float] | None = None,
    skip: tuple[int, ...] = (),
) -> Toolpaths:
    """A square tube, `size` mm outside, with walls of two lines; layers in `skip` are left out."""
    if centre is None:
        centre = (profile.bed.size_mm[0] / 2, profile.bed.size_mm[1] / 2)
    made = []
    for index in range(layers):
        if index in skip:
            continue
        z = round(HEIGHT * (index + 1), 4)
        lines = [
            square(size / 2 - WIDTH / 2, z, Role.EXTERNAL_PERIMETER, centre),
            square(size / 2 - 1.5 * WIDTH, z, Role.PERIMETER, centre),
        ]
        if skirt and index == 0:
            lines.insert(0, square(size / 2 + 4, z, Role.SKIRT, centre))
        made.append(Layer(z, HEIGHT, tuple(lines), fan=float(index > 0)))
    volume = (size**2 - (size - 4 * WIDTH) ** 2) * HEIGHT * layers
    return Toolpaths(tuple(made), profile, "by hand 1", volume)


def make_spiral(profile: PrinterProfile, turns: int = 20, radius: float = 15.0, lobes: float = 0.0) -> Toolpaths:
    """A single wall that climbs one layer a turn; with `lobes` its outline is far from a circle."""
    angle = np.linspace(0, 2 * np.pi * turns, 180 * turns + 1)
    around = radius * (1 + lobes * np.cos(4 * angle))
    x = profile.bed.size_mm[0] / 2 + around * np.cos(angle)
    y = profile.bed.size_mm[1] / 2 + around * np.sin(angle)
    points = np.column_stack([x, y, HEIGHT + HEIGHT * angle / (2 * np.pi)])
    line = Line(points, Role.EXTERNAL_PERIMETER, WIDTH, HEIGHT, WIDTH * HEIGHT, 15.0)
    base = np.column_stack([points[:181, :2], np.full(181, HEIGHT)])
    first = Line(base, Role.EXTERNAL_PERIMETER, WIDTH, HEIGHT, WIDTH * HEIGHT, 15.0)
    volume = line.volume_mm3 + first.volume_mm3
    return Toolpaths(
        (Layer(HEIGHT, HEIGHT, (first,)), Layer(float(points[-1, 2]), HEIGHT, (line,))), profile, "h", volume
    )


@pytest.fixture
def tube(profile: PrinterProfile) -> Callable[..., Toolpaths]:
    return lambda **how: make_tube(profile, **how)


@pytest.fixture
def spiral(profile: PrinterProfile) -> Callable[..., Toolpaths]:
    return lambda **how: make_spiral(profile, **how)


@pytest.fixture
def write(profile: PrinterProfile) -> Callable[..., Program]:
    return lambda toolpaths, **how: write_program(toolpaths, profile, **({"date": DATE} | how))


@pytest.fixture
def path_of_beads() -> Callable[..., ExecutedPath]:
    """An executed path from rows of (x0, y0, z0, x1, y1, z1, filament)."""

    def make(rows: list[tuple[float, ...]], nozzle_c: float = 210.0) -> ExecutedPath:
        table = np.array(rows, dtype=float).reshape(-1, 7)
        count = len(table)
        return ExecutedPath(
            table[:, :3], table[:, 3:6], table[:, 6], np.full(count, nozzle_c), np.full(count, 40.0),
            np.arange(1.0, count + 1), np.zeros(count, dtype=np.int64),
        )  # fmt: skip

    return make


@pytest.fixture
def square_tube() -> Callable[..., Solid]:
    """A square tube as a solid: `size` mm outside, with a wall of `wall` mm."""
    from manifold3d import Manifold

    from toughopt.geometry import Solid

    def make(size: float, wall: float, height: float) -> Solid:
        outer = Manifold.cube((size, size, height), center=True)
        inner = Manifold.cube((size - 2 * wall, size - 2 * wall, 2 * height), center=True)
        return Solid(outer - inner)

    return make
