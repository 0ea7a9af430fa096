"""The part cut at every layer height, from the beads that were laid down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.deposit import Deposit

    Floats = NDArray[np.float64]

SAMPLE_MM = 0.4  # beads are sampled at least this densely along their length
DIRECTIONS = 48  # in which a layer's reach is taken
CELL_MM = 0.8  # of the grid on which walls are measured
SLIGHT = 1e-9


@dataclass(frozen=True, slots=True)
class Sections:
    """The part cut at every layer height, bottom to top, gaps included.

    top_mm, height_mm, area_mm2 : (k,) float, mm above the plate, mm, mm2; area 0 where nothing was laid down
    wall_mm : (k,) float, how thick the material is across its thinnest direction, mm
    reach_mm : (k,) float, farthest edge from the axis, mm
    nozzle_c : (k,) float, mean nozzle temperature, deg C; NaN where nothing was laid down
    """

    top_mm: Floats
    height_mm: Floats
    area_mm2: Floats
    wall_mm: Floats
    reach_mm: Floats
    nozzle_c: Floats

    @property
    def part_height_mm(self) -> float:
        """Height of the part, mm."""
        return float(self.top_mm[-1]) if len(self.top_mm) else 0.0

    @property
    def volume_mm3(self) -> float:
        """Volume of the part, mm3."""
        return float(np.sum(self.area_mm2 * self.height_mm))


@dataclass(frozen=True, slots=True)
class Samples:
    """Points along the beads: place, mm, layer, volume that each stands for, mm3, and half the width there, mm.

    Places are relative to the part's axis.
    """

    x: Floats
    y: Floats
    layer: NDArray[np.int64]
    volume: Floats
    half_width: Floats


def cut(deposit: Deposit) -> tuple[Sections, Samples]:
    """Sections of the part, and the samples along its beads that they come from."""
    samples = _sample(deposit)
    layers = deposit.layers
    count = layers.count
    area = layers.volume_mm3 / np.maximum(layers.height_mm, SLIGHT)
    reach = np.zeros(count)
    np.maximum.at(reach, samples.layer, np.hypot(samples.x, samples.y) + samples.half_width)
    wall = _walls(samples, count, area)
    return Sections(layers.z_mm, layers.height_mm, area, wall, reach, layers.nozzle_c), samples


def _sample(deposit: Deposit) -> Samples:
    start, way = deposit.start_mm[:, :2], (deposit.end_mm - deposit.start_mm)[:, :2]
    pieces = np.maximum(np.ceil(np.linalg.norm(way, axis=1) / SAMPLE_MM).astype(np.int64), 1)
    owner = np.repeat(np.arange(len(pieces)), pieces)
    first = np.cumsum(pieces) - pieces
    share = (np.arange(len(owner)) - first[owner] + 0.5) / pieces[owner]
    place = start[owner] + share[:, None] * way[owner]
    volume = (deposit.volume_mm3 / pieces)[owner]
    total = float(np.sum(volume))
    layer = deposit.layer[owner]
    if total > SLIGHT:
        place = place - _axis(place, layer)
    return Samples(place[:, 0], place[:, 1], layer, volume, 0.5 * deposit.width_mm[owner])


def _axis(place: Floats, layer: NDArray[np.int64]) -> Floats:
    """(2,) float: the part's axis, mm, wherever its material is densest.

    The median over the layers of the Steiner point of what each encloses, 1/pi times the integral of h(u) u over all
    directions u, where h is how far the layer reaches (Schneider, Convex Bodies, 2nd ed., section 1.7). A layer that
    is the same when turned by any part of a circle has it on its axis.
    """
    order = np.argsort(layer, kind="stable")
    starts = np.flatnonzero(np.diff(layer[order], prepend=-1))
    place = place[order]
    angles = 2.0 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    points = np.zeros((len(starts), 2))
    for u in np.stack([np.cos(angles), np.sin(angles)], axis=1):
        points += np.maximum.reduceat(place @ u, starts)[:, None] * u * (2.0 / DIRECTIONS)
    return np.asarray(np.median(points, axis=0))


def _walls(samples: Samples, count: int, area: Floats) -> Floats:
    """Thickness of the material: its area over the length of the cells that it passes through.

    A thin line at any angle passes through 4 / pi cells for each cell length of it.
    """
    if not len(samples.x):
        return np.zeros(count)
    across = np.floor(samples.x / CELL_MM).astype(np.int64)
    along = np.floor(samples.y / CELL_MM).astype(np.int64)
    rows = int(np.ptp(along)) + 1
    columns = int(np.ptp(across)) + 1
    key = (samples.layer * columns + across - across.min()) * rows + along - along.min()
    used = np.bincount(np.unique(key) // (columns * rows), minlength=count)
    volume = np.maximum(np.bincount(samples.layer, samples.volume, count), SLIGHT)
    width = np.bincount(samples.layer, samples.volume * 2.0 * samples.half_width, count) / volume
    lines = area * 4.0 / np.pi / np.maximum(used * CELL_MM, SLIGHT)
    return np.where(used > 0, np.maximum(lines, width), 0.0)
