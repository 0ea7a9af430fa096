"""Where the plates touch the specimen, and what the load cell reads before."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.settings import DEFAULTS, AnalysisSettings

FloatArray = NDArray[np.float64]
_FLAT = 0.1  # slope before contact, as a share of that after it, up to which what comes before is air
_FEWEST_BEFORE = 4
_LADDER = (1.0, 4.0, 16.0)  # times the contact force: a load cell that drifts passes the lower ones in the air
_FAINT = 0.02  # of the peak force, below which the force of a contact must be
_MOST_DRIFT = 0.005  # of the peak force
USUAL_DRIFT = 0.0045  # of the peak force: standard deviation of what a load cell's zero moves by in a test
_TOE = 6.0  # times that: from which on what rises is a specimen
_BLOCK = 1 << 16  # samples that are looked through at once
_MOST = 4000  # samples that the contact is sought in at once
_CERTAIN = 4.0  # standard errors from which a slope before contact is one
_ROUNDING = 1e-9  # of the peak force
_RISE_TIMES = 40.0  # times the noise up to which the first rise is taken as straight
_NOISE_TIMES = 6.0  # standard errors of the trailing median that noise does not reach by itself
_MEDIAN = 1.2533  # standard error of a median over that of a mean


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the load cell reads without a specimen: offset + slope (x - centre)."""

    offset_n: float = 0.0
    slope_n_per_mm: float = 0.0
    centre_mm: float = 0.0
    samples: int = 0  # 0: none was to be seen
    offset_std_n: float = 0.0
    slope_std_n_per_mm: float = 0.0

    @property
    def drifts(self) -> bool:
        """Whether the slope is more than what noise makes of none."""
        return abs(self.slope_n_per_mm) > _CERTAIN * self.slope_std_n_per_mm

    def at(self, displacement_mm: FloatArray) -> FloatArray:
        """(n,) N at (n,) mm."""
        return np.asarray(self.offset_n + self.slope_n_per_mm * (displacement_mm - self.centre_mm))


@dataclass(frozen=True, slots=True)
class Contact:
    """Where loading begins."""

    index: int  # first sample that belongs to the loading
    displacement_mm: (
        float  # where the force leaves the baseline: before that sample, or at it where loading began earlier
    )
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
    Contact is confirmed where the median of the last `contact_window` forces exceeds what the load cell read at the
    beginning by `contact_force_n` (a fiftieth of the peak where that is less), or by what noise alone would reach. A
    trailing median confirms late; so two straight lines are fitted to what was recorded up to there, one before and one
    after a break that is chosen by least squares, and the contact is where they meet. Where the first is as steep as
    the second, the record began under load.

    The zero of a load cell drifts. A slope of the first line that is certain (four standard errors) is subtracted, all
    along the test. Any other says little of the whole test where the air is short: it is weighed against an assumption,
    that the zero moves from the first sample to the last by less than 0.9 % of the peak force in 95 of 100 tests
    (normal, standard deviation `USUAL_DRIFT`). With s the standard error of the slope and d that of the
    assumption, both in N/mm, the share d^2 / (d^2 + s^2) of the slope is subtracted, with the standard deviation
    s d / sqrt(d^2 + s^2): s where the air tells the drift, d where it tells nothing or where there is none.
    """
    window = int(np.clip(force_n.size // 10, 3, settings.contact_window))
    quiet = noise_n <= 1e-3 * float(np.max(force_n))
    start = float(np.median(force_n[: 3 if quiet else max(3, window // 2)]))
    top = float(np.max(force_n))
    faint = _FAINT * (top - start)
    if 0 < faint < settings.contact_force_n:
        settings = replace(settings, contact_force_n=faint)
    if settings.baseline != "none":
        for times in _LADDER:
            threshold = times * settings.contact_force_n
            if times > 1 and threshold > _MOST_DRIFT * (top - start):
                break
            confirmed = _trailing_median_above(force_n - start, threshold, window, noise_n)
            if confirmed is None:
                break
            met = _two_lines(displacement_mm, force_n, start, confirmed, noise_n, threshold, settings)
            if met is not None:
                return met
    return _without_baseline(displacement_mm, force_n, window, noise_n, settings)


def _without_baseline(
    x: FloatArray, force: FloatArray, window: int, noise: float, settings: AnalysisSettings
) -> Contact | None:
    """The contact of a record without air: where the force first stays above the threshold, or its line meets zero."""
    first = _trailing_median_above(force, settings.contact_force_n, window, noise)
    if first is None:
        return None
    # Nothing shows the load cell's zero: it may be off by what counts as no contact, and drift.
    unseen = Baseline(centre_mm=float(x[0]))
    if settings.baseline != "none":
        unseen = replace(unseen, offset_std_n=settings.contact_force_n / np.sqrt(3.0))
    if settings.baseline in ("auto", "linear"):
        unseen = replace(unseen, slope_std_n_per_mm=_usual_slope(x, float(np.max(force))))
    if noise < 0.3 * settings.contact_force_n:
        low = np.flatnonzero(force[: first + 1] <= settings.contact_force_n)
        index = int(low[-1]) if low.size else 0
        return Contact(index, float(x[index]), unseen)
    line = _line(x[: first + 3], force[: first + 3], noise)
    meets = float(x[0]) if line is None or line.slope <= 0 else line.centre_x - line.centre_f / line.slope
    index = int(np.argmax(x[: first + 1] >= meets)) if meets <= x[first] else first
    return Contact(index, float(x[index]), unseen)


def _trailing_median_above(force: FloatArray, threshold: float, window: int, noise: float) -> int | None:
    """First index at which the median of the `window` samples up to it exceeds the threshold and the noise."""
    level = max(threshold, _NOISE_TIMES * _MEDIAN * noise / np.sqrt(window))
    for begin in range(0, force.size - window + 1, _BLOCK):
        part = force[begin : begin + _BLOCK + window - 1]
        above = np.concatenate([[0], np.cumsum(part > level)])
        enough = np.flatnonzero(above[window:] - above[:-window] >= (window + 1) // 2)
        for at in range(0, enough.size, 512):
            ends = enough[at : at + 512]
            medians = np.median(part[ends[:, None] + np.arange(window)[None, :]], axis=1)
            hit = np.flatnonzero(medians > level)
            if hit.size:
                return begin + int(ends[hit[0]]) + window - 1
    return None


def _two_lines(
    x: FloatArray,
    force: FloatArray,
    start: float,
    confirmed: int,
    noise: float,
    threshold: float,
    settings: AnalysisSettings,
) -> Contact | None:
    """The contact where a line through the air meets a line through the first rise; None where there is no air."""
    top = float(np.max(force))
    quiet = noise <= 1e-3 * top
    fewest = 2 if quiet else _FEWEST_BEFORE
    level = start + max(3.0 * threshold, min(_RISE_TIMES * noise, 0.3 * (top - start)))
    high = np.flatnonzero(force > level) if quiet else confirmed + np.flatnonzero(force[confirmed:] > level)
    end = min(max(int(high[0]) if high.size else confirmed, fewest) + 3, force.size)
    size = max(1, end // _MOST)
    at = np.arange(0, end, size)
    counts = np.diff(np.append(at, end)).astype(np.float64)
    mean_x, mean_f = np.add.reduceat(x[:end], at) / counts, np.add.reduceat(force[:end], at) / counts
    break_at = _best_break(mean_x, mean_f, counts, fewest)
    if break_at is None:
        return None
    count = min(int(at[break_at]) + 1, end)  # samples up to the break, itself included
    used = max(count - count // 20, min(count, fewest))
    air = _line(x[:used], force[:used], noise)
    rise = _line(mean_x[break_at + 1 :], mean_f[break_at + 1 :], noise / np.sqrt(size))
    if (
        used < fewest
        or air is None
        or rise is None
        or not _is_air(air, rise, x[:used], noise, threshold, top, settings)
        or abs(air.slope) - _CERTAIN * air.slope_std > _TOE * _usual_slope(x, top)
    ):
        return None
    slope, slope_std = _drift(air, float(np.ptp(x[:used])), _usual_slope(x, top), top, settings)
    baseline = Baseline(air.centre_f, slope, air.centre_x, used, air.spread / np.sqrt(used), slope_std)
    gap = rise.centre_f - float(baseline.at(np.array([rise.centre_x]))[0])
    meets = rise.centre_x - gap / max(rise.slope - slope, 1e-12)
    index = min(count, force.size - 2)
    while index < force.size - 2 and x[index] <= meets:
        index += 1
    while index > 1 and x[index - 1] > meets:
        index -= 1
    return Contact(index, float(np.clip(meets, min(x[index - 1], x[index]), x[index])), baseline)


def _usual_slope(x: FloatArray, top: float) -> float:
    """N/mm: standard deviation of the drift that is assumed where nothing is known."""
    return USUAL_DRIFT * top / max(float(x[-1]) - float(x[0]), 1e-12)


def _drift(air: _Line, seen: float, usual: float, top: float, settings: AnalysisSettings) -> tuple[float, float]:
    """Slope of the baseline and its standard deviation, N/mm, from a line through `seen` mm of air."""
    if settings.baseline == "constant":
        return 0.0, 0.0
    if settings.baseline == "linear":
        return air.slope, air.slope_std
    if abs(air.slope) * seen <= _ROUNDING * top:
        air = replace(air, slope=0.0)
    if abs(air.slope) > _CERTAIN * air.slope_std:
        return air.slope, air.slope_std
    share = usual * usual / (usual * usual + air.slope_std * air.slope_std)
    return share * air.slope, float(np.sqrt(share)) * air.slope_std


@dataclass(frozen=True, slots=True)
class _Line:
    slope: float
    slope_std: float
    centre_x: float
    centre_f: float
    spread: float  # of the samples about it


def _line(x: FloatArray, f: FloatArray, noise: float) -> _Line | None:
    """The least-squares line; None where there are not two displacements."""
    if x.size < 2:
        return None
    centre_x, centre_f = float(np.mean(x)), float(np.mean(f))
    square = float(np.sum((x - centre_x) ** 2))
    if square <= 0:
        return None
    slope = float(np.sum((x - centre_x) * (f - centre_f))) / square
    left = f - centre_f - slope * (x - centre_x)
    spread = max(noise, float(np.sqrt(np.sum(left * left) / max(x.size - 2, 1))))
    return _Line(slope, spread / np.sqrt(square), centre_x, centre_f, spread)


def _is_air(
    air: _Line, rise: _Line, x: FloatArray, noise: float, threshold: float, top: float, settings: AnalysisSettings
) -> bool:
    """Whether what comes before the break is too flat to be a specimen."""
    least = rise.slope - 3.0 * noise / max(rise.spread, 1e-300) * rise.slope_std
    climb = abs(air.slope) * float(np.ptp(x))
    if climb > max(1.5 * threshold, 3.0 * noise):
        return False
    if least <= 0 or abs(air.slope) + 2.0 * air.slope_std > max(_FLAT * rise.slope, 0.5 * least):
        return False
    if abs(air.slope) > _CERTAIN * air.slope_std and abs(air.slope) > _FLAT * rise.slope:
        return False
    if threshold > settings.contact_force_n:  # a strong drift is believed only where it is straight
        return climb < _MOST_DRIFT * top and air.spread <= max(1.5 * noise, 1e-6 * top)
    return True


def _best_break(x: FloatArray, f: FloatArray, weight: FloatArray, fewest: int) -> int | None:
    """Last index of the first of two lines that together fit best, both of at least a few points."""
    n = x.size
    if n < fewest + 2:
        return None
    x, f = x - x[0], f - f[0]
    sums = np.cumsum(np.stack([weight, weight * x, weight * f, weight * x * x, weight * x * f, weight * f * f]), axis=1)
    ends = np.arange(fewest - 1, n - 2)
    before = _residual(sums[:, ends])
    after = _residual(sums[:, -1:] - sums[:, ends])
    total = before + after
    return int(ends[int(np.argmin(total))])


def _residual(sums: FloatArray) -> FloatArray:
    """(k,) sum of squares left by a line, from the sums of 1, x, f, xx, xf, ff, each (k,)."""
    w, sx, sf, sxx, sxf, sff = sums
    square = np.maximum(sxx - sx * sx / w, 0.0)
    product = sxf - sx * sf / w
    explained = np.divide(product * product, square, out=np.zeros_like(square), where=square > 0)
    return np.asarray(np.maximum(sff - sf * sf / w - explained, 0.0))
