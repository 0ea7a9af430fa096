"""The part of a test that counts: from contact to its end, zeroed, without baseline and machine compliance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toughopt.compression import companions, cycles, ending, outliers, quality
from toughopt.compression.base import Effect, Finding
from toughopt.compression.cleaning import Cleaned
from toughopt.compression.contact import Contact, find_contact
from toughopt.compression.ending import Ending
from toughopt.compression.settings import AnalysisSettings
from toughopt.digits import four_digits

FloatArray = NDArray[np.float64]
_UNDER_LOAD = 0.1  # of the peak force at the last sample
_OFFSET_WORTH_TELLING = 0.2  # N
_TAP = 0.3  # of the force before it: a tap after the rebound presses less
_PRELOAD = 0.05  # of the peak force: below it a displacement may still be zeroed


@dataclass(frozen=True, slots=True)
class Loading:
    """A cleaned curve from contact on.

    displacement : (n,) float, mm after contact; force : (n,) float, N, without the baseline; last : index of the end of
    loading; ending : where the area ends, at the latest there
    """

    contact: Contact
    zero_mm: float  # displacement as recorded that became 0
    displacement: FloatArray
    force: FloatArray
    ending: Ending
    last: int
    noise_n: float
    noise_mm: float
    findings: tuple[Finding, ...]


def load(
    cleaned: Cleaned, settings: AnalysisSettings, height_mm: float | None
) -> tuple[Loading | None, tuple[Finding, ...]]:
    """The loading, or None and what is in its way.

    Raises
    ------
    CurveError
        If the rule for the end needs the specimen's height and that is not known.
    """
    x, f, t = cleaned.displacement, cleaned.force, cleaned.time
    refusal = _unusable(x, f)
    if refusal is not None:
        return None, (refusal,)
    found: list[Finding] = []
    stop = ending.rebound_cut(x, settings.rebound_mm)
    if stop < x.size:
        found.append(_rebound(x, f, stop))
        x, f, t = x[:stop], f[:stop], None if t is None else t[:stop]
    noise_n, noise_mm = outliers.noise_level(f), outliers.noise_level(x)
    x, f = _between_jumps(companions.without_compliance(x, f, settings), f, t, found)
    if f.size < quality.FEWEST_POINTS:
        return None, (*found, _too_few(f.size))
    last = ending.end_of_loading(x, noise_mm)
    contact = find_contact(x[: last + 1], f[: last + 1], noise_n, settings)
    if contact is None:
        message = f"the force never stays above {settings.contact_force_n:g} N while the displacement grows"
        return None, (*found, quality.finding("NO_CONTACT", Effect.REJECT, message))
    start = contact.index
    if last - start + 1 < quality.FEWEST_POINTS:
        return None, (*found, _too_few(last - start + 1, " from contact to the end of loading"))
    moved, clean = x[start:], f[start:]
    last -= start
    if contact.baseline.samples:  # the contact itself, between two samples
        moved = np.concatenate([[contact.displacement_mm], moved])
        clean = np.concatenate([[0.0], clean - contact.baseline.at(x[start:])])
        last += 1
    zero = contact.displacement_mm
    if settings.toe == "astm_d695":
        line = companions.stiffness(moved - zero, clean, noise_n)
        zero += line.meets_zero_mm if line is not None else 0.0
    moved = moved - zero
    end = ending.find_end(moved, clean, last, settings, height_mm)
    found += _contact_findings(contact, f, clean, noise_n)
    found += _record_findings(x, f, noise_n, settings)
    return Loading(contact, zero, moved, clean, end, last, noise_n, noise_mm, tuple(found)), ()


def cycles_of(displacement: FloatArray, force: FloatArray) -> tuple[cycles.Cycle, ...]:
    """Cycles that count: of at least ten samples, with a force of at least a twentieth of the highest.

    displacement, force : (n,) float, compression positive
    """
    if force.size < quality.FEWEST_POINTS or not (np.isfinite(displacement).all() and np.isfinite(force).all()):
        return ()
    top = float(np.max(force))
    return tuple(
        c
        for c in cycles.split_cycles(displacement, force)
        if c.stop - c.start >= quality.FEWEST_POINTS and float(np.max(force[c.start : c.top + 1])) > 0.05 * top
    )


def _rebound(x: FloatArray, f: FloatArray, stop: int) -> Finding:
    """The finding on a jump back before sample `stop`: a tap, unless what follows goes further or presses harder."""
    message = f"the displacement jumps back after sample {stop}: cut there"
    harder = float(np.max(f[stop:])) > _TAP * float(np.max(f[:stop]))
    further = float(np.max(x[stop:])) > float(np.max(x[:stop])) + 0.02 * float(np.ptp(x[:stop]))
    if further or harder:
        message += "; what follows goes further or presses harder than a tap does: another specimen or another loading?"
        return quality.finding("REBOUND", Effect.WARN, message)
    return quality.finding("REBOUND", Effect.NONE, message)


def _too_few(count: int, where: str = "") -> Finding:
    message = f"{count} samples{where}; a test needs {quality.FEWEST_POINTS}"
    return quality.finding("TOO_FEW_POINTS", Effect.REJECT, message)


def _unusable(x: FloatArray, f: FloatArray) -> Finding | None:
    if f.size < quality.FEWEST_POINTS:
        return _too_few(f.size)
    if quality.erratic(x):
        message = "the displacement wanders to and fro by large steps: no crosshead moves so"
        return quality.finding("DISPLACEMENT_ERRATIC", Effect.REJECT, message)
    if float(np.ptp(x)) <= 0:
        return quality.finding("NO_TRAVEL", Effect.REJECT, "the displacement never changes")
    return None


def _between_jumps(
    x: FloatArray, f: FloatArray, t: FloatArray | None, found: list[Finding]
) -> tuple[FloatArray, FloatArray]:
    """What lies between a zeroing during the preload and a recoil after the break; any other jump rejects the test."""
    at = quality.jumps(x, t)
    steps = np.diff(x)
    if not at.size:
        return x, f
    top = float(np.max(f))
    first, stop = 0, x.size
    zeroed: list[str] = []
    for i in at.tolist():
        told = f"the displacement jumps by {steps[i]:.4g} mm after sample {i + 1}, at {four_digits(f[i])} N"
        if float(np.max(np.abs(f[: i + 1]))) < _PRELOAD * top:
            if f[i] > 0.002 * top or steps[i] < 0:
                zeroed.append(told)
                first = i + 1
        elif float(np.max(np.abs(f[i + 1 :]))) < _UNDER_LOAD * top:
            message = f"{told}, after which there is no load: cut there"
            found.append(quality.finding("RECOIL", Effect.WARN, message))
            stop = min(stop, i + 1)
        else:
            found.append(quality.finding("DISPLACEMENT_JUMPS", Effect.REJECT, told))
            break
    if zeroed:
        often = f" (the last of {len(zeroed)} jumps)" if len(zeroed) > 1 else ""
        message = f"{zeroed[-1]}{often}, before the loading: what comes before is left out"
        found.append(quality.finding("ZEROED_IN_PRELOAD", Effect.WARN, message))
    return x[first:stop], f[first:stop]


def _contact_findings(contact: Contact, f: FloatArray, clean: FloatArray, noise: float) -> list[Finding]:
    found = []
    base = contact.baseline
    if base.samples and abs(base.offset_n) > max(_OFFSET_WORTH_TELLING, 4 * base.offset_std_n):
        message = f"the load cell reads {four_digits(base.offset_n)} N before contact: subtracted"
        found.append(quality.finding("FORCE_OFFSET", Effect.NONE, message))
    if base.drifts:
        message = f"the force drifts by {base.slope_n_per_mm:.4g} N/mm before contact: subtracted"
        found.append(quality.finding("FORCE_DRIFT", Effect.WARN, message))
    first, top = float(np.min(f[:3])), float(np.max(clean))
    if contact.index == 0 and first > max(0.01 * top, min(5.0, 0.02 * top)):
        message = f"the record begins under {four_digits(first)} N: the energy before it is missing"
        found.append(quality.finding("STARTS_UNDER_LOAD", Effect.WARN, message))
    if noise > 0.05 * top:
        message = f"the noise of the force is {noise:.3g} N, {100 * noise / top:.0f} % of its peak"
        found.append(quality.finding("NOISY", Effect.WARN, message))
    return found


def _record_findings(x: FloatArray, f: FloatArray, noise_n: float, settings: AnalysisSettings) -> list[Finding]:
    found = []
    top = float(np.max(f))
    stuck = quality.saturated(f, noise_n, settings.load_cell_n)
    if stuck is not None:
        found.append(stuck)
    limit = settings.force_limit_n
    final = float(np.median(f[-3:]))
    if final > _UNDER_LOAD * top and not (limit is not None and top >= 0.98 * limit):
        message = f"the record ends under {four_digits(final)} N: stopped at a limit, or truncated"
        found.append(quality.finding("ENDS_UNDER_LOAD", Effect.WARN, message))
    count = len(cycles_of(x, f))
    if count > 1:
        message = f"{count} cycles: the toughness is the net work up to the largest displacement"
        found.append(quality.finding("CYCLIC", Effect.WARN, message))
    return found
