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
_SECOND_PIECE = 0.02  # share of a layer's area above which a second piece is refused


def spiral(sections: Sections, profile: PrinterProfile) -> tuple[list[Layer], float, tuple[str, ...]]:
    """The layers of a spiral, the volume of the shell in mm3, and warnings.

    The first layer lies flat. Above it the nozzle rises by a layer's height a turn, and its place moves from the
    outline of the layer below to that of its own; the flow grows from nothing over the first turn and fades over a last
    turn at constant height, so that bottom and top are flat.

    Raises
    ------
    MeshError
        If a layer has more than one piece: a single line cannot print it.
    """
    settings = profile.slicing
    spacing = profile.nozzle.line_width_mm - settings.layer_height_mm * (1.0 - pi / 4.0)
    outlines, warnings = _outlines(sections)
    loops = _inset(outlines, spacing / 2.0)
    bottom = min(settings.vase_bottom_layers, len(loops) - 1)
    rounds: list[Layer] = []
    volume = 0.0
    start = loops[bottom][_rear(loops[bottom])]
    below: NDArray[np.float64] | None = None
    for index in range(bottom, len(loops) + 1):
        closing = index == len(loops)
        own = min(index, len(loops) - 1)
        loop = _from(loops[own], start)
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
        flow = (share[:-1] + share[1:]) / 2.0 * spacing * height
        path = np.column_stack((point, z))
        # between two outlines the way is a little shorter than along them: the wall's volume stays that of the outline
        laid = float(np.sum(flow * np.linalg.norm(np.diff(path, axis=0), axis=1)))
        flow *= np.clip(float(np.sum(flow * np.diff(way))) / max(laid, 1e-9), *_FLOW_RANGE)
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
            volume += spacing * height * float(way[-1])
        below, start = loops[own], loop[-1]
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


def _inset(outlines: Sequence[NDArray[np.float64]], inset_mm: float) -> list[NDArray[np.float64]]:
    """Middle of the wall of each layer: closed, counter-clockwise, at `inset_mm` or in the middle of narrow parts."""
    samples = sample(outlines, np.arange(len(outlines)), _STEP_MM)
    disc = thickness(samples, 2.0 * inset_mm)
    fits = np.where(samples.sharp, inset_mm <= samples.corner_mm, inset_mm <= disc.radius_mm * 1.02)
    fits |= (disc.facing > 0.5) & ~samples.sharp
    inset = np.where(samples.sharp, inset_mm, np.minimum(inset_mm, disc.radius_mm))
    point = samples.point_mm + samples.normal * (inset * samples.stretch)[:, None]
    loops = []
    for index, (first, last) in enumerate(zip(samples.start[:-1], samples.start[1:], strict=True)):
        loop = point[first:last][fits[first:last]]
        if len(loop) < 3:
            region = CrossSection([outlines[index]]).offset(-0.3 * inset_mm, JoinType.Round)
            found = [np.asarray(contour, dtype=np.float64) for contour in region.to_polygons()]
            loop = max(found, key=enclosed_mm2) if found else outlines[index]
        loops.append(loop)
    return loops


def _rear(loop: NDArray[np.float64]) -> int:
    return int(np.lexsort((loop[:, 0], loop[:, 1]))[-1])


def _from(loop: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loop from its point nearest to `start` on, ending there again; (k, 2) float."""
    spot, edge = _projected(start[None, :], loop)
    first = int(edge[0]) + 1
    turned = np.roll(loop, -first, axis=0)
    if float(np.hypot(*(turned[0] - spot[0]))) < 1e-6:
        return np.vstack((turned, turned[:1]))
    return np.vstack((spot, turned, spot))


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
