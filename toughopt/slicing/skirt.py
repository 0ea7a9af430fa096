"""Skirt and brim: loops around the part on the bed, printed before anything else."""

from __future__ import annotations

from math import ceil, pi
from typing import TYPE_CHECKING

import numpy as np
from manifold3d import CrossSection, JoinType

from toughopt.slicing.base import Line, Role

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile


def around(first: CrossSection, profile: PrinterProfile) -> list[Line]:
    """Lines of skirt and brim around the section of the first layer, from the outside in."""
    settings = profile.slicing
    height = settings.first_layer_height_mm
    spacing = profile.nozzle.line_width_mm - height * (1.0 - pi / 4.0)
    hull = first.hull()
    brims = ceil(settings.brim_mm / spacing)
    widest = spacing * (brims + 0.5)
    distances = [max(settings.skirt_distance_mm, widest) + spacing * k for k in range(settings.skirt_loops)]
    loops = [hull.offset(distance, JoinType.Round) for distance in reversed(distances)]
    filled = _without_holes(first)
    loops += [filled.offset(spacing * (k + 0.5), JoinType.Round) for k in reversed(range(brims))]
    lines = []
    for loop in loops:
        for contour in loop.simplify(settings.tolerance_mm).to_polygons():
            points = np.asarray(contour, dtype=np.float64)
            closed = np.vstack((points, points[:1]))
            lines.append(
                Line(
                    np.column_stack((closed, np.full(len(closed), height))),
                    Role.SKIRT,
                    profile.nozzle.line_width_mm,
                    height,
                    spacing * height,
                    min(profile.speeds.first_layer, profile.speeds.perimeter),
                )
            )
    return lines


def _without_holes(section: CrossSection) -> CrossSection:
    """The section with its holes closed, because a brim lies outside only."""
    return CrossSection([contour for contour in section.to_polygons() if CrossSection([contour]).area() > 0.0])
