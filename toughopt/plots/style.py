"""One design language for every figure: readable at arm's length and in print, and by the colour-blind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#777777",
)
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
INK, PALE_BLUE, RULE = "#30343a", "#9cc5de", "#dddddd"
MAP = "cividis"  # even in lightness, and the same to the colour-blind: doi 10.1371/journal.pone.0199239
MOST_VECTORS = 1500  # dots; above, they are drawn as one picture inside the figure, which stays small

_RC: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 2.0,
    "figure.dpi": 110,
    "savefig.dpi": 150,
    "svg.hashsalt": "toughopt",
    "font.family": "DejaVu Sans",
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.08,
    "axes.edgecolor": "#8a9099",
    "axes.labelcolor": "#30343a",
    "xtick.color": "#5b626b",
    "ytick.color": "#5b626b",
}

_UNITS = {
    "toughness_j": "toughness [J]",
    "energy_absorbing_efficiency": "energy-absorbing efficiency",
    "specific_energy_j_per_g": "specific energy [J/g]",
    "peak_force_n": "peak force [N]",
    "stiffness_n_per_mm": "stiffness [N/mm]",
    "plateau_stress_mpa": "plateau stress [MPa]",
    "crush_force_efficiency": "crush-force efficiency",
    "mass_g": "mass [g]",
    "print_time_s": "print time [s]",
    "filament_g": "filament [g]",
}


@contextmanager
def styled() -> Iterator[None]:
    """Everything drawn inside follows the design language."""
    import matplotlib as mpl

    rc: Any = _RC
    with mpl.rc_context(rc):
        yield


def label(objective: str) -> str:
    """The axis label of an objective, with its unit."""
    return _UNITS.get(objective, objective)


def unit_of(objective: str) -> str:
    """The unit of an objective, "" where it has none."""
    _, bracket, unit = label(objective).partition("[")
    return unit.rstrip("]") if bracket else ""


def parameter_label(name: str, units: Mapping[str, str] | None) -> str:
    """The axis label of a parameter, with its unit where it has one."""
    unit = (units or {}).get(name, "")
    return f"{name} [{unit}]" if unit else name


def new_figure(width: float = 7.0, height: float = 4.8) -> Figure:
    """An empty figure of that many inches; call it, and draw, inside `styled`."""
    from matplotlib.figure import Figure as NewFigure

    return NewFigure(figsize=(width, height), layout="constrained")


def colour_of(names: Sequence[str], name: str | None) -> str:
    """The colour of a printer among `names`; grey for what no printer made."""
    return SERIES[names.index(name) % len(SERIES)] if name in names else GREY


def empty(axes: Axes, words: str) -> None:
    """Say why there is nothing to see yet."""
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, color=GREY)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
