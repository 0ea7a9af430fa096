"""How policies compare on a table of measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from toughopt.plots.style import SERIES, label, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.replay import Game, Pool


def backtest_figure(pool: Pool, games: Mapping[str, Sequence[Game]], shares: Mapping[str, np.ndarray]) -> Figure:
    """Best true mean, and share of the best 5 % found, against tests: medians with their quartiles.

    shares : policy -> (seeds, tests) float, share of the best designs found
    """
    from matplotlib.figure import Figure as NewFigure

    with styled():
        figure = NewFigure(figsize=(11.5, 4.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        for colour, (name, played) in zip(SERIES * len(games), games.items(), strict=False):
            best = np.array([game.best_so_far for game in played])
            tests = np.arange(1, best.shape[1] + 1)
            for axes, curves in ((left, best), (right, 100.0 * shares[name])):
                low, middle, high = np.quantile(curves, (0.25, 0.5, 0.75), axis=0)
                axes.plot(tests, middle, color=colour, label=name)
                axes.fill_between(tests, low, high, color=colour, alpha=0.18, linewidth=0)
        top = pool.means.min() if pool.minimize else pool.means.max()
        left.axhline(float(top), color="#777777", linewidth=1.0, linestyle="--", label="the best of all")
        left.set(title="Best design found", xlabel="tests", ylabel=f"{label(pool.objective)}, true mean")
        right.set(title="Best 5 % of the designs found", xlabel="tests", ylabel="share found [%]")
        left.legend(loc="lower right")
        return figure


def save_figure_to(figure: Figure, path: Path) -> None:
    """Write one figure; its kind is the file's suffix. Raises InputError."""
    from toughopt.errors import InputError

    try:
        with styled():
            figure.savefig(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be written: {error}") from error
