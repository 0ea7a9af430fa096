"""What was laid down, beside what was designed: covered, outside and doubled area of every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toughopt.errors import ProgramError
from toughopt.gcode.raster import Grid, polygon_mask
from toughopt.gcode.variables import bed_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.deposit import Deposit
    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile

    FloatArray = NDArray[np.float64]

PIXEL_MM = 0.05


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """A deposit against its design, layer by layer.

    z_mm : (m,) float, top of each layer
    design_mm2, laid_mm2 : (m,) float, area of the design's section at mid-height, and of what covers it or not
    covered_mm2 : (m,) float, of the design's section
    outside_mm2 : (m,) float, laid outside it
    doubled_mm2 : (m,) float, under more than one bead
    hausdorff_mm : (m,) float, largest distance from either outline's inside to the other; NaN where one is empty, and
        everywhere if it was not asked for
    """

    z_mm: FloatArray
    design_mm2: FloatArray
    laid_mm2: FloatArray
    covered_mm2: FloatArray
    outside_mm2: FloatArray
    doubled_mm2: FloatArray
    hausdorff_mm: FloatArray
    design_mm3: float
    laid_mm3: float
    pixel_mm: float

    @property
    def covered(self) -> float:
        """Share of the design's area that is covered, over all layers."""
        return _share(self.covered_mm2, self.design_mm2)

    @property
    def outside(self) -> float:
        """Area laid outside the design, as a share of the design's."""
        return _share(self.outside_mm2, self.design_mm2)

    @property
    def doubled(self) -> float:
        """Area under more than one bead, as a share of the design's."""
        return _share(self.doubled_mm2, self.design_mm2)

    @property
    def volume_error(self) -> float:
        """Volume laid down over volume designed, less 1."""
        return self.laid_mm3 / self.design_mm3 - 1.0 if self.design_mm3 > 0 else float("nan")


def _share(part: FloatArray, whole: FloatArray) -> float:
    total = float(np.sum(whole))
    return float(np.sum(part)) / total if total > 0 else float("nan")


def on_bed(solid: Solid, profile: PrinterProfile) -> Solid:
    """`solid` in the place where slicers put it: the middle of its box over the bed's, its lowest point on the bed."""
    low_x, high_x, low_y, high_y = bed_box(profile)
    low, high = solid.bounds_mm
    shift = ((low_x + high_x - low[0] - high[0]) / 2, (low_y + high_y - low[1] - high[1]) / 2, -low[2])
    return solid.translated(float(shift[0]), float(shift[1]), float(shift[2]))


def section_mask(solid: Solid, z_mm: float, grid: Grid) -> NDArray[np.bool_]:
    """(rows, columns) bool: pixels inside the section of `solid` at `z_mm`."""
    return polygon_mask(solid.cross_section(z_mm).to_polygons(), grid)


def reconstruct(
    deposit: Deposit, solid: Solid, *, pixel_mm: float = PIXEL_MM, hausdorff: bool = False
) -> Reconstruction:
    """Compare a `deposit` with the `solid` that it should be, which lies in its place on the machine (`on_bed`).

    Each bead is drawn as wide as its cross-section over its height, mitred at its joints, with straight ends. A layer
    of the design is its section at half the layer's height.

    Parameters
    ----------
    pixel_mm : side of the pixels whose centres are tested
    hausdorff : whether to measure distances too, which takes about as long again

    Raises
    ------
    ProgramError
        If the deposit is empty.
    """
    if not deposit.count:
        raise ProgramError("nothing was laid down, so there is nothing to compare with the design")
    bounds = np.array([deposit.bounds_mm, solid.bounds_mm])
    grid = Grid.around(np.array([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)]), pixel_mm, askew=True)
    table = deposit.layers
    pixel = pixel_mm**2
    figures = np.zeros((table.count, 6))
    for layer in range(table.count):
        count = deposit.counts_of(layer, grid)
        laid = count > 0
        design = section_mask(solid, float(table.z_mm[layer] - table.height_mm[layer] / 2), grid)
        both = int(np.count_nonzero(laid & design))
        laid_pixels = int(np.count_nonzero(laid))
        figures[layer, :5] = (
            np.count_nonzero(design) * pixel,
            laid_pixels * pixel,
            both * pixel,
            (laid_pixels - both) * pixel,
            np.count_nonzero(count > 1) * pixel,
        )
        figures[layer, 5] = _hausdorff(laid, design, pixel_mm) if hausdorff else np.nan
    return Reconstruction(
        z_mm=table.z_mm,
        design_mm2=figures[:, 0],
        laid_mm2=figures[:, 1],
        covered_mm2=figures[:, 2],
        outside_mm2=figures[:, 3],
        doubled_mm2=figures[:, 4],
        hausdorff_mm=figures[:, 5],
        design_mm3=solid.volume_mm3,
        laid_mm3=deposit.total_volume_mm3,
        pixel_mm=pixel_mm,
    )


def _hausdorff(one: NDArray[np.bool_], other: NDArray[np.bool_], pixel_mm: float) -> float:
    from scipy.spatial import KDTree

    if not one.any() or not other.any():
        return float("nan")
    farthest = 0.0
    for inside, target in ((one & ~other, other), (other & ~one, one)):
        if inside.any():
            distance, _ = KDTree(np.argwhere(_rim(target))).query(np.argwhere(inside))
            farthest = max(farthest, float(np.max(distance)))
    return farthest * pixel_mm


def _rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the mask of which a neighbour is not in it: those that are nearest to any point outside."""
    inner = mask.copy()
    inner[1:-1, 1:-1] &= mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    inner[[0, -1]] = False
    inner[:, [0, -1]] = False
    return mask & ~inner
