"""Solids that the slicer's tests share, and a rasteriser that knows nothing of the slicer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from manifold3d import CrossSection, Manifold

from toughopt.geometry import Solid
from toughopt.profiles import load_profile


@pytest.fixture(scope="session")
def profile():
    return load_profile("virtual")


@pytest.fixture
def with_settings(profile):
    """`with_settings(seam="rear", ...)`: the virtual profile with other slice settings."""

    def make(base=profile, **changes):
        return base.model_copy(update={"slicing": base.slicing.model_copy(update=changes)})

    return make


@pytest.fixture(scope="session")
def tube():
    def make(outer=8.0, wall=1.0, height=2.0, segments=96):
        body = Manifold.cylinder(height, outer, circular_segments=segments)
        return Solid(body - Manifold.cylinder(height, outer - wall, circular_segments=segments))

    return make


@pytest.fixture(scope="session")
def block():
    return lambda x=12.0, y=8.0, z=2.0: Solid(Manifold.cube((x, y, z)))


@pytest.fixture(scope="session")
def crossed():
    """Hollow columns that lean against each other between two discs: walls, crossings, solid fill and a bridge."""

    def make(wall=1.0, height=6.0, columns=6):
        outline = CrossSection.circle(2.0, 48)
        bore = CrossSection.circle(2.0 - wall, 48) if wall < 2.0 else None
        bodies = []
        for k in range(columns):
            place = (7.0 * np.cos(2 * np.pi * k / columns), 7.0 * np.sin(2 * np.pi * k / columns))
            twist = 40.0 if k % 2 else -40.0
            ring = outline - bore if bore else outline
            bodies.append(ring.translate(place).extrude(height - 2.0, 30, twist).translate((0, 0, 1.0)))
        plate = Manifold.cylinder(1.0, 10.0, circular_segments=96)
        body = plate + plate.translate((0, 0, height - 1.0))
        for part in bodies:
            body += part
        return Solid(body)

    return make


@pytest.fixture(scope="session")
def on_bed():
    """`on_bed(solid, paths)`: the solid's section in the middle of each layer, in the middle of the virtual bed."""

    def make(solid, paths):
        low, high = solid.bounds_mm
        x, y = np.array([125.0, 105.0]) - (low + high)[:2] / 2.0
        middles = [low[2] + layer.top_mm - layer.height_mm / 2.0 + 1e-6 for layer in paths.layers]
        return [solid.cross_section(z).translate((float(x), float(y))) for z in middles]

    return make


@dataclass(frozen=True)
class Coverage:
    covered: float
    outside: float
    doubled: float


@pytest.fixture(scope="session")
def coverage():
    """Shares of a section's area that beads of rectangular section cover, exceed and cover twice, pixel by pixel."""

    def measure(layer, section, pixel=0.03):
        polygons = [np.asarray(polygon) for polygon in section.to_polygons()]
        low = np.concatenate(polygons).min(axis=0) - 1.0
        shape = np.ceil((np.concatenate(polygons).max(axis=0) + 1.0 - low) / pixel).astype(int)[::-1]
        x = low[0] + (np.arange(shape[1]) + 0.5) * pixel
        y = low[1] + (np.arange(shape[0]) + 0.5) * pixel
        inside = np.zeros(shape, dtype=bool)
        for polygon in polygons:
            for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
                if y0 == y1:
                    continue
                rows = np.flatnonzero((y >= min(y0, y1)) & (y < max(y0, y1)))
                for row in rows:
                    inside[row] ^= x > x0 + (y[row] - y0) / (y1 - y0) * (x1 - x0)
        count = np.zeros(shape, dtype=int)
        for line in layer.lines:
            count += _line_mask(line, x, y, low, pixel)
        area = inside.sum()
        return Coverage(
            float((inside & (count > 0)).sum() / area),
            float((~inside & (count > 0)).sum() / area),
            float((count > 1).sum() / area),
        )

    return measure


def _line_mask(line, x, y, low, pixel):
    """Pixels under one line: rectangles as wide as flow / height, round joints, flat ends."""
    mask = np.zeros((len(y), len(x)), dtype=bool)
    points = line.points_mm[:, :2]
    width = np.broadcast_to(np.asarray(line.flow_mm2, dtype=float) / line.height_mm, len(points) - 1)
    closed = np.allclose(points[0], points[-1])
    for k, (a, b) in enumerate(pairwise(points)):
        half = width[k] / 2.0
        first = np.maximum(np.floor((np.minimum(a, b) - half - low) / pixel).astype(int), 0)
        last = np.ceil((np.maximum(a, b) + half - low) / pixel).astype(int) + 1
        dx, dy = x[first[0] : last[0]][None, :] - a[0], y[first[1] : last[1]][:, None] - a[1]
        way = b - a
        part = (dx * way[0] + dy * way[1]) / max(way @ way, 1e-12)
        held = np.clip(part, 0.0, 1.0)
        near = (dx - held * way[0]) ** 2 + (dy - held * way[1]) ** 2 <= half**2
        if not closed and k == 0:
            near &= part >= 0.0
        if not closed and k == len(points) - 2:
            near &= part <= 1.0
        mask[first[1] : last[1], first[0] : last[0]] |= near
    return mask
