"""What the model knows, drawn: parity and calibration, the effect of each parameter, and which of them matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from toughopt.plots.style import (
    BLUE,
    GREEN,
    GREY,
    MOST_VECTORS,
    ORANGE,
    PALE_BLUE,
    RED,
    empty,
    label,
    new_figure,
    parameter_label,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from toughopt.journal import State
    from toughopt.optimizer.insight import Parity, PartialDependence


def parity_figure(found: Parity, objective: str) -> Figure:
    """Each test predicted from all the others, with 95 % intervals; beside it, whether the intervals are honest."""
    with styled():
        figure = new_figure(10.5, 4.8)
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
        inside = (found.measured >= found.low) & (found.measured <= found.high)
        many = len(found.measured) > MOST_VECTORS
        for mask, colour, words in ((inside, BLUE, "inside its interval"), (~inside, RED, "outside")):
            if mask.any():
                spread = np.array([found.predicted - found.low, found.high - found.predicted])[:, mask].clip(min=0.0)
                left.errorbar(
                    found.measured[mask],
                    found.predicted[mask],
                    yerr=spread,
                    fmt="o" if colour == BLUE else "s",
                    color=colour,
                    ecolor=PALE_BLUE if colour == BLUE else colour,
                    markersize=3 if many else 5,
                    elinewidth=1.1,
                    label=f"{words} ({int(mask.sum())})",
                    rasterized=many,
                )
        ends = [min(found.measured.min(), found.predicted.min()), max(found.measured.max(), found.predicted.max())]
        left.plot(ends, ends, color=GREEN, linewidth=1.2, label="as predicted")
        left.set(xlabel=f"measured {label(objective)}", ylabel="predicted from all the others, 95 %")
        left.set_title("Parity, leaving one out")
        left.legend(loc="upper left")
        _calibration(right, found)
        return figure


def dependence_figure(
    found: Sequence[PartialDependence], state: State, objective: str, units: Mapping[str, str] | None = None
) -> Figure:
    """The objective against each parameter, averaged over the others, with 95 % bands and the tested points.

    units : of the parameters, for the axes
    """
    with styled():
        columns = {1: 1, 2: 2, 4: 2}.get(len(found), 3)
        rows = -(-len(found) // columns)
        figure = new_figure(3.7 * columns + 0.6, 2.9 * rows + 0.4)
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        tested = [e for e in state.complete if not e.excluded]
        for index, axes in enumerate(grid.flat):
            if index >= len(found):
                axes.set_axis_off()
                continue
            one = found[index]
            places = np.arange(len(one.values)) if _named(one) else np.array(one.values, dtype=float)
            axes.fill_between(places, one.mean - 1.96 * one.std, one.mean + 1.96 * one.std, color=PALE_BLUE, alpha=0.5)
            axes.plot(places, one.mean, color=BLUE)
            at = dict(zip(one.values, places, strict=True)) if _named(one) else None
            where = [at[e.design[one.parameter]] if at else float(e.design[one.parameter]) for e in tested]
            values = [e.value for e in tested]
            axes.plot(
                where,
                values,
                ".",
                color=GREY,
                alpha=0.55,
                markersize=5,
                rasterized=len(tested) > MOST_VECTORS,
                zorder=1,
            )
            if at:
                axes.set_xticks(places, [str(value) for value in one.values])
            axes.set_xlabel(parameter_label(one.parameter, units))
            if index % columns == 0:
                axes.set_ylabel(label(objective))
        figure.suptitle(
            "Effect of each parameter, the others averaged (line and 95 % band); dots: tests", x=0.01, ha="left",
            fontsize=12, fontweight="bold",
        )  # fmt: skip
        return figure


def importance_figure(relevance: Mapping[str, float], effects: Mapping[str, float]) -> Figure:
    """Two answers to which parameters matter: the model's length scales, and the share of variance each one makes."""
    with styled():
        names = sorted(effects, key=lambda name: effects[name])
        others = [name for name in relevance if name not in effects]
        figure = new_figure(9.0, 0.42 * (len(names) + len(others)) + 1.8)
        left, right = figure.subplots(1, 2, sharey=True)
        listed = [*others, *names]
        places = np.arange(len(listed))
        left.barh(places, [100.0 * effects.get(name, 0.0) for name in listed], color=BLUE, height=0.62)
        right.barh(places, [100.0 * relevance.get(name, 0.0) for name in listed], color=ORANGE, height=0.62)
        left.set_yticks(places, listed)
        left.set_title("What each contributes")
        left.set_xlabel("total effect [% of variance]")
        right.set_title("How finely the model looks")
        right.set_xlabel("share of squared inverse length scales [%]")
        for axes in (left, right):
            axes.grid(visible=False, axis="y")
            axes.tick_params(axis="y", length=0)
        return figure


def nothing_figure(words: str) -> Figure:
    """Says why there is nothing to draw yet."""
    with styled():
        figure = new_figure(7.0, 3.0)
        axes = figure.add_subplot()
        empty(axes, words)
        axes.set_axis_off()
        return figure


def _calibration(axes: Axes, found: Parity) -> None:
    levels = np.linspace(0.02, 0.98, 33)
    axes.plot(100 * levels, 100 * levels, color=GREEN, linewidth=1.2, label="honest")
    n = max(len(found.measured), 1)
    spread = 196.0 * np.sqrt(levels * (1.0 - levels) / n)
    axes.fill_between(100 * levels, 100 * levels - spread, 100 * levels + spread, color=GREEN, alpha=0.13, linewidth=0)
    axes.plot(100 * levels, 100 * found.calibration(levels), color=BLUE, label="this model")
    axes.set(xlabel="claimed interval [%]", ylabel="tests inside [%]", xlim=(0, 100), ylim=(0, 100))
    axes.set_title(f"Calibration: 95 % hold {100 * found.coverage:.0f} %")
    axes.legend(loc="upper left")


def _named(found: PartialDependence) -> bool:
    return any(isinstance(value, str) for value in found.values)
