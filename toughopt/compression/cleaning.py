"""What must go before a curve is analysed: gaps, doubled rows, single samples that are off; and the sign convention."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toughopt.compression import outliers, quality
from toughopt.compression.base import Curve, Effect, Finding
from toughopt.compression.orientation import orient

FloatArray = NDArray[np.float64]
_SPIKE_FLOOR = 0.005  # of the force's range: smaller outliers move no toughness that anyone would publish
_SPIKE_FLOOR_MM = 0.002  # of the travel


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A curve without unusable samples, compression positive, and what was found on the way."""

    displacement: FloatArray
    force: FloatArray
    time: FloatArray | None
    findings: tuple[Finding, ...]


def clean(curve: Curve) -> Cleaned:
    """The curve's samples that can be used."""
    x, f, t = curve.displacement_mm, curve.force_n, curve.time_s
    found: list[Finding] = []
    known = np.isfinite(x) & np.isfinite(f)
    if not known.all():
        lost = int(np.count_nonzero(~known))
        effect = Effect.REJECT if lost > max(3, 0.02 * known.size) else Effect.WARN
        found.append(
            quality.finding("NOT_A_NUMBER", effect, f"{lost} of {known.size} samples are no numbers: left out")
        )
        x, f, t = x[known], f[known], None if t is None else t[known]
    if t is not None and not np.isfinite(t).all():
        found.append(quality.finding("NO_TIME", Effect.WARN, "some times are no numbers: the time is left out"))
        t = None
    x, f, t = _without_doubles(x, f, t, found)
    if f.size >= quality.FEWEST_POINTS:
        x, f, t = _without_spikes(x, f, t, found)
    oriented, turned = orient(Curve(x, f, t))
    told = {finding.code for finding in curve.findings}
    found += [finding for finding in turned if finding.code not in told]
    return Cleaned(oriented.displacement_mm, oriented.force_n, oriented.time_s, tuple(found))


def _without_doubles(
    x: FloatArray, f: FloatArray, t: FloatArray | None, found: list[Finding]
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    if f.size < 2 or t is None:
        return x, f, t
    steps = np.diff(t)
    still = np.flatnonzero(steps == 0)
    same = still[(x[still] == x[still + 1]) & (f[still] == f[still + 1])]
    if same.size:
        found.append(
            quality.finding("DOUBLED_ROWS", Effect.NONE, f"{same.size} rows stand twice: the second is left out")
        )
        x, f, t = outliers.without(same + 1, x, f, t)
    found += quality.check_time(np.diff(t) if same.size else steps)
    return x, f, t


def _without_spikes(
    x: FloatArray, f: FloatArray, t: FloatArray | None, found: list[Finding]
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    in_force = outliers.spikes(f, _SPIKE_FLOOR * _scale(f))
    in_travel = outliers.spikes(x, _SPIKE_FLOOR_MM * _scale(x))
    kept = [np.empty(0, dtype=np.intp)]
    for what, index, values, unit in (("force", in_force, f, "N"), ("displacement", in_travel, x, "mm")):
        if not index.size:
            continue
        if index.size > max(5, 0.01 * f.size):
            message = f"{index.size} samples of the {what} stand out from their neighbours: too many to be errors, kept"
            found.append(quality.finding("SERRATED", Effect.WARN, message))
            continue
        first = int(index[0])
        number = f"{index.size} single samples are" if index.size > 1 else "a single sample is"
        message = f"{number} off in {what} (number {first + 1}: {values[first]:g} {unit}): left out"
        found.append(quality.finding("OUTLIER", Effect.WARN, message))
        kept.append(index)
    bad = np.unique(np.concatenate(kept))
    if bad.size:
        x, f = outliers.without(bad, x, f)
        t = None if t is None else np.delete(t, bad)
    return x, f, t


def _scale(values: FloatArray) -> float:
    """The range without its outermost thousandths, which outliers cannot stretch."""
    thin = values[:: max(1, values.size // 20_000)]
    cut = max(1, thin.size // 500)
    ordered = np.partition(thin, (cut, thin.size - 1 - cut))
    return float(ordered[thin.size - 1 - cut] - ordered[cut])
