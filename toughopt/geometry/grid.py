"""Boxes of columns side by side, cut into cubes whose nodes and edges have numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns side by side in a box, in each of which a field repeats, cut into cubes.

    low_mm, size_mm : lowest corner of the box, and the size of one column along x, y, z
    cubes : in one column along x, y, z
    tiles : columns along x and along y
    """

    low_mm: tuple[float, float, float]
    size_mm: tuple[float, float, float]
    cubes: tuple[int, int, int]
    tiles: tuple[int, int] = (1, 1)

    @property
    def nodes(self) -> tuple[int, int, int]:
        """Along x, y, z of the whole box."""
        return self.cubes[0] * self.tiles[0] + 1, self.cubes[1] * self.tiles[1] + 1, self.cubes[2] + 1

    @property
    def step_mm(self) -> FloatArray:
        """(3,) float: sides of a cube."""
        step: FloatArray = np.array(self.size_mm) / np.array(self.cubes)
        return step

    def number(self, index: IntArray) -> IntArray:
        """(...) int: one number for each (..., 3) index of a node."""
        _, across, high = self.nodes
        numbers: IntArray = (index[..., 0] * across + index[..., 1]) * high + index[..., 2]
        return numbers

    def index(self, number: IntArray) -> IntArray:
        """(..., 3) int: what `number` was made from."""
        _, across, high = self.nodes
        return np.stack([number // (across * high), number // high % across, number % high], axis=-1)

    def place(self, index: Any) -> FloatArray:
        """(..., 3) float: where nodes are, mm."""
        return np.asarray(self.low_mm + index * self.step_mm)

    def folded(self, index: IntArray, direction: IntArray | int = 0) -> IntArray:
        """(..., 3) int: the same nodes in the first column, from which edges in those directions stay within it."""
        count = np.array(self.cubes)
        return np.where(index + direction > count, index % count, index)

    def refined(self, factor: float) -> Grid:
        """The same box in cubes smaller by that factor."""
        x, y, z = (int(np.ceil(factor * count)) for count in self.cubes)
        return Grid(self.low_mm, self.size_mm, (x, y, z), self.tiles)
