"""Pictures of curves: one with all that was found in it, or replicates with their band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from toughopt.compression.analysis import analyze, prepare
from toughopt.compression.base import Curve
from toughopt.compression.results import Prepared, Toughness
from toughopt.compression.settings import AnalysisSettings
from toughopt.errors import CurveError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by colour-blind readers too.
_LINE, _AREA, _MARKS = "#0072B2", "#56B4E9", ("#009E73", "#D55E00", "#CC79A7")
_OVERLAY = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_MOST_POINTS = 5000


def figure(
    curves: Curve | Sequence[Curve],
    *,
    height_mm: float | None = None,
    area_mm2: float | None = None,
    settings: AnalysisSettings | None = None,
    title: str = "",
) -> Figure:
    """A figure of one curve with contact, yield, plateau, densification and the area that counts; or of replicates.

    Parameters
    ----------
    curves : one curve, or several, which are laid over each other with the band of their mean and standard deviation
    height_mm, area_mm2 : as in `analyze`
    settings : as in `analyze`
    title : above the axes

    Raises
    ------
    CurveError
        If there is no curve.
    """
    from matplotlib.figure import Figure as NewFigure

    several = [curves] if isinstance(curves, Curve) else list(curves)
    if not several:
        raise CurveError("no curve to draw")
    drawn = NewFigure(figsize=(7.0, 4.5), layout="constrained")
    axes = drawn.add_subplot()
    if len(several) == 1:
        _one(axes, several[0], height_mm, area_mm2, settings)
    else:
        _overlay(axes, several, height_mm, settings)
    axes.set_xlabel("displacement after contact [mm]")
    axes.set_ylabel("force [N]")
    axes.grid(True, alpha=0.25)
    axes.set_title(title or (several[0].specimen if len(several) == 1 else f"{len(several)} replicates"))
    axes.legend(loc="best", fontsize="small", framealpha=0.8)
    return drawn


def _one(
    axes: Axes, curve: Curve, height_mm: float | None, area_mm2: float | None, settings: AnalysisSettings | None
) -> None:
    result = analyze(curve, height_mm=height_mm, area_mm2=area_mm2, settings=settings)
    try:
        ready = prepare(curve, height_mm=height_mm, settings=settings)
    except CurveError:
        axes.plot(curve.displacement_mm, curve.force_n, color=_LINE, label="as recorded")
        _verdict(axes, result)
        return
    x, f = _thin(ready.displacement_mm, ready.force_n)
    axes.plot(x, f, color=_LINE, linewidth=1.3, label="force")
    x, f = _thin(ready.displacement_mm[: ready.end + 1], ready.force_n[: ready.end + 1])
    label = "rejected" if result.toughness_j is None else _value(result)
    axes.fill_between(x, f, color=_AREA, alpha=0.35, linewidth=0, label=label)
    _marks(axes, ready, result, height_mm, area_mm2)
    _verdict(axes, result)


def _marks(axes: Axes, ready: Prepared, result: Toughness, height_mm: float | None, area_mm2: float | None) -> None:
    x, f = ready.displacement_mm, ready.force_n
    if result.contact_mm is not None:
        axes.axvline(0.0, color="0.4", linestyle=":", linewidth=1, label=f"contact at {result.contact_mm:.3g} mm")
    if result.yield_mm is not None and result.yield_force_n is not None:
        axes.plot(
            [result.yield_mm], [result.yield_force_n], "o", color=_MARKS[0], label=f"yield {result.yield_force_n:.4g} N"
        )
    if result.densification_mm is not None:
        at = int(np.argmin(np.abs(x - result.densification_mm)))
        axes.plot([x[at]], [f[at]], "s", color=_MARKS[1], label=f"densification at {result.densification_mm:.3g} mm")
    if result.plateau_stress_mpa is not None and height_mm and area_mm2:
        axes.hlines(
            result.plateau_stress_mpa * area_mm2,
            0.2 * height_mm,
            0.4 * height_mm,
            color=_MARKS[2],
            linestyle="--",
            label=f"plateau {result.plateau_stress_mpa:.3g} MPa",
        )


def _value(result: Toughness) -> str:
    assert result.toughness_j is not None
    spread = f" ± {result.toughness_std_j:.2g}" if result.toughness_std_j else ""
    return f"toughness {result.toughness_j:.4g}{spread} J"


def _verdict(axes: Axes, result: Toughness) -> None:
    if result.verdict == "accepted":
        return
    codes = ", ".join(dict.fromkeys(f.code for f in result.findings if f.effect in ("reject", "censor")))
    axes.text(0.02, 0.97, f"{result.verdict}: {codes}", transform=axes.transAxes, va="top", color="#D55E00")


def _overlay(axes: Axes, curves: Sequence[Curve], height_mm: float | None, settings: AnalysisSettings | None) -> None:
    grids: list[tuple[np.ndarray, np.ndarray]] = []
    for number, curve in enumerate(curves):
        colour = _OVERLAY[number % len(_OVERLAY)]
        result = analyze(curve, height_mm=height_mm, settings=settings)
        name = curve.specimen or str(number + 1)
        try:
            ready = prepare(curve, height_mm=height_mm, settings=settings)
        except CurveError:
            axes.plot(curve.displacement_mm, curve.force_n, color=colour, linestyle=":", label=f"{name}: rejected")
            continue
        x, f = ready.displacement_mm[: ready.end + 1], ready.force_n[: ready.end + 1]
        label = "rejected" if result.toughness_j is None else _value(result)
        axes.plot(*_thin(x, f), color=colour, linewidth=1, label=f"{name}: {label}")
        if result.toughness_j is not None:
            grids.append((np.maximum.accumulate(x), f))
    if len(grids) < 2:
        return
    common = np.linspace(0.0, min(float(x[-1]) for x, _ in grids), 400)
    stack = np.stack([np.interp(common, x, f) for x, f in grids])
    mean, spread = stack.mean(axis=0), stack.std(axis=0, ddof=1)
    axes.plot(common, mean, color="0.2", linewidth=1.6, label="mean")
    axes.fill_between(common, mean - spread, mean + spread, color="0.5", alpha=0.25, linewidth=0, label="mean ± std")


def _thin(x: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The extremes of consecutive stretches, so that no peak is lost to thinning."""
    size = x.size // (_MOST_POINTS // 2)
    if size < 2:
        return x, f
    whole = x.size - x.size % size
    blocks = f[:whole].reshape(-1, size)
    rows = np.arange(blocks.shape[0]) * size
    index = np.unique(np.concatenate([rows + blocks.argmin(axis=1), rows + blocks.argmax(axis=1), [x.size - 1]]))
    return x[index], f[index]
