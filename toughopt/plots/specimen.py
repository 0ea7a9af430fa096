"""One specimen: its curve with the area that counts, its shape, and the layers of its program."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from toughopt.digits import four_digits
from toughopt.plots.style import BLUE, GREEN, GREY, ORANGE, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from toughopt.compression import Curve
    from toughopt.gcode import Program
    from toughopt.geometry import Solid
    from toughopt.journal import Experiment

_TITLE_LETTERS = 84  # of a bold title that fit into nine inches
_MOST_POINTS = 800  # a screen shows no more
_SAME_ENERGY = 1.02  # the area under what is drawn differs from the toughness by the samples that are not drawn
Test = tuple["Experiment", "Curve"]


def curve_figure(
    experiment: Experiment | None, curve: Curve | None, title: str, replicates: Sequence[Test] = ()
) -> Figure:
    """`draw_curve` on a sheet of its own."""
    with styled():
        figure = new_figure(7.0, 4.6)
        draw_curve(figure.add_subplot(), experiment, curve, title, replicates)
        return figure


def draw_curve(
    axes: Axes, experiment: Experiment | None, curve: Curve | None, title: str, replicates: Sequence[Test] = ()
) -> None:
    """Force against displacement of one test, with the energy taken up shaded, and the band of its replicates.

    replicates : tests of the same design; their mean and standard deviation are drawn where there are two or more
    """
    axes.set_title(title)
    axes.set_xlabel("displacement after contact [mm]")
    axes.set_ylabel("force [N]")
    if experiment is None or curve is None:
        empty(axes, "no test yet" if experiment is None else "told as a value, without a curve")
        return
    if len(replicates) > 1:
        _band(axes, replicates)
    x, force = _after_contact(experiment, curve)
    toughness = experiment.result.get("toughness_j")
    counts = _counting(x, force, toughness)
    words = "" if toughness is None else f"toughness {toughness:.3g} J"
    axes.fill_between(x[counts], 0.0, force[counts], color=ORANGE, alpha=0.32, linewidth=0, label=words)
    axes.plot(x, force, color=BLUE, linewidth=1.6)
    peak = int(np.argmax(force))
    axes.plot(x[peak], force[peak], "v", color=GREEN, label=f"peak {four_digits(float(force[peak]))} N")
    axes.set_xlim(left=min(0.0, float(x[counts].min(initial=0.0))) - 0.02 * float(np.ptp(x)))
    axes.legend(loc="best")


def shape_figure(solid: Solid | None, title: str) -> Figure:
    """`draw_shape` on a sheet of its own."""
    with styled():
        figure = new_figure(6.0, 5.2)
        draw_shape(figure.add_subplot(), solid, title)
        return figure


def draw_shape(axes: Axes, solid: Solid | None, title: str) -> None:
    """The design in hand, shaded, with its outer dimensions."""
    from toughopt.geometry import draw_solid

    axes.set_title(title, wrap=True)
    if solid is None:
        empty(axes, "no design yet")
        axes.set_axis_off()
        return
    draw_solid(axes, solid)


def layers_figure(program: Program | None, title: str, panels: int = 8) -> Figure:
    """Layers of a program, spread from the first to the last, coloured by kind of line."""
    import io

    from matplotlib.image import imread

    from toughopt.gcode import picture

    with styled():
        if program is None:
            figure = new_figure(7.0, 3.0)
            empty(figure.add_subplot(), "no program yet")
            return figure
        pixels = imread(io.BytesIO(picture(program, panels=panels, width_px=1200)))
        height, width = pixels.shape[:2]
        lines = [part for line in title.splitlines() for part in wrap(line, _TITLE_LETTERS)]
        figure = new_figure(9.0, 9.0 * height / width + 0.1 + 0.24 * len(lines))
        axes = figure.add_subplot()
        axes.set_title("\n".join(lines))
        axes.imshow(pixels)
        axes.set_axis_off()
        return figure


def _counting(x: np.ndarray, force: np.ndarray, toughness_j: float | None) -> np.ndarray:
    """Which samples the toughness counts: those from contact on, up to where the energy taken up reaches it.

    A curve may go on after what counts: beyond the force limit, after a break, or while it is unloaded.
    """
    after = x >= 0
    if toughness_j is None:
        return after
    force = force - (np.median(force[~after]) if not after.all() else 0.0)  # what the load cell reads of nothing
    steps_mj = np.diff(x) * (force[1:] + force[:-1]) / 2.0 * after[:-1]
    taken_j = np.concatenate([[0.0], np.cumsum(steps_mj)]) / 1000.0
    beyond = np.flatnonzero(taken_j > toughness_j * _SAME_ENERGY)
    return after if not len(beyond) else after & (np.arange(len(x)) <= beyond[0])


def _after_contact(experiment: Experiment, curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    contact = float(experiment.result.get("contact_mm") or 0.0)
    step = max(1, len(curve.displacement_mm) // _MOST_POINTS)
    return curve.displacement_mm[::step] - contact, curve.force_n[::step]


def _band(axes: Axes, replicates: Sequence[Test]) -> None:
    tests = [_after_contact(experiment, curve) for experiment, curve in replicates]
    grid = np.linspace(0.0, min(float(x.max()) for x, _ in tests), 300)
    forces = np.array([np.interp(grid, np.maximum.accumulate(x), force) for x, force in tests])
    mean, std = forces.mean(axis=0), forces.std(axis=0, ddof=1)
    words = f"mean +/- 1 std of {len(tests)} replicates"
    axes.fill_between(grid, mean - std, mean + std, color=GREY, alpha=0.3, linewidth=0, label=words)
    axes.plot(grid, mean, color=GREY, linewidth=1.2)
