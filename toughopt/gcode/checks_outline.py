"""Checks against the design: nothing outside its outline, no layer with too much or too little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.deposit import LayerTable, deposit
from toughopt.gcode.path import taken_at_its_word
from toughopt.gcode.raster import Grid
from toughopt.gcode.reconstruct import section_mask
from toughopt.gcode.report import Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.base import Program
    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile

_PIXEL_MM = 0.1
_BELOW_TOP_MM = 1e-3  # the last of several layers may have its middle above a part that is no whole number of them high
_RISES_MM = 0.02  # the turn of a spiral has its beginning a layer lower than its end
_LEVELS = 4  # sections with which such a turn is compared, from the middle of its lowest bead to that of its highest
_VOLUME_OFF = 0.1  # share of a layer's volume


def outline_findings(program: Program, profile: PrinterProfile, solid: Solid) -> Iterator[Finding]:
    """Lines whose middle leaves the design by more than half their width, and layers whose volume is not its.

    A layer is compared with the design's section in its middle, the turn of a spiral with all the sections it rises by.
    """
    from scipy.ndimage import distance_transform_edt

    laid = deposit(taken_at_its_word(program, profile))
    if not laid.count:
        return
    both = np.array([laid.bounds_mm, solid.bounds_mm])
    grid = Grid.around(np.array([both[:, 0].min(axis=0), both[:, 1].max(axis=0)]), _PIXEL_MM)
    worst, at, count = 0.0, (0, 0.0, 0.0), 0
    area = np.zeros(laid.layers.count)
    highest = float(solid.bounds_mm[1, 2]) - _BELOW_TOP_MM
    for layer in range(laid.layers.count):
        beads = laid.beads_of(layer)
        middle_z = float(laid.layers.z_mm[layer] - laid.layers.height_mm[layer] / 2)
        design = section_mask(solid, min(middle_z, highest), grid)
        area[layer] = np.count_nonzero(design) * _PIXEL_MM**2
        points = np.concatenate(((laid.start_mm[beads, :2] + laid.end_mm[beads, :2]) / 2, laid.end_mm[beads, :2]))
        column, row = np.floor((points - grid.origin_mm) / _PIXEL_MM).astype(np.int64).T
        if np.all(design[row, column]):  # as it should be: no need to know how far outside
            continue
        lowest = float(laid.start_mm[beads, 2].min()) - float(laid.layers.height_mm[layer]) / 2
        for z in np.linspace(lowest, middle_z, _LEVELS) if middle_z - lowest > _RISES_MM else ():
            design |= section_mask(solid, min(max(float(z), _BELOW_TOP_MM), highest), grid)
        distance = distance_transform_edt(~design) * _PIXEL_MM
        beyond = distance[row, column] - np.tile(laid.width_mm[beads], 2) / 2 - 2 * _PIXEL_MM
        count += int(np.count_nonzero(beyond > 0))
        index = int(np.argmax(beyond))
        if beyond[index] > worst:
            worst, at = float(beyond[index]), (layer, float(points[index, 0]), float(points[index, 1]))
    if count:
        layer, x, y = at
        yield Finding(
            Severity.ERROR,
            "outside_outline",
            f"in layer {layer + 1} a line near X{x:.2f} Y{y:.2f} lies {worst:.2f} mm more than half its width outside "
            "the part; slice it again",
            place=f"layer {layer + 1}, X{x:.2f} Y{y:.2f}",
            value=worst,
            limit=0.0,
            unit="mm",
            count=count,
        )
    if profile.slicing.mode != "vase":  # a spiral is the wall around the solid
        yield from _volume_findings(laid.layers, area)


def _volume_findings(layers: LayerTable, area_mm2: NDArray[np.float64]) -> Iterator[Finding]:
    designed = area_mm2 * layers.height_mm
    some = designed > 0
    ratio = np.divide(layers.volume_mm3, designed, out=np.ones(layers.count), where=some)
    for code, what, off, limit in (
        ("over_filled", "more", ratio > 1 + _VOLUME_OFF, 1 + _VOLUME_OFF),
        ("under_filled", "less", ratio < 1 - _VOLUME_OFF, 1 - _VOLUME_OFF),
    ):
        if off.any():
            layer = int(np.flatnonzero(off)[0])
            yield Finding(
                Severity.WARNING,
                code,
                f"layer {layer + 1} at z = {layers.z_mm[layer]:g} mm holds {ratio[layer]:.2f} times the design's "
                f"volume, {what} than it may ({limit:g})",
                place=f"layer {layer + 1}",
                value=float(ratio[layer]),
                limit=limit,
                unit="of the design's volume",
                count=int(off.sum()),
            )
