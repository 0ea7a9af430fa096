"""How far the walls of a cylindrical shell lean from the vertical, for many designs at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.families.lobes import unit_perimeter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_INTERVALS = 8  # of the height
_SWINGS = 4  # samples of the twist rate in each
_NODES = 12  # on half a lobe
_CHUNK = 1024
_NAMES = (
    "c4_base", "c8_base", "c4_top", "c8_top", "twist_linear", "twist_amplitude", "twist_cycles",
    "perimeter_ratio", "mass", "height", "thickness", "density",
)  # fmt: skip


def steepest_wall_deg(columns: Mapping[str, Any]) -> FloatArray:
    """(n,) float: the largest angle between the outer surface and the vertical, degrees.

    A point of the surface moves outwards with height by r_z / sqrt(1 + (r_phi / r)^2) along the section's normal;
    r_z has a part from lobes and perimeter and one from the twist, r_phi twist'(z), which add up on one of the two
    mirror images of each point. Sampled on a grid over height and half a lobe: good to about a degree.
    """
    arrays = np.broadcast_arrays(*(np.asarray(columns[name], dtype=float) for name in _NAMES))
    flat = [array.ravel() for array in arrays]
    steepest = np.empty(flat[0].size)
    for begin in range(0, flat[0].size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        steepest[part] = _steepest(*(column[part] for column in flat))
    return np.degrees(np.arctan(steepest)).reshape(arrays[0].shape)


def _steepest(
    c4_base: FloatArray,
    c8_base: FloatArray,
    c4_top: FloatArray,
    c8_top: FloatArray,
    linear: FloatArray,
    amplitude: FloatArray,
    cycles: FloatArray,
    ratio: FloatArray,
    mass: FloatArray,
    height: FloatArray,
    thickness: FloatArray,
    density: FloatArray,
) -> FloatArray:
    base = 2.0 * mass / (1e-3 * density * height * thickness * (1.0 + ratio))
    level = np.linspace(0.0, 1.0, _INTERVALS + 1)[:, None]
    c4 = c4_base + level * (c4_top - c4_base)
    c8 = c8_base + level * (c8_top - c8_base)
    r0 = base * (1.0 + level * (ratio - 1.0)) / unit_perimeter(c4, c8, _NODES)
    swing = np.linspace(0.0, 1.0, _INTERVALS * _SWINGS + 1)[:, None]
    rate = np.abs(linear + 2.0 * np.pi * cycles * amplitude * np.cos(2.0 * np.pi * cycles * swing))
    fastest = np.max([rate[i : i + _INTERVALS * _SWINGS : _SWINGS] for i in range(_SWINGS)], axis=0)
    fastest = np.maximum(fastest, rate[_SWINGS::_SWINGS])
    angle = np.linspace(0.0, np.pi, _NODES + 1)
    steepest = np.zeros_like(base)
    for cosine, sine in zip(np.cos(angle), np.sin(angle), strict=True):
        radius = r0 * (1.0 + c4 * cosine + c8 * (2.0 * cosine**2 - 1.0))
        around = r0 * (4.0 * sine * np.abs(c4 + 4.0 * cosine * c8))
        outwards = np.abs(radius[1:] - radius[:-1]) * _INTERVALS
        mean_radius, mean_around = 0.5 * (radius[1:] + radius[:-1]), 0.5 * (around[1:] + around[:-1])
        sideways = mean_around * fastest
        normal = mean_radius / np.sqrt(mean_radius**2 + mean_around**2)
        steepest = np.maximum(steepest, ((outwards + sideways) * normal).max(axis=0))
    return steepest / height
