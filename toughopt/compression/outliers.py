"""Noise of a signal, and single samples that fit neither what comes before nor what comes after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_ORDER4 = np.sqrt(70.0)  # norm of 1 -4 6 -4 1
_MAD = 1.4826
_ENOUGH, _STRETCH = 40_000, 1_000  # samples that tell the noise well enough, and how many of them stand together
_WINDOW = 40  # samples to each side that tell what is usual


def noise_level(values: FloatArray) -> float:
    """Standard deviation of white noise on a smooth signal with breaks.

    values : (n,) float, evenly sampled to a fair approximation

    Notes
    -----
    Median absolute fourth difference over its norm: the signal's polynomial part up to the third degree drops out, and
    a break touches five differences only. Of long signals, evenly spread stretches are enough.
    """
    if values.size < 12:
        return 0.0
    if values.size > _ENOUGH:
        starts = np.linspace(0, values.size - _STRETCH, _ENOUGH // _STRETCH).astype(int)
        fourth = np.concatenate([np.diff(values[start : start + _STRETCH], 4) for start in starts])
    else:
        fourth = np.diff(values, 4)
    return float(_MAD * np.median(np.abs(fourth)) / _ORDER4)


def misfit(values: FloatArray) -> FloatArray:
    """(n,) distance of each sample from the nearest of: the line through its two predecessors, the line through its two
    followers, the mean of its neighbours. A kink or a break fits one of them; a spike fits none.
    """
    n = values.size
    result = np.zeros(n)
    if n < 5:
        return result
    middle = np.abs(values[1:-1] - 0.5 * (values[:-2] + values[2:]))
    step = np.diff(values)
    bend = np.abs(step[1:] - step[:-1])  # bend[i]: of sample i from the line through i+1, i+2, and of i+2 from i, i+1
    result[2:-2] = np.minimum(np.minimum(middle[1:-1], bend[:-2]), bend[2:])
    result[1] = min(middle[0], bend[1])
    result[-2] = min(middle[-1], bend[-2])
    result[0] = bend[0]
    return result


def spikes(values: FloatArray, floor: float, factor: float = 16.0) -> NDArray[np.intp]:
    """Indices of isolated samples that are off by more than `floor` and `factor` times what is usual around them.

    values : (n,) float; floor : in the unit of the values

    Notes
    -----
    The misfit of white noise has a median of half its standard deviation: 16 medians are 8 standard deviations.
    """
    n = values.size
    if n < 8:
        return np.empty(0, dtype=np.intp)
    off = misfit(values)
    candidates = np.flatnonzero(off > floor)
    if not candidates.size:
        return candidates
    typical = float(np.median(off[:: max(1, n // _ENOUGH)]))
    candidates = candidates[off[candidates] > 0.5 * factor * typical]
    offsets = np.concatenate([np.arange(-_WINDOW, 0), np.arange(1, _WINDOW + 1)])
    around = np.clip(candidates[:, None] + offsets[None, :], 0, n - 1)
    usual = np.median(off[around], axis=1)
    return np.asarray(candidates[off[candidates] > factor * usual])


def without(index: NDArray[np.intp], *arrays: FloatArray) -> tuple[FloatArray, ...]:
    """The arrays without the samples of `index`."""
    if not index.size:
        return arrays
    return tuple(np.delete(array, index) for array in arrays)
