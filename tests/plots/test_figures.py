"""Every figure on fixed data, beside a reference image that a person has looked at.

After a change that is meant, make them anew with `--mpl-generate-path=tests/plots/baseline`, and look at each.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from toughopt import Curve, family
from toughopt.gcode import read_program
from toughopt.journal import State
from toughopt.optimizer import Front, FrontMember
from toughopt.optimizer.insight import Parity, PartialDependence
from toughopt.plots.comparison import comparison_figure
from toughopt.plots.coordinates import coordinates_figure
from toughopt.plots.front import front_figure
from toughopt.plots.landscape import Choice, Slice, choice_figure, slice_figure
from toughopt.plots.mass import mass_figure
from toughopt.plots.model import dependence_figure, importance_figure, nothing_figure, parity_figure
from toughopt.plots.pace import pace_figure
from toughopt.plots.progress import draw_parity, incumbents, progress_figure
from toughopt.plots.specimen import curve_figure, layers_figure, shape_figure
from toughopt.plots.style import new_figure, styled
from toughopt.plots.timeline import timeline_figure
from toughopt.plots.trade import Trade

pytestmark = pytest.mark.full

DIMENSIONS: dict[str, dict[str, Any]] = {
    "n": {"type": "integer", "low": 6, "high": 12, "step": 2},
    "theta": {"type": "real", "low": 0.0, "high": 200.0},
    "r": {"type": "real", "low": 1.5, "high": 2.5},
    "t": {"type": "real", "low": 0.7, "high": 1.4},
}

UNITS = {"n": "", "theta": "deg", "r": "mm", "t": "mm"}


def compared(make: Callable[..., Figure]) -> Callable[..., Figure]:
    """The figure that the test returns is compared with its reference."""
    mark = pytest.mark.mpl_image_compare(
        baseline_dir="baseline", tolerance=8, style="default", savefig_kwargs={"dpi": 50}, deterministic=True
    )
    made: Callable[..., Figure] = mark(make)
    return made


def crush(peak_n: float, x: np.ndarray) -> Curve:
    """A cellular solid's curve: rise, plateau with waves, densification."""
    force = peak_n * (np.tanh(3.0 * (x - 0.5).clip(min=0.0)) + 0.08 * np.sin(4.0 * x) * (x > 1.2))
    return Curve(displacement_mm=x, force_n=force + peak_n * 1.4 * ((x - 6.0).clip(min=0.0) / 2.0) ** 2)


def hill() -> Slice:
    xs, ys = np.linspace(0.7, 1.4, 31), np.linspace(0.0, 200.0, 31)
    gx, gy = np.meshgrid(xs, ys)
    mean = 30.0 * np.exp(-(((gx - 1.1) / 0.3) ** 2) - ((gy - 120.0) / 70.0) ** 2)
    std = 1.0 + 4.0 * np.abs(np.sin(3.0 * gx) * np.cos(gy / 60.0))
    mean[(gx > 1.3) & (gy > 160.0)] = np.nan
    tested = np.array([[0.75 + 0.06 * i, (53.0 * i) % 200] for i in range(11)])
    gain = np.where(np.isnan(mean), np.nan, std * 0.2)
    return Slice("t", "theta", xs, ys, mean, std, gain, {"n": 8, "r": 2.0}, tested, (1.1, 120.0))


@compared
def test_progress(lab_state: State) -> Figure:
    belief = {e.id: ((e.value or 0.0) - 1.0, 1.2) for e in incumbents(lab_state)}
    return progress_figure(lab_state, belief, 30.0)


@compared
def test_progress_when_all_failed(lab_state: State) -> Figure:
    failed = {e.id: e for e in lab_state.experiments.values() if e.stage == "failed"}
    return progress_figure(replace(lab_state, experiments=failed))


@compared
def test_predicted_when_chosen(lab_state: State) -> Figure:
    with styled():
        figure = new_figure(6.0, 4.8)
        draw_parity(figure.add_subplot(), lab_state)
        return figure


@compared
def test_curve_with_replicates(lab_state: State) -> Figure:
    x = np.linspace(0.0, 8.0, 700)
    e = lab_state.experiments[1]
    tests = [(e, crush(peak, x)) for peak in (900.0, 1000.0, 1080.0)]
    return curve_figure(e, tests[1][1], "Experiment 1", tests)


@compared
def test_shape() -> Figure:
    solid = family("crossed_barrel", chord_error=0.05).solid({"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0})
    return shape_figure(solid, "Experiment 1, printing\nn=8 theta=100 r=2 t=1")


@compared
def test_layers() -> Figure:
    lines = ["G28", "G90", "M83", "G92 E0"]
    for layer in range(4):
        z = 0.2 * (layer + 1)
        lines += [";LAYER_CHANGE", f";Z:{z:.1f}", f"G1 Z{z:.1f} F600", ";TYPE:External perimeter", "G1 X20 Y20 F3000"]
        lines += ["G1 X60 Y20 E1.4", "G1 X60 Y50 E1.0", "G1 X20 Y50 E1.4", "G1 X20 Y20 E1.0", ";TYPE:Solid infill"]
        for row in range(9):
            y = 22 + 3 * row
            lines += [f"G1 X22 Y{y} F3000", f"G1 X58 Y{y + layer} E1.2"]
    return layers_figure(read_program("\n".join(lines) + "\n"), "Four layers", panels=4)


@compared
def test_parity() -> Figure:
    measured = np.linspace(5.0, 40.0, 30)
    predicted = measured + 4.0 * np.sin(np.arange(30))
    spread = 4.0 + np.cos(np.arange(30)) ** 2
    z = (measured - predicted) / (spread / 1.96)
    return parity_figure(
        Parity(measured, predicted, predicted - spread, predicted + spread, z, float((np.abs(z) < 1.96).mean())),
        "toughness_j",
    )


@compared
def test_dependence(lab_state: State) -> Figure:
    found = []
    for index, (name, dimension) in enumerate(DIMENSIONS.items()):
        values = np.linspace(dimension["low"], dimension["high"], 21)
        mean = 20.0 + 4.0 * np.sin(np.linspace(0, 3 + index, 21))
        found.append(PartialDependence(name, values.tolist(), mean, np.full(21, 1.0 + 0.3 * index)))
    return dependence_figure(found, lab_state, "toughness_j", UNITS)


@compared
def test_importance() -> Figure:
    effects = {"n": 0.1, "theta": 0.55, "r": 0.2, "t": 0.6}
    return importance_figure({"n": 0.05, "theta": 0.5, "r": 0.1, "t": 0.3, "features": 0.05}, effects)


@compared
def test_slice() -> Figure:
    return slice_figure(hill(), "toughness_j", UNITS)


@compared
def test_choice() -> Figure:
    words = [
        "Policy 'default': largest expected improvement over the best predicted tested design.",
        "It was expected to give 31.2 +/- 2.4 J.",
        "The decision saw 11 results; 1 was awaited.",
    ]
    return choice_figure(Choice(12, hill(), words), "toughness_j", UNITS)


@compared
def test_choice_without_a_model() -> Figure:
    return choice_figure(Choice(3, None, ["A person asked for this design.", "Anna: try thin walls."]), "toughness_j")


@compared
def test_choice_between_two_objectives() -> Figure:
    tested = np.array([[5.0, 2.2], [9.0, 2.1], [21.0, 2.6], [23.0, 2.5], [8.0, 2.9], [25.0, 4.0]])
    unbeaten = np.array([False, True, False, True, False, True])
    names, goals = ("toughness_j", "mass_g"), ("max", "min")
    trade = Trade(names, goals, 2, tested, unbeaten, (22.0, 3.5, 2.4), (14.6, 2.4))
    words = [
        "Policy 'ehvi': largest expected gain of hypervolume.",
        "It was expected to give 22 +/- 3.5 J (mass 2.4 g).",
    ]
    return choice_figure(Choice(10, None, words, trade), "toughness_j", UNITS)


@compared
def test_coordinates(lab_state: State) -> Figure:
    return coordinates_figure(lab_state, DIMENSIONS, UNITS)


@compared
def test_timeline(lab_state: State) -> Figure:
    return timeline_figure(lab_state)


@compared
def test_pace_in_hours(lab_state: State) -> Figure:
    return pace_figure(lab_state)


@compared
def test_pace_in_weeks(lab_state: State) -> Figure:
    slow = copy.deepcopy(lab_state)
    for e in slow.experiments.values():
        for stage, time in e.times.items():
            e.times[stage] = (datetime.fromisoformat(time) + timedelta(days=4.3 * e.id)).isoformat()
    return pace_figure(slow)


@compared
def test_front() -> Figure:
    mass, toughness = np.linspace(1.2, 3.4, 9), 12.0 * np.sqrt(np.linspace(0.05, 1.0, 9))
    members = tuple(
        FrontMember(
            {"t": 1.0}, {"toughness_j": y, "mass_g": m}, {"toughness_j": 0.5, "mass_g": 0.0},
            {"toughness_j": (y - 1.0, y + 1.0), "mass_g": (m, m)}, 1, 0.9,
        )
        for m, y in zip(mass[::-1].tolist(), toughness[::-1].tolist(), strict=True)
    )  # fmt: skip
    spread = np.linspace(0.0, 2.0 * np.pi, 30)
    tested = np.column_stack([5.0 + 3.0 * np.sin(3.0 * spread), 2.7 + 0.6 * np.cos(spread)])
    front = Front(members, {"toughness_j": 1.0, "mass_g": 3.6}, 20.0)
    return front_figure(front, tested, ("toughness_j", "mass_g"), ("max", "min"))


@compared
def test_mass(lab_state: State) -> Figure:
    return mass_figure(lab_state, 0.00298)


@compared
def test_comparison(lab_state: State) -> Figure:
    fewer = {i: e for i, e in lab_state.experiments.items() if i > 10}
    return comparison_figure({"first": lab_state, "second": replace(lab_state, experiments=fewer)})


@compared
def test_nothing() -> Figure:
    return nothing_figure("fewer than three values were told: there is nothing to learn from them yet")
