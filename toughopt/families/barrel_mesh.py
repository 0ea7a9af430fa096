"""Meshes of crossed barrels: one wedge between two mirror planes where there are such, or all struts at once."""

from __future__ import annotations

from collections.abc import Mapping
from math import asin, ceil, cos, degrees, floor, pi, radians, sin, tan
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.geometry import Solid, circle, circle_sides, combine, gathered, leaning_tubes, mirrored_fan

if TYPE_CHECKING:
    from manifold3d import Manifold

_SPARE_RAD = 0.02  # by which struts are longer than a wedge is wide


def barrel_body(values: Mapping[str, Any]) -> Solid:
    """The body of a crossed barrel with all its values.

    Neighbours that lean in opposite senses have mirror planes halfway between the feet of each two of them, so that
    one wedge, from plane to plane, tells all. With bores in one another's walls every strut is hollowed alone.
    """
    hollow = values["r"] > values["t"]
    if values["bores"] == "walls" and hollow:
        return _with_walls(values)
    n = int(values["n"])
    if values["senses"] == "alternating" and n >= 4 and n % 2 == 0:
        return _mirrored(values)
    # struts end inside the platforms, where no two faces fall together; bores end outside
    beyond = 0.5 * values["platform_thickness"]
    whole = combine([*_tubes(values, values["r"], beyond), _plates(values)], "add")
    bores = _tubes(values, values["r"] - values["t"], -2.0 * beyond) if hollow else []
    return Solid(combine([whole, *bores], "subtract"))


def _mirrored(values: Mapping[str, Any]) -> Solid:
    from manifold3d import CrossSection, Manifold

    n, height, beyond = int(values["n"]), values["height"], 0.5 * values["platform_thickness"]
    reach = 1.1 * values["platform_radius"] / cos(pi / n)
    sector = CrossSection([np.array([(0.0, 0.0), (reach, -reach * tan(pi / n)), (reach, reach * tan(pi / n))])])
    room = Manifold.extrude(sector, 2.0 * height).translate((0.0, 0.0, -0.5 * height))
    plates = combine([_plates(values), room], "intersect")
    # first the struts alone: one union after the other is done faster than all at once
    body = combine([combine(_passing(values, values["r"], beyond), "add"), plates], "add")
    if values["r"] > values["t"]:
        body = combine([body, *_passing(values, values["r"] - values["t"], -2.0 * beyond)], "subtract")
    return Solid(mirrored_fan(combine([body, room], "intersect"), n))


def _passing(values: Mapping[str, Any], radius: float, inset: float) -> list[Manifold]:
    """The pieces of struts that pass through the wedge about the x axis, those of one sense together."""
    n, height, barrel = int(values["n"]), values["height"], values["barrel_radius"]
    rate, reach = radians(values["theta"]) / height, pi / n + asin(min(radius / barrel, 1.0)) + _SPARE_RAD
    bottom, top = inset, height - inset
    # those of the right sense are at an angle of (2 j) 2 pi / n + rate z, those of the left one of -(2 j + 1) - rate z
    senses = []
    for sense, odd in ((1.0, 0), (-1.0, 1)):
        pieces = []
        first, last = (-reach - rate * top) * n / (4.0 * pi), (reach - rate * bottom) * n / (4.0 * pi)
        for j in range(floor(first) - 1, ceil(last) + 2):
            phase = (2 * j + odd) * 2.0 * pi / n
            low, high = bottom, top
            if rate > 0.0:
                low, high = max(low, (-reach - phase) / rate), min(high, (reach - phase) / rate)
            elif abs(phase) > reach:
                continue
            if low < high:
                pieces.append(
                    leaning_tubes(
                        [sense * phase],
                        radius,
                        helix_radius_mm=barrel,
                        turn_deg_per_mm=sense * degrees(rate),
                        bottom_mm=low,
                        top_mm=high,
                        chord_error_mm=values["chord_error"],
                    )
                )
        if pieces:
            senses.append(gathered(pieces))
    return senses


def _with_walls(values: Mapping[str, Any]) -> Solid:
    height, beyond = values["height"], 0.5 * values["platform_thickness"]
    struts = _tubes(values, values["r"], -beyond)
    bores = _tubes(values, values["r"] - values["t"], -2.0 * beyond)
    hollow = [combine([strut, own], "subtract") for strut, own in zip(struts, bores, strict=True)]
    whole = combine([*hollow, combine([_plates(values), *bores], "subtract")], "add")
    return Solid(whole.trim_by_plane((0.0, 0.0, 1.0), 0.0).trim_by_plane((0.0, 0.0, -1.0), -height))


def _tubes(values: Mapping[str, Any], radius: float, inset: float) -> list[Manifold]:
    """All struts, those together that lean alike and do not touch."""
    n, sense = int(values["n"]), -1.0 if values["senses"] == "left" else 1.0
    alternating = values["senses"] == "alternating"
    apart = 2.0 * (values["barrel_radius"] * sin(pi / n) - values["r"])
    every = 2 if alternating or apart < 2.0 * values["chord_error"] else 1
    tubes = [
        leaning_tubes(
            2.0 * np.pi * np.arange(first, n, every) / n,
            radius,
            helix_radius_mm=values["barrel_radius"],
            turn_deg_per_mm=sense * values["theta"] / values["height"],
            bottom_mm=inset,
            top_mm=values["height"] - inset,
            chord_error_mm=values["chord_error"],
        )
        for first in range(1 if alternating else every)
    ]
    # the struts between them, which lean the other way, are their mirror image a step further
    return [*tubes, tubes[0].mirror((0.0, 1.0, 0.0)).rotate((0.0, 0.0, 360.0 / n))] if alternating else tubes


def _plates(values: Mapping[str, Any]) -> Manifold:
    from manifold3d import CrossSection, Manifold

    radius, thickness = values["platform_radius"], values["platform_thickness"]
    # corners that a turn by 720/n and a mirror take onto each other, and four of them on the axes
    sides = circle_sides(radius, values["chord_error"], multiple_of=int(np.lcm(4, int(values["n"]))))
    plate = Manifold.extrude(CrossSection([circle(radius, sides)]), thickness)
    return gathered([plate, plate.translate((0.0, 0.0, values["height"] - thickness))])
