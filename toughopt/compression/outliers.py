"""Noise of a signal, and single samples that fit neither what comes before nor what comes after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_ORDER4 = np.sqrt(70.0)  # norm of 1 -4 6 -4 1
_MAD = 1.4826
_ENOUGH, _STRETCH = 16_000, 800  # samples that tell the noise well enough, and how many of them stand together
_WINDOW = 40  # samples to each side that tell what is usual


def noise_level(values: FloatArray, enough: int = _ENOUGH) -> float:
    """Standard deviation of white noise on a smooth signal with breaks.

    values : (n,) float, evenly sampled to a fair approximation; enough : samples to which longer signals are thinned

    Notes
    -----
    Median absolute fourth difference over its norm: the signal's polynomial part up to the third degree drops out, and
    a break touches five differences only. Of long signals, evenly spread stretches are enough.
    """
    if values.size < 12:
        return 0.0
    if values.size > enough:
        starts = np.linspace(0, values.size - _STRETCH, enough // _STRETCH).astype(int)
        fourth = np.concatenate([np.diff(values[start : start + _STRETCH], 4) for start in starts])
    else:
        fourth = np.diff(values, 4)
    return float(_MAD * np.median(np.abs(fourth)) / _ORDER4)


def usual(values: FloatArray) -> float:
    """Median of the values; of an even choice of them where there are many."""
    return float(np.median(values[:: max(1, values.size // _ENOUGH)]))


def misfit(values: FloatArray, at: NDArray[np.intp]) -> FloatArray:
    """(k,) distance of the samples `at` from the nearest of: the line through the two before, the line through the two
    after, the mean of the two neighbours. A kink or a break fits one of them; a spike fits none.

    values : (n,) float, n at least 3; at : (k,) int
    """
    last = values.size - 1
    here = values[at]
    before, before_2 = values[np.maximum(at - 1, 0)], values[np.maximum(at - 2, 0)]
    after, after_2 = values[np.minimum(at + 1, last)], values[np.minimum(at + 2, last)]
    never = np.inf
    middle = np.where((at >= 1) & (at < last), np.abs(here - 0.5 * (before + after)), never)
    left = np.where(at >= 2, np.abs(here - 2.0 * before + before_2), never)
    right = np.where(at <= last - 2, np.abs(here - 2.0 * after + after_2), never)
    return np.minimum(np.minimum(middle, left), right)


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
    bends = np.diff(values, 2)
    np.abs(bends, out=bends)
    inside = np.flatnonzero(bends > 2.0 * floor) + 1
    ends = [end for end, bend in ((0, bends[0]), (n - 1, bends[-1])) if bend > floor]
    candidates = np.concatenate([inside, np.array(ends, dtype=np.intp)])
    if not candidates.size:
        return candidates
    typical = float(np.median(misfit(values, np.arange(0, n, max(1, n // _ENOUGH)))))
    off = misfit(values, candidates)
    candidates = candidates[off > max(floor, 0.5 * factor * typical)]
    offsets = np.concatenate([np.arange(-_WINDOW, 0), np.arange(1, _WINDOW + 1)])
    around = candidates[:, None] + offsets[None, :]
    around = np.where((around < 0) | (around >= n), candidates[:, None] - offsets[None, :], around)  # the other side
    around = np.clip(around, 0, n - 1)
    near = np.median(misfit(values, around.ravel()).reshape(around.shape), axis=1) if candidates.size else np.empty(0)
    candidates = np.sort(candidates[misfit(values, candidates) > factor * near])
    candidates = np.array([at for at in candidates.tolist() if _alone(values, at)], dtype=np.intp)
    size = dict(zip(candidates.tolist(), misfit(values, candidates).tolist(), strict=True))
    # Next to an end, the neighbour of a spike has only that to be compared with: the larger of two is the spike.
    spikes_at = [at for at in size if 1.5 * size[at] > max(size.get(at - 1, 0.0), size.get(at + 1, 0.0))]
    return np.array(spikes_at, dtype=np.intp)


def _alone(values: FloatArray, at: int) -> bool:
    """Whether a sample sticks out to one side of both its neighbours, as the bends about it tell; at an end, of all."""
    n = values.size
    if at in (0, n - 1):
        rest = values[1:] if at == 0 else values[:-1]
        low, high = float(rest.min()), float(rest.max())
        near, next_ = (rest[0], rest[1]) if at == 0 else (rest[-1], rest[-2])
        margin = max(0.02 * (high - low), 3.0 * abs(float(near - next_)))
        return bool(values[at] > high + margin or values[at] < low - margin)
    part = values[max(at - 2, 0) : at + 3]
    bends = np.diff(part, 2)
    own = at - max(at - 2, 0) - 1
    beside = bends[[i for i in (own - 1, own + 1) if 0 <= i < bends.size]]
    return bool(np.all(np.sign(beside) == -np.sign(bends[own])) and np.all(np.abs(beside) > 0.2 * abs(bends[own])))


def without(index: NDArray[np.intp], *arrays: FloatArray) -> tuple[FloatArray, ...]:
    """The arrays without the samples of `index`."""
    if not index.size:
        return arrays
    return tuple(np.delete(array, index) for array in arrays)
