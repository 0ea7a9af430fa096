"""Lines along the walls, their number and spacing fitted to the wall at each point.

A wall of thickness t takes N = 1, 2, 4, 6 ... lines of spacing t / N, so that it is neither over- nor under-filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toughopt.slicing.chains import Chains, joined
from toughopt.slicing.outlines import Samples, inside, last_where, next_where
from toughopt.slicing.thickness import Thickness, thickness

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PARALLEL = 0.5  # two sides are the sides of a wall if their normals face each other within 60 degrees
_NECK = 1.15  # a line stops where its inset exceeds the wall's half by this factor
_THINNEST = 0.3  # half of a single line, in least spacings
_SPLINTER = 0.8  # of the mean half of an island's width: what is to be moved by more may leave it
_FILL = 6  # lines that solid fill has room for, at least; thinner walls take lines along them alone
_LONG = 4.0  # times the largest half wall: stretches of thick walls below this are filled like thick parts
_CORNER = 1.3  # how much larger a disc may be where a thick wall turns than along it
_REACH = 1.5  # how far beside a wall its thickness still counts, in radii


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances between the middles of neighbouring lines, mm."""

    least_mm: float
    nominal_mm: float
    most_mm: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How many lines lie between the boundary and the middle of the wall, at each sample.

    count : (n,) int
    spacing_mm : (n,) float; of a single line, the most that half of it may be
    single : (n,) bool, one line in the middle of the wall serves both sides
    wall : (n,) bool, the disc touches two sides that face each other
    owner : (n,) bool, the sample whose side draws that single line
    """

    count: NDArray[np.int64]
    spacing_mm: NDArray[np.float64]
    single: NDArray[np.bool_]
    wall: NDArray[np.bool_]
    owner: NDArray[np.bool_]
    disc: Thickness


def plan(samples: Samples, spacing: Spacing, perimeters: int) -> Plan:
    """Number and spacing of the lines at each sample.

    Where the wall is thicker than ``2 (perimeters + 1)`` of the widest lines, and if it is long also than
    ``2 perimeters`` nominal ones and `_FILL` between them, `perimeters` nominal ones are planned and the rest is left
    to the solid fill.
    """
    short_cap = (perimeters + 1) * spacing.most_mm
    cap = max((perimeters + _FILL / 2.0) * spacing.nominal_mm, short_cap)
    disc = thickness(samples, _CORNER * cap)
    known = (disc.facing > _PARALLEL) & (disc.radius_mm < cap * 0.999) & ~samples.sharp
    thick = known & (disc.radius_mm > short_cap * 0.999)
    run, length = _runs(thick, samples.share_mm, samples)
    long = length[run] > _LONG * cap
    known &= ~thick | (long & long[disc.partner])  # both sides of a wall are filled alike
    half = _half_wall(samples, disc, known, short_cap)
    wall = np.isfinite(half)
    half_or_0 = np.where(wall, half, 0.0)
    single = wall & (half_or_0 < _single_below(spacing) / 2.0)
    fewest = np.ceil(half_or_0 / spacing.most_mm - 1e-6)
    largest = np.maximum(np.floor(half_or_0 / spacing.least_mm + 1e-6), fewest)
    count = np.clip(np.round(half_or_0 / spacing.nominal_mm), fewest, largest).astype(np.int64)
    count = np.where(wall, np.maximum(count, 1), perimeters)
    count = _without_short_runs(samples, count, half, spacing)
    wide = np.where(wall, half_or_0 / np.maximum(count, 1), spacing.nominal_mm)
    wide = np.where(single, 1.1 * wide, np.clip(wide, 0.6 * spacing.least_mm, 1.1 * spacing.most_mm))
    own = np.arange(len(count))
    return Plan(count, wide, single, known, known & (own < disc.partner), disc)


def chains(samples: Samples, layout: Plan, least_mm: float) -> Chains:
    """The lines that a plan asks for, outermost first; single ones of much less than `least_mm` are left out."""
    alone = layout.owner & (layout.disc.radius_mm > _THINNEST * least_mm)
    deepest = int(layout.count.max(initial=0))
    splinter = np.where(layout.wall, _NECK, _SPLINTER) * samples.half_width_mm
    pieces = []
    for depth in range(deepest):
        middle = np.minimum(layout.disc.radius_mm, layout.spacing_mm)
        inset = np.where(layout.single, middle, (depth + 0.5) * layout.spacing_mm)
        beyond = layout.wall & (inset > _NECK * layout.disc.radius_mm)  # a neck that this line does not pass
        inset = np.where(layout.wall, np.minimum(inset, layout.disc.radius_mm), inset)
        wanted = (layout.count > depth) & (~layout.single | (alone & (depth == 0))) & ~beyond
        fits = _fits(samples, layout, inset)
        doubtful = np.flatnonzero(wanted & fits & _doubtful(samples, layout.disc, splinter, inset))
        fits[doubtful] = inside(samples, doubtful, _moved(samples, inset)[doubtful])
        width = np.where(layout.single, 2.0 * middle, layout.spacing_mm)
        pieces.append(_cut(samples, wanted, fits, inset, width, depth))
    return joined(pieces)


def rest(samples: Samples, layout: Plan) -> list[tuple[int, NDArray[np.float64]]]:
    """Contours (island, (k, 2) float) around what the planned lines leave unfilled; not yet cleaned of overlaps."""
    depth = np.where(layout.single, layout.disc.radius_mm, layout.count * layout.spacing_mm)
    keep = _fits(samples, layout, depth) | (depth >= layout.disc.radius_mm * 0.98) & ~samples.sharp
    depth = np.minimum(depth, np.where(samples.sharp, np.inf, layout.disc.radius_mm))
    point = _moved(samples, depth)
    result = []
    for index, (first, last) in enumerate(zip(samples.start[:-1], samples.start[1:], strict=True)):
        contour = point[first:last][keep[first:last]]
        if len(contour) >= 3:
            result.append((int(samples.island[index]), contour))
    return result


def _single_below(spacing: Spacing) -> float:
    return 0.5 * (2.0 * spacing.least_mm + spacing.most_mm)


def _half_wall(samples: Samples, disc: Thickness, known: NDArray[np.bool_], cap: float) -> NDArray[np.float64]:
    """Half the thickness of the wall at each sample; nan where there is no wall, only a thick part."""
    half = np.where(known, disc.radius_mm, np.nan)
    # beside a corner or a wall's end the disc is small for another reason: the wall's own thickness is carried there
    travelled = np.concatenate(
        ([0.0], np.cumsum(np.linalg.norm(samples.point_mm[samples.after] - samples.point_mm, axis=1)))
    )
    ring = samples.contour
    around = (travelled[samples.start[1:]] - travelled[samples.start[:-1]])[ring]
    for found, sign in ((last_where(known, samples.start), 1.0), (next_where(known, samples.start), -1.0)):
        away = sign * (travelled[:-1] - travelled[found])
        away = np.where(away < 0, away + around, away)
        lent = disc.radius_mm[found]
        most = np.where(lent > cap, _CORNER * lent, cap * 0.999)
        use = ~known & (found >= 0) & (away <= _REACH * lent) & (disc.radius_mm < most)
        half = np.where(use & ~(half <= lent), lent, half)
    # a disc between facing sides cannot grow faster than its point moves
    step = np.diff(travelled)
    for _ in range(3):
        behind = half[samples.before] + step[samples.before]
        half = np.where(half > behind, behind, half)
        ahead = half[samples.after] + step
        half = np.where(half > ahead, ahead, half)
    for _ in range(2):
        around_it = (half[samples.before] + 2.0 * half + half[samples.after]) / 4.0
        half = np.where(np.isfinite(around_it), around_it, half)
    return half


def _without_short_runs(
    samples: Samples, count: NDArray[np.int64], half: NDArray[np.float64], spacing: Spacing
) -> NDArray[np.int64]:
    """Counts without stretches so short that a line there would be hardly longer than wide."""
    shortest = 2.5 * spacing.nominal_mm
    share = samples.share_mm
    for level in range(1, int(count.max(initial=0))):
        for more in (False, True):
            inside = (count > level) if not more else (count <= level)
            run, length = _runs(inside, share, samples)
            short = inside & (length[run] < shortest)
            if more:
                fits = ~np.isfinite(half) | (half / (level + 1) > 0.75 * spacing.least_mm)
                count = np.where(short & fits & (count == level), level + 1, count)
            else:
                fits = ~np.isfinite(half) | (half / level < 1.25 * spacing.most_mm)
                count = np.where(short & fits, level, count)
    return count


def _runs(
    inside: NDArray[np.bool_], share: NDArray[np.float64], samples: Samples
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Run number of each sample (runs wrap around their contour) and the length of each run."""
    breaks = inside != inside[samples.before]
    head = last_where(breaks, samples.start)
    run = np.where(head >= 0, head, samples.start[samples.contour])
    return run, np.asarray(np.bincount(run, weights=share, minlength=len(inside)), dtype=np.float64)


def _fits(samples: Samples, layout: Plan, inset: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.where(samples.sharp, inset <= samples.corner_mm, inset <= layout.disc.radius_mm * 1.02 + 1e-6)


def _doubtful(
    samples: Samples, disc: Thickness, splinter_mm: NDArray[np.float64], inset: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Samples that may come out on the other side of the solid: their discs don't tell how far it is.

    A mitred corner stays inside its disc, which holds no other boundary, as long as it moves by less than its diameter.
    In splinters, which are thinner than the inset (above `splinter_mm`), samples are too far apart for any disc.
    """
    sharp = samples.sharp & (inset * samples.stretch > 2.0 * disc.radius_mm)
    return np.asarray(sharp | (inset > splinter_mm))


def _moved(samples: Samples, inset: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(samples.point_mm + samples.normal * (inset * samples.stretch)[:, None])


def _cut(
    samples: Samples,
    wanted: NDArray[np.bool_],
    fits: NDArray[np.bool_],
    inset: NDArray[np.float64],
    width: NDArray[np.float64],
    depth: int,
) -> Chains:
    """Chains of wanted samples: a ring where all of a contour is wanted, else one chain a run."""
    ring = samples.contour
    whole = np.logical_and.reduceat(wanted, samples.start[:-1]) if len(wanted) else np.empty(0, dtype=bool)
    head = wanted & ~wanted[samples.before]
    head[samples.start[:-1][whole]] = True
    # a chain that crosses a contour's first sample goes on after its last one
    leader = last_where(head, samples.start)
    use = np.flatnonzero(wanted & fits & (leader >= 0))
    offset = np.where(use < leader[use], samples.start[1:][ring[use]] - samples.start[:-1][ring[use]], 0)
    order = np.lexsort((use + offset, leader[use]))
    use = use[order]
    chain, _, size = np.unique(leader[use], return_index=True, return_counts=True)
    point = _moved(samples, inset)[use]
    closed = whole[ring[chain]] | _nearly_closed(point, width[use], size)
    good = size >= np.where(closed, 3, 2)
    keep = np.repeat(good, size)
    return Chains(
        point[keep],
        width[use][keep],
        np.concatenate(([0], np.cumsum(size[good]))),
        closed[good],
        samples.island[ring[chain]][good],
        np.full(int(good.sum()), depth),
        np.ones(int(good.sum())),
    )


def _nearly_closed(
    point: NDArray[np.float64], width: NDArray[np.float64], size: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Chains that come back to within a line's width of their beginning."""
    if not len(size):
        return np.empty(0, dtype=bool)
    last = np.cumsum(size) - 1
    first = last - size + 1
    gap = np.hypot(*(point[last] - point[first]).T)
    return np.asarray((size > 8) & (gap < 1.2 * np.maximum(width[first], width[last])))
