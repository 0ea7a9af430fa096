"""The cross-section of generalized cylindrical shells: circles with four and eight lobes of a given perimeter.

r(psi) = r0 (1 + c4 cos 4 psi + c8 cos 8 psi), after Overvelde and Bertoldi, J. Mech. Phys. Solids 64, 351 (2014).
Everything broadcasts over arrays of designs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Numbers: TypeAlias = "Any"  # float or float array

#: Nodes on one eighth of the curve; near a cusp the error of the perimeter stays below 5e-4.
_NODES = 40
_CHUNK = 8192


def shape(psi: Numbers, c4: Numbers, c8: Numbers) -> Numbers:
    """1 + c4 cos 4 psi + c8 cos 8 psi: the radius over r0."""
    return 1.0 + c4 * np.cos(4.0 * psi) + c8 * np.cos(8.0 * psi)


def shape_slope(psi: Numbers, c4: Numbers, c8: Numbers) -> Numbers:
    """Derivative of `shape` by psi."""
    return -4.0 * c4 * np.sin(4.0 * psi) - 8.0 * c8 * np.sin(8.0 * psi)


def unit_perimeter(c4: Numbers, c8: Numbers, nodes: int = _NODES) -> NDArray[np.float64]:
    """Length of the curve with r0 = 1: the integral of sqrt(r^2 + r'^2) over a turn.

    By the trapezoidal rule on one of its eight mirror images, which is spectrally accurate for smooth curves.
    """
    c4_, c8_ = np.broadcast_arrays(np.asarray(c4, dtype=float), np.asarray(c8, dtype=float))
    flat4, flat8 = c4_.ravel(), c8_.ravel()
    cosine, sine, weight = _rule(nodes)
    result = np.empty(flat4.size)
    for begin in range(0, flat4.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        a, b = flat4[part], flat8[part]
        total = np.zeros(len(a))
        for c, s, w in zip(cosine, sine, weight, strict=True):
            # cos 8x = 2 cos^2 4x - 1, sin 8x = 2 sin 4x cos 4x
            radius = 1.0 + a * c + b * (2.0 * c * c - 1.0)
            slope = (4.0 * s) * a + (16.0 * s * c) * b
            total += w * np.sqrt(radius * radius + slope * slope)
        result[part] = total
    return result.reshape(c4_.shape)


def least_shape(c4: Numbers, c8: Numbers) -> Numbers:
    """Smallest value of `shape` over a turn: a parabola in x = cos 4 psi, -1 <= x <= 1."""
    ends = np.minimum(1.0 - c4 + c8, 1.0 + c4 + c8)
    inside = (c8 > 0.0) & (np.abs(c4) < 4.0 * c8)
    bottom = 1.0 - c8 - c4**2 / (8.0 * np.where(inside, c8, 1.0))
    return np.where(inside, bottom, ends)


def enclosed_area(r0: Numbers, c4: Numbers, c8: Numbers) -> Numbers:
    """Area inside the curve: the integral of r^2 / 2, pi r0^2 (1 + c4^2 / 2 + c8^2 / 2)."""
    return np.pi * r0**2 * (1.0 + 0.5 * c4**2 + 0.5 * c8**2)


def _rule(nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    angle = np.linspace(0.0, np.pi, nodes + 1)  # 4 psi over half a lobe
    weight = np.full(nodes + 1, 2.0 * np.pi / nodes)
    weight[[0, -1]] *= 0.5
    return np.cos(angle), np.sin(angle), weight
