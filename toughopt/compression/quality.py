"""The quality gate: what may be wrong with a curve, each with a code, a severity and an effect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.base import Effect, Finding, Severity
from toughopt.compression.outliers import usual

FloatArray = NDArray[np.float64]
FEWEST_POINTS = 10
_JUMP_TIMES = 25.0  # usual steps
_TOP_SAMPLES = 6  # equal highest forces in a row
_COARSE = 0.02  # of the highest force: a record in such steps stands still anywhere
_SEVERITY = {
    Effect.NONE: Severity.INFO,
    Effect.WARN: Severity.WARNING,
    Effect.CENSOR: Severity.WARNING,
    Effect.REJECT: Severity.ERROR,
}


def finding(code: str, effect: Effect, message: str) -> Finding:
    """A finding with the severity that goes with its effect."""
    return Finding(code, _SEVERITY[effect], effect, message)


def check_time(steps_s: FloatArray) -> list[Finding]:
    """Doubled times, and times that go back.

    steps_s : (n - 1,) float, s: differences of the times of n samples
    """
    backwards = int(np.count_nonzero(steps_s < 0))
    doubled = int(np.count_nonzero(steps_s == 0))
    found = []
    if backwards:
        effect = Effect.REJECT if backwards > max(2, 0.01 * steps_s.size) else Effect.WARN
        found.append(finding("TIME_BACKWARDS", effect, f"the time goes back {backwards} times in {steps_s.size} steps"))
    if doubled:
        found.append(finding("DOUBLED_TIMES", Effect.WARN, f"{doubled} samples have the time of the one before"))
    return found


def jumps(displacement_mm: FloatArray, time_s: FloatArray | None) -> NDArray[np.intp]:
    """Indices i where the displacement jumps between sample i and i + 1.

    displacement_mm : (n,) float, mm; time_s : (n,) float or None

    A jump is a step of more than 2 % of the whole travel and more than 25 times the usual one; with a clock, more than
    25 times the usual speed too, so that sparse sampling is none.
    """
    steps = np.abs(np.diff(displacement_mm))
    whole = float(np.ptp(displacement_mm))
    large = np.flatnonzero(steps > 0.02 * whole)
    if not large.size:
        return large
    moving = steps[steps > 0]
    if moving.size < 5:
        return large[:0]
    large = large[steps[large] > _JUMP_TIMES * usual(moving)]
    if time_s is not None and large.size:
        elapsed = np.diff(time_s)
        ticking = (elapsed > 0) & (steps > 0)
        if ticking.any():
            speed = usual(steps[ticking] / elapsed[ticking])
            large = large[steps[large] > _JUMP_TIMES * speed * np.maximum(elapsed[large], 0.0)]
    return large


def erratic(displacement_mm: FloatArray) -> bool:
    """Whether the displacement wanders to and fro, typically by 2 % of its range, as no crosshead does.

    displacement_mm : (n,) float
    """
    steps = np.abs(np.diff(displacement_mm))
    whole = float(np.ptp(displacement_mm))
    if steps.size < FEWEST_POINTS or whole <= 0:
        return False
    return usual(steps) > 0.02 * whole and float(steps.sum()) > 8.0 * whole


def saturated(force_n: FloatArray, noise_n: float, capacity_n: float | None) -> Finding | None:
    """Whether the force stands still at its highest value, as a load cell does that can measure no more.

    force_n : (n,) float, N
    """
    top = float(np.max(force_n))
    if capacity_n is not None and top >= 0.999 * capacity_n:
        return finding("SATURATED", Effect.CENSOR, f"the force reaches the load cell's capacity of {capacity_n:g} N")
    at_top = force_n == top
    longest = _longest_run(at_top) if np.count_nonzero(at_top) >= _TOP_SAMPLES else 0
    if longest < _TOP_SAMPLES or top <= 0:
        return None
    steps = np.diff(force_n)
    still = steps == 0
    if float(np.min(np.abs(steps[~still]), initial=np.inf)) > _COARSE * top:
        return None
    elsewhere = _longest_run(still & (force_n[1:] < 0.999 * top) & (force_n[1:] > 0.05 * top)) + 1
    if elsewhere > longest / 4:
        return None  # coarse steps of the force, not its end
    if noise_n > 1e-5 * top:
        message = f"{longest} samples in a row are exactly {top:g} N, the highest force: the load cell was saturated"
        return finding("SATURATED", Effect.CENSOR, message)
    return finding("FLAT_TOP", Effect.WARN, f"{longest} samples in a row are exactly {top:g} N, the highest force")


def _longest_run(true: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], true.astype(np.int8), [0]])))
    return int(np.max(edges[1::2] - edges[::2])) if edges.size else 0
