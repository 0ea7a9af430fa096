"""Finds a ring of struts in the beads of a part: how many, how far twisted, how thick.

A ring of struts is a periodic pattern in angle, and a twist makes the pattern turn with height. So the angular Fourier
coefficients of the material in each layer tell the number of struts (the fundamental order) and the twist (how fast its
phase turns, and which way), even where struts cross, touch or are missing in some layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toughopt.virtual.sections import Samples, Sections

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Complexes = NDArray[np.complex128]

BINS = 360
HIGHEST_ORDER = 36  # angular orders that are looked at: up to that many struts of one sense
HOLLOW = 0.06  # largest share of a layer's material in the inner third of its reach, where struts stand free
GAP = 0.5  # a layer with less than this share of the usual material holds nothing
WEAKEST_PATTERN = 0.004  # share of the energy in angle below which a ring counts as a plain tube
COMB = (0.97, 0.9, 0.8, 0.65)  # share of the pattern that multiples of the fundamental explain; strict first
UPRIGHT_RAD = 0.2  # phase that the pattern turns by over its height, below which the struts count as upright
MOST_TWIST_RAD = 2.0 * np.pi


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
    pattern = _pattern(layer, angle, volume, high - low)[filled]
    height = (sections.top_mm - 0.5 * sections.height_mm)[low:high][filled]
    found = _count_and_twist(pattern, height)
    if found is None or strut <= 0.0 or ring <= strut:
        return None
    count, senses, rate = found
    length = float(sections.top_mm[high - 1] - (sections.top_mm - sections.height_mm)[low])
    one = float(np.quantile(area[filled], 0.9)) / count
    bore = float(np.sqrt(max(strut**2 - one / np.pi, 0.0)))
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


def _pattern(layer: NDArray[np.int64], angle: Floats, volume: Floats, layers: int) -> Complexes:
    """(layers, orders) complex: angular Fourier coefficients of the material, per unit of it; column m is order m."""
    bin_ = np.floor((angle / (2.0 * np.pi) + 0.5) * BINS).astype(np.int64) % BINS
    image = np.bincount(layer * BINS + bin_, volume, layers * BINS).astype(np.float64).reshape(layers, BINS)
    share = image / np.maximum(image.sum(axis=1, keepdims=True), 1e-12)
    return np.fft.rfft(share, axis=1)[:, : HIGHEST_ORDER + 1]


def _count_and_twist(pattern: Complexes, height: Floats) -> tuple[int, int, float] | None:
    """Number of struts, number of senses, twist in rad/mm."""
    energy = np.mean(np.abs(pattern) ** 2, axis=0)
    energy[0] = 0.0
    if float(energy.max()) < WEAKEST_PATTERN:
        return None
    order = _fundamental(energy)
    if order is None:
        return None
    rate, balance = _turning(pattern, height, order)
    # two senses that have hardly parted nearly cancel in the first order, the less the higher up
    strength = np.abs(pattern[:, order])
    fading = float(np.std(strength)) > 0.2 * float(np.mean(strength))
    cancelled = fading and 2 * order < len(energy) and energy[2 * order] > energy[order]
    if rate * order * float(np.ptp(height)) < UPRIGHT_RAD and not cancelled:
        return order, 1, 0.0
    return (2 * order, 2, rate) if cancelled or balance > 0.3 else (order, 1, rate)


def _fundamental(energy: Floats) -> int | None:
    total = float(energy.sum())
    for share in COMB:
        for order in range(len(energy) - 1, 1, -1):
            if energy[order] > 0.02 * energy.max() and float(energy[order::order].sum()) >= share * total:
                return order
    return None


def _turning(pattern: Complexes, height: Floats, order: int) -> tuple[float, float]:
    """Twist rate in rad/mm that explains the phases best, and the weaker sense's share of the stronger's."""
    z = height - height.mean()
    step = float(np.median(np.diff(height)))
    fastest = min(MOST_TWIST_RAD / max(float(np.ptp(height)), step), 0.95 * np.pi / (order * step))
    rates = np.linspace(0.0, fastest, 400)
    orders = [j * order for j in (1, 2, 3) if j * order < pattern.shape[1]]
    explained = np.sum([_explained(pattern[:, m], np.outer(rates * m, z)) for m in orders], axis=0)
    best = int(np.argmax(explained))
    rate = float(rates[best])
    if 0 < best < len(rates) - 1:
        left, mid, right = explained[best - 1 : best + 2]
        bend = left - 2.0 * mid + right
        rate += float(0.5 * (left - right) / bend * (rates[1] - rates[0])) if bend < 0 else 0.0
    phase = np.exp(-1j * order * rate * z)
    basis = np.stack([phase, phase.conj()], axis=1)
    weights = np.linalg.lstsq(basis, pattern[:, order], rcond=1e-3)[0]
    weak, strong = sorted(float(w) for w in np.abs(weights))
    return rate, weak / strong if strong > 0 else 0.0


def _explained(signal: Complexes, phase: Floats) -> Floats:
    """(k,) float: energy of `signal` (layers,) in the span of exp(+-i phase) for each of k rows of phases."""
    even, odd = np.cos(phase), np.sin(phase)
    ee, oo, eo = (even**2).sum(1), (odd**2).sum(1), (even * odd).sum(1)
    se, so = even @ signal, odd @ signal
    det = ee * oo - eo**2
    safe = det > 1e-6 * ee**2
    full = (oo * np.abs(se) ** 2 + ee * np.abs(so) ** 2 - 2.0 * eo * (se * so.conj()).real) / np.where(safe, det, 1.0)
    return np.asarray(np.where(safe, full, np.abs(se) ** 2 / ee))


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
