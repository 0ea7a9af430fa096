"""How much volume struts share where they cross: circles that pass each other along helices of opposite sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Numbers: TypeAlias = "Any"  # float or (n,) float array; everything here broadcasts

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def strut_volume(
    n: Numbers, twist_rad: Numbers, radius: Numbers, barrel: Numbers, height: Numbers, low: Numbers, high: Numbers
) -> Numbers:
    """Volume of the union of n leaning cylinders between two heights, mm3.

    n : number of struts, every second one leaning the other way; even where twist_rad > 0
    twist_rad : turn of each about the axis over the whole `height`, rad
    radius, barrel : of the struts' horizontal sections, and of the circle on which their centres lie, mm
    low, high : the heights between which the volume is asked for, mm

    Neighbours must not touch at equal phase: radius <= barrel sin(pi / n).
    """
    alone = n * np.pi * radius**2 * (high - low)
    return alone - shared_volume(n, twist_rad, radius, barrel, height, low, high)


def shared_volume(
    n: Numbers, twist_rad: Numbers, radius: Numbers, barrel: Numbers, height: Numbers, low: Numbers, high: Numbers
) -> Numbers:
    """Volume that lies in two of the leaning cylinders at once, mm3; arguments as in `strut_volume`."""
    return _swept(n, twist_rad, height, low, high, lambda angle: _lens_integral(angle, radius, barrel))


def shared_volume_unequal(
    n: Numbers,
    twist_rad: Numbers,
    outer: Numbers,
    inner: Numbers,
    barrel: Numbers,
    height: Numbers,
    low: Numbers,
    high: Numbers,
) -> Numbers:
    """Volume that lies in an outer cylinder of one strut and in the bore of another, mm3, each pair counted once."""
    return _swept(n, twist_rad, height, low, high, lambda angle: _unequal_integral(angle, outer, inner, barrel))


def _swept(
    n: Numbers,
    twist: Numbers,
    height: Numbers,
    low: Numbers,
    high: Numbers,
    integral: Callable[[Numbers], Numbers],
) -> Numbers:
    """Sum over all pairs of opposite struts of the integral of their shared area over the height.

    Seen from one strut, those of the other sense pass by at a constant angular speed of 2 twist / height, one every
    4 pi / n, the first after half of that: the integral over the angle is periodic but for a linear part.
    """
    period = 4.0 * np.pi / n
    speed = 2.0 * twist / height
    half = integral(0.5 * period)

    def upto(angle: Numbers) -> Numbers:
        passed = np.floor(angle / period)
        offset = angle - passed * period - 0.5 * period
        return half * (2.0 * passed + 1.0) + np.sign(offset) * integral(np.abs(offset))

    per_strut = upto(speed * high) - upto(speed * low)
    safe = np.where(speed > 0.0, speed, 1.0)
    return np.where(speed > 0.0, 0.5 * n * per_strut / safe, 0.0)


def _lens_integral(angle: Numbers, radius: Numbers, barrel: Numbers) -> Numbers:
    """Integral from 0 to `angle` of the area shared by two equal circles on the barrel that far apart in angle.

    With u = d / (2 radius) the area is 2 radius^2 (acos u - u sqrt(1 - u^2)), and d = 2 barrel sin(angle / 2); the
    Jacobian 1 / sqrt(1 - k^2 u^2), k = radius / barrel, is expanded to u^4, good to 1e-3 of the shared volume at
    the largest k that keeps six struts apart and better for thinner ones.
    """
    safe = np.where(radius > 0.0, radius, 1.0)
    k = radius / barrel
    u = np.minimum(barrel / safe * np.sin(0.5 * np.minimum(angle, np.pi)), 1.0)
    u2 = u * u
    s = np.sqrt(1.0 - u2)
    s3 = s * (1.0 - u2)
    arc = np.arccos(u)
    zeroth = u * arc + (1.0 - s) - (1.0 - s3) / 3.0
    second = u * u2 * arc / 3.0 + (2.0 - s * (u2 + 2.0)) / 9.0 - (2.0 - s3 * (3.0 * u2 + 2.0)) / 15.0
    fourth = (
        u * u2 * u2 * arc / 5.0
        + (8.0 - s * ((3.0 * u2 + 4.0) * u2 + 8.0)) / 75.0
        - (8.0 - s3 * ((15.0 * u2 + 12.0) * u2 + 8.0)) / 105.0
    )
    k2 = k * k
    return 4.0 * radius**2 * k * (zeroth + k2 * (0.5 * second + 0.375 * k2 * fourth))


def _unequal_integral(angle: Numbers, outer: Numbers, inner: Numbers, barrel: Numbers) -> Numbers:
    reach = 2.0 * np.arcsin(np.minimum(0.5 * (outer + inner) / barrel, 1.0))
    end = np.minimum(angle, reach)
    total: Numbers = 0.0
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        distance = 2.0 * barrel * np.sin(0.25 * end * (node + 1.0))
        total = total + 0.5 * weight * lens_area(outer, inner, distance)
    return end * total


def lens_area(first: Numbers, second: Numbers, distance: Numbers) -> Numbers:
    """Area shared by two circles of these radii whose centres are `distance` apart."""
    small, large = np.minimum(first, second), np.maximum(first, second)
    d = np.clip(distance, np.maximum(large - small, 1e-12), large + small)
    safe = np.where(small > 0.0, small, 1.0)
    to_small = np.clip((d**2 + small**2 - large**2) / (2.0 * d * safe), -1.0, 1.0)
    to_large = np.clip((d**2 + large**2 - small**2) / (2.0 * d * large), -1.0, 1.0)
    kite = (small + large - d) * (d + small - large) * (d - small + large) * (d + small + large)
    return small**2 * np.arccos(to_small) + large**2 * np.arccos(to_large) - 0.5 * np.sqrt(np.maximum(kite, 0.0))
