"""How the campaign went: every experiment, the best so far, and what was expected of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.plots.style import BLUE, GREEN, MOST_VECTORS, PALE_BLUE, RED, colour_of, empty, label, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from toughopt.journal import Experiment, State

Belief = Mapping[int, tuple[float, float]]  # experiment -> mean and standard deviation that the model gives its design

_MOST_CROSSES = 100
_SHAPES = (("measured", "o"), ("lower bound", "^"), ("left out", "D"))


def progress_figure(state: State, belief: Belief | None = None, target: float | None = None) -> Figure:
    """`draw_progress` on a sheet of its own."""
    with styled():
        figure = new_figure(9.0, 4.6)
        draw_progress(figure.add_subplot(), state, belief, target)
        return figure


def draw_progress(axes: Axes, state: State, belief: Belief | None = None, target: float | None = None) -> None:
    """Every experiment in the order of its result, the best so far, what the model believes of that best, the target.

    A dot's shape says what became of the experiment, its colour who printed it; it is hollow where no model chose it.
    """
    name = str(state.config.get("objective", {}).get("name", "value"))
    axes.set_title("Best so far")
    axes.set_xlabel("experiments with a result")
    axes.set_ylabel(label(name))
    results = state.complete
    failed = [e for e in state.experiments.values() if e.stage == "failed"]
    if not results:
        words = f"no result yet; {len(failed)} failed" if failed else "no result yet"
        empty(axes, words)
        return
    order = np.arange(1, len(results) + 1)
    values = np.array([e.value or 0.0 for e in results])
    leaders = _leaders(results, state.goal_sign)
    turns = [i for i, e in enumerate(leaders) if e is not None and (i == 0 or e is not leaders[i - 1])]
    if turns:
        corners = [*turns, len(leaders) - 1]  # a line from change to change: its size is not that of the campaign
        best = [e for i in corners if (e := leaders[i]) is not None]
        if belief:
            mean, std = np.array([belief.get(e.id, (np.nan, np.nan)) for e in best]).T
            band: dict[str, Any] = {"step": "post", "color": PALE_BLUE, "alpha": 0.45, "linewidth": 0, "zorder": 1}
            axes.fill_between(
                order[corners], mean - 1.96 * std, mean + 1.96 * std, label="its true value, 95 % (model)", **band
            )
        axes.step(
            order[corners], [e.value or 0.0 for e in best], where="post", color=BLUE, label="best so far", zorder=2
        )
    if target is not None:
        axes.axhline(target, color=GREEN, linewidth=1.4, linestyle=(0, (6, 3)), label=f"target {target:g}", zorder=1)
    _dots(axes, state, order, values)
    if failed:
        places = np.searchsorted([e.complete_seq for e in results], [e.failed_seq for e in failed]) + 0.5
        foot = axes.get_ylim()[0]
        many = len(failed) > _MOST_CROSSES
        marker: dict[str, Any] = (
            {"marker": "|", "alpha": 0.25, "markersize": 6, "rasterized": True} if many else {"marker": "x"}
        )
        words = f"failed ({len(failed)})"
        axes.plot(
            places, np.full(len(failed), foot), color=RED, label=words, linestyle="", zorder=3, clip_on=False, **marker
        )
        axes.set_ylim(bottom=foot)
    axes.locator_params(axis="x", integer=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def draw_parity(axes: Axes, state: State) -> None:
    """What the model expected of each design that it chose, against what was measured."""
    name = str(state.config.get("objective", {}).get("name", "value"))
    axes.set_title("Predicted when chosen, against measured")
    axes.set_xlabel(f"measured {label(name)}")
    axes.set_ylabel("predicted, +/- 1 std")
    points = [(e.value, *expected) for e in state.complete if (expected := prediction(state, e)) is not None]
    if not points:
        empty(axes, "the model has chosen nothing yet")
        return
    measured, mean, std = np.array(points, dtype=float).T
    axes.errorbar(
        measured,
        mean,
        yerr=std,
        fmt="o",
        color=BLUE,
        ecolor=PALE_BLUE,
        markersize=5,
        elinewidth=1.2,
        rasterized=len(points) > MOST_VECTORS,
    )
    low = min(measured.min(), (mean - std).min())
    high = max(measured.max(), (mean + std).max())
    axes.plot([low, high], [low, high], color=GREEN, linewidth=1.2, label="as predicted")
    axes.legend(loc="best")


def prediction(state: State, experiment: Experiment) -> tuple[float, float] | None:
    """Mean and standard deviation that the model gave an experiment's design when it chose it, where one did."""
    record, index = state.decision_of(experiment)
    if record is None:
        return None
    mean, std = record["predicted_mean"][index], record["predicted_std"][index]
    return None if mean is None or std is None else (float(mean), float(std))


def incumbents(state: State) -> list[Experiment]:
    """The experiments that were the best so far at some time, in order."""
    found: dict[int, Experiment] = {}
    for leader in _leaders(state.complete, state.goal_sign):
        if leader is not None:
            found[leader.id] = leader
    return list(found.values())


def _leaders(results: Sequence[Experiment], sign: int) -> list[Experiment | None]:
    leaders: list[Experiment | None] = []
    leader: Experiment | None = None
    for e in results:
        if not e.excluded and (leader is None or sign * (e.value or 0.0) > sign * (leader.value or 0.0)):
            leader = e
        leaders.append(leader)
    return leaders


def _dots(axes: Axes, state: State, order: np.ndarray, values: np.ndarray) -> None:
    results = state.complete
    printers = sorted({e.printer for e in results if e.printer})
    many = len(results) > MOST_VECTORS
    size, seen = (5.0 if many else 34.0), set[str]()
    groups: dict[tuple[str, str, bool, str], list[int]] = {}
    for index, e in enumerate(results):
        what, marker = _SHAPES[2] if e.excluded else _SHAPES[1] if e.censored else _SHAPES[0]
        who = e.printer or "made by hand"
        words = who if what == "measured" else f"{who}, {what}"
        origin = state.experiments.get(e.root, e)  # what stands in for what the lab failed is the same choice
        chosen = many or prediction(state, origin) is not None  # among many, hollow dots cannot be told from others
        groups.setdefault((words, marker, chosen, colour_of(printers, e.printer)), []).append(index)
    for (words, marker, chosen, colour), members in sorted(
        groups.items(), key=lambda item: (item[0][0], not item[0][2])
    ):
        axes.scatter(
            order[members],
            values[members],
            s=size,
            marker=marker,
            facecolors=colour if chosen or many else "white",
            edgecolors="white" if chosen and not many else colour,
            linewidths=0.0 if many else 0.6 if chosen else 1.4,
            alpha=0.5 if many else 1.0,
            label=None if words in seen else words,
            rasterized=many,
            zorder=3,
        )
        seen.add(words)
    if not many and any(not key[2] for key in groups) and any(key[2] for key in groups):
        axes.plot(
            [], [], "o", markerfacecolor="white", markeredgecolor="#777777", label="hollow: not the model's choice"
        )
