"""Circles as polygons: as many sides as a chord error asks for, and the true circle's area."""

from __future__ import annotations

from math import acos, ceil, pi, sin, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST_SIDES = 8


def circle_sides(radius_mm: float, chord_error_mm: float, multiple_of: int = 1) -> int:
    """Sides of an inscribed polygon whose chords stay within `chord_error_mm` of the arc: pi / acos(1 - e/r).

    The number is rounded up to a multiple of `multiple_of`, so that a polygon can share a structure's symmetry.
    """
    ratio = min(chord_error_mm / radius_mm, 0.5)
    sides = max(_FEWEST_SIDES, ceil(pi / acos(1.0 - ratio)))
    return -(-sides // multiple_of) * multiple_of


def circle(radius_mm: float, sides: int, phase: float = 0.0) -> NDArray[np.float64]:
    """(sides, 2) float, counter-clockwise: a regular polygon of the circle's own area, first corner at `phase` rad.

    Its corners lie outside the circle by two thirds of the chord error, its sides inside by one third.
    """
    angle = phase + 2.0 * pi * np.arange(sides) / sides
    corner = radius_mm * equal_area_factor(sides)
    return corner * np.column_stack([np.cos(angle), np.sin(angle)])


def equal_area_factor(sides: int) -> float:
    """Circumradius of the regular polygon that has the area of the unit circle: sqrt(2 pi / (N sin(2 pi / N)))."""
    return sqrt(2.0 * pi / (sides * sin(2.0 * pi / sides)))
