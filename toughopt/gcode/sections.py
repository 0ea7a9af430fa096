"""A deposit cut layer by layer into the pieces that do not touch: the struts and walls of a structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.raster import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.deposit import Deposit

    FloatArray = NDArray[np.float64]

_PIXEL_MM = 0.1
_BRIDGED_MM = 0.15  # beads closer than twice this belong together even where they are laid too thin to meet


@dataclass(frozen=True, slots=True)
class LayerSection:
    """The separate pieces of one layer, the largest first.

    labels : (rows, columns) int, over `grid`: 0 where there is nothing, else 1 + the index of the piece
    area_mm2 : (k,) float, area within the outline of each piece, small gaps between its beads closed
    volume_mm3 : (k,) float, filament in it
    fill : (k,) float, volume / (area x height): below 1 where too little was extruded
    centre_mm : (k, 2) float
    second_moments_mm4 : (k, 3) float, about the centre: of x x, y y and x y
    nozzle_c : (k,) float, mean nozzle temperature weighted by volume
    """

    z_mm: float
    height_mm: float
    grid: Grid
    labels: NDArray[np.int32]
    area_mm2: FloatArray
    volume_mm3: FloatArray
    fill: FloatArray
    centre_mm: FloatArray
    second_moments_mm4: FloatArray
    nozzle_c: FloatArray

    @property
    def count(self) -> int:
        """Number of pieces."""
        return len(self.area_mm2)


def layer_sections(deposit: Deposit, pixel_mm: float = _PIXEL_MM) -> Iterator[LayerSection]:
    """The section of each layer from the bed up; a skipped layer has no piece. All share one grid."""
    grid = Grid.around(deposit.bounds_mm, pixel_mm)
    for layer in range(deposit.layers.count):
        yield _section(deposit, layer, grid)


def _section(deposit: Deposit, layer: int, grid: Grid) -> LayerSection:
    from scipy.ndimage import binary_closing, generate_binary_structure, iterate_structure, label

    z, height = float(deposit.layers.z_mm[layer]), float(deposit.layers.height_mm[layer])
    beads = deposit.beads_of(layer)
    steps = max(1, int(np.ceil(_BRIDGED_MM / grid.pixel_mm - 1e-6)))
    reach = iterate_structure(generate_binary_structure(2, 1), steps)
    covered = binary_closing(deposit.counts_of(layer, grid) > 0, reach)
    labels, count = label(covered, generate_binary_structure(2, 2))
    pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-pixels, kind="stable")
    rank = np.zeros(count + 1, dtype=np.int32)
    rank[order + 1] = np.arange(1, count + 1)
    labels = rank[labels]

    rows, columns = np.nonzero(labels)
    piece = labels[rows, columns] - 1
    x = grid.origin_mm[0] + (columns + 0.5) * grid.pixel_mm
    y = grid.origin_mm[1] + (rows + 0.5) * grid.pixel_mm
    number = np.maximum(np.bincount(piece, minlength=count), 1)
    centre = np.stack([np.bincount(piece, values, minlength=count) / number for values in (x, y)], axis=1)
    dx, dy = x - centre[piece, 0], y - centre[piece, 1]
    spread = [np.bincount(piece, values, minlength=count) for values in (dx * dx, dy * dy, dx * dy)]
    moments = np.stack(spread, axis=1).astype(np.float64) * grid.pixel_mm**2
    area: FloatArray = pixels[order].astype(np.float64) * grid.pixel_mm**2

    middle = (deposit.start_mm[beads, :2] + deposit.end_mm[beads, :2]) / 2
    column, row = np.floor((middle - grid.origin_mm) / grid.pixel_mm).astype(np.int64).T
    owner = labels[row, column]
    inside = owner > 0
    volumes = deposit.volume_mm3[beads]
    volume = np.bincount(owner[inside] - 1, volumes[inside], minlength=count).astype(np.float64)
    heat = np.bincount(owner[inside] - 1, (volumes * deposit.nozzle_c[beads])[inside], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return LayerSection(
            z_mm=z,
            height_mm=height,
            grid=grid,
            labels=labels,
            area_mm2=area,
            volume_mm3=volume,
            fill=volume / (area * height),
            centre_mm=centre,
            second_moments_mm4=np.asarray(moments),
            nozzle_c=heat / volume,
        )
