"""Finds a ring of struts in the beads of a part: how many, how far twisted, how thick.

A ring of struts is a periodic pattern in angle, and a twist makes the pattern turn with height. So the angular Fourier
coefficients of the material in each layer tell the number of struts (the fundamental order) and the twist (how fast its
phase turns, and which way), even where struts cross, touch or are missing in some layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toughopt.virtual.pattern import Ring, count_and_turn, pattern_of, refined_turn, shadow_of, zones_of
from toughopt.virtual.sections import Samples, Sections

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

HOLLOW = 0.06  # largest share of a layer's material in the inner third of its reach, where struts stand free
GAP = 0.5  # a layer with less than this share of the usual material holds nothing


@dataclass(frozen=True, slots=True)
class Struts:
    """A ring of equal struts between two ends, as it was found.

    Lengths in mm; `area_mm2` is the horizontal cross-section of one strut; `poorest` the share of the usual material in
    the poorest layer that has some; `gap_mm` the height over which nothing holds and `gap_at` where its middle is
    (0 bottom, 1 top); `coldest_c` the lowest nozzle temperature at which a layer was printed, deg C.
    """

    count: int
    senses: int  # 2: neighbours lean opposite ways; 1: all the same way or upright
    twist_rad: float
    radius_mm: float
    wall_mm: float
    area_mm2: float
    ring_mm: float
    length_mm: float
    poorest: float
    gap_mm: float
    gap_at: float
    coldest_c: float

    @property
    def crossings(self) -> float:
        """How many other struts one strut meets on its way."""
        return self.count * self.twist_rad / (2.0 * np.pi) if self.senses == 2 else 0.0


def find_struts(samples: Samples, sections: Sections) -> Struts | None:
    """The ring of struts in a part, or None where there is none."""
    if len(sections.top_mm) < 4 or not len(samples.x):
        return None
    radius = np.hypot(samples.x, samples.y)
    zone = _free_zone(samples, sections, radius)
    if zone is None:
        return None
    low, high = zone
    inside = (samples.layer >= low) & (samples.layer < high)
    layer = samples.layer[inside] - low
    angle = np.arctan2(samples.y[inside], samples.x[inside])
    radius, half, volume = radius[inside], samples.half_width[inside], samples.volume[inside]
    area = sections.area_mm2[low:high]
    filled = area > GAP * float(np.median(area[area > 0]))
    outer, inner = _radial_extent(layer, radius, half, high - low)
    ring = 0.5 * float(np.median(outer[filled]) + np.median(inner[filled]))
    strut = 0.5 * float(np.median(outer[filled]) - np.median(inner[filled]))
    if strut <= 0.0 or ring <= strut:
        return None
    third = zones_of(radius, ring, strut)
    pattern = pattern_of(layer, third, angle, volume, high - low)[filled]
    shadow = shadow_of(layer, third, angle, high - low)[filled]
    height = (sections.top_mm - 0.5 * sections.height_mm)[low:high][filled]
    found = count_and_turn(pattern, shadow, height)
    if found is None:
        return None
    count, senses, rate = found
    length = float(sections.top_mm[high - 1] - (sections.top_mm - sections.height_mm)[low])
    one = float(np.quantile(area[filled], 0.9)) / count
    bore = float(np.sqrt(max(strut**2 - one / np.pi, 0.0)))
    if senses == 2:
        rate = refined_turn(pattern, height, Ring(count, ring, strut, bore), rate)
    gap_mm, gap_at = longest_gap(~filled, sections.height_mm[low:high])
    # where struts cross they share material in a regular pattern; what falls below its lower end is a defect
    poorest = float(np.min(area[filled]) / np.quantile(area[filled], 0.1))
    coldest = float(np.min(sections.nozzle_c[low:high][filled]))
    return Struts(
        count, senses, rate * length, strut, strut - bore, one, ring, length, poorest, gap_mm, gap_at, coldest
    )


def _free_zone(samples: Samples, sections: Sections, radius: Floats) -> tuple[int, int] | None:
    """First and one-past-last layer in which nothing stands near the axis."""
    layers = len(sections.top_mm)
    middle = sections.reach_mm[layers // 4 : max(3 * layers // 4, layers // 4 + 1)]
    reach = float(np.median(middle[middle > 0])) if np.any(middle > 0) else 0.0
    core = np.bincount(samples.layer, samples.volume * (radius < reach / 3.0), layers)
    volume = sections.area_mm2 * sections.height_mm
    solid = core > HOLLOW * np.maximum(volume, 1e-12)
    # from the middle outwards, up to the first layer with a core on either side
    centre = layers // 2
    if solid[centre]:
        return None
    below, above = np.flatnonzero(solid[:centre]), np.flatnonzero(solid[centre:])
    low = int(below[-1]) + 1 if len(below) else 0
    high = int(above[0]) + centre if len(above) else layers
    return (low, high) if high - low >= 4 else None


def _radial_extent(layer: NDArray[np.int64], radius: Floats, half: Floats, layers: int) -> tuple[Floats, Floats]:
    outer, inner = np.zeros(layers), np.full(layers, np.inf)
    np.maximum.at(outer, layer, radius + half)
    np.minimum.at(inner, layer, radius - half)
    return outer, np.where(np.isfinite(inner), inner, 0.0)


def longest_gap(empty: NDArray[np.bool_], height: Floats) -> tuple[float, float]:
    """Height of the longest run of layers that hold nothing, mm, and where its middle is, 0 to 1."""
    if not np.any(empty):
        return 0.0, 0.5
    edges = np.flatnonzero(np.diff(np.r_[False, empty, False].astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    top = np.r_[0.0, np.cumsum(height)]
    tall = top[ends] - top[starts]
    longest = int(np.argmax(tall))
    middle = 0.5 * (top[ends[longest]] + top[starts[longest]])
    return float(tall[longest]), float(middle / top[-1])
