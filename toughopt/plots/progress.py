"""How the campaign went: every experiment, the best so far, and what was expected of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toughopt.plots.style import BLUE, GREEN, GREY, ORANGE, RED, empty, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from toughopt.journal import Experiment, State


def draw_progress(axes: Axes, state: State) -> None:
    """Every experiment as a dot in the order of its result, and the best so far as a line."""
    name = str(state.config.get("objective", {}).get("name", "value"))
    axes.set_title("Best so far")
    axes.set_xlabel("experiments with a result")
    axes.set_ylabel(label(name))
    done = [e for e in state.complete if not e.excluded]
    if not done:
        empty(axes, "no result yet")
        return
    values = np.array([e.value or 0.0 for e in done])
    order = np.arange(1, len(done) + 1)
    better = np.maximum if state.goal_sign > 0 else np.minimum
    axes.step(order, better.accumulate(values), where="post", color=BLUE, label="best so far", zorder=2)
    for words, chosen, marker, colour in (
        ("model's choice", [_by_model(e) for e in done], "o", ORANGE),
        ("initial or a person's", [not _by_model(e) for e in done], "s", GREY),
    ):
        mask = np.array(chosen)
        if mask.any():
            axes.scatter(order[mask], values[mask], marker=marker, s=28, color=colour, label=words, zorder=3)
    failed = [e for e in state.experiments.values() if e.stage == "failed"]
    if failed:
        after = [sum(d.complete_seq < e.failed_seq for d in done) + 0.5 for e in failed]
        axes.scatter(after, [axes.get_ylim()[0]] * len(failed), marker="x", color=RED, label="failed", zorder=3)
    axes.legend(loc="best")


def draw_parity(axes: Axes, state: State) -> None:
    """What the model expected of each design that it chose, against what was measured."""
    name = str(state.config.get("objective", {}).get("name", "value"))
    axes.set_title("Predicted against measured")
    axes.set_xlabel(f"measured {label(name)}")
    axes.set_ylabel("predicted, +/- 1 std")
    points = [(e.value, *expected) for e in state.complete if (expected := prediction(state, e)) is not None]
    if not points:
        empty(axes, "the model has chosen nothing yet")
        return
    measured, mean, std = np.array(points, dtype=float).T
    axes.errorbar(measured, mean, yerr=std, fmt="o", color=BLUE, ecolor="#9cc5de", markersize=5, elinewidth=1.2)
    low = min(measured.min(), (mean - std).min())
    high = max(measured.max(), (mean + std).max())
    axes.plot([low, high], [low, high], color=GREEN, linewidth=1.2, label="as predicted")
    axes.legend(loc="best")


def prediction(state: State, experiment: Experiment) -> tuple[float, float] | None:
    """Mean and standard deviation that the model gave an experiment's design when it chose it, where one did."""
    record, index = experiment.decision, 0
    if record is not None and "made_with" in record:
        index = int(record["index"])
        record = state.experiments[record["made_with"]].decision
    if record is None:
        return None
    mean, std = record["predicted_mean"][index], record["predicted_std"][index]
    return None if mean is None or std is None else (float(mean), float(std))


def _by_model(experiment: Experiment) -> bool:
    record = experiment.decision
    if record is None:
        return False
    return "made_with" in record or record["predicted_mean"][0] is not None
