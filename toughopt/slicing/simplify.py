"""Fewer points on the lines of a whole part at once, within a stated tolerance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.slicing.chains import Chains

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_WIDTH_SHARE = 0.4  # of the tolerance, by which the middle of a bead's edge may move because of its width
_TAPER = 2.0  # tolerances by which the width may change along one segment, which is printed as wide as its middle
_WIDER = 1.5  # chords may pass by this much of the tolerance before they are moved to the middle of their arc
_STRAIGHT = 0.3  # sine of half the turn below which two segments are shifted as one
_FACET_RAD = np.deg2rad(25.0)  # two facets of one curve turn by no more than this
_STEP_MM = 0.1  # curves are cut this finely before the farthest points that serve are sought
_RUN = 250  # steps after which the search begins anew: the longest line of a part must not hold up all others
_TIGHT_MM = 1e-3  # lines of chains that are this short are left as they are


def simplified(chains: Chains, tolerance_mm: float) -> Chains:
    """Chains with as few points as keep line and edges of the bead within about `tolerance_mm` of where they were.

    Notes
    -----
    From each kept point the next one is the farthest whose chord passes all points between within the tolerance: the
    cone of directions that does so is narrowed point by point (Williams, Computer Graphics and Image Processing 8,
    1978), for all chains in step. The width is treated likewise, over the distance travelled. Kept points are then
    moved so far that each chord leaves as much area on one side of the line as on the other: curves keep their place,
    and layers the area that their lines fill. Where the line is made of facets of a curve, points are sought on that
    curve, not at the facets' corners alone.
    """
    if not len(chains.point_mm):
        return chains
    steps = _Steps.along(chains, tolerance_mm)
    keep = _farthest(steps, _WIDER * tolerance_mm)
    return _balanced(chains, steps, keep, tolerance_mm)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Chains as sequences of points; that of a closed one ends with its first point.

    first, count : (chains,) int, where each chain's steps lie
    point_mm, smooth_mm : (s, 2) float, on the line itself, and on the curve of which its segments seem to be facets
    travelled_mm : (s,) float, way along the chain
    """

    first: IntArray
    count: IntArray
    point_mm: FloatArray
    smooth_mm: FloatArray
    spacing_mm: FloatArray
    travelled_mm: FloatArray

    @classmethod
    def along(cls, chains: Chains, tolerance_mm: float) -> _Steps:
        """The points of `chains`, and between them, where the line is curved, as many as keep them a step apart."""
        end = chains.start[1:] - 1
        after = np.arange(len(chains.point_mm)) + 1
        after[end] = chains.start[:-1]
        edge = chains.point_mm[after] - chains.point_mm
        bulge = _bulge(edge, chains, tolerance_mm)
        number = np.ceil(np.hypot(edge[:, 0], edge[:, 1]) / _STEP_MM).astype(np.int64)
        number = np.where(bulge.any(axis=1), np.maximum(number, 1), 1)
        number[end] = np.where(chains.closed, number[end] + 1, 1)  # the last step of a closed chain is its first point
        count = np.add.reduceat(number, chains.start[:-1])
        of = np.repeat(np.arange(len(edge)), number)
        rank = np.arange(len(of)) - np.repeat(np.cumsum(number) - number, number)
        pieces = number.copy()
        pieces[end] = np.maximum(number[end] - chains.closed, 1)
        part = rank / pieces[of]
        to = after[of]
        point = chains.point_mm[of] + part[:, None] * edge[of]
        swell = (part * (1.0 - part))[:, None] * bulge[of]
        spacing = chains.spacing_mm[of] + part * (chains.spacing_mm[to] - chains.spacing_mm[of])
        first = np.cumsum(count) - count
        way = np.hypot(*np.diff(point, axis=0, prepend=point[:1]).T)
        way[first] = 0.0
        return cls(first, count, point, point + swell, spacing, np.cumsum(way))


def _bulge(edge: FloatArray, chains: Chains, tolerance_mm: float) -> FloatArray:
    """(n, 2) float: four times how far the curve leaves the middle of the segment from each point to the next.

    Segments count as facets of a curve where the line turns a little, and to the same side, at both of their ends.
    """
    before = np.arange(len(edge)) - 1
    before[chains.start[:-1]] = chains.start[1:] - 1
    length = np.hypot(edge[:, 0], edge[:, 1])
    behind = edge[before]
    turn = np.arctan2(behind[:, 0] * edge[:, 1] - behind[:, 1] * edge[:, 0], np.sum(behind * edge, axis=1))
    turn[np.abs(turn) > _FACET_RAD] = 0.0
    ends = np.flatnonzero(~chains.closed)
    turn[chains.start[ends]] = turn[chains.start[ends + 1] - 1] = 0.0
    ahead = np.empty_like(turn)
    ahead[before] = turn
    lean = np.where(turn * ahead > 0.0, np.sign(turn) * np.minimum(np.abs(turn), np.abs(ahead)) / 2.0, 0.0)
    lean[np.abs(lean) * length > 4.0 * tolerance_mm] = 0.0
    return np.stack((edge[:, 1], -edge[:, 0]), axis=1) * lean[:, None]


def _farthest(steps: _Steps, tolerance_mm: float) -> NDArray[np.bool_]:
    """(s,) bool: which steps stay. Runs advance together, the longest first, so that those at work are a prefix."""
    keep = np.zeros(len(steps.point_mm), dtype=bool)
    keep[steps.first] = keep[steps.first + steps.count - 1] = True
    first, count = _runs(steps)
    keep[first] = True
    order = np.argsort(-count, kind="stable")
    first, count = first[order], count[order]
    anchor = first.copy()
    heading = np.zeros((len(first), 2))
    low, high = np.zeros(len(first)), np.zeros(len(first))
    least, most = np.zeros(len(first)), np.zeros(len(first))
    reach = np.zeros(len(first))
    widen = 2.0 * _WIDTH_SHARE * tolerance_mm
    for rank in range(1, int(count[0]) if len(count) else 0):
        work = int(np.searchsorted(-count, -rank, side="left"))  # runs of more than `rank` steps
        at, of = first[:work] + rank, anchor[:work]
        away = steps.smooth_mm[at] - steps.smooth_mm[of]
        fits = rank > 1
        along = away[:, 0] * heading[:work, 0] + away[:, 1] * heading[:work, 1]
        aside = away[:, 1] * heading[:work, 0] - away[:, 0] * heading[:work, 1]
        angle = np.arctan2(aside, along)
        way = np.maximum(steps.travelled_mm[at] - steps.travelled_mm[of], 1e-9)
        grown = steps.spacing_mm[at] - steps.spacing_mm[of]
        slope = grown / way
        passes = (angle >= low[:work]) & (angle <= high[:work]) & (along > reach[:work])
        passes &= (slope >= least[:work]) & (slope <= most[:work]) & (np.abs(grown) <= _TAPER * tolerance_mm)
        anew = np.flatnonzero(~passes) if fits else np.arange(work)
        if len(anew):  # these begin a new segment at the step before
            anchor[anew] = first[anew] + rank - 1
            keep[anchor[anew]] = True
            away[anew] = steps.smooth_mm[at[anew]] - steps.smooth_mm[anchor[anew]]
            length = np.maximum(np.hypot(away[anew, 0], away[anew, 1]), 1e-12)
            heading[anew] = away[anew] / length[:, None]
            angle[anew], along[anew], reach[anew] = 0.0, length, 0.0
            low[anew], high[anew] = -pi / 2.0, pi / 2.0
            way[anew] = np.maximum(steps.travelled_mm[at[anew]] - steps.travelled_mm[anchor[anew]], 1e-9)
            grown[anew] = steps.spacing_mm[at[anew]] - steps.spacing_mm[anchor[anew]]
            slope[anew] = grown[anew] / way[anew]
            least[anew], most[anew] = -np.inf, np.inf
        size = np.hypot(away[:, 0], away[:, 1])
        half = np.arcsin(np.minimum(tolerance_mm / np.maximum(size, 1e-12), 1.0))
        half[size < tolerance_mm] = pi
        np.maximum(low[:work], angle - half, out=low[:work])
        np.minimum(high[:work], angle + half, out=high[:work])
        np.maximum(least[:work], slope - widen / way, out=least[:work])
        np.minimum(most[:work], slope + widen / way, out=most[:work])
        np.maximum(reach[:work], along, out=reach[:work])
    return keep


def _runs(steps: _Steps) -> tuple[IntArray, IntArray]:
    """Where runs of about equally many steps, each of one chain, begin, and their number of steps; ends are shared."""
    parts = np.maximum((steps.count - 2) // _RUN + 1, 1)
    of = np.repeat(np.arange(len(parts)), parts)
    rank = np.arange(len(of)) - np.repeat(np.cumsum(parts) - parts, parts)
    begin, end = ((steps.count[of] - 1) * part // parts[of] for part in (rank, rank + 1))
    return steps.first[of] + begin, end - begin + 1


def _balanced(chains: Chains, steps: _Steps, keep: NDArray[np.bool_], tolerance_mm: float) -> Chains:
    """The kept points, moved so that each chord has the mean place of what it stands for."""
    last = np.zeros(len(steps.point_mm), dtype=bool)
    last[steps.first + steps.count - 1] = True
    kept = np.flatnonzero(keep)
    begin = kept[~last[kept]]  # of each segment
    end = kept[np.flatnonzero(~last[kept]) + 1]
    chord = steps.smooth_mm[end] - steps.smooth_mm[begin]
    length = np.hypot(chord[:, 0], chord[:, 1])
    left = np.stack((-chord[:, 1], chord[:, 0]), axis=1) / np.maximum(length, 1e-12)[:, None]

    # how far the line lies left of each segment, and the area between the two
    segment = np.cumsum(keep & ~last) - 1
    home, aim = steps.smooth_mm[begin], chord / np.maximum(length, 1e-12)[:, None]
    here = np.flatnonzero(~last)
    owner = segment[here]
    offset = np.einsum("ij,ij->i", steps.point_mm[here] - home[owner], left[owner])
    onward = steps.point_mm[here + 1] - home[owner]
    along = np.einsum("ij,ij->i", onward - (steps.point_mm[here] - home[owner]), aim[owner])
    strip = along * (offset + np.einsum("ij,ij->i", onward, left[owner])) / 2.0
    shift = np.bincount(owner, strip, len(begin)) / np.maximum(length, _TIGHT_MM)
    first = np.searchsorted(owner, np.arange(len(begin)))
    farthest = np.maximum.reduceat(offset, first)
    nearest = np.minimum.reduceat(offset, first)
    low, high = farthest - tolerance_mm, nearest + tolerance_mm
    shift = np.where(low <= high, np.clip(shift, low, high), (low + high) / 2.0)

    # a kept point moves to where its two shifted segments meet; the ends of open chains move with their only one
    stays = keep & ~last | last & ~np.repeat(chains.closed, steps.count)
    point = np.flatnonzero(stays)
    of_chain = np.repeat(np.arange(len(steps.count)), steps.count)[point]
    own = np.searchsorted(begin, point, side="right") - 1  # segment that begins here; the last one at an open end
    starts = point == steps.first[of_chain]
    final = np.searchsorted(begin, steps.first + steps.count - 1, side="right") - 1  # last segment of each chain
    before = np.where(starts, np.where(chains.closed[of_chain], final[of_chain], own), own - 1)
    before = np.where(last[point], own, before)
    return replace(
        chains,
        point_mm=steps.smooth_mm[point] + _met(left[before], left[own], shift[before], shift[own]),
        spacing_mm=steps.spacing_mm[point],
        start=np.concatenate(([0], np.cumsum(np.bincount(of_chain, minlength=len(steps.count))))),
    )


def _met(one: FloatArray, other: FloatArray, by_one: FloatArray, by_other: FloatArray) -> FloatArray:
    """(n, 2) moves that take a corner along each unit normal by as much as given there."""
    cross = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    dot = np.sum(one * other, axis=1)
    middle = one + other
    straight = middle * ((by_one + by_other) / np.maximum(np.sum(middle * middle, axis=1), 1e-9))[:, None]
    corner = np.stack(
        (by_one * other[:, 1] - by_other * one[:, 1], by_other * one[:, 0] - by_one * other[:, 0]), axis=1
    )
    corner /= np.where(np.abs(cross) > 1e-9, cross, 1.0)[:, None]
    sharp = (dot > -0.5) & (np.abs(cross) > _STRAIGHT)
    moved = np.where(sharp[:, None], corner, straight)
    moved[dot < -0.5] = 0.0  # a line that turns back on itself keeps its tip
    return moved
