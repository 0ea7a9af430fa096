"""The Pareto front: what the first objective costs in the second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from toughopt.plots.style import BLUE, GREY, INK, MOST_VECTORS, RED, empty, label, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.optimizer import Front


def front_figure(front: Front | None, tested: np.ndarray, names: tuple[str, str], goals: tuple[str, str]) -> Figure:
    """Every test, and the designs that no other beats in both objectives, with the 95 % intervals of their true values.

    Parameters
    ----------
    front : None while too little is known
    tested : (n, 2) float, the values of the first and of the second objective of each test
    names, goals : of those two; a goal is "max" or "min"
    """
    with styled():
        figure = new_figure(7.5, 5.0)
        axes = figure.add_subplot()
        words = " against ".join(label(name).partition(" [")[0] for name in names)
        axes.set_title(f"{words[:1].upper()}{words[1:]}")
        if front is None or not front.members:
            empty(axes, "too little is known for a front yet")
            return figure
        axes.set(xlabel=label(names[1]), ylabel=label(names[0]))
        many = len(tested) > MOST_VECTORS
        axes.plot(
            tested[:, 1], tested[:, 0], "o", color=GREY, markersize=3 if many else 5, alpha=0.6, markeredgewidth=0,
            rasterized=many, label="tests",
        )  # fmt: skip
        y = np.array([m.mean[names[0]] for m in front.members])
        x = np.array([m.mean[names[1]] for m in front.members])
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
        if len(front.reference) == 2:  # of more objectives the front is no line
            where: Literal["pre", "post"] = "post" if goals[1] == "min" else "pre"
            axes.step(x, y, where=where, color=BLUE, linewidth=1.4, alpha=0.6, zorder=2)
        spans = [_reach(front, name, order) for name in names]
        axes.errorbar(
            x, y, yerr=spans[0], xerr=spans[1], fmt="o", color=BLUE, ecolor=BLUE, elinewidth=1.2, capsize=2.5,
            markersize=7, label="front, with 95 % intervals", zorder=3,
        )  # fmt: skip
        worst = front.reference[names[1]], front.reference[names[0]]
        axes.plot(*worst, "+", color=RED, markersize=11, markeredgewidth=1.8, label="counted from here", zorder=3)
        for axis, goal in ((axes.xaxis, goals[1]), (axes.yaxis, goals[0])):
            axis.set_label_text(f"{axis.get_label_text()}, {'more' if goal == 'max' else 'less'} is better", color=INK)
        axes.margins(0.06)
        axes.legend(loc="best")
        return figure


def _reach(front: Front, name: str, order: np.ndarray) -> np.ndarray:
    """(2, n) how far the intervals reach below and above the means; 0 where that is not known."""
    mean = np.array([m.mean[name] for m in front.members])
    ends = np.array([m.interval[name] for m in front.members]).T
    reach = np.maximum(np.array([mean - ends[0], ends[1] - mean]), 0.0)
    return np.asarray(np.nan_to_num(reach)[:, order])
