"""Maps of the model over two parameters: what it believes, how sure it is, and where the next test promises most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.plots.style import INK, MAP, RED, RULE, label, new_figure, parameter_label, styled
from toughopt.plots.trade import Trade, draw_trade

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Units = Mapping[str, str] | None

_NOWHERE = "#eeeeee"  # where no design is allowed
_FEW = 8  # levels of a stepped parameter: each is marked, and no contour runs between them


@dataclass(frozen=True, slots=True)
class Slice:
    """The model over two parameters, the others held.

    x, y : names of the parameters
    xs : (nx,) float; ys : (ny,) float
    mean, std : (ny, nx) float, in the units of the objective; NaN where no design is allowed
    gain : (ny, nx) float, expected improvement over the best design, in the units of the objective
    held : the other parameters
    tested : (n, 2) float, tested designs seen from here
    marked : the design that the map is drawn through
    """

    x: str
    y: str
    xs: FloatArray
    ys: FloatArray
    mean: FloatArray
    std: FloatArray
    gain: FloatArray
    held: Mapping[str, Any]
    tested: FloatArray
    marked: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """Why a design was chosen: what a test promised then, as a map or between several objectives, and the reason."""

    experiment_id: int
    landscape: Slice | None
    words: Sequence[str]
    trade: Trade | None = None


def slice_figure(found: Slice, objective: str, units: Units = None) -> Figure:
    """What the model believes around the best design, and how sure it is, with the tested points.

    units : of the parameters, for the axes
    """
    with styled():
        figure = new_figure(10.8, 5.2)
        left, right = figure.subplots(1, 2, sharey=True)
        _map(figure, left, found, found.mean, label(objective), "What the model believes", units)
        _map(figure, right, found, found.std, f"standard deviation of {label(objective)}", "How unsure it is", units)
        right.set_ylabel("")
        caption = _held(found, units, 150)
        _explain(figure, found, "the best design", caption)
        return figure


def choice_figure(choice: Choice, objective: str, units: Units = None) -> Figure:
    """What a test promised when the design was chosen, and why it was, in words.

    units : of the parameters, for the axes
    """
    with styled():
        drawn = choice.landscape is not None or choice.trade is not None
        if not drawn:
            figure = new_figure(10.8, 0.9 + 0.5 * len(choice.words))
            right = figure.add_subplot()
        else:
            figure = new_figure(10.8, 5.2)
            left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
        if choice.trade is not None:
            draw_trade(left, choice.trade, choice.experiment_id)
        if choice.landscape is not None:
            unit = label(objective)
            words = f"expected improvement{unit[unit.find(' [') :] if ' [' in unit else ''}"
            title = f"What a test promised before experiment {choice.experiment_id}"
            _map(figure, left, choice.landscape, choice.landscape.gain, words, title, units)
            caption = _held(choice.landscape, units, 150)
            _explain(figure, choice.landscape, f"experiment {choice.experiment_id}", caption)
        right.set_axis_off()
        right.set_title(f"Why experiment {choice.experiment_id}")
        width, line = (52, 0.072) if drawn else (110, 0.8 / (2.0 * len(choice.words)))
        height = 0.97
        for paragraph in choice.words:
            lines = wrap(paragraph, width)
            right.text(
                0.0,
                height, "\n".join(lines), va="top", fontsize=10.5, color=INK, transform=right.transAxes,
                linespacing=1.4,
            )  # fmt: skip
            height -= line * len(lines) + 0.55 * line
        return figure


def _map(figure: Figure, axes: Axes, found: Slice, values: FloatArray, words: str, title: str, units: Units) -> None:
    shown = np.ma.masked_invalid(values)
    axes.set_facecolor(_NOWHERE)
    mesh = axes.pcolormesh(found.xs, found.ys, shown, cmap=MAP, shading="nearest", rasterized=True)
    for levels, place in ((found.xs, axes.set_xticks), (found.ys, axes.set_yticks)):
        if len(levels) <= _FEW:
            place(levels)
    smooth = min(len(found.xs), len(found.ys)) > _FEW and np.isfinite(values).sum() > 16
    if smooth and float(np.nanmax(values)) > float(np.nanmin(values)):
        axes.contour(found.xs, found.ys, shown, levels=6, colors="white", linewidths=0.6, alpha=0.7)
    axes.plot(
        found.tested[:, 0], found.tested[:, 1], "o", markersize=4, color="white", markeredgecolor=INK,
        markeredgewidth=0.8, alpha=0.9, rasterized=len(found.tested) > 500,
    )  # fmt: skip
    axes.plot(*found.marked, "*", markersize=17, color=RED, markeredgecolor="white", markeredgewidth=1.0)
    axes.set(xlabel=parameter_label(found.x, units), ylabel=parameter_label(found.y, units), title=title)
    axes.margins(0.0)
    axes.grid(visible=False)
    bar = figure.colorbar(mesh, ax=axes, label=words, pad=0.02, aspect=28)
    bar.outline.set_visible(False)


def _explain(figure: Figure, found: Slice, star: str, caption: str) -> None:
    """Below the maps: what the marks and the grey region are, and what is held."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    def mark(shape: str, size: float, colour: str, edge: str, words: str) -> Line2D:
        return Line2D(
            [], [], linestyle="", marker=shape, markersize=size, color=colour, markeredgecolor=edge, label=words
        )

    marks: list[Line2D | Patch] = [mark("*", 13, RED, "white", star), mark("o", 4, "white", INK, "tested designs")]
    if np.isnan(found.mean).any():
        marks.append(Patch(facecolor=_NOWHERE, edgecolor=RULE, label="no design can be made there, or none is allowed"))
    figure.legend(
        handles=marks, loc="outside lower left", ncols=len(marks), title=caption or None, title_fontsize=9,
        alignment="left",
    )  # fmt: skip


def _held(found: Slice, units: Units, width: int) -> str:
    """What the other parameters are on the map, on lines of at most `width` letters."""
    fixed = ", ".join(
        f"{name} = {value:.4g} {(units or {}).get(name, '')}".rstrip() if isinstance(value, int | float)
        else f"{name} = {value}"
        for name, value in found.held.items()
    )  # fmt: skip
    return "\n".join(wrap(f"Maps through the star: {fixed}", width)) if fixed else ""
