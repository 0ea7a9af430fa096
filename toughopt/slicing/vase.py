"""Spiral vase: one wall around a filled solid, printed in a single rising line."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import TYPE_CHECKING

import numpy as np
from manifold3d import CrossSection, JoinType

from toughopt.errors import MeshError
from toughopt.slicing.base import Layer, Line, Role
from toughopt.slicing.outlines import sample
from toughopt.slicing.sections import enclosed_mm2
from toughopt.slicing.thickness import thickness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.sections import Sections

_STEP_MM = 0.8  # largest distance of two points of the spiral
_FLOW_RANGE = (0.95, 1.05)
_THINNEST = 0.2  # of its full depth, what the wall has at least
_CLOSEST_MM = 0.01  # points of a turn nearer than this are one
_SEGMENTS = 96  # of a circle, where insets turn round corners
_SECOND_PIECE = 0.02  # share of a layer's area above which a second piece is refused


def laying_wall(profile: PrinterProfile, thickness_mm: float) -> PrinterProfile:
    """The profile with lines that lay a spiral's wall of this thickness, or one as near to it as its nozzle can.

    A profile that prints no spirals stays as it is.
    """
    if profile.slicing.mode != "vase":
        return profile
    thinnest_mm, thickest_mm = wall_range_mm(profile)
    width_mm = min(max(thickness_mm, thinnest_mm), thickest_mm) + _sides_mm(profile)
    nozzles = list(profile.nozzles)
    nozzles[profile.tool] = profile.nozzle.model_copy(update={"line_width_mm": width_mm})
    return profile.model_copy(update={"nozzles": tuple(nozzles)})


def wall_range_mm(profile: PrinterProfile) -> tuple[float, float]:
    """The thinnest and the thickest wall that the profile's nozzle lays as one spiral line."""
    nozzle, sides_mm = profile.nozzle, _sides_mm(profile)
    return nozzle.line_width_min_mm - sides_mm, nozzle.line_width_max_mm - sides_mm


def spiral(sections: Sections, profile: PrinterProfile) -> tuple[list[Layer], float, tuple[str, ...]]:
    """The layers of a spiral, the volume of the wall in mm3, and warnings.

    The wall is what lies within one spacing inside the outline of each section; where the body is narrower than two of
    them, it is filled from both sides, each with as much as there is room for. Its volume is taken from the areas of
    the sections and of their insets, not from the spiral, which is corrected to it turn by turn.

    The first layer lies flat. Above it the nozzle rises by a layer's height a turn, and its place moves from the
    outline of the layer below to that of its own; the flow grows from nothing over the first turn and fades over a last
    turn at constant height, so that bottom and top are flat.

    Raises
    ------
    MeshError
        If a layer has more than one piece: a single line cannot print it.
    """
    settings = profile.slicing
    spacing = profile.nozzle.line_width_mm - _sides_mm(profile)
    outlines, warnings = _outlines(sections)
    wall_mm3 = _wall_mm2(outlines, spacing) * sections.height_mm
    loops = _inset(outlines, spacing)
    bottom = min(settings.vase_bottom_layers, len(loops) - 1)
    rounds: list[Layer] = []
    start = loops[bottom][_rear(loops[bottom]), :2]
    below: NDArray[np.float64] | None = None
    for index in range(bottom, len(loops) + 1):
        closing = index == len(loops)
        own = min(index, len(loops) - 1)
        loop, depth = np.hsplit(_from(loops[own], start), [2])
        way = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(loop, axis=0).T))))
        part = way / way[-1]
        top, height = float(sections.top_mm[own]), float(sections.height_mm[own])
        if below is None:  # flat on the bed or on the bottom
            point, z, share = loop, np.full(len(loop), top), np.ones(len(loop))
        elif closing:
            point, z, share = loop, np.full(len(loop), top), 1.0 - part
        else:
            point = _nearest(loop, below) * (1.0 - part)[:, None] + loop * part[:, None]
            z, share = top - height + height * part, part if not rounds[1:] else np.ones(len(loop))
        if rounds:
            point = point.copy()
            point[0] = rounds[-1].lines[-1].points_mm[-1, :2]
        fed = share * depth[:, 0] * height
        flow = (fed[:-1] + fed[1:]) / 2.0
        path = np.column_stack((point, z))
        laid = float(np.sum(flow * np.linalg.norm(np.diff(path, axis=0), axis=1)))
        wanted = wall_mm3[own] * float(np.sum((share[:-1] + share[1:]) / 2.0 * np.diff(part)))
        flow *= np.clip(wanted / max(laid, 1e-9), *_FLOW_RANGE)
        line = Line(
            path,
            Role.EXTERNAL_PERIMETER,
            profile.nozzle.line_width_mm,
            height,
            flow,
            profile.speeds.external_perimeter,
            retract=not rounds,
        )
        if closing:
            last = rounds.pop()
            rounds.append(Layer(last.top_mm, last.height_mm, (*last.lines, line), last.fan))
        else:
            fan = settings.fan if index + 1 >= settings.fan_from_layer else 0.0
            rounds.append(Layer(top, height, (line,), fan))
        below, start = loops[own][:, :2], loop[-1]
    volume = float(np.sum(wall_mm3[bottom:]))
    # what the last turn lays down too much where the top is wider than the base, all turns share
    share_of_all = volume / sum(line.volume_mm3 for layer in rounds for line in layer.lines)
    share_of_all = min(max(share_of_all, _FLOW_RANGE[0]), _FLOW_RANGE[1])
    even = [
        replace(layer, lines=tuple(replace(line, flow_mm2=line.flow_mm2 * share_of_all) for line in layer.lines))
        for layer in rounds
    ]
    return even, volume, warnings


def _outlines(sections: Sections) -> tuple[list[NDArray[np.float64]], tuple[str, ...]]:
    """The outer contour of each layer, and what was left out."""
    outlines: list[NDArray[np.float64]] = []
    holes = 0
    for index in range(len(sections.top_mm)):
        pieces = [sections.islands[piece] for piece in np.flatnonzero(sections.layer == index).tolist()]
        areas = [enclosed_mm2(max(piece, key=enclosed_mm2)) for piece in pieces]
        order = np.argsort(areas)[::-1]
        if len(pieces) > 1 and areas[order[1]] > _SECOND_PIECE * areas[order[0]]:
            raise MeshError(
                f"at z = {sections.top_mm[index]:.2f} mm the solid has {len(pieces)} separate pieces; a spiral vase is "
                'one line: slice it with mode = "solid"'
            )
        piece = pieces[int(order[0])]
        outlines.append(max(piece, key=enclosed_mm2))
        holes += len(piece) > 1
    if not holes:
        return outlines, ()
    return outlines, (f"holes in {holes} layers are not printed: a spiral vase follows the outline alone",)


def _wall_mm2(outlines: Sequence[NDArray[np.float64]], depth_mm: float) -> NDArray[np.float64]:
    """(layers,) float: area between each outline and its inset by `depth_mm`."""
    return np.array(
        [
            enclosed_mm2(outline) - CrossSection([outline]).offset(-depth_mm, JoinType.Round, 2.0, _SEGMENTS).area()
            for outline in outlines
        ]
    )


def _inset(outlines: Sequence[NDArray[np.float64]], depth_mm: float) -> list[NDArray[np.float64]]:
    """Middle of the wall of each layer: closed, counter-clockwise, (k, 3) float: x, y and the depth of the wall there.

    The wall is `depth_mm` deep, or as deep as the middle of a narrow part is away.
    """
    samples = sample(outlines, np.arange(len(outlines)), _STEP_MM)
    depth = thickness(samples, depth_mm).radius_mm
    depth = np.where(samples.sharp, depth_mm, np.maximum(depth, _THINNEST * depth_mm))  # the line never breaks off
    fits = ~samples.sharp | (depth / 2.0 <= samples.corner_mm)
    point = samples.point_mm + samples.normal * (depth / 2.0 * samples.stretch)[:, None]
    gap = point - point[samples.before]
    fits &= np.hypot(gap[:, 0], gap[:, 1]) > _CLOSEST_MM
    enough = np.add.reduceat(fits, samples.start[:-1], dtype=np.int64) >= 3
    fits |= ~enough[samples.contour]
    return [
        np.column_stack((point[first:last], depth[first:last]))[fits[first:last]]
        for first, last in zip(samples.start[:-1], samples.start[1:], strict=True)
    ]


def _rear(loop: NDArray[np.float64]) -> int:
    return int(np.lexsort((loop[:, 0], loop[:, 1]))[-1])


def _from(loop: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loop, (k, 3), from its point nearest to `start` on, ending there again."""
    spot, edge = _projected(start[None, :], loop[:, :2])
    first = int(edge[0]) + 1
    turned = np.roll(loop, -first, axis=0)
    if float(np.hypot(*(turned[0, :2] - spot[0]))) < 1e-6:
        return np.vstack((turned, turned[:1]))
    there = np.append(spot[0], (turned[0, 2] + turned[-1, 2]) / 2.0)
    return np.vstack((there, turned, there))


def _nearest(point: NDArray[np.float64], loop: NDArray[np.float64]) -> NDArray[np.float64]:
    return _projected(point, loop)[0]


def _projected(point: NDArray[np.float64], loop: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, 2) nearest points on a closed loop and (n,) the edges on which they lie."""
    edge = np.roll(loop, -1, axis=0) - loop
    size = np.maximum(np.sum(edge * edge, axis=1), 1e-18)
    along = point @ edge.T - np.sum(loop * edge, axis=1)
    part = np.clip(along / size, 0.0, 1.0)
    # squared distance, less the square of the point itself, which is the same for all edges
    gap = np.sum(loop * loop, axis=1) - 2.0 * (point @ loop.T) + part * (part * size - 2.0 * along)
    best = np.argmin(gap, axis=1)
    return loop[best] + part[np.arange(len(point)), best][:, None] * edge[best], best


def _sides_mm(profile: PrinterProfile) -> float:
    """How much wider a line with round sides is than its share of a wall."""
    return profile.slicing.layer_height_mm * (1.0 - pi / 4.0)
