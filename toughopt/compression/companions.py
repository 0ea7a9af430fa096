"""What goes with the toughness: stiffness, yield, plateau, crush-force efficiency; and the machine's compliance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.efficiency import densification, running_energy, trapezoidal
from toughopt.compression.settings import AnalysisSettings

FloatArray = NDArray[np.float64]
_GRID = 2000  # points at most that slopes are sought on
_PLATEAU = (0.2, 0.4)  # strains between which ISO 13314 averages the plateau stress
_PLATEAU_END = 1.3  # times the plateau stress: the plateau's end in ISO 13314


@dataclass(frozen=True, slots=True)
class Stiffness:
    """The steepest line of the loading: force = slope (displacement - meets_zero)."""

    slope_n_per_mm: float
    meets_zero_mm: float
    from_mm: float
    to_mm: float


@dataclass(frozen=True, slots=True)
class Plateau:
    """Plateau stress, its end and the energy density up to 50 % strain or the plateau's end (ISO 13314)."""

    stress_mpa: float
    end_strain: float | None
    energy_mj_per_m3: float


def without_compliance(displacement_mm: FloatArray, force_n: FloatArray, settings: AnalysisSettings) -> FloatArray:
    """(n,) mm: displacement less what the machine itself gives way under the force."""
    if settings.compliance_curve:
        pairs = np.asarray(settings.compliance_curve, dtype=np.float64)
        inside = np.interp(force_n, pairs[:, 0], pairs[:, 1])
        slope = (pairs[-1, 1] - pairs[-2, 1]) / (pairs[-1, 0] - pairs[-2, 0])
        beyond = np.maximum(force_n - pairs[-1, 0], 0.0) * slope
        return np.asarray(displacement_mm - (inside + beyond))
    if settings.compliance_mm_per_n:
        return np.asarray(displacement_mm - settings.compliance_mm_per_n * force_n)
    return displacement_mm


def thinned(displacement_mm: FloatArray, force_n: FloatArray, most: int = _GRID) -> tuple[FloatArray, FloatArray]:
    """Both arrays as means of consecutive samples, at most about `most` of them."""
    size = force_n.size // most
    if size < 2:
        return displacement_mm, force_n
    end = force_n.size - force_n.size % size
    return displacement_mm[:end].reshape(-1, size).mean(axis=1), force_n[:end].reshape(-1, size).mean(axis=1)


def calmed(force_n: FloatArray, noise_n: float) -> FloatArray:
    """(n,) N: the force, as a moving mean where its noise would otherwise pass for its maximum.

    Over at most 1/150 of the samples; unchanged where the noise is below a thousandth of the peak.
    """
    width = min(force_n.size // 150, 40) | 1
    if width < 3 or noise_n < 1e-3 * float(np.max(force_n)):
        return force_n
    half = width // 2
    padded = np.concatenate([np.full(half, force_n[0]), force_n, np.full(half, force_n[-1])])
    total = np.concatenate([[0.0], np.cumsum(padded)])
    return np.asarray((total[width:] - total[:-width]) / width)


def stiffness(displacement_mm: FloatArray, force_n: FloatArray, noise_n: float = 0.0) -> Stiffness | None:
    """Slope of the steepest stretch before densification and before the first peak.

    displacement_mm, force_n : (n,) float, from contact on; None where there are fewer than five points

    Notes
    -----
    Least-squares lines over windows of samples; a window is wide enough for its slope's standard error to stay below
    2 %, at least 5 points, and at most a third of the stretch.
    """
    x, f = thinned(displacement_mm, force_n)
    stop = int(np.argmax(f)) + 1
    onset = densification(x[:stop], f[:stop])
    if onset is not None and onset >= 5:
        stop = int(np.argmax(f[: onset + 1])) + 1
    x, f = x[:stop], f[:stop]
    if x.size < 5 or float(np.ptp(x)) <= 0:
        return None
    noise = noise_n / np.sqrt(max(1, force_n.size // _GRID))
    best: Stiffness | None = None
    width = 5
    while True:
        slopes, centres_x, centres_f, squares = _windows(x, f, width)
        at = int(np.argmax(slopes))
        slope = float(slopes[at])
        if slope > 0:
            zero = float(centres_x[at]) - float(centres_f[at]) / slope
            best = Stiffness(slope, zero, float(x[at]), float(x[at + width - 1]))
        error = noise / np.sqrt(float(squares[at]))
        if (slope > 0 and error < 0.02 * slope) or 3 * width >= x.size:
            return best
        width = min(int(width * 1.5) + 1, x.size)


def _windows(x: FloatArray, f: FloatArray, width: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    def sums(values: FloatArray) -> FloatArray:
        total = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(total[width:] - total[:-width])

    origin_x, origin_f = float(x.mean()), float(f.mean())
    u, v = x - origin_x, f - origin_f
    mean_u, mean_v = sums(u) / width, sums(v) / width
    squares = np.maximum(sums(u * u) - width * mean_u**2, 0.0)
    products = sums(u * v) - width * mean_u * mean_v
    usable = squares > 1e-12 * max(float(np.max(squares)), 1e-300)
    slopes = np.where(usable, products / np.where(usable, squares, 1.0), -np.inf)
    return slopes, mean_u + origin_x, mean_v + origin_f, np.where(usable, squares, np.inf)


def yield_point(
    displacement_mm: FloatArray, force_n: FloatArray, line: Stiffness, offset_mm: float
) -> tuple[float, float] | None:
    """(mm, N) where the curve falls below the elastic line shifted by `offset_mm`; None where it never does.

    displacement_mm, force_n : (n,) float, from contact on
    """
    x, f = thinned(displacement_mm, force_n, 20_000)
    gap = f - line.slope_n_per_mm * (x - line.meets_zero_mm - offset_mm)
    below = np.flatnonzero((gap < 0) & (x > line.from_mm))
    if not below.size:
        return None
    at = int(below[0])
    if at == 0 or gap[at - 1] <= 0:
        return float(x[at]), float(f[at])
    share = float(gap[at - 1] / (gap[at - 1] - gap[at]))
    return float(x[at - 1] + share * (x[at] - x[at - 1])), float(f[at - 1] + share * (f[at] - f[at - 1]))


def plateau(displacement_mm: FloatArray, force_n: FloatArray, height_mm: float, area_mm2: float) -> Plateau | None:
    """Plateau stress, end and energy of a porous part (ISO 13314:2011); None where the strain stays below 40 %.

    displacement_mm, force_n : (n,) float, from contact on
    """
    strain = np.maximum.accumulate(displacement_mm) / height_mm
    low, high = _PLATEAU
    if strain[-1] < high:
        return None
    stress = force_n / area_mm2
    inside = (strain >= low) & (strain <= high)
    if np.count_nonzero(inside) >= 2:
        x, y = strain[inside], stress[inside]
        level = trapezoidal(x, y) / max(float(x[-1] - x[0]), 1e-12)
    else:
        level = float(np.mean(np.interp([low, high], strain, stress)))
    beyond = np.flatnonzero((strain > high) & (stress >= _PLATEAU_END * level))
    end = float(strain[beyond[0]]) if beyond.size else None
    density = running_energy(strain, stress)
    stop = min(0.5, end if end is not None else 0.5, float(strain[-1]))
    return Plateau(level, end, float(np.interp(stop, strain, density)))


def crush_force_efficiency(displacement_mm: FloatArray, force_n: FloatArray, onset: int | None) -> float | None:
    """Mean crush force over peak force, from contact to densification (or the end where there is none).

    displacement_mm, force_n : (n,) float, from contact on; onset : index of densification, or None
    """
    stop = (force_n.size - 1 if onset is None else onset) + 1
    x, f = displacement_mm[:stop], force_n[:stop]
    peak, length = float(np.max(f)), float(x[-1] - x[0])
    if peak <= 0 or length <= 0:
        return None
    return trapezoidal(x, f) / length / peak
