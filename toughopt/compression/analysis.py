"""From a curve to the toughness and its companions: the order of the steps, and the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toughopt.compression import companions, energy, quality
from toughopt.compression.base import Curve, Effect, Finding
from toughopt.compression.cleaning import clean
from toughopt.compression.efficiency import (
    Efficiency,
    densification,
    energy_absorbing_efficiency,
    may_be_hidden,
    with_corner,
)
from toughopt.compression.loading import Loading, cycles_of, load
from toughopt.compression.orientation import orient
from toughopt.compression.results import Prepared, Toughness, Verdict
from toughopt.compression.settings import DEFAULTS, AnalysisSettings
from toughopt.digits import four_digits
from toughopt.errors import CurveError

FloatArray = NDArray[np.float64]
_NEAR_LIMIT = 0.98  # of the force limit: reached, for all that a frame's overshoot and sampling tell
_OPEN = 0.005
_GRID = 20_000  # points that are enough for the onset of densification
_BENT = 0.3  # extra travel at the limit, as a share of the elastic one, from which a specimen has yielded


def analyze(
    curve: Curve,
    *,
    height_mm: float | None = None,
    mass_g: float | None = None,
    area_mm2: float | None = None,
    settings: AnalysisSettings | None = None,
) -> Toughness:
    """Toughness and companions of one curve, with the verdict of the quality gate.

    Parameters
    ----------
    curve : force against displacement; either sign, any offset
    height_mm : of the specimen before the test, mm; efficiencies and strains need it
    mass_g : g; the specific energy needs it
    area_mm2 : of the cross-section, mm2; stresses need it
    settings : see `AnalysisSettings`

    Returns
    -------
    Toughness
        ``toughness_j`` is None where the gate rejects the test; ``findings`` say why.

    Raises
    ------
    CurveError
        If this is no curve, if height, mass or area is not above 0, or a chosen rule needs one that is not given.
    """
    if not isinstance(curve, Curve):
        raise CurveError(f"{curve!r} is no Curve; toughopt.compression.read_curves(path) reads those of a file")
    for name, value in (("height_mm", height_mm), ("mass_g", mass_g), ("area_mm2", area_mm2)):
        if value is not None and not 0 < value < float("inf"):
            raise CurveError(f"{name} = {value!r}; it must be a number above 0")
    settings = settings or DEFAULTS
    cleaned = clean(curve)
    loading, obstacles = load(cleaned, settings, height_mm)
    findings = (*curve.findings, *cleaned.findings, *obstacles)
    bare = Toughness(None, None, _largest(curve.force_n), _largest(curve.displacement_mm), specimen=curve.specimen)
    spoken = {str(finding) for finding in curve.findings}
    told = tuple(text for text in curve.warnings if text not in spoken)
    if loading is None:
        return _judged(bare, findings, told)
    if (beyond := _above_from_the_start(loading, settings)) is not None:
        return _judged(bare, (*findings, *loading.findings, beyond), told)
    taken = energy.measure(
        loading.displacement,
        loading.force,
        loading.ending,
        loading.contact.baseline,
        loading.zero_mm,
        settings.contact_force_n,
        loading.noise_mm,
        settings.compliance_mm_per_n,
    )
    result, hidden = _figures(bare, taken, loading, height_mm, mass_g, area_mm2, settings)
    about = (*_strength(loading, settings), *_coarse(taken), *hidden, *_beyond_height(loading, height_mm))
    return _judged(result, (*findings, *loading.findings, *about), told)


def prepare(curve: Curve, *, height_mm: float | None = None, settings: AnalysisSettings | None = None) -> Prepared:
    """The curve as `analyze` takes its area, for plots and further processing.

    Raises
    ------
    CurveError
        If it has no contact, or too few points.
    """
    settings = settings or DEFAULTS
    cleaned = clean(curve)
    loading, obstacles = load(cleaned, settings, height_mm)
    if loading is None:
        raise CurveError("; ".join(str(finding) for finding in (*cleaned.findings, *obstacles)))
    return Prepared(loading.displacement, loading.force, loading.ending.index, loading.last)


def analyze_cycles(
    curve: Curve,
    *,
    height_mm: float | None = None,
    mass_g: float | None = None,
    area_mm2: float | None = None,
    settings: AnalysisSettings | None = None,
) -> tuple[Toughness, ...]:
    """The same for each cycle of a cyclic test, in order; empty for a monotonic test, or one that the gate refuses."""
    settings = settings or DEFAULTS
    cleaned = clean(curve)
    x, f, t = cleaned.displacement, cleaned.force, cleaned.time
    if f.size < quality.FEWEST_POINTS or quality.erratic(x):
        return ()
    found = cycles_of(x, f)
    if len(found) < 2:
        return ()
    parts = (slice(cycle.start, cycle.stop + 1) for cycle in found)
    return tuple(
        analyze(
            orient(Curve(x[part], f[part], None if t is None else t[part], f"{curve.specimen} cycle {number}".strip()))[
                0
            ],
            height_mm=height_mm,
            mass_g=mass_g,
            area_mm2=area_mm2,
            settings=replace(settings, baseline="none"),
        )
        for number, part in enumerate(parts, start=1)
    )


def _largest(values: FloatArray) -> float | None:
    if not values.size:
        return None
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    return None if np.isnan(low) else abs(max(-low, high))


def _figures(
    bare: Toughness,
    taken: energy.Energy,
    loading: Loading,
    height_mm: float | None,
    mass_g: float | None,
    area_mm2: float | None,
    settings: AnalysisSettings,
) -> tuple[Toughness, list[Finding]]:
    """The result with its numbers, and what is to be said of them."""
    end = loading.ending
    x, f = loading.displacement[: loading.last + 1], loading.force[: loading.last + 1]
    line = companions.stiffness(x, f, loading.noise_n)
    x_thin, f_thin = companions.thinned(x, f, _GRID)
    onset = densification(x_thin, f_thin)
    shelf = companions.plateau(x, f, height_mm, area_mm2) if height_mm and area_mm2 else None
    calm = companions.calmed(f, loading.noise_n)
    ratio = energy_absorbing_efficiency(*with_corner(x, calm, loading.noise_n), height_mm) if height_mm else None
    hidden = [_hidden(ratio, settings)] if ratio is not None and may_be_hidden(ratio, x, calm) else []
    yielded = companions.yield_point(x, f, line, settings.yield_offset * height_mm) if line and height_mm else None
    end_mm = float(x[end.index])
    if end.share and end.index + 1 < x.size:
        end_mm += end.share * float(x[end.index + 1] - x[end.index])
    result = replace(
        bare,
        toughness_j=taken.value_j,
        toughness_std_j=taken.std_j,
        stiffness_n_per_mm=line.slope_n_per_mm if line else None,
        specific_energy_j_per_g=taken.value_j / mass_g if mass_g else None,
        energy_absorbing_efficiency=ratio.value if ratio else None,
        densification_strain=float(x_thin[onset]) / height_mm if onset is not None and height_mm else None,
        densification_mm=float(x_thin[onset]) if onset is not None else None,
        plateau_stress_mpa=shelf.stress_mpa if shelf else None,
        plateau_end_strain=shelf.end_strain if shelf else None,
        plateau_energy_mj_per_m3=shelf.energy_mj_per_m3 if shelf else None,
        crush_force_efficiency=companions.crush_force_efficiency(x_thin, f_thin, onset),
        contact_mm=loading.contact.displacement_mm,
        end_mm=end_mm + loading.zero_mm,
        yield_force_n=yielded[1] if yielded else None,
        yield_mm=yielded[0] if yielded else None,
        noise_n=loading.noise_n,
    )
    return result, hidden


def _hidden(ratio: Efficiency, settings: AnalysisSettings) -> Finding:
    """That the record ends where the energy-absorbing efficiency is best."""
    limit = settings.force_limit_n
    reached = limit is not None and ratio.threshold_n >= _NEAR_LIMIT * limit
    cause = f"at the limit of {limit:g} N" if reached else "where the test was ended"
    message = f"the energy-absorbing efficiency is largest {cause}: a better one may lie beyond"
    return quality.finding("EFFICIENCY_AT_LIMIT", Effect.WARN, message)


def _coarse(taken: energy.Energy) -> list[Finding]:
    """Whether breaks between two samples leave the energy open by more than `_OPEN` of it."""
    within = np.sqrt(3.0) * taken.sampling_j  # half the width of the uniform distribution
    if within <= _OPEN * taken.value_j:
        return []
    share = 100.0 * within / taken.value_j
    message = f"the force drops between two samples: the toughness is known within {share:.1f} % only; record faster"
    return [quality.finding("COARSE_SAMPLING", Effect.WARN, message)]


def _beyond_height(loading: Loading, height_mm: float | None) -> list[Finding]:
    """Whether the specimen would have been crushed by more than it is high."""
    travel = float(loading.displacement[loading.last])
    if height_mm is None or travel <= height_mm:
        return []
    message = f"it is crushed by {travel:.4g} mm, and is {height_mm:g} mm high: is the height right, and which column"
    return [quality.finding("BEYOND_HEIGHT", Effect.WARN, f"{message} is the displacement?")]


def _strength(loading: Loading, settings: AnalysisSettings) -> list[Finding]:
    """Whether the specimen reached the force limit before it yielded."""
    limit = settings.force_limit_n
    if limit is None:
        return []
    at = int(np.argmax(loading.force >= _NEAR_LIMIT * limit))
    if loading.force[at] < _NEAR_LIMIT * limit:
        return []
    line = companions.stiffness(loading.displacement[: at + 1], loading.force[: at + 1], loading.noise_n)
    if line is None:
        return []
    elastic = float(loading.force[at]) / line.slope_n_per_mm
    if float(loading.displacement[at]) - line.meets_zero_mm - elastic > _BENT * elastic:
        return []
    message = f"reaches the limit of {limit:g} N before it yields: too strong for this test"
    if settings.too_strong == "censored":
        return [quality.finding("TOO_STRONG", Effect.CENSOR, message + "; its toughness is a lower bound")]
    return [quality.finding("TOO_STRONG", Effect.WARN, message + "; scored by the energy below the limit")]


def _above_from_the_start(loading: Loading, settings: AnalysisSettings) -> Finding | None:
    """A record that leaves nothing below the force limit has no energy to tell, not one of zero."""
    limit, first_n = settings.force_limit_n, float(loading.force[0])
    if limit is None or first_n < limit:
        return None
    message = f"the force is {four_digits(first_n)} N from the first sample on, above the limit of {limit:g} N"
    remedy = "set force_limit_n to that of the test, or export the record from contact on"
    return quality.finding("ABOVE_LIMIT", Effect.REJECT, f"{message}: {remedy}")


def _judged(result: Toughness, findings: tuple[Finding, ...], told: tuple[str, ...]) -> Toughness:
    effects = {finding.effect for finding in findings}
    verdict: Verdict = "censored" if Effect.CENSOR in effects else "accepted"
    if Effect.REJECT in effects or result.toughness_j is None:
        verdict = "rejected"
        result = replace(result, toughness_j=None, toughness_std_j=None, specific_energy_j_per_g=None)
    unique = tuple(dict.fromkeys(findings))
    warnings = tuple(dict.fromkeys((*told, *(str(finding) for finding in unique))))
    return replace(result, verdict=verdict, censored=verdict == "censored", findings=unique, warnings=warnings)
