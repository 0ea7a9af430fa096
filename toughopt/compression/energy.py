"""The area under a curve, and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.contact import Baseline
from toughopt.compression.efficiency import trapezoidal
from toughopt.compression.ending import Ending
from toughopt.compression.outliers import noise_level, usual

FloatArray = NDArray[np.float64]
_SEGMENTS = 20
_FEWEST_IN_SEGMENT = 40
_ENOUGH_IN_SEGMENT = 4_000


@dataclass(frozen=True, slots=True)
class Energy:
    """An energy in J with its standard deviation, and where that comes from (each in J)."""

    value_j: float
    noise_j: float
    baseline_j: float
    contact_j: float
    displacement_j: float
    sampling_j: float

    @property
    def std_j(self) -> float:
        """Root of the sum of the squares of the parts."""
        parts = (self.noise_j, self.baseline_j, self.contact_j, self.displacement_j, self.sampling_j)
        return float(np.sqrt(sum(part * part for part in parts)))


def area(displacement_mm: FloatArray, force_n: FloatArray, ending: Ending) -> float:
    """Trapezoidal integral from the first sample to the ending, N mm = mJ.

    displacement_mm, force_n : (n,) float
    """
    end = ending.index
    x, f = displacement_mm[: end + 1], force_n[: end + 1]
    whole = trapezoidal(x, f)
    if ending.share > 0 and end + 1 < displacement_mm.size:
        step = ending.share * float(displacement_mm[end + 1] - displacement_mm[end])
        reached = float(force_n[end]) + ending.share * float(force_n[end + 1] - force_n[end])
        whole += 0.5 * (float(force_n[end]) + reached) * step
    return whole


def weights(displacement_mm: FloatArray) -> FloatArray:
    """(n,) mm: what each force is multiplied with in the trapezoidal integral."""
    steps = np.diff(displacement_mm)
    result = np.zeros_like(displacement_mm)
    result[:-1] += 0.5 * steps
    result[1:] += 0.5 * steps
    return result


def measure(
    displacement_mm: FloatArray,
    force_n: FloatArray,
    ending: Ending,
    baseline: Baseline,
    zero_mm: float,
    contact_force_n: float,
    noise_mm: float = 0.0,
    compliance_mm_per_n: float = 0.0,
) -> Energy:
    """The energy from contact to the ending and its uncertainty.

    Parameters
    ----------
    displacement_mm, force_n : (n,) float, from contact on; the force without the baseline
    ending : where the area ends
    baseline : what was subtracted, with its standard deviations
    zero_mm : the recorded displacement that is 0 in `displacement_mm`; the baseline's centre is a recorded one
    contact_force_n : a force that may be missing before contact
    noise_mm : standard deviation of the displacement's noise, mm
    compliance_mm_per_n : of the machine, that was corrected for with the noisy force

    Notes
    -----
    White noise of the force, sigma(i), estimated piecewise from fourth differences, so that noise that grows with the
    force counts as it should: variance = sum of w(i)^2 sigma(i)^2 with the trapezoid's weights w. Offset and slope of
    the baseline act over the whole length, the slope with the distance from where the baseline was seen:
    variance = (offset_std L)^2 + (slope_std integral of (x - centre) dx)^2. The contact may be missed by what the force
    rises to below its threshold. Noise of the displacement: variance = noise^2 (sum of (dF/2)^2 + F_end^2). A break
    falls anywhere between two samples: variance = (drop times step)^2 / 12.
    """
    end = ending.index
    x, f = displacement_mm[: end + 1], force_n[: end + 1]
    value = area(displacement_mm, force_n, ending)
    w = weights(x)
    noise, sigma_end = _noise(w, f)
    length = float(x[-1] - x[0])
    centre = baseline.centre_mm - zero_mm
    lever = 0.5 * float((x[-1] - centre) ** 2 - (x[0] - centre) ** 2)
    base = float(np.hypot(baseline.offset_std_n * length, baseline.slope_std_n_per_mm * lever))
    early = np.flatnonzero(f > contact_force_n)
    reach = float(x[early[0]] - x[0]) if early.size else 0.0
    contact = 0.5 * contact_force_n * max(reach, 0.0) / np.sqrt(3.0)
    shift = compliance_mm_per_n * abs(float(f[-1])) * sigma_end
    if noise_mm > 0:
        shift = float(np.hypot(shift, noise_mm * np.sqrt(np.sum((0.5 * np.diff(f)) ** 2) + f[-1] ** 2)))
    return Energy(
        value / 1e3, noise / 1e3, base / 1e3, contact / 1e3, shift / 1e3, _between_samples(x, f, sigma_end) / 1e3
    )


def _between_samples(x: FloatArray, f: FloatArray, sigma: float) -> float:
    """N mm: standard deviation of the energy because breaks fall somewhere between two samples."""
    drops = np.abs(np.diff(f))
    least = max(0.03 * float(np.max(f)), 10.0 * usual(drops), 10.0 * sigma)
    at = np.flatnonzero(drops > least)
    return float(np.sqrt(np.sum((drops[at] * np.abs(x[at + 1] - x[at])) ** 2) / 12.0))


def _noise(w: FloatArray, force_n: FloatArray) -> tuple[float, float]:
    """N mm: standard deviation of the weighted sum of the forces by their own noise; and N: that noise at the end."""
    pieces = int(np.clip(force_n.size // _FEWEST_IN_SEGMENT, 1, _SEGMENTS))
    bounds = np.linspace(0, force_n.size, pieces + 1).astype(int)
    variance, sigma = 0.0, 0.0
    for a, b in pairwise(bounds.tolist()):
        sigma = noise_level(force_n[a:b], _ENOUGH_IN_SEGMENT)
        variance += sigma * sigma * float(np.einsum("i,i", w[a:b], w[a:b]))
    return float(np.sqrt(variance)), sigma
