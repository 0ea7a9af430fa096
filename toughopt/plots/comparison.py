"""Several campaigns on one sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from toughopt.plots.style import SERIES, empty, label, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.journal import State


def comparison_figure(states: Mapping[str, State]) -> Figure:
    """The best so far of each campaign against its number of results; only of one objective can they be compared."""
    with styled():
        figure = new_figure(10.0, 4.8)
        axes = figure.add_subplot()
        axes.set_title("Best so far")
        objectives = {str(state.config.get("objective", {}).get("name", "value")) for state in states.values()}
        axes.set(xlabel="experiments with a result", ylabel=" / ".join(label(name) for name in sorted(objectives)))
        drawn = 0
        for index, (name, state) in enumerate(states.items()):
            values = np.array([e.value or 0.0 for e in state.complete if not e.excluded])
            if not len(values):
                continue
            better = np.maximum if state.goal_sign > 0 else np.minimum
            best = better.accumulate(values)
            style = ("-", "--", "-.", ":")[index // len(SERIES) % 4]
            colour = SERIES[index % len(SERIES)]
            order = np.arange(1, len(best) + 1)
            axes.step(order, best, where="post", color=colour, linestyle=style, label=name)
            axes.plot(order[-1], best[-1], "o", color=colour)
            drawn += 1
        if not drawn:
            empty(axes, "no result yet")
        else:
            axes.legend(loc="lower right")
        return figure
