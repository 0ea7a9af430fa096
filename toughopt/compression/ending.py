"""Where the area under a curve ends: the end of loading, a break, densification, or a given strain, travel or force."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.efficiency import densification
from toughopt.compression.outliers import usual
from toughopt.compression.settings import AnalysisSettings
from toughopt.errors import CurveError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ending:
    """The last sample that counts whole, and the share of the step to the next one that counts too."""

    index: int
    share: float = 0.0
    rule: str = "end_of_loading"
    limited: bool = False  # the force limit ended it


def rebound_cut(displacement_mm: FloatArray, rebound_mm: float) -> int:
    """Number of samples before the displacement first jumps back by more than `rebound_mm` in one step, or all.

    displacement_mm : (n,) float, mm
    """
    back = np.flatnonzero(np.diff(displacement_mm) < -rebound_mm)
    return int(back[0]) + 1 if back.size else int(displacement_mm.size)


def end_of_loading(displacement_mm: FloatArray, noise_mm: float) -> int:
    """Index of the largest displacement; of its smoothed course where the displacement itself is noisy.

    displacement_mm : (n,) float, mm
    """
    top = int(np.argmax(displacement_mm))
    if noise_mm <= 0 or displacement_mm.size < 100:
        return top
    step = usual(np.abs(np.diff(displacement_mm)))
    if noise_mm < 0.2 * step:
        return top
    width = int(np.clip(4.0 * (noise_mm / max(step, 1e-9)) ** (2 / 3), 11, displacement_mm.size // 8)) | 1
    sums = np.concatenate([[0.0], np.cumsum(displacement_mm)])
    smooth = (sums[width:] - sums[:-width]) / width
    peak = int(np.argmax(smooth))
    if peak >= smooth.size - width:
        return int(displacement_mm.size) - 1
    return peak + width // 2


def find_end(
    displacement_mm: FloatArray,
    force_n: FloatArray,
    last: int,
    settings: AnalysisSettings,
    height_mm: float | None,
) -> Ending:
    """Where the area ends.

    displacement_mm, force_n : (n,) float, from contact on, zeroed; last : index of the end of loading

    Raises
    ------
    CurveError
        If the rule needs the specimen's height and that is not known.
    """
    ending = _by_rule(displacement_mm, force_n, last, settings, height_mm)
    limit = settings.force_limit_n
    if limit is not None:
        reached = np.flatnonzero(force_n[: ending.index + 1] >= limit)
        if reached.size:
            at = int(reached[0])
            share = _share(force_n, at, limit)
            return Ending(max(at - 1, 0), share, ending.rule, limited=True)
    return ending


def _by_rule(x: FloatArray, force: FloatArray, last: int, settings: AnalysisSettings, height: float | None) -> Ending:
    value = settings.end_value
    match settings.end:
        case "end_of_loading":
            return Ending(last)
        case "first_break":
            at = first_break(force[: last + 1], settings.break_drop)
            return Ending(last if at is None else at, rule="first_break")
        case "densification":
            onset = densification(x[: last + 1], force[: last + 1])
            return Ending(last if onset is None else onset, rule="densification")
        case "strain":
            if height is None:
                raise CurveError("end = 'strain' needs the specimen's height; give height_mm")
            assert value is not None
            return _at(x, last, value * height, "strain")
        case "displacement":
            assert value is not None
            return _at(x, last, value, "displacement")
        case "force":
            assert value is not None
            reached = np.flatnonzero(force[: last + 1] >= value)
            if not reached.size:
                return Ending(last, rule="force")
            at = int(reached[0])
            return Ending(max(at - 1, 0), _share(force, at, value), "force")


def first_break(force_n: FloatArray, drop: float) -> int | None:
    """Index at which the force has first lost the share `drop` of its highest value so far; None where it never does.

    force_n : (n,) float, N, from contact on
    """
    highest = np.maximum.accumulate(force_n)
    broken = np.flatnonzero((force_n < (1.0 - drop) * highest) & (highest > 0.1 * highest[-1]))
    return int(broken[0]) if broken.size else None


def _at(x: FloatArray, last: int, target: float, rule: str) -> Ending:
    beyond = np.flatnonzero(x[: last + 1] >= target)
    if not beyond.size:
        return Ending(last, rule=rule)
    at = int(beyond[0])
    return Ending(max(at - 1, 0), _share(x, at, target), rule)


def _share(values: FloatArray, at: int, target: float) -> float:
    if at == 0:
        return 0.0
    step = float(values[at] - values[at - 1])
    return float(np.clip((target - float(values[at - 1])) / step, 0.0, 1.0)) if step > 0 else 1.0
