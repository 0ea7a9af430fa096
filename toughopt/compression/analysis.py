"""From a curve to the toughness and its companions: the order of the steps, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toughopt.compression import companions, cycles, ending, energy, outliers, quality
from toughopt.compression.base import Curve, Effect, Finding
from toughopt.compression.contact import Contact, find_contact
from toughopt.compression.efficiency import densification, energy_absorbing_efficiency
from toughopt.compression.ending import Ending
from toughopt.compression.orientation import orient
from toughopt.compression.results import Prepared, Toughness, Verdict
from toughopt.compression.settings import DEFAULTS, AnalysisSettings
from toughopt.errors import CurveError

FloatArray = NDArray[np.float64]
_SPIKE_FLOOR = 0.005  # of the peak force: smaller outliers move no toughness that anyone would publish
_SPIKE_FLOOR_MM = 0.002  # of the travel
_UNDER_LOAD = 0.1  # of the peak force at the last sample
_OFFSET_WORTH_TELLING = 0.2  # N


@dataclass(frozen=True, slots=True)
class _Cleaned:
    """A curve without unusable samples, and what was found on the way."""

    displacement: FloatArray
    force: FloatArray
    time: FloatArray | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Loading:
    """A cleaned curve from contact on."""

    contact: Contact
    displacement: FloatArray  # after contact
    force: FloatArray  # without the baseline
    ending: Ending
    last: int  # end of loading
    noise_n: float
    noise_mm: float
    findings: tuple[Finding, ...]


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
        If height, mass or area is not above 0, or a chosen rule needs one that is not given.
    """
    for name, value in (("height_mm", height_mm), ("mass_g", mass_g), ("area_mm2", area_mm2)):
        if value is not None and not 0 < value < float("inf"):
            raise CurveError(f"{name} = {value!r}; it must be a number above 0")
    settings = settings or DEFAULTS
    cleaned = _clean(curve, settings)
    raw = _raw_extremes(curve)
    loading, why = _load(cleaned, settings, height_mm)
    findings = (*curve.findings, *cleaned.findings, *why)
    bare = Toughness(None, None, *raw, specimen=curve.specimen)
    told = tuple(text for text in curve.warnings if text not in {str(f) for f in curve.findings})
    if loading is None:
        return _judged(bare, findings, told)
    findings = (*findings, *loading.findings)
    result = _figures(bare, loading, height_mm, mass_g, area_mm2, settings)
    findings = (*findings, *_strength(loading, result, settings))
    return _judged(result, findings, told)


def prepare(curve: Curve, *, height_mm: float | None = None, settings: AnalysisSettings | None = None) -> Prepared:
    """The curve as `analyze` takes its area, for plots and further processing. Raises CurveError when it has no contact."""
    settings = settings or DEFAULTS
    cleaned = _clean(curve, settings)
    loading, why = _load(cleaned, settings, height_mm)
    if loading is None:
        raise CurveError("; ".join(str(f) for f in (*cleaned.findings, *why)) or "no contact")
    return Prepared(loading.displacement, loading.force, loading.ending.index)


def analyze_cycles(
    curve: Curve,
    *,
    height_mm: float | None = None,
    mass_g: float | None = None,
    area_mm2: float | None = None,
    settings: AnalysisSettings | None = None,
) -> tuple[Toughness, ...]:
    """The same for each cycle of a cyclic test, in order; empty for a monotonic test."""
    settings = settings or DEFAULTS
    turned = orient(curve)[0]
    found = _cycles_of(turned.displacement_mm, turned.force_n)
    if len(found) < 2:
        return ()
    return tuple(
        analyze(
            Curve(
                turned.displacement_mm[c.start : c.stop + 1],
                turned.force_n[c.start : c.stop + 1],
                None if turned.time_s is None else turned.time_s[c.start : c.stop + 1],
                f"{curve.specimen} cycle {number}".strip(),
            ),
            height_mm=height_mm,
            mass_g=mass_g,
            area_mm2=area_mm2,
            settings=replace(settings, baseline="none"),
        )
        for number, c in enumerate(found, start=1)
    )


def _cycles_of(displacement: FloatArray, force: FloatArray) -> tuple[cycles.Cycle, ...]:
    """Cycles that count: those in which the force reaches a twentieth of the highest."""
    if force.size < quality.FEWEST_POINTS or not (np.isfinite(displacement).all() and np.isfinite(force).all()):
        return ()
    top = float(np.max(force))
    return tuple(
        c for c in cycles.split_cycles(displacement, force) if float(np.max(force[c.start : c.top + 1])) > 0.05 * top
    )


def _raw_extremes(curve: Curve) -> tuple[float | None, float | None]:
    return _largest(curve.force_n), _largest(curve.displacement_mm)


def _largest(values: FloatArray) -> float | None:
    if not values.size:
        return None
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    return None if np.isnan(low) else max(-low, high)


def _clean(curve: Curve, settings: AnalysisSettings) -> _Cleaned:
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
    found += [one for one in turned if one.code not in {known_one.code for known_one in curve.findings}]
    return _Cleaned(oriented.displacement_mm, oriented.force_n, oriented.time_s, tuple(found))


def _without_doubles(
    x: FloatArray, f: FloatArray, t: FloatArray | None, found: list[Finding]
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    if f.size < 2:
        return x, f, t
    if t is not None:
        same = (np.diff(t) == 0) & (np.diff(x) == 0) & (np.diff(f) == 0)
        if same.any():
            keep = np.concatenate([[True], ~same])
            found.append(
                quality.finding(
                    "DOUBLED_ROWS", Effect.NONE, f"{int(same.sum())} rows stand twice: the second is left out"
                )
            )
            x, f, t = x[keep], f[keep], t[keep]
        found += quality.check_time(t)
    return x, f, t


def _without_spikes(
    x: FloatArray, f: FloatArray, t: FloatArray | None, found: list[Finding]
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    scale_f, scale_x = _scale(f), _scale(x)
    in_force = outliers.spikes(f, _SPIKE_FLOOR * scale_f)
    in_travel = outliers.spikes(x, _SPIKE_FLOOR_MM * scale_x)
    for what, index, values, unit in (("force", in_force, f, "N"), ("displacement", in_travel, x, "mm")):
        if index.size:
            effect = Effect.REJECT if index.size > max(5, 0.01 * f.size) else Effect.WARN
            first = int(index[0])
            message = (
                f"{index.size} single samples are off in {what}, the first is number {first + 1} ({values[first]:g} {unit}): "
                "left out"
            )
            found.append(quality.finding("OUTLIER", effect, message))
    bad = np.union1d(in_force, in_travel)
    if bad.size:
        x, f = outliers.without(bad, x, f)
        t = None if t is None else np.delete(t, bad)
    return x, f, t


def _scale(values: FloatArray) -> float:
    """The range without its outermost thousandths, which outliers cannot stretch."""
    thin = values[:: max(1, values.size // 100_000)]
    cut = max(1, thin.size // 500)
    ordered = np.partition(thin, (cut, thin.size - 1 - cut))
    return float(ordered[thin.size - 1 - cut] - ordered[cut])


def _load(
    cleaned: _Cleaned, settings: AnalysisSettings, height_mm: float | None
) -> tuple[_Loading | None, tuple[Finding, ...]]:
    """The loading, or None and why there is none."""
    x, f, t = cleaned.displacement, cleaned.force, cleaned.time
    if f.size < quality.FEWEST_POINTS:
        return None, (
            quality.finding("TOO_FEW_POINTS", Effect.REJECT, f"{f.size} samples; a test needs {quality.FEWEST_POINTS}"),
        )
    if quality.erratic(x):
        return None, (
            quality.finding(
                "DISPLACEMENT_ERRATIC", Effect.REJECT, "the displacement wanders to and fro: no crosshead moves so"
            ),
        )
    if float(np.ptp(x)) <= 0:
        return None, (quality.finding("NO_TRAVEL", Effect.REJECT, "the displacement never changes"),)
    found: list[Finding] = []
    x, f, t = _after_jump(x, f, t, settings, found)
    noise_n, noise_mm = outliers.noise_level(f), outliers.noise_level(x)
    stop = ending.rebound_cut(x, settings.rebound_mm)
    if stop < x.size:
        found.append(
            quality.finding("REBOUND", Effect.NONE, f"the displacement jumps back after sample {stop}: cut there")
        )
        x, f = x[:stop], f[:stop]
    last = ending.end_of_loading(x, noise_mm)
    contact = find_contact(x[: last + 1], f[: last + 1], noise_n, settings)
    if contact is None or last - contact.index < 2:
        message = f"the force never stays above {settings.contact_force_n:g} N while the displacement grows"
        return None, (*found, quality.finding("NO_CONTACT", Effect.REJECT, message))
    if last - contact.index + 1 < quality.FEWEST_POINTS:
        message = f"{last - contact.index + 1} samples after contact; a test needs {quality.FEWEST_POINTS}"
        return None, (*found, quality.finding("TOO_FEW_POINTS", Effect.REJECT, message))
    clean = f - contact.baseline.at(x) if contact.baseline.samples else f
    start = contact.index
    moved, clean = companions.without_compliance(x[start:], clean[start:], settings), clean[start:]
    zero = contact.displacement_mm
    if settings.toe == "astm_d695":
        line = companions.stiffness(moved - zero, clean, noise_n)
        zero += line.meets_zero_mm if line is not None else 0.0
    moved = moved - zero
    end = ending.find_end(moved, clean, last - start, settings, height_mm)
    found += _contact_findings(contact, f, clean, noise_n)
    found += _record_findings(x, f, last, settings)
    return _Loading(contact, moved, clean, end, last - start, noise_n, noise_mm, tuple(found)), ()


def _after_jump(
    x: FloatArray, f: FloatArray, t: FloatArray | None, settings: AnalysisSettings, found: list[Finding]
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """What comes after a displacement that was zeroed during the preload; other jumps are told and reject the test."""
    at = quality.jumps(x, t)
    steps = np.diff(x)
    at = at[steps[at] >= -settings.rebound_mm]
    if not at.size:
        return x, f, t
    top = float(np.max(np.abs(f)))
    early = [int(i) for i in at if float(np.max(np.abs(f[: i + 1]))) < 0.05 * top]
    later = [int(i) for i in at if int(i) not in early and float(f[i]) > 0.02 * top]
    if later:
        i = later[0]
        message = f"the displacement jumps by {steps[i]:.4g} mm after sample {i + 1}, under {f[i]:.4g} N"
        found.append(quality.finding("DISPLACEMENT_JUMPS", Effect.REJECT, message))
    if early:
        i = early[-1]
        message = (
            f"the displacement jumps by {steps[i]:.4g} mm after sample {i + 1}, at {f[i]:.4g} N, before the loading: "
            "what comes before is left out"
        )
        found.append(quality.finding("ZEROED_IN_PRELOAD", Effect.WARN, message))
        x, f, t = x[i + 1 :], f[i + 1 :], None if t is None else t[i + 1 :]
    return x, f, t


def _contact_findings(contact: Contact, f: FloatArray, clean: FloatArray, noise: float) -> list[Finding]:
    found = []
    base = contact.baseline
    if base.samples and abs(base.offset_n) > max(_OFFSET_WORTH_TELLING, 4 * base.offset_std_n):
        message = f"the load cell reads {base.offset_n:.4g} N before contact: subtracted"
        found.append(quality.finding("FORCE_OFFSET", Effect.NONE, message))
    if base.slope_n_per_mm:
        message = f"the force drifts by {base.slope_n_per_mm:.4g} N/mm before contact: subtracted"
        found.append(quality.finding("FORCE_DRIFT", Effect.WARN, message))
    first, top = float(np.median(f[:3])), float(np.max(clean))
    if contact.index == 0 and first > max(5.0, 0.01 * top):
        message = f"the record begins under {first:.4g} N: the energy before it is missing"
        found.append(quality.finding("STARTS_UNDER_LOAD", Effect.WARN, message))
    if noise > 0.05 * top:
        message = f"the noise of the force is {noise:.3g} N, {100 * noise / top:.0f} % of its peak"
        found.append(quality.finding("NOISY", Effect.WARN, message))
    return found


def _record_findings(x: FloatArray, f: FloatArray, last: int, settings: AnalysisSettings) -> list[Finding]:
    found = []
    top = float(np.max(f))
    stuck = quality.saturated(f, outliers.noise_level(f), settings.load_cell_n)
    if stuck is not None:
        found.append(stuck)
    limit = settings.force_limit_n
    final = float(np.median(f[-3:]))
    if final > _UNDER_LOAD * top and last >= f.size - 3 and not (limit is not None and top >= 0.98 * limit):
        message = f"the record ends under {final:.4g} N: stopped at a limit, or truncated"
        found.append(quality.finding("ENDS_UNDER_LOAD", Effect.WARN, message))
    count = len(_cycles_of(x, f))
    if count > 1:
        found.append(
            quality.finding(
                "CYCLIC", Effect.WARN, f"{count} cycles: the toughness is the net work up to the largest displacement"
            )
        )
    return found


def _figures(
    bare: Toughness,
    loading: _Loading,
    height_mm: float | None,
    mass_g: float | None,
    area_mm2: float | None,
    settings: AnalysisSettings,
) -> Toughness:
    x, f = loading.displacement, loading.force
    taken = energy.measure(x, f, loading.ending, loading.contact.baseline, settings.contact_force_n, loading.noise_mm)
    upto = slice(0, loading.last + 1)
    x, f = x[upto], f[upto]
    line = companions.stiffness(x, f, loading.noise_n)
    onset = densification(x, f)
    crush = companions.crush_force_efficiency(x, f)
    shelf = companions.plateau(x, f, height_mm, area_mm2) if height_mm and area_mm2 else None
    ratio = energy_absorbing_efficiency(np.maximum(x, 0.0), f, height_mm) if height_mm else None
    yielded = companions.yield_point(x, f, line, settings.yield_offset * height_mm) if line and height_mm else None
    end = loading.ending
    end_mm = float(x[min(end.index, x.size - 1)])
    if end.share and end.index + 1 < x.size:
        end_mm += end.share * float(x[end.index + 1] - x[end.index])
    return replace(
        bare,
        toughness_j=taken.value_j,
        toughness_std_j=taken.std_j,
        stiffness_n_per_mm=line.slope_n_per_mm if line else None,
        specific_energy_j_per_g=taken.value_j / mass_g if mass_g else None,
        energy_absorbing_efficiency=ratio.value if ratio else None,
        densification_strain=float(x[onset]) / height_mm if onset is not None and height_mm else None,
        densification_mm=float(x[onset]) if onset is not None else None,
        plateau_stress_mpa=shelf.stress_mpa if shelf else None,
        plateau_end_strain=shelf.end_strain if shelf else None,
        plateau_energy_mj_per_m3=shelf.energy_mj_per_m3 if shelf else None,
        crush_force_efficiency=crush,
        contact_mm=loading.contact.displacement_mm,
        end_mm=end_mm + loading.contact.displacement_mm,
        yield_force_n=yielded[1] if yielded else None,
        yield_mm=yielded[0] if yielded else None,
        noise_n=loading.noise_n,
    )


def _strength(loading: _Loading, result: Toughness, settings: AnalysisSettings) -> list[Finding]:
    """Whether the specimen reached the force limit before it yielded."""
    limit = settings.force_limit_n
    if limit is None or float(np.max(loading.force)) < 0.98 * limit:
        return []
    at = int(np.argmax(loading.force >= 0.98 * limit))
    line = companions.stiffness(loading.displacement[: at + 1], loading.force[: at + 1], loading.noise_n)
    if line is None:
        return []
    reached = float(loading.displacement[at])
    straight = line.meets_zero_mm + float(loading.force[at]) / line.slope_n_per_mm
    if reached - straight > 0.3 * max(straight - line.meets_zero_mm, 1e-9):
        return []
    message = f"reaches the limit of {limit:g} N before it yields: too strong for this test"
    if settings.too_strong == "censored":
        return [quality.finding("TOO_STRONG", Effect.CENSOR, message + "; its toughness is a lower bound")]
    return [quality.finding("TOO_STRONG", Effect.WARN, message + "; scored by the energy below the limit")]


def _judged(result: Toughness, findings: tuple[Finding, ...], told: tuple[str, ...]) -> Toughness:
    effects = {finding.effect for finding in findings}
    verdict: Verdict = "accepted"
    if Effect.CENSOR in effects:
        verdict = "censored"
    if Effect.REJECT in effects or result.toughness_j is None:
        verdict = "rejected"
    unique = tuple(dict.fromkeys(findings))
    warnings = tuple(dict.fromkeys((*told, *(str(finding) for finding in unique))))
    if verdict == "rejected":
        result = replace(result, toughness_j=None, toughness_std_j=None, specific_energy_j_per_g=None)
    return replace(result, verdict=verdict, censored=verdict == "censored", findings=unique, warnings=warnings)
