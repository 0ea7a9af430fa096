"""Energy-absorbing efficiency and the onset of densification: how near a specimen comes to the ideal absorber."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toughopt.errors import CurveError

FloatArray = NDArray[np.float64]
_CORNER, _STEEPEST = 0.002, 0.1  # of the peak: least and most that a corner between two samples rises above them
_AT_END = 0.01  # of the travel
_UNDER_HIGHEST = 0.95  # of the highest force at the end of a record: it was rising, or level, when the test was ended


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The best ratio of the energy taken up to that of an ideal absorber, and where."""

    value: float
    threshold_n: float
    displacement_mm: float


def energy_absorbing_efficiency(displacement_mm: FloatArray, force_n: FloatArray, height_mm: float) -> Efficiency:
    """Largest ratio of the energy taken up to what an ideal absorber would take up at the same force.

    Parameters
    ----------
    displacement_mm : (n,) float, mm, from contact on
    force_n : (n,) float, N, compression positive
    height_mm : height of the specimen before the test, mm

    Raises
    ------
    CurveError
        If the curve has fewer than two points, the height is not positive, or the force never is.

    Notes
    -----
    Ks(Ft) = 1/(Ft h) * integral of F dD from 0 to Dt, with Dt the largest displacement up to which F stays at or below
    Ft (Snapp et al., Nature Communications 2024, doi 10.1038/s41467-024-48534-4). Just below each new maximum of F the
    threshold is that of the maxima so far and Dt as large as it gets, so only those are tried: O(n).
    """
    if displacement_mm.size < 2:
        raise CurveError(f"{displacement_mm.size} points after contact; an efficiency needs at least two")
    if not height_mm > 0:
        raise CurveError(f"height_mm = {height_mm!r}; a specimen's height is above 0")
    energy = running_energy(displacement_mm, force_n)
    highest = np.maximum.accumulate(force_n)
    loaded = highest > 1e-3 * float(highest[-1])
    if not highest[-1] > 0 or not loaded.any():
        raise CurveError("the force never rises above zero; there is no efficiency")
    ratio = np.zeros_like(energy)
    np.divide(energy, highest * height_mm, out=ratio, where=loaded)
    best = int(np.argmax(ratio))
    return Efficiency(float(ratio[best]), float(highest[best]), float(displacement_mm[best]))


def with_corner(displacement_mm: FloatArray, force_n: FloatArray, noise_n: float) -> tuple[FloatArray, FloatArray]:
    """The same record with the peak that fell between two samples, where its flanks meet above both in a sharp corner.

    displacement_mm, force_n : (n,) float; noise_n : standard deviation of the force's noise, N
    """
    top = int(np.argmax(force_n))
    for at in (top, top - 1):  # between this sample and the next
        x, f = displacement_mm[at - 1 : at + 3], force_n[at - 1 : at + 3]
        if at < 1 or x.size < 4 or not (np.diff(x) > 0).all():
            continue
        rise, fall = (f[1] - f[0]) / (x[1] - x[0]), (f[3] - f[2]) / (x[3] - x[2])
        if rise <= 0 or fall >= 0:
            continue
        meet = float((f[2] - f[1] + rise * x[1] - fall * x[2]) / (rise - fall))
        height = float(f[1] + rise * (meet - x[1]))
        above = height - float(force_n[top])
        if x[1] < meet < x[2] and max(_CORNER * height, 10.0 * noise_n) < above < _STEEPEST * height:
            return np.insert(displacement_mm, at + 1, meet), np.insert(force_n, at + 1, height)
    return displacement_mm, force_n


def may_be_hidden(found: Efficiency, displacement_mm: FloatArray, force_n: FloatArray) -> bool:
    """Whether the best efficiency lies at the end of a record that ends under its highest force: more may lie beyond.

    displacement_mm, force_n : (n,) float, from contact on, those that `found` was taken from
    """
    whole = float(displacement_mm[-1] - displacement_mm[0])
    at_end = float(displacement_mm[-1]) - found.displacement_mm <= _AT_END * whole
    return at_end and float(np.max(force_n[-3:])) >= _UNDER_HIGHEST * float(np.max(force_n))


def trapezoidal(displacement_mm: FloatArray, force_n: FloatArray) -> float:
    """Integral of the force over the displacement by the trapezoidal rule, N mm = mJ.

    displacement_mm, force_n : (n,) float. Without BLAS, whose threads go on spinning for a while after each sum.
    """
    return 0.5 * float(np.einsum("i,i", force_n[1:] + force_n[:-1], np.diff(displacement_mm)))


def running_energy(displacement_mm: FloatArray, force_n: FloatArray) -> FloatArray:
    """(n,) trapezoidal integral of the force up to each sample, N mm = mJ, the first one 0."""
    steps = np.empty_like(force_n)
    steps[0] = 0.0
    np.multiply(0.5 * (force_n[1:] + force_n[:-1]), np.diff(displacement_mm), out=steps[1:])
    return np.cumsum(steps)


def densification(displacement_mm: FloatArray, force_n: FloatArray) -> int | None:
    """Index of the onset of densification, None where the curve ends before it.

    displacement_mm, force_n : (n,) float, from contact on

    Notes
    -----
    The onset is where the efficiency eta(D) = 1/F(D) * integral of F from 0 to D is largest (Li, Magkiriadis and
    Harrigan, Journal of Cellular Plastics 2006). The force of each point is the largest so far, so that a softening
    after a peak does not count as efficient. At the last sample the maximum is not passed, and there is no onset.
    """
    if force_n.size < 5:
        return None
    highest = np.maximum.accumulate(force_n)
    if not highest[-1] > 0:
        return None
    energy = running_energy(displacement_mm, force_n)
    ratio = np.zeros_like(energy)
    np.divide(energy, highest, out=ratio, where=highest > 0.02 * float(highest[-1]))
    best = int(np.argmax(ratio))
    passed = float(ratio[best]) > 1.02 * float(ratio[-1])
    return best if passed else None
