"""The pattern that a ring of struts makes in angle, layer by layer, and what its Fourier coefficients tell.

The fundamental order tells the number of struts, the turning of its phase their twist. Three zones across the ring are
looked at apart, because struts that touch still bulge inwards and outwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Complexes = NDArray[np.complex128]

ZONES = 3
BINS = 360
HIGHEST_ORDER = 36  # angular orders that are looked at: up to that many struts of one sense
WEAKEST_PATTERN = 0.002  # share of the energy in angle below which a ring counts as a plain tube
COMB = (0.97, 0.9, 0.8, 0.65)  # share of the pattern that multiples of the fundamental explain; strict first
HATCHED = 0.1  # of the strongest order: what lines hatched in one direction add to the order of two at most
UPRIGHT_RAD = 0.2  # phase that the pattern turns by over its height, below which the struts count as upright
MOST_TWIST_RAD = 2.0 * np.pi
RATES = 400
OFFSETS = 48  # angles between the two senses at which a ring is drawn
MOST_LAYERS = 45
DRAWN = (96, 30)  # points in angle and across the ring of such a drawing


@dataclass(frozen=True, slots=True)
class Ring:
    """A ring of equal round struts, lengths in mm."""

    count: int
    ring_mm: float
    radius_mm: float
    bore_mm: float


def zones_of(distance: Floats, ring_mm: float, radius_mm: float) -> Integers:
    """The zone of each point at a distance from the axis: inner, middle or outer third of the ring."""
    across = (distance - ring_mm) / radius_mm
    return (across > -1.0 / 3.0).astype(np.int64) + (across > 1.0 / 3.0)


def pattern_of(layer: Integers, zone: Integers, angle: Floats, volume: Floats, layers: int) -> Complexes:
    """(layers, ZONES, orders) complex: Fourier coefficients in angle of each layer's material, per unit of it."""
    return _coefficients(_image(layer, zone, angle, volume, layers))


def shadow_of(layer: Integers, zone: Integers, angle: Floats, layers: int) -> Complexes:
    """(layers, ZONES, orders) complex: the same of where there is material, however much of it.

    One strut may hold more of it than the next, by how its lines happen to fit; where they stand does not tell.
    """
    some = _image(layer, zone, angle, np.ones(len(angle)), layers) > 0.0
    return _coefficients((some | np.roll(some, 1, axis=2) | np.roll(some, -1, axis=2)).astype(np.float64))


def _image(layer: Integers, zone: Integers, angle: Floats, volume: Floats, layers: int) -> Floats:
    bin_ = np.floor((angle / (2.0 * np.pi) + 0.5) * BINS).astype(np.int64) % BINS
    image = np.bincount((layer * ZONES + zone) * BINS + bin_, volume, layers * ZONES * BINS).astype(np.float64)
    return image.reshape(layers, ZONES, BINS)


def _coefficients(image: Floats) -> Complexes:
    share = image / np.maximum(image.sum(axis=(1, 2), keepdims=True), 1e-12)
    return np.fft.rfft(share, axis=2)[:, :, : HIGHEST_ORDER + 1]


def count_and_turn(pattern: Complexes, shadow: Complexes, height: Floats) -> tuple[int, int, float] | None:
    """Number of struts, number of senses, twist in rad/mm; None for a ring without a pattern."""
    energy = _energy(pattern)
    if float(energy.max()) < WEAKEST_PATTERN:
        return None
    order = _fundamental(_energy(shadow))
    if order is None:
        return None
    rate, balance = _turning(pattern, height, order)
    # two senses that have hardly parted nearly cancel in the first order, the less the higher up
    strength = np.linalg.norm(pattern[:, :, order], axis=1)
    fading = float(np.std(strength)) > 0.2 * float(np.mean(strength))
    cancelled = fading and 2 * order < len(energy) and energy[2 * order] > energy[order]
    if rate * order * float(np.ptp(height)) < UPRIGHT_RAD and not cancelled:
        return order, 1, 0.0
    return (2 * order, 2, rate) if cancelled or balance > 0.3 else (order, 1, rate)


def refined_turn(pattern: Complexes, height: Floats, ring: Ring, rate: float) -> float:
    """Twist of crossed struts in rad/mm, from rings drawn with their crossings; `rate` is a first estimate.

    Where struts cross they share material, which shifts what plain waves tell, most of all for small twists.
    """
    half = ring.count // 2
    orders = [m for m in (half, 2 * half, 3 * half) if m < pattern.shape[2]]
    drawn = _drawn(ring, orders)  # (offsets, zones, orders), real: the axis of symmetry between the senses is fixed
    period = 4.0 * np.pi / ring.count
    thin = max(len(height) // MOST_LAYERS, 1)  # every so many layers are enough
    pattern, height = pattern[::thin], height[::thin]
    z = height - height[0]
    span = max(float(z[-1]), 1e-6)
    rates = np.linspace(max(0.4 * rate, 0.0), 2.0 * rate + 0.35 / span, 100)
    starts = np.arange(0.0, period, period / 24.0)
    offset = (starts[None, :, None] + 2.0 * rates[:, None, None] * z) / period  # of one sense against the other
    step = np.round(offset * OFFSETS).astype(np.int64)
    index = step % OFFSETS
    turned = 1.0 - 2.0 * ((step // OFFSETS) % 2)  # after each period the ring is the same, turned by half of one
    explained = np.zeros(index.shape[:2])
    for column, order in enumerate(orders):
        template = drawn[index, :, column]  # (rates, starts, layers, zones)
        if column % 2 == 0:
            template *= turned[..., None]
        flat = template.reshape(*index.shape[:2], -1)
        seen = pattern[:, :, order].ravel()
        match = (flat @ seen.real) ** 2 + (flat @ seen.imag) ** 2
        strength = np.sum(drawn[:, :, column] ** 2, axis=1)[index].sum(axis=2)
        explained += match / np.maximum(strength, 1e-12)
    best = np.max(explained, axis=1)
    return _peak(rates, best)


def _drawn(ring: Ring, orders: list[int]) -> Floats:
    """(OFFSETS, ZONES, orders) float: coefficients of a ring of crossed struts at each angle between the senses."""
    period = 4.0 * np.pi / ring.count
    angle = (np.arange(DRAWN[0]) + 0.5) / DRAWN[0] * period - period / 2.0
    across = ((np.arange(DRAWN[1]) + 0.5) / DRAWN[1] * 2.0 - 1.0) * ring.radius_mm
    distance = ring.ring_mm + across
    nearest = np.full((OFFSETS, len(angle), len(distance)), np.inf)
    apart = np.arange(OFFSETS) / OFFSETS * period
    for sense in (-0.5, 0.5):
        for turn in (-1.0, 0.0, 1.0):
            at = sense * apart[:, None] + turn * period - angle[None, :]
            square = (
                ring.ring_mm**2 + distance**2 - 2.0 * ring.ring_mm * distance * np.cos(at)[:, :, None]
            )  # from the axis of that strut
            nearest = np.minimum(nearest, square)
    solid = ((nearest < ring.radius_mm**2) & (nearest >= ring.bore_mm**2)) * distance
    zone = zones_of(distance, ring.ring_mm, ring.radius_mm)
    by_zone = np.stack([solid[:, :, zone == k].sum(axis=2) for k in range(ZONES)], axis=1)
    share = by_zone / np.maximum(by_zone.sum(axis=(1, 2), keepdims=True), 1e-12)
    return np.asarray(share @ np.cos(np.outer(angle, orders)))


def _energy(pattern: Complexes) -> Floats:
    """(orders,) float: what each order has, in the mean of the layers; none in the order of 0."""
    energy = np.mean(np.sum(np.abs(pattern) ** 2, axis=1), axis=0)
    energy[0] = 0.0
    return np.asarray(energy)


def _fundamental(energy: Floats) -> int | None:
    total = float(energy.sum())
    for share in COMB:
        for order in range(len(energy) - 1, 1, -1):
            least = HATCHED if order == 2 else 0.02
            if energy[order] > least * energy.max() and float(energy[order::order].sum()) >= share * total:
                return order
    return None


def _turning(pattern: Complexes, height: Floats, order: int) -> tuple[float, float]:
    """Twist rate in rad/mm that explains the phases best, and the weaker sense's share of the stronger's."""
    z = height - height.mean()
    step = float(np.median(np.diff(height)))
    fastest = min(MOST_TWIST_RAD / max(float(np.ptp(height)), step), 0.95 * np.pi / (order * step))
    rates = np.linspace(0.0, fastest, RATES)
    explained = np.zeros(RATES)
    for j in (1, 2, 3):
        if j * order < pattern.shape[2]:
            phase = np.outer(rates * j * order, z)
            for zone in range(ZONES):
                explained += _explained(pattern[:, zone, j * order], phase)
    rate = _peak(rates, explained)
    phase = np.exp(-1j * order * rate * z)
    basis = np.stack([phase, phase.conj()], axis=1)
    weights = np.linalg.lstsq(basis, pattern[:, :, order], rcond=1e-3)[0]
    weak, strong = sorted(float(w) for w in np.linalg.norm(weights, axis=1))
    return rate, weak / strong if strong > 0 else 0.0


def _peak(x: Floats, y: Floats) -> float:
    """Where y is largest, between the samples."""
    best = int(np.argmax(y))
    if not 0 < best < len(x) - 1:
        return float(x[best])
    left, mid, right = y[best - 1 : best + 2]
    bend = left - 2.0 * mid + right
    return float(x[best] + (0.5 * (left - right) / bend * (x[1] - x[0]) if bend < 0 else 0.0))


def _explained(signal: Complexes, phase: Floats) -> Floats:
    """(k,) float: energy of `signal` (layers,) in the span of exp(+-i phase) for each of k rows of phases."""
    even, odd = np.cos(phase), np.sin(phase)
    ee, oo, eo = (even**2).sum(1), (odd**2).sum(1), (even * odd).sum(1)
    se, so = even @ signal, odd @ signal
    det = ee * oo - eo**2
    safe = det > 1e-6 * ee**2
    full = (oo * np.abs(se) ** 2 + ee * np.abs(so) ** 2 - 2.0 * eo * (se * so.conj()).real) / np.where(safe, det, 1.0)
    return np.asarray(np.where(safe, full, np.abs(se) ** 2 / ee))
