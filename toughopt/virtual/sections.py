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

    Places are relative to the part's centre of volume.
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
    if total > SLIGHT:
        place = place - (volume @ place) / total
    return Samples(place[:, 0], place[:, 1], deposit.layer[owner], volume, 0.5 * deposit.width_mm[owner])


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
