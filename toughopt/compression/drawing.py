"""Pictures of curves: one with all that was found in it, several over each other, or replicates with their band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from toughopt.compression.analysis import analyze, prepare
from toughopt.compression.base import Curve
from toughopt.compression.results import Prepared, Toughness
from toughopt.compression.settings import AnalysisSettings
from toughopt.digits import four_digits
from toughopt.errors import CurveError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by colour-blind readers too.
_LINE, _AREA, _MARKS = "#0072B2", "#56B4E9", ("#009E73", "#D55E00", "#CC79A7")
_OVERLAY = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_STYLES = ("-", "--", "-.", ":")
_MANY = 12  # curves beyond which the legend is set smaller
_MOST_POINTS = 5000
_EXPERIMENT = ("experiment", "experiment id", "design")  # keys of the metadata that say what replicates share


def figure(
    curves: Curve | Sequence[Curve],
    *,
    height_mm: float | None = None,
    area_mm2: float | None = None,
    settings: AnalysisSettings | None = None,
    title: str = "",
    names: Sequence[str] = (),
    replicates: bool | None = None,
) -> Figure:
    """A figure of one curve with contact, yield, plateau, densification and the area that counts; or of several.

    Parameters
    ----------
    curves : one curve, or several, which are laid over each other
    height_mm, area_mm2 : as in `analyze`
    settings : as in `analyze`
    title : above the axes
    names : of several curves, in the legend; by default their specimens' or their numbers
    replicates : whether several curves are of the same design, so that their mean and its band say something; None
        where they are if all tell the same experiment

    Raises
    ------
    CurveError
        If there is no curve, or not as many names as curves.
    """
    from matplotlib.figure import Figure as NewFigure

    several = [curves] if isinstance(curves, Curve) else list(curves)
    if not several:
        raise CurveError("no curve to draw")
    if names and len(names) != len(several):
        raise CurveError(f"{len(names)} names for {len(several)} curves; each needs one")
    alike = share_experiment(several) if replicates is None else replicates
    drawn = NewFigure(figsize=(7.0, 4.5), layout="constrained")
    axes = drawn.add_subplot()
    if len(several) == 1:
        _one(axes, several[0], height_mm, area_mm2, settings)
    else:
        called = list(names) or [curve.specimen or str(number) for number, curve in enumerate(several, start=1)]
        grids = _overlay(axes, several, called, height_mm, settings)
        if alike:
            _band(axes, grids)
    axes.set_xlabel("displacement after contact [mm]")
    axes.set_ylabel("force [N]")
    axes.grid(True, alpha=0.25)
    usual = f"{len(several)} {'replicates' if alike else 'curves'}"
    axes.set_title(title or ((names[0] if names else several[0].specimen) if len(several) == 1 else usual))
    if len(several) == 1:  # below the axes: within them there is hardly a place without the area that counts
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, fontsize="small", frameon=False)
    else:
        axes.legend(loc="best", fontsize="small" if len(several) <= _MANY else "xx-small", framealpha=0.8)
    return drawn


def share_experiment(curves: Sequence[Curve]) -> bool:
    """Whether all curves tell, in their metadata, that they belong to the same experiment or design."""
    told = [{key.casefold().replace("_", " "): value for key, value in curve.metadata.items()} for curve in curves]
    for key in _EXPERIMENT:
        values = {one.get(key, "") for one in told}
        if len(values) == 1 and values != {""}:
            return len(curves) > 1
    return False


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
            [result.yield_mm],
            [result.yield_force_n],
            "o",
            color=_MARKS[0],
            label=f"yield {four_digits(result.yield_force_n)} N",
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


def _overlay(
    axes: Axes,
    curves: Sequence[Curve],
    names: Sequence[str],
    height_mm: float | None,
    settings: AnalysisSettings | None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draws each curve up to where its area ends; returns displacement and force of those that have a toughness."""
    grids: list[tuple[np.ndarray, np.ndarray]] = []
    for number, (curve, name) in enumerate(zip(curves, names, strict=True)):
        colour, style = _OVERLAY[number % len(_OVERLAY)], _STYLES[number // len(_OVERLAY) % len(_STYLES)]
        result = analyze(curve, height_mm=height_mm, settings=settings)
        try:
            ready = prepare(curve, height_mm=height_mm, settings=settings)
        except CurveError:
            axes.plot(curve.displacement_mm, curve.force_n, color=colour, linestyle=":", label=f"{name}: rejected")
            continue
        x, f = ready.displacement_mm[: ready.end + 1], ready.force_n[: ready.end + 1]
        label = "rejected" if result.toughness_j is None else _value(result)
        axes.plot(*_thin(x, f), color=colour, linestyle=style, linewidth=1, label=f"{name}: {label}")
        if result.toughness_j is not None:
            grids.append((np.maximum.accumulate(x), f))
    return grids


def _band(axes: Axes, grids: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """The mean of the curves and the standard deviation about it, as far as the shortest goes."""
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
