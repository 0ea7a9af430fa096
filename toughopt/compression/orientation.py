"""Sign and direction: compression positive, displacement growing while the specimen is loaded."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.base import Curve, Effect, Finding, Severity

_ENOUGH = 20_000  # samples that tell a sign
_NEAR_ZERO = 0.1  # of the largest force: what a record comes down to where it was not tared under load
_TENSION = re.compile(
    r"tensile|tension test|zug(?:versuch|prüfung|spannung|dehnung|festigkeit)|bruchdehnung|dehnung bei bruch|"
    r"elongation at break|strain at break|\btraction\b|tracción|trazione|rozciągani|拉伸|引張|인장",
    re.IGNORECASE,
)
_COMPRESSION = re.compile(
    r"compress|druckversuch|druckprüfung|stauch|ściskani|compresión|compressione|压缩|圧縮|압축|crush", re.IGNORECASE
)


def force_sign(force_n: NDArray[np.float64]) -> int:
    """-1 where the loading force is negative, else 1.

    force_n : (n,) float, N

    Notes
    -----
    After a median of five: the sign that all samples have, where they come near zero; otherwise that of the largest
    change since the beginning, which may not be at zero.
    """
    if force_n.size == 0:
        return 1
    thin = force_n[:: max(1, force_n.size // _ENOUGH)]
    level = float(np.median(thin[: max(1, min(20, thin.size // 20))]))
    if thin.size >= 5:
        windows = np.sort(np.lib.stride_tricks.sliding_window_view(thin, 5), axis=1)
        calm = windows[:, 2]
    else:
        calm = thin
    high, low = float(calm.max()), float(calm.min())
    if high * low > 0.0 and min(abs(high), abs(low)) < _NEAR_ZERO * max(abs(high), abs(low)):
        return 1 if high > 0.0 else -1
    if abs(high - level) == abs(low - level):
        return -1 if abs(low) > abs(high) else 1
    return 1 if abs(high - level) > abs(low - level) else -1


def displacement_sign(displacement_mm: NDArray[np.float64], force_n: NDArray[np.float64]) -> int:
    """-1 where the displacement falls while the (positive) force rises.

    displacement_mm : (n,) float, mm; force_n : (n,) float, N, compression positive
    """
    if displacement_mm.size < 2:
        return 1
    stride = max(1, force_n.size // _ENOUGH)
    displacement_mm, force_n = displacement_mm[::stride], force_n[::stride]
    top = int(np.argmax(force_n))
    loaded = force_n >= 0.05 * max(float(force_n[top]), 0.0)
    first = int(np.argmax(loaded))
    travel = float(displacement_mm[top] - displacement_mm[first])
    whole = float(np.ptp(displacement_mm))
    if abs(travel) > 0.02 * whole:
        return 1 if travel > 0 else -1
    work = float(np.sum((force_n[1:] + force_n[:-1] - 2 * np.min(force_n)) * np.diff(displacement_mm)))
    return 1 if work >= 0 else -1


def orient(curve: Curve) -> tuple[Curve, tuple[Finding, ...]]:
    """The curve with compression positive, by changes of sign only, and what was changed."""
    valid = np.isfinite(curve.force_n) & np.isfinite(curve.displacement_mm)
    whole = bool(valid.all())
    force = curve.force_n if whole else curve.force_n[valid]
    displacement = curve.displacement_mm if whole else curve.displacement_mm[valid]
    if force.size < 2:
        return curve, ()
    sign_f = force_sign(force)
    sign_d = displacement_sign(displacement, force if sign_f > 0 else -force)
    if sign_f > 0 and sign_d > 0:
        return curve, ()
    turned = [what for what, sign in (("force", sign_f), ("displacement", sign_d)) if sign < 0]
    message = f"{' and '.join(turned)} recorded as negative in compression: the sign is changed"
    finding = Finding("SIGN_CHANGED", Severity.INFO, Effect.NONE, message)
    return (
        Curve(
            sign_d * curve.displacement_mm if sign_d < 0 else curve.displacement_mm,
            sign_f * curve.force_n if sign_f < 0 else curve.force_n,
            curve.time_s,
            curve.specimen,
            curve.warnings,
            curve.metadata,
            (*curve.findings, finding),
        ),
        (finding,),
    )


def tension_signs(text: str, largest_strain: float | None) -> str:
    """Why a file seems to be of a tension test, "" where it does not.

    text : names and preamble of the file; largest_strain : of its strain column, as a ratio, or None
    """
    word = _TENSION.search(text)
    if word and not _COMPRESSION.search(text):
        return f"the file says {word.group(0)!r}"
    if largest_strain is not None and largest_strain > 1.0:
        return f"its strain reaches {100 * largest_strain:.0f} %, which no compression does"
    return ""
