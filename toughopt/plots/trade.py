"""Where a design was expected between two objectives when it was chosen: beside the tests that none beat by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from toughopt.plots.style import BLUE, GREY, INK, MOST_VECTORS, RED, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Trade:
    """A design among the tests that its decision saw, by the first two of several objectives.

    names, goals : of the two; a goal is "max" or "min"
    several : how many objectives there are in all; of more than two the front is no line
    tested : (n, 2) float; the tests seen
    unbeaten : (n,) bool; which of them none beat in every objective
    expected : mean and standard deviation of the first, and the second; None where one of the two was not known
    measured : what its test gave, where it gave both
    """

    names: tuple[str, str]
    goals: tuple[str, str]
    several: int
    tested: NDArray[np.float64]
    unbeaten: NDArray[np.bool_]
    expected: tuple[float, float, float] | None
    measured: tuple[float, float] | None


def draw_trade(axes: Axes, found: Trade, experiment_id: int) -> None:
    """The first objective against the second: the tests seen, the front by them, and the design."""
    many = len(found.tested) > MOST_VECTORS
    axes.plot(
        found.tested[:, 1], found.tested[:, 0], "o", color=GREY, markersize=3 if many else 5, alpha=0.6,
        markeredgewidth=0, rasterized=many, label="tests seen",
    )  # fmt: skip
    front = found.tested[found.unbeaten]
    front = front[np.argsort(front[:, 1], kind="stable")]
    if found.several == 2:
        where: Literal["pre", "post"] = "post" if found.goals[1] == "min" else "pre"
        axes.step(front[:, 1], front[:, 0], where=where, color=BLUE, linewidth=1.4, alpha=0.6, zorder=2)
    axes.plot(front[:, 1], front[:, 0], "o", color=BLUE, markersize=7, label="those that none beat", zorder=3)
    if found.expected is not None:
        mean, std, beside = found.expected
        axes.errorbar(
            [beside], [mean], yerr=[std], fmt="*", color=RED, markersize=15, markeredgecolor="white", elinewidth=1.2,
            label="expected, +/- 1 std", zorder=4,
        )  # fmt: skip
    if found.measured is not None:
        axes.plot(
            found.measured[1], found.measured[0], "D", markerfacecolor="none", markeredgecolor=RED, markersize=8,
            markeredgewidth=1.6, label="measured", zorder=4,
        )  # fmt: skip
    better = ["more" if goal == "max" else "less" for goal in found.goals]
    axes.set_xlabel(f"{label(found.names[1])}, {better[1]} is better", color=INK)
    axes.set_ylabel(f"{label(found.names[0])}, {better[0]} is better", color=INK)
    axes.set_title(f"What experiment {experiment_id} was to add")
    axes.margins(0.08)
    axes.legend(loc="best", fontsize=9)
