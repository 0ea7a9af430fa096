"""One specimen: its curve with the area that counts, and its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toughopt.plots.style import BLUE, GREEN, ORANGE, empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from toughopt.compression import Curve
    from toughopt.geometry import Solid
    from toughopt.journal import Experiment

_MOST_POINTS = 2000  # a screen shows no more


def draw_curve(axes: Axes, experiment: Experiment | None, curve: Curve | None, title: str) -> None:
    """Force against displacement of one test, with the energy that was taken up shaded."""
    axes.set_title(title)
    axes.set_xlabel("displacement [mm]")
    axes.set_ylabel("force [N]")
    if experiment is None or curve is None:
        empty(axes, "no test yet")
        return
    contact = float(experiment.result.get("contact_mm") or 0.0)
    step = max(1, len(curve.displacement_mm) // _MOST_POINTS)
    x, force = curve.displacement_mm[::step] - contact, curve.force_n[::step]
    counts = x >= 0
    axes.plot(x, force, color=BLUE, linewidth=1.6)
    toughness = experiment.result.get("toughness_j")
    words = "" if toughness is None else f"toughness {toughness:.3g} J"
    axes.fill_between(x[counts], 0.0, force[counts], color=ORANGE, alpha=0.35, linewidth=0, label=words)
    peak = int(np.argmax(force))
    axes.plot(x[peak], force[peak], "v", color=GREEN, label=f"peak {force[peak]:.4g} N")
    axes.legend(loc="best")


def draw_shape(axes: Axes, solid: Solid | None, title: str) -> None:
    """The design in hand, shaded, with its outer dimensions."""
    from toughopt.geometry import draw_solid

    axes.set_title(title, wrap=True)
    if solid is None:
        empty(axes, "no design yet")
        axes.set_axis_off()
        return
    draw_solid(axes, solid)
