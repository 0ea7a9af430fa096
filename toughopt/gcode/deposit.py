"""What an executed path lays down: beads, layer by layer. A pure function of the path; comments never reach it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from toughopt.errors import ProgramError
from toughopt.gcode.levels import layer_heights, levels_of
from toughopt.gcode.part import belongs_to_part
from toughopt.gcode.raster import Grid, layer_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.base import ExecutedPath

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_AREA_PIXEL_MM = 0.1
_DROP_WIDTHS = 3.0  # nozzle diameters: no bead is as thick as that


@dataclass(frozen=True, slots=True)
class LayerTable:
    """The layers of a deposit from the bed up, those that were skipped included (their volume is 0).

    z_mm : (m,) float, top of the layer
    height_mm : (m,) float
    volume_mm3 : (m,) float
    nozzle_c : (m,) float, mean nozzle temperature weighted by volume; NaN in a skipped layer
    start_s, end_s : (m,) float, machine time at which its first bead began and its last one ended; NaN if skipped
    """

    z_mm: FloatArray
    height_mm: FloatArray
    volume_mm3: FloatArray
    nozzle_c: FloatArray
    start_s: FloatArray
    end_s: FloatArray

    @property
    def count(self) -> int:
        """Number of layers."""
        return len(self.z_mm)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(m,) bool: layers in which nothing was laid down."""
        return self.volume_mm3 <= 0.0


@dataclass(frozen=True)
class Deposit:
    """The beads that make up a part, in the order in which they were laid down.

    start_mm, end_mm : (n, 3) float, way of the nozzle; the bead lies below it
    width_mm : (n,) float, width of a rectangle of the bead's height and cross-section
    height_mm : (n,) float, height of the bead
    area_mm2 : (n,) float, cross-section
    volume_mm3 : (n,) float
    layer : (n,) int, index into `layers`
    run : (n,) int, beads of one unbroken extrusion share a number
    nozzle_c : (n,) float, nozzle temperature
    speed_mm_s : (n,) float
    time_s : (n,) float, machine time at the end of the bead
    left_out_mm3 : float, what was extruded away from the part: priming line, skirt, drops
    """

    start_mm: FloatArray
    end_mm: FloatArray
    width_mm: FloatArray
    height_mm: FloatArray
    area_mm2: FloatArray
    volume_mm3: FloatArray
    layer: IntArray
    run: IntArray
    nozzle_c: FloatArray
    speed_mm_s: FloatArray
    time_s: FloatArray
    layers: LayerTable
    left_out_mm3: float = 0.0
    nozzle_diameter_mm: float = 0.4

    @property
    def count(self) -> int:
        """Number of beads."""
        return len(self.layer)

    @property
    def total_volume_mm3(self) -> float:
        """Volume of the part, mm3."""
        return float(np.sum(self.volume_mm3))

    def mass_g(self, density_g_per_cm3: float) -> float:
        """Mass of the part for a filament of that density, g."""
        return self.total_volume_mm3 * density_g_per_cm3 / 1000.0

    @property
    def height_of_part_mm(self) -> float:
        """Top of the highest layer above the bed, mm; 0 where nothing was laid down."""
        return float(self.layers.z_mm[-1]) if self.layers.count else 0.0

    @property
    def bounds_mm(self) -> FloatArray:
        """(2, 3) float: lowest and highest corner of the box around the beads, their width included, mm."""
        if not self.count:
            return np.zeros((2, 3))
        half = np.column_stack([self.width_mm / 2, self.width_mm / 2, np.zeros(self.count)])
        low = np.minimum(self.start_mm, self.end_mm) - half
        high = np.maximum(self.start_mm, self.end_mm) + half
        low[:, 2] -= self.height_mm
        return np.array([low.min(axis=0), high.max(axis=0)])

    @cached_property
    def order(self) -> IntArray:
        """(n,) int: beads sorted by layer, in the order of printing within each."""
        return np.argsort(self.layer, kind="stable")

    @cached_property
    def _bounds_of_layers(self) -> IntArray:
        return np.searchsorted(self.layer[self.order], np.arange(self.layers.count + 1))

    def beads_of(self, layer: int) -> IntArray:
        """(k,) int: indices of the beads of a layer, in the order of printing."""
        first, last = self._bounds_of_layers[layer], self._bounds_of_layers[layer + 1]
        return self.order[first:last]

    @cached_property
    def area_of_layers_mm2(self) -> FloatArray:
        """(m,) float: area that the beads of each layer cover, overlaps counted once, mm2 (pixels of 0.1 mm)."""
        grid = Grid.around(self.bounds_mm, _AREA_PIXEL_MM, askew=True)
        return np.array(
            [np.count_nonzero(self.counts_of(layer, grid)) * _AREA_PIXEL_MM**2 for layer in range(self.layers.count)]
        )

    def counts_of(self, layer: int, grid: Grid) -> NDArray[np.int32]:
        """(rows, columns) int: how many beads lie over each pixel of a layer; neighbours in a run count as one."""
        beads = self.beads_of(layer)
        return layer_counts(
            self.start_mm[beads, :2], self.end_mm[beads, :2], self.width_mm[beads], self.run[beads], grid
        )


def deposit(path: ExecutedPath) -> Deposit:
    """The beads that `path` lays down as a part, priming line and skirt left out.

    Parameters
    ----------
    path : what the machine did; segments without filament are travels

    Returns
    -------
    Deposit
        Empty where nothing was extruded.

    Raises
    ------
    ProgramError
        If the path holds numbers that are not finite, or filament that flows backwards.

    Notes
    -----
    A bead's cross-section is filament area x filament length / way; its height is the height of its layer. Layers are
    told from the heights at which the nozzle extruded; a gap of more than one layer that the beads are too thin to
    fill is a skipped layer. A spiral's layers are its turns. What belongs to the part is what hangs together with
    whatever grows upwards (see `belongs_to_part`).
    """
    _must_be_sound(path)
    chosen = np.flatnonzero(path.filament_mm > 1e-9)
    start, end = path.start_mm[chosen], path.end_mm[chosen]
    volume = path.filament_mm[chosen] * np.pi * path.filament_diameter_mm**2 / 4.0
    way = np.linalg.norm(end - start, axis=1)
    level_z = levels_of(start, end, path.nozzle_diameter_mm)
    kept = belongs_to_part(start, end, level_z, path.nozzle_diameter_mm)
    left_out = float(np.sum(volume[~kept]))
    chosen, start, end = chosen[kept], start[kept], end[kept]
    volume, way, level_z = volume[kept], way[kept], level_z[kept]
    area = _cross_section(volume, way, path.nozzle_diameter_mm)
    table, layer = layer_heights(level_z, area, volume, path.nozzle_diameter_mm)
    height = table.height_mm[layer]
    nozzle, time = path.nozzle_c[chosen], path.time_s[chosen]
    joined = (np.diff(chosen) == 1) & np.all(np.abs(start[1:] - end[:-1]) < 1e-6, axis=1)
    run = np.concatenate([[0], np.cumsum(~joined)]) if len(chosen) else np.zeros(0, dtype=np.int64)
    speed = path.speed_mm_s[chosen]
    took = way / np.maximum(speed, 1e-9)
    return Deposit(
        start_mm=start,
        end_mm=end,
        width_mm=area / height,
        height_mm=height,
        area_mm2=area,
        volume_mm3=volume,
        layer=layer,
        run=run.astype(np.int64),
        nozzle_c=nozzle,
        speed_mm_s=speed,
        time_s=time,
        layers=_table(table.z_mm, table.height_mm, layer, volume, nozzle, time, took),
        left_out_mm3=left_out,
        nozzle_diameter_mm=path.nozzle_diameter_mm,
    )


def _cross_section(volume: FloatArray, way: FloatArray, nozzle_diameter_mm: float) -> FloatArray:
    """Volume over way; a drop, which has hardly any way, is as long as the nozzle is wide."""
    area = volume / np.maximum(way, 1e-6)
    drop = area > (_DROP_WIDTHS * nozzle_diameter_mm) ** 2
    return np.where(drop, volume / np.maximum(way, nozzle_diameter_mm), area)


def _table(
    z: FloatArray,
    height: FloatArray,
    layer: IntArray,
    volume: FloatArray,
    nozzle: FloatArray,
    time: FloatArray,
    took: FloatArray,
) -> LayerTable:
    count = len(z)
    volumes = np.bincount(layer, volume, minlength=count).astype(np.float64)
    heat = np.bincount(layer, volume * nozzle, minlength=count)
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, layer, time - took)
    np.maximum.at(last, layer, time)
    empty = volumes <= 0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(empty, np.nan, heat / volumes)
    return LayerTable(z, height, volumes, mean, np.where(empty, np.nan, first), np.where(empty, np.nan, last))


def _must_be_sound(path: ExecutedPath) -> None:
    for name in ("start_mm", "end_mm", "filament_mm", "time_s", "nozzle_c"):
        values = getattr(path, name)
        if not np.all(np.isfinite(values)):
            row = int(np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))[0])
            raise ProgramError(f"executed path: {name} of segment {row} is not a finite number; record the path again")
    if len(path.filament_mm) and float(np.min(path.filament_mm)) < 0:
        row = int(np.argmin(path.filament_mm))
        raise ProgramError(
            f"executed path: segment {row} extrudes {path.filament_mm[row]:g} mm; "
            "what leaves a nozzle is never negative"
        )
