"""Filled layers become an ordered sequence of lines with flow and speed."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from toughopt.slicing.base import Layer, Line, Role
from toughopt.slicing.chains import Chains, between
from toughopt.slicing.fill import ROLES, Filling
from toughopt.slicing.overhang import edges_of, inside
from toughopt.slicing.route import Path, Stop, order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from manifold3d import CrossSection
    from numpy.typing import NDArray

    from toughopt.profiles import PrinterProfile, Speeds
    from toughopt.slicing.sections import Sections

_FLOW_RANGE = (0.93, 1.07)  # the correction of a layer's flow to what it holds of the solid stays within this
_SHORTEST_OVERHANG_MM = 0.6


def assembled(
    filling: Filling,
    sections: Sections,
    free: Mapping[int, CrossSection],
    profile: PrinterProfile,
) -> list[Layer]:
    """Layers in printing order.

    Parameters
    ----------
    free : layer -> region that nothing carries; outlines over it are printed as overhangs
    """
    lines, settings = filling.lines, profile.slicing
    count = len(sections.top_mm)
    printed = np.bincount(lines.layer, weights=lines.area_mm2, minlength=count)
    factor = _flow_factors(sections.held_mm3, printed * sections.height_mm)
    numbers = np.argsort(lines.layer, kind="stable")
    members = np.split(numbers, np.cumsum(np.bincount(lines.layer, minlength=count))[:-1])
    rank = np.where(filling.role >= 3, 1, 0)
    starts, closed = lines.start.tolist(), lines.closed.tolist()
    rng = np.random.default_rng(0) if settings.seam == "random" else None
    position, seams = np.zeros(2), np.empty((0, 2))
    stops: list[Stop] = []
    for here in members:
        paths = [Path(lines.point_mm[starts[i] : starts[i + 1]], closed[i]) for i in here.tolist()]
        found = order(paths, rank[here], position, settings.seam, rng, seams)
        stops += [Stop(int(here[stop.index]), stop.first, stop.backwards) for stop in found]
        if found:
            last = found[-1]
            path = paths[last.index]
            position = path.point_mm[last.first if path.closed else 0 if last.backwards else -1]
            seams = np.array([paths[stop.index].point_mm[stop.first] for stop in found])
    laid = _laid(lines, filling.role, stops, factor, sections, profile)
    layers: list[list[Line]] = [[] for _ in range(count)]
    rims = {index: edges_of(region) for index, region in free.items()}
    for stop, line in zip(stops, laid, strict=True):
        index = int(lines.layer[stop.index])
        layers[index] += _over_air(line, rims.get(index), profile.speeds)
    return [
        Layer(float(top), float(height), tuple(found), settings.fan if index + 1 >= settings.fan_from_layer else 0.0)
        for index, (top, height, found) in enumerate(zip(sections.top_mm, sections.height_mm, layers, strict=True))
    ]


def placed(layers: Sequence[Layer], profile: PrinterProfile, centre_mm: NDArray[np.float64]) -> list[Layer]:
    """Layers moved to the middle of the bed, (2,) float, with retraction decided for each line."""
    lines = [line for layer in layers for line in layer.lines]
    if not lines:
        return list(layers)
    bounds = np.cumsum([0, *(len(line.points_mm) for line in lines)])
    points = np.concatenate([line.points_mm for line in lines])
    begin, end = points[bounds[:-1], :2], points[bounds[1:] - 1, :2]
    away = begin - np.concatenate((np.zeros((1, 2)), end[:-1]))
    far = (np.hypot(away[:, 0], away[:, 1]) > profile.slicing.retract_above_mm).tolist()
    points += np.array([centre_mm[0], centre_mm[1], 0.0])
    moved = (
        Line(points[a:b], line.role, line.width_mm, line.height_mm, line.flow_mm2, line.speed_mm_s, line.route_mm, back)
        for line, a, b, back in zip(lines, bounds[:-1].tolist(), bounds[1:].tolist(), far, strict=True)
    )
    return [replace(layer, lines=tuple(islice(moved, len(layer.lines)))) for layer in layers]


def paced(layers: Sequence[Layer], profile: PrinterProfile) -> list[Layer]:
    """Layers slowed down to the profile's minimum layer time, no line below its minimum speed."""
    settings, speeds = profile.slicing, profile.speeds
    floor = settings.minimum_speed_mm_s
    result = []
    for number, layer in enumerate(layers):
        asked = np.array([line.speed_mm_s for line in layer.lines])
        speed = np.minimum(asked, speeds.first_layer) if number == 0 else asked
        length = _lengths(layer.lines)
        for _ in range(4):  # lines that reach the minimum speed leave the rest to the others
            seconds = length / speed
            able = float(np.sum(seconds[speed > floor * 1.001]))
            missing = settings.minimum_layer_time_s - float(np.sum(seconds))
            if missing <= 1e-3 or able <= 0.0:
                break
            speed = np.maximum(speed * (able / (able + missing)), np.minimum(floor, speed))
        lines = (
            line if new == line.speed_mm_s else replace(line, speed_mm_s=new)
            for line, new in zip(layer.lines, speed.tolist(), strict=True)
        )
        result.append(replace(layer, lines=tuple(lines)))
    return result


def _lengths(lines: Sequence[Line]) -> NDArray[np.float64]:
    """(lines,) float."""
    if not lines:
        return np.empty(0)
    sizes = np.array([len(line.points_mm) for line in lines])
    step = np.diff(np.concatenate([line.points_mm for line in lines]), axis=0)
    way = np.append(np.sqrt(np.einsum("ij,ij->i", step, step)), 0.0)
    last = np.cumsum(sizes) - 1
    way[last] = 0.0
    return np.asarray(np.add.reduceat(way, last - sizes + 1))


def _flow_factors(wanted_mm3: NDArray[np.float64], printed_mm3: NDArray[np.float64]) -> NDArray[np.float64]:
    """(layers,) float: the flow that makes each layer's volume true, within limits; later layers make up the rest."""
    factor, owed = np.ones(len(wanted_mm3)), 0.0
    for index, (wanted, printed) in enumerate(zip(wanted_mm3.tolist(), printed_mm3.tolist(), strict=True)):
        factor[index] = min(max((wanted + owed) / max(printed, 1e-9), _FLOW_RANGE[0]), _FLOW_RANGE[1])
        owed += wanted - factor[index] * printed
    return factor


def speed_of(role: Role, speeds: Speeds) -> float:
    """Speed at which lines of a role are printed, mm/s."""
    return {
        Role.EXTERNAL_PERIMETER: speeds.external_perimeter,
        Role.PERIMETER: speeds.perimeter,
        Role.OVERHANG_PERIMETER: speeds.overhang,
        Role.SOLID_INFILL: speeds.solid_infill,
        Role.BRIDGE: speeds.bridge,
        Role.GAP_FILL: speeds.gap_fill,
        Role.SKIRT: speeds.perimeter,
    }[role]


def _laid(
    chains: Chains,
    role: NDArray[np.int64],
    stops: Sequence[Stop],
    factor: NDArray[np.float64],
    sections: Sections,
    profile: PrinterProfile,
) -> list[Line]:
    """One line a stop, in the order of the stops."""
    if not stops:
        return []
    chain = np.array([stop.index for stop in stops])
    first = np.array([stop.first for stop in stops])
    backwards = np.array([stop.backwards for stop in stops])
    closed = chains.closed[chain]
    size = np.diff(chains.start)[chain]
    length = size + closed
    offset = np.concatenate(([0], np.cumsum(length)))
    owner = np.repeat(np.arange(len(stops)), length)
    rank = np.arange(len(owner)) - offset[owner]
    rank = np.where(backwards[owner], size[owner] - 1 - rank, (rank + first[owner]) % size[owner])
    use = chains.start[chain][owner] + rank
    layer = chains.layer[chain]
    height = sections.height_mm[layer]
    point = np.column_stack((chains.point_mm[use], sections.top_mm[layer][owner]))
    spacing = chains.spacing_mm[use] * factor[layer][owner]
    flow = between(spacing[:-1], spacing[1:]) * height[owner][:-1]
    odd = (np.arange(len(owner)) - offset[owner]) % 2 == 1  # also from behind: zigzags have an odd number of segments
    flow *= np.where(odd, chains.link_share[chain][owner], 1.0)[:-1]
    width = np.add.reduceat(spacing, offset[:-1]) / length + height * (1.0 - pi / 4.0)
    speed = np.array([speed_of(kind, profile.speeds) for kind in ROLES])[role[chain]]
    return [
        Line(point[a:b], ROLES[kind], w, h, flow[a : b - 1], v)
        for a, b, kind, w, h, v in zip(
            offset[:-1].tolist(),
            offset[1:].tolist(),
            role[chain].tolist(),
            np.round(width, 4).tolist(),
            height.tolist(),
            speed.tolist(),
            strict=True,
        )
    ]


def _over_air(line: Line, free: NDArray[np.float64] | None, speeds: Speeds) -> list[Line]:
    """The line, cut where it comes upon an overhang or leaves it."""
    if free is None or line.role not in (Role.EXTERNAL_PERIMETER, Role.PERIMETER):
        return [line]
    if speeds.overhang >= line.speed_mm_s:  # as fast over air as elsewhere: nothing to cut for
        return [line]
    middle = (line.points_mm[:-1, :2] + line.points_mm[1:, :2]) / 2.0
    over = inside(free, middle)
    if not np.any(over) or float(np.sum(line.lengths_mm[over])) < _SHORTEST_OVERHANG_MM:
        return [line]
    flow = np.broadcast_to(np.asarray(line.flow_mm2, dtype=np.float64), len(over))
    edges = [0, *(np.flatnonzero(np.diff(over)) + 1).tolist(), len(over)]
    parts = []
    for a, b in pairwise(edges):
        kind = Role.OVERHANG_PERIMETER if over[a] else line.role
        speed = speeds.overhang if over[a] else line.speed_mm_s
        parts.append(
            replace(line, points_mm=line.points_mm[a : b + 1], role=kind, flow_mm2=flow[a:b], speed_mm_s=speed)
        )
    return parts
