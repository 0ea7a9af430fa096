"""Which lines fill each layer: along the walls, in the thick parts, over gaps and in what remains narrow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from math import pi
from typing import TYPE_CHECKING

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType

from toughopt.errors import MeshError
from toughopt.slicing.base import Role
from toughopt.slicing.chains import Chains, joined
from toughopt.slicing.infill import LINK_SHARE, rectilinear
from toughopt.slicing.outlines import Samples, sample
from toughopt.slicing.sections import contours
from toughopt.slicing.simplify import simplified
from toughopt.slicing.walls import Plan, Spacing, chains, plan, rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.sections import Sections

_STEP_MM = 0.6  # largest distance of two samples of an outline
_SLIVER_MM2 = 0.02  # smaller remains stay empty
_CRACK_MM = 0.05  # half the width of the cracks between lines that stay empty
_FINE_MM = 0.01  # what lines leave over need not be known more exactly
_GAP_MM2 = 0.08  # gaps below this stay empty
_SHORTEST = 1.0  # gap fill shorter than this many lines is wide is left out
_EDGE = LINK_SHARE / 2.0  # share of its spacing that the middles of solid fill keep from the walls
_TOO_THIN = 0.8  # of the narrowest line: a wall below this is not printed
_SKIN = 3  # layers of thin walls above each other that are no skin any more
_MANY = 30  # lines beside each boundary where no solid fill follows

ROLES = (
    Role.EXTERNAL_PERIMETER,
    Role.PERIMETER,
    Role.GAP_FILL,
    Role.SOLID_INFILL,
    Role.BRIDGE,
)


@dataclass(frozen=True, slots=True)
class Filling:
    """Lines of a part; the chains' layer is that of the part.

    role : (chains,) int, counts in `ROLES`
    piece : (chains,) int, the connected piece of the sections that each line fills
    """

    lines: Chains
    role: NDArray[np.int64]
    piece: NDArray[np.int64]

    def only(self, keep: NDArray[np.bool_]) -> Filling:
        """The lines for which `keep`, (chains,) bool, holds."""
        return Filling(self.lines.only(keep), self.role[keep], self.piece[keep])

    def __add__(self, other: Filling) -> Filling:
        """The lines of both."""
        return Filling(
            joined((self.lines, other.lines)),
            np.concatenate((self.role, other.role)),
            np.concatenate((self.piece, other.piece)),
        )

    def simplified(self, tolerance_mm: float) -> Filling:
        """The same with fewer points along walls and gaps, within a tolerance."""
        curved = self.role < ROLES.index(Role.SOLID_INFILL)
        some = self.only(curved)
        return replace(some, lines=simplified(some.lines, tolerance_mm)) + self.only(~curved)


def spacings(profile: PrinterProfile, height_mm: float) -> Spacing:
    """Distances between lines for the nozzle's widths: s = w - h (1 - pi / 4), a rectangle with round ends."""
    nozzle = profile.nozzle
    off = height_mm * (1.0 - pi / 4.0)
    return Spacing(nozzle.line_width_min_mm - off, nozzle.line_width_mm - off, nozzle.line_width_max_mm - off)


def filled(sections: Sections, bridges: Mapping[int, CrossSection], profile: PrinterProfile) -> Filling:
    """Lines for every layer of `sections`.

    Parameters
    ----------
    bridges : layer -> region that spans air, filled with lines across it

    Raises
    ------
    MeshError
        If most of a layer is thinner than a line.
    """
    spacing = spacings(profile, profile.slicing.layer_height_mm)
    samples, layout = _planned(sections.islands, spacing, profile.slicing.perimeters)
    if sections.parent is None:
        _refuse_thin(samples, layout, sections, profile)
    walls, remains = _along(samples, layout, spacing)
    broad: list[tuple[int, CrossSection]] = []
    across: list[tuple[int, CrossSection]] = []
    narrow: list[tuple[int, CrossSection]] = []
    edge, room = -_EDGE * spacing.nominal_mm, 0.75 * spacing.nominal_mm
    for island, found in remains:
        region, over_air = _opened(found), bridges.get(int(sections.layer[island]))
        if region.area() > pi * room**2 and (middle := region.offset(-room, JoinType.Miter)).area() > _SLIVER_MM2:
            wide = middle.offset(0.8 * spacing.nominal_mm, JoinType.Miter) ^ region
            region = _opened(region - wide)
            if over_air is not None:
                span = wide ^ over_air
                across += [(island, piece) for piece in span.offset(edge, JoinType.Miter).decompose()]
                wide = wide - span
            broad += [(island, piece) for piece in wide.offset(edge, JoinType.Miter).decompose()]
        narrow.append((island, region))

    gaps = _gaps(narrow, spacing)
    solid = _rectilinear(broad, sections.layer, profile.slicing.infill_angle_deg, spacing)
    bridge = _bridges([(island, piece, bridges[int(sections.layer[island])]) for island, piece in across], spacing)
    kinds = (
        np.minimum(walls.depth, 1),
        np.full(len(gaps.layer), 2),
        np.full(len(solid.layer), 3),
        np.full(len(bridge.layer), 4),
    )
    lines = joined((walls, gaps, solid, bridge))  # up to here their layer is the island
    piece = lines.layer if sections.parent is None else sections.parent[lines.layer]
    return Filling(replace(lines, layer=sections.layer[lines.layer]), np.concatenate(kinds), piece)


def plainly_filled(sections: Sections, pieces: NDArray[np.int64], profile: PrinterProfile) -> Filling:
    """One line of the nozzle's own width around all parts of these pieces, and solid fill within.

    For pieces in which no wall can be made out; what is narrower than a line stays empty.
    """
    spacing = spacings(profile, profile.slicing.layer_height_mm)
    loops: list[tuple[int, NDArray[np.float64]]] = []
    broad: list[tuple[int, CrossSection]] = []
    for index in pieces.tolist():
        whole = sections.piece(index)
        loops += [(index, loop) for loop in contours(whole.offset(-spacing.nominal_mm / 2.0, JoinType.Round))]
        within = whole.offset(-(1.0 + _EDGE) * spacing.nominal_mm, JoinType.Round)
        broad += [(index, part) for part in within.decompose() if part.area() > _SLIVER_MM2]
    sizes = [len(loop) for _, loop in loops]
    rings = Chains(
        np.concatenate([loop for _, loop in loops]) if loops else np.empty((0, 2)),
        np.full(sum(sizes), spacing.nominal_mm),
        np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))),
        np.ones(len(loops), dtype=bool),
        np.array([index for index, _ in loops], dtype=np.int64),
        np.zeros(len(loops), dtype=np.int64),
        np.ones(len(loops)),
    )
    solid = _rectilinear(broad, sections.layer, profile.slicing.infill_angle_deg, spacing)
    kinds = np.concatenate((np.zeros(len(loops), dtype=np.int64), np.full(len(solid.layer), 3)))
    lines = joined((rings, solid))
    return Filling(replace(lines, layer=sections.layer[lines.layer]), kinds, lines.layer)


def _planned(
    islands: Iterable[Iterable[NDArray[np.float64]]], spacing: Spacing, perimeters: int
) -> tuple[Samples, Plan]:
    """Samples of the islands' boundaries, and how many lines lie along them."""
    loops = [(index, loop) for index, members in enumerate(islands) for loop in members]
    samples = sample([loop for _, loop in loops], np.array([index for index, _ in loops], dtype=np.int64), _STEP_MM)
    return samples, plan(samples, spacing, perimeters)


def _along(samples: Samples, layout: Plan, spacing: Spacing) -> tuple[Chains, list[tuple[int, CrossSection]]]:
    """Lines along the boundaries of islands, and the regions that they leave; both numbered by island."""
    left: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
    for index, contour in rest(samples, layout):
        left[index].append(contour)
    remains = ((index, CrossSection(found, FillRule.Positive)) for index, found in left.items())
    kept = [(index, region) for index, region in remains if region.area() > _SLIVER_MM2]
    return chains(samples, layout, spacing.least_mm), kept


def _refuse_thin(samples: Samples, layout: Plan, sections: Sections, profile: PrinterProfile) -> None:
    """Raise MeshError where most of the outline bounds walls that no line of the nozzle fits into, layer upon layer.

    One such layer alone is the skin of something round.
    """
    layer = sections.layer[samples.island[samples.contour]]
    share = samples.share_mm
    narrowest = profile.nozzle.line_width_min_mm
    thin = layout.wall & (2.0 * layout.disc.radius_mm < _TOO_THIN * narrowest)
    count = len(sections.top_mm)
    around = np.bincount(layer, share, count)
    bad = (np.bincount(layer, share * thin, count) > 0.5 * around) & (around > 0.0)
    high = min(_SKIN, count)
    stacked = np.convolve(bad, np.ones(high), "valid") > high - 0.5
    if np.any(stacked):
        first = int(np.argmax(stacked))
        wall = 2.0 * float(np.median(layout.disc.radius_mm[thin & (layer == first)]))
        raise MeshError(
            f"at z = {sections.top_mm[first]:.2f} mm the wall is {wall:.2f} mm thick, but the narrowest line of "
            f"{profile.name} is {narrowest:g} mm; make the wall thicker or use a finer nozzle"
        )


def _opened(region: CrossSection) -> CrossSection:
    """The region without what is narrower than twice `_CRACK_MM`, and without points that are not needed to tell it."""
    return region.simplify(_FINE_MM).offset(-_CRACK_MM, JoinType.Miter).offset(_CRACK_MM, JoinType.Miter)


def _gaps(narrow: list[tuple[int, CrossSection]], spacing: Spacing) -> Chains:
    pieces = ((index, part) for index, region in narrow for part in region.simplify(0.02).decompose())
    kept = [(index, part, contours(part)) for index, part in pieces if part.area() > _GAP_MM2]
    if not kept:
        return joined(())
    parts = [part for _, part, _ in kept]
    islands = [(index, loops) for index, _, loops in kept]
    thin = replace(spacing, least_mm=0.5 * spacing.least_mm)
    found, _ = _along(*_planned([loops for _, loops in islands], thin, _MANY), thin)
    room = np.array([part.area() for part in parts])
    taken = np.bincount(found.layer, weights=found.area_mm2, minlength=len(room))
    found = found.only((taken < 1.3 * room)[found.layer])
    found = replace(found, layer=np.array([index for index, _ in islands])[found.layer])
    width = found.area_mm2 / np.maximum(found.length_mm, 1e-9)
    return found.only(found.length_mm > _SHORTEST * np.maximum(width, 0.5 * spacing.nominal_mm))


def _rectilinear(
    broad: list[tuple[int, CrossSection]], layer_of: NDArray[np.int64], angle_deg: float, spacing: Spacing
) -> Chains:
    """Solid fill of parts of islands, which take the place of the chains' layer; it turns from layer to layer."""
    loops = [(number, loop) for number, (_, piece) in enumerate(broad) for loop in contours(piece)]
    region = np.array([number for number, _ in loops], dtype=np.int64)
    island = np.array([index for index, _ in broad], dtype=np.int64)
    turned = np.deg2rad(angle_deg + 90.0 * (layer_of[island[region]] % 2))
    found = rectilinear([loop for _, loop in loops], region, turned, spacing.nominal_mm)
    return replace(found, layer=island[found.layer])


def _bridges(across: Sequence[tuple[int, CrossSection, CrossSection]], spacing: Spacing) -> Chains:
    """Fill over air of (island, part, what lies over air), each in the direction in which its spans are shortest."""
    pieces = []
    for index, piece, over_air in across:
        free = contours(piece ^ over_air)
        loops = contours(piece)
        best, shortest = joined(()), np.inf
        for angle in np.deg2rad(np.arange(0.0, 180.0, 22.5)):
            spans = rectilinear(free, np.full(len(free), index), np.full(len(free), angle), spacing.nominal_mm)
            length = float(np.sum(spans.ahead_mm[0::2] ** 2)) if len(spans.point_mm) else 0.0
            if length < shortest:
                shortest = length
                best = rectilinear(loops, np.full(len(loops), index), np.full(len(loops), angle), spacing.nominal_mm)
        pieces.append(best)
    return joined(pieces)
