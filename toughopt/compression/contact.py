"""Where the plates touch the specimen, and what the load cell reads before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.settings import DEFAULTS, AnalysisSettings

FloatArray = NDArray[np.float64]
_FLAT = 0.1  # slope before contact, as a share of that after it, up to which what comes before is air
_FEWEST_BEFORE = 5


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the load cell reads without a specimen: offset + slope (x - centre)."""

    offset_n: float = 0.0
    slope_n_per_mm: float = 0.0
    centre_mm: float = 0.0
    samples: int = 0  # 0: none was to be seen
    offset_std_n: float = 0.0
    slope_std_n_per_mm: float = 0.0

    def at(self, displacement_mm: FloatArray) -> FloatArray:
        """(n,) N at (n,) mm."""
        return self.offset_n + self.slope_n_per_mm * (displacement_mm - self.centre_mm)


@dataclass(frozen=True, slots=True)
class Contact:
    """Where loading begins."""

    index: int  # first sample that belongs to the loading
    displacement_mm: float  # where the force leaves the baseline, between samples
    baseline: Baseline


def find_contact(
    displacement_mm: FloatArray, force_n: FloatArray, noise_n: float, settings: AnalysisSettings = DEFAULTS
) -> Contact | None:
    """The contact, or None where the force never rises.

    Parameters
    ----------
    displacement_mm, force_n : (n,) float, mm and N, compression positive, loading with growing displacement
    noise_n : standard deviation of the force's noise, N

    Notes
    -----
    Contact is confirmed where the median of the last `contact_window` forces exceeds the baseline by `contact_force_n`, or
    by what noise alone would reach; from there back to where the smoothed force leaves the baseline. A trailing median
    confirms late by half its window, hence the way back.
    """
    window = int(np.clip(force_n.size // 10, 3, settings.contact_window))
    first = _trailing_median_above(force_n, settings.contact_force_n, window, noise_n)
    start_level = float(np.median(force_n[: max(_FEWEST_BEFORE, window // 2)]))
    lifted = _trailing_median_above(force_n - start_level, settings.contact_force_n, window, noise_n)
    if settings.baseline != "none" and lifted is not None and lifted > window:
        back = _walk_back(force_n - start_level, lifted, window, noise_n)
        baseline = _baseline(displacement_mm, force_n, back, lifted, noise_n, settings)
        if baseline is not None:
            clean = force_n - baseline.at(displacement_mm)
            again = _trailing_median_above(clean, settings.contact_force_n, window, noise_n)
            if again is not None:
                index = _walk_back(clean, again, window, noise_n)
                return Contact(index, _crossing(displacement_mm, clean, index), baseline)
    if first is None:
        return None
    index = _walk_back(force_n, first, window, noise_n) if first > window else 0
    return Contact(index, _crossing(displacement_mm, force_n, index), Baseline())


def _trailing_median_above(force: FloatArray, threshold: float, window: int, noise: float) -> int | None:
    """First index at which the median of the `window` samples up to it exceeds the threshold and the noise."""
    level = max(threshold, 5.0 * 1.2533 * noise / np.sqrt(window))
    if force.size < window:
        return None
    above = np.concatenate([[0], np.cumsum(force > level)])
    enough = np.flatnonzero(above[window:] - above[:-window] >= (window + 1) // 2)
    for at in range(0, enough.size, 4096):
        ends = enough[at : at + 4096]
        medians = np.median(force[ends[:, None] + np.arange(window)[None, :]], axis=1)
        hit = np.flatnonzero(medians > level)
        if hit.size:
            return int(ends[hit[0]]) + window - 1
    return None


def _walk_back(force: FloatArray, confirmed: int, window: int, noise: float) -> int:
    """Last sample at or before `confirmed` at which the smoothed force has not left zero."""
    head = force[: confirmed + 1]
    if noise > 0:
        width = min(window, head.size)
        sums = np.concatenate([[0.0], np.cumsum(head)])
        smooth = (sums[width:] - sums[:-width]) / width
        low = np.flatnonzero(smooth <= noise / np.sqrt(width))
        return int(low[-1]) + width // 2 if low.size else 0
    small = 1e-9 * max(float(np.max(np.abs(force))), 1.0)
    low = np.flatnonzero(head <= small)
    return int(low[-1]) if low.size else 0


def _baseline(
    x: FloatArray, force: FloatArray, back: int, confirmed: int, noise: float, settings: AnalysisSettings
) -> Baseline | None:
    """The baseline from the samples well before contact; None where there are none, or they rise as the specimen does."""
    count = back - max(1, back // 10)
    if count < _FEWEST_BEFORE:
        return None
    before_x, before_f = x[:count], force[:count]
    span = float(np.ptp(before_x))
    centre = float(np.mean(before_x))
    offset = float(np.mean(before_f))
    spread = max(noise, float(np.std(before_f - offset)) if count < 20 else noise)
    slope, slope_std = 0.0, 0.0
    if span > 0:
        square = float(np.sum((before_x - centre) ** 2))
        slope = float(np.sum((before_x - centre) * (before_f - offset))) / square
        slope_std = noise / np.sqrt(square)
    end = min(confirmed + max(10, back // 2), force.size - 1)
    rise = (float(force[end]) - float(force[back])) / max(float(x[end] - x[back]), 1e-12)
    certain = abs(slope) > 5.0 * slope_std and abs(slope) * span > 1e-12
    if certain and abs(slope) > _FLAT * abs(rise):
        return None
    if settings.baseline == "linear" or (settings.baseline == "auto" and certain):
        return Baseline(offset, slope, centre, count, spread / np.sqrt(count), slope_std)
    return Baseline(offset, 0.0, centre, count, spread / np.sqrt(count), 0.0)


def _crossing(x: FloatArray, force: FloatArray, index: int) -> float:
    """Displacement at which the line through the first samples of the rise meets zero, kept between its neighbours."""
    if index + 2 >= force.size:
        return float(x[index])
    low, high = float(force[index + 1]), float(force[index + 2])
    if high <= low or low <= 0:
        return float(x[index])
    meets = float(x[index + 1]) - low * float(x[index + 2] - x[index + 1]) / (high - low)
    return float(np.clip(meets, x[index], x[index + 1]))
