"""The slicer of toughopt: lines fitted to the walls, solid fill, everything per point in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType

from toughopt.slicing.base import Layer, Line, Role, Toolpaths
from toughopt.slicing.chains import Chains, joined, simplified
from toughopt.slicing.infill import rectilinear
from toughopt.slicing.outlines import sample
from toughopt.slicing.route import Path, order, walked
from toughopt.slicing.sections import Sections, bed_centre, contours, cut
from toughopt.slicing.walls import Spacing, chains, plan, rest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile

_STEP_MM = 0.6  # largest distance of two samples of an outline
_FLOW_RANGE = (0.93, 1.07)  # the correction of a layer's flow to its true area stays within this


@dataclass(frozen=True, slots=True)
class NativeSlicer:
    """Slices with lines whose number and spacing are fitted to the wall at each point."""

    name: str = "native"

    def slice(self, solid: Solid, profile: PrinterProfile) -> Toolpaths:
        """Toolpaths of `solid`, centred on the bed, its lowest point on the bed.

        Raises
        ------
        MeshError
            If the solid is empty, too large for the bed, or thinner than a line.
        """
        from toughopt import __version__

        sections = cut(solid.manifold, profile)
        walls, fill = _filled(sections, profile)
        layers = _layers(sections, walls, fill, profile)
        return Toolpaths(tuple(layers), profile, f"toughopt {__version__} native", float(sections.volume_mm3))


def spacings(profile: PrinterProfile, height_mm: float) -> Spacing:
    """Distances between lines for the nozzle's widths: s = w - h (1 - pi / 4), a rectangle with round ends."""
    nozzle = profile.nozzle
    off = height_mm * (1.0 - pi / 4.0)
    return Spacing(nozzle.line_width_min_mm - off, nozzle.line_width_mm - off, nozzle.line_width_max_mm - off)


def _filled(sections: Sections, profile: PrinterProfile) -> tuple[Chains, Chains]:
    """Lines along the walls and lines of the solid fill, for all layers."""
    spacing = spacings(profile, profile.slicing.layer_height_mm)
    outline, layer = _flat([(index, contours(section)) for index, section in enumerate(sections.sections)])
    samples = sample(outline, layer, _STEP_MM)
    layout = plan(samples, spacing, profile.slicing.perimeters)
    lines = chains(samples, layout)
    left: dict[int, list[NDArray[np.float64]]] = {}
    for index, contour in rest(samples, layout):
        left.setdefault(index, []).append(contour)
    regions = []
    for index, loops in left.items():
        region = CrossSection(loops, FillRule.Positive)
        if region.area() > 0.5:
            regions.append((index, contours(region.offset(-spacing.nominal_mm / 2.0, JoinType.Miter))))
    inner, inner_layer = _flat(regions)
    turned = np.deg2rad(profile.slicing.infill_angle_deg + 90.0 * (inner_layer % 2))
    fill = rectilinear(inner, inner_layer, turned, spacing.nominal_mm)
    return simplified(lines, profile.slicing.tolerance_mm), fill


def _flat(groups: list[tuple[int, list[NDArray[np.float64]]]]) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    loops = [loop for _, members in groups for loop in members]
    return loops, np.array([index for index, members in groups for _ in members], dtype=np.int64)


def _layers(sections: Sections, walls: Chains, fill: Chains, profile: PrinterProfile) -> list[Layer]:
    settings, speeds = profile.slicing, profile.speeds
    every = joined((walls, fill))
    is_fill = np.arange(len(every.layer)) >= len(walls.layer)
    count = len(sections.top_mm)
    printed = np.bincount(every.layer, weights=every.area_mm2, minlength=count)
    factor = np.clip(sections.area_mm2 / np.maximum(printed, 1e-9), *_FLOW_RANGE)
    by_layer = np.split(
        np.argsort(every.layer, kind="stable"), np.cumsum(np.bincount(every.layer, minlength=count))[:-1]
    )
    rng = np.random.default_rng(0)
    position = bed_centre(profile.bed)
    seams = np.empty((0, 2))
    result = []
    for index, members in enumerate(by_layer):
        paths = [
            Path(every.point_mm[every.start[member] : every.start[member + 1]], bool(every.closed[member]))
            for member in members
        ]
        stops = order(paths, [int(is_fill[member]) for member in members], position, settings.seam, rng, seams)
        height, top = float(sections.height_mm[index]), float(sections.top_mm[index])
        lines = []
        for stop in stops:
            member = members[stop.index]
            path = paths[stop.index]
            if is_fill[member]:
                role, speed = Role.SOLID_INFILL, speeds.solid_infill
            elif every.depth[member] == 0:
                role, speed = Role.EXTERNAL_PERIMETER, speeds.external_perimeter
            else:
                role, speed = Role.PERIMETER, speeds.perimeter
            if index == 0:
                speed = min(speed, speeds.first_layer)
            xy = walked(path, stop, path.point_mm)
            gap = walked(path, stop, every.spacing_mm[every.start[member] : every.start[member + 1]])
            gap = gap * factor[index]
            flow = (gap[:-1] + gap[1:]) / 2.0 * height
            away = float(np.hypot(*(xy[0] - position)))
            lines.append(
                Line(
                    np.column_stack((xy, np.full(len(xy), top))),
                    role,
                    round(float(gap.mean()) + height * (1.0 - pi / 4.0), 4),
                    height,
                    flow,
                    speed,
                    retract=away > settings.retract_above_mm,
                )
            )
            position = xy[-1]
        seams = np.array([line.points_mm[0, :2] for line in lines]) if lines else np.empty((0, 2))
        fan = settings.fan if index + 1 >= settings.fan_from_layer else 0.0
        result.append(Layer(top, height, tuple(lines), fan))
    return result
