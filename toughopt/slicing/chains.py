"""Unbroken lines of many layers in flat arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


_JUMP = 1.3  # spacings that differ by more belong to different lanes


@dataclass(frozen=True, slots=True)
class Chains:
    """Unbroken lines of many layers, end to end in flat arrays.

    point_mm : (n, 2) float; a closed line does not repeat its first point
    spacing_mm : (n,) float, distance to the neighbouring line at each point
    start : (chains + 1,) int
    closed : (chains,) bool
    layer, depth : (chains,) int; depth 0 is the outermost line
    link_share : (chains,) float, share of its spacing that every second segment fills; below 1 in zigzags, where these
        are the links between lines that already fill half of the place
    """

    point_mm: NDArray[np.float64]
    spacing_mm: NDArray[np.float64]
    start: NDArray[np.int64]
    closed: NDArray[np.bool_]
    layer: NDArray[np.int64]
    depth: NDArray[np.int64]
    link_share: NDArray[np.float64]

    @property
    def chain(self) -> NDArray[np.int64]:
        """(n,) int: the chain of each point."""
        return np.repeat(np.arange(len(self.layer)), np.diff(self.start))

    @property
    def ahead_mm(self) -> NDArray[np.float64]:
        """(n,) float: length of the segment from each point to the next; 0 at the end of an open chain."""
        if not len(self.point_mm):
            return np.empty(0)
        after = np.arange(len(self.point_mm)) + 1
        after[self.start[1:] - 1] = np.where(self.closed, self.start[:-1], self.start[1:] - 1)
        gap = self.point_mm[after] - self.point_mm
        return np.hypot(gap[:, 0], gap[:, 1])

    @property
    def length_mm(self) -> NDArray[np.float64]:
        """(chains,) float."""
        return np.asarray(np.bincount(self.chain, weights=self.ahead_mm, minlength=len(self.layer)), dtype=np.float64)

    @property
    def segment_mm(self) -> NDArray[np.float64]:
        """(n,) float: spacing of the segment from each point to the next; the smaller one where it jumps."""
        if not len(self.point_mm):
            return np.empty(0)
        after = np.arange(len(self.point_mm)) + 1
        after[self.start[1:] - 1] = np.where(self.closed, self.start[:-1], self.start[1:] - 1)
        odd = (np.arange(len(after)) - np.repeat(self.start[:-1], np.diff(self.start))) % 2 == 1
        return between(self.spacing_mm, self.spacing_mm[after]) * np.where(odd, self.link_share[self.chain], 1.0)

    @property
    def area_mm2(self) -> NDArray[np.float64]:
        """(chains,) float: area that each chain fills, the sum of length times spacing."""
        filled = self.ahead_mm * self.segment_mm
        return np.asarray(np.bincount(self.chain, weights=filled, minlength=len(self.layer)), dtype=np.float64)

    def only(self, keep: NDArray[np.bool_]) -> Chains:
        """The chains for which `keep`, (chains,) bool, holds."""
        size = np.diff(self.start)
        points = np.repeat(keep, size)
        return Chains(
            self.point_mm[points],
            self.spacing_mm[points],
            np.concatenate(([0], np.cumsum(size[keep]))),
            self.closed[keep],
            self.layer[keep],
            self.depth[keep],
            self.link_share[keep],
        )


def between(one_mm: NDArray[np.float64], other_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spacing of segments with these spacings at their ends: the mean, or the smaller where the line changes lanes."""
    less, more = np.minimum(one_mm, other_mm), np.maximum(one_mm, other_mm)
    return np.asarray(np.where(more > _JUMP * less, less, (less + more) / 2.0))


def joined(pieces: Sequence[Chains]) -> Chains:
    """All chains of several sets, one set after the other."""
    if not pieces:
        none = np.empty(0)
        whole = none.astype(np.int64)
        return Chains(np.empty((0, 2)), none, np.zeros(1, dtype=np.int64), none.astype(bool), whole, whole, none)
    sizes = np.concatenate([np.diff(piece.start) for piece in pieces])
    return Chains(
        np.concatenate([piece.point_mm for piece in pieces]),
        np.concatenate([piece.spacing_mm for piece in pieces]),
        np.concatenate(([0], np.cumsum(sizes))),
        np.concatenate([piece.closed for piece in pieces]),
        np.concatenate([piece.layer for piece in pieces]),
        np.concatenate([piece.depth for piece in pieces]),
        np.concatenate([piece.link_share for piece in pieces]),
    )
