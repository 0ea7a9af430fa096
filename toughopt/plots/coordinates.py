"""Parallel coordinates: every tested design as a line through its parameters to its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.plots.style import INK, MAP, RED, empty, label, new_figure, parameter_label, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.journal import Experiment, State

_MOST_MARKS = 8
_MOST_LINES = 400  # more is a smear; the best and an even choice of the others remain


def coordinates_figure(
    state: State, dimensions: Mapping[str, Mapping[str, Any]], units: Mapping[str, str] | None = None
) -> Figure:
    """Every tested design as a line, coloured by its value; the best in red.

    dimensions : the varied parameters as `Space.from_dict` takes them: their limits are the ends of the axes
    units : of the parameters, below their names
    """
    from matplotlib.collections import LineCollection

    objective = str(state.config.get("objective", {}).get("name", "value"))
    with styled():
        names = list(dimensions)
        figure = new_figure(max(7.0, 1.15 * (len(names) + 2)), 4.8)
        axes = figure.add_subplot()
        axes.set_title("Tested designs")
        tests, of = _chosen(state)
        if not tests:
            empty(axes, "no result yet")
            return figure
        values = np.array([e.value or 0.0 for e in tests])
        low, high = float(values.min()), float(values.max())
        span = (high - low) or 1.0
        columns = [[_place(dimensions[name], e.design[name]) for e in tests] for name in names]
        rows = np.array([*columns, (values - low) / span]).T
        order = np.argsort(state.goal_sign * values)
        lines = np.stack([np.broadcast_to(np.arange(len(names) + 1.0), rows.shape), rows], axis=2)[order]
        drawn = LineCollection(list(lines), cmap=MAP, array=values[order], linewidths=1.2, alpha=0.75)
        axes.add_collection(drawn)
        best = state.best
        if best is not None:
            at = [*(_place(dimensions[name], best.design[name]) for name in names), ((best.value or 0.0) - low) / span]
            axes.plot(range(len(names) + 1), at, color=RED, linewidth=2.6, label=f"best: experiment {best.id}")
            axes.legend(loc="upper right", bbox_to_anchor=(1.0, 1.13))
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}
        for place, name in enumerate(names):
            axes.axvline(place, color=INK, linewidth=1.0)
            for text, height in _marks(dimensions[name]):
                axes.text(place - 0.03, height, text, ha="right", va="center", fontsize=8.5, color=INK, bbox=paper)
        axes.axvline(len(names), color=INK, linewidth=1.0)
        called = [*(parameter_label(name, units) for name in names), label(objective)]
        axes.set_xticks(range(len(names) + 1), [words.replace(" [", "\n[") for words in called])
        axes.set(xlim=(-0.5, len(names) + 0.05), ylim=(-0.04, 1.04))
        axes.set_yticks([])
        axes.grid(visible=False)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        bar = figure.colorbar(drawn, ax=axes, label=label(objective), pad=0.02, aspect=30)
        bar.outline.set_visible(False)
        if of > len(tests):
            axes.set_xlabel(f"{len(tests)} of {of} tests: the best, and every so many of the others", fontsize=9)
        return figure


def _chosen(state: State) -> tuple[list[Experiment], int]:
    tests = [e for e in state.complete if not e.excluded]
    if len(tests) <= _MOST_LINES:
        return tests, len(tests)
    ranked = sorted(tests, key=lambda e: -state.goal_sign * (e.value or 0.0))
    top, rest = ranked[: _MOST_LINES // 4], ranked[_MOST_LINES // 4 :]
    return [*top, *rest[:: -(-len(rest) // (3 * _MOST_LINES // 4))]], len(tests)


def _place(dimension: Mapping[str, Any], value: float | int | str) -> float:
    """Where on its axis a value lies, 0..1."""
    if "values" in dimension:
        levels = list(dimension["values"])
        return levels.index(value) / max(len(levels) - 1, 1) if value in levels else 0.5
    low, high = float(dimension["low"]), float(dimension["high"])
    return (float(value) - low) / ((high - low) or 1.0)


def _marks(dimension: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
    if "values" in dimension:
        levels = list(dimension["values"])
        return [(str(level), index / max(len(levels) - 1, 1)) for index, level in enumerate(levels)]
    low, high = float(dimension["low"]), float(dimension["high"])
    step = float(dimension.get("step") or 0.0)
    if step and (high - low) / step < _MOST_MARKS:
        return [
            (f"{value:.4g}", (value - low) / ((high - low) or 1.0)) for value in np.arange(low, high + step / 2, step)
        ]
    return [(f"{low + share * (high - low):.4g}", share) for share in (0.0, 0.5, 1.0)]
