"""Mass and extrusion: whether what was printed weighs what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from toughopt.plots.style import BLUE, GREEN, GREY, INK, MOST_VECTORS, colour_of, empty, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toughopt.journal import State

_WINDOW = 9  # specimens of the running median


def mass_figure(
    state: State, filament_g_per_mm: float | None = None, wall_g: Mapping[int, float] | None = None
) -> Figure:
    """Weighed against designed mass, specimen by specimen; and grams on the scale a gram of filament that was fed.

    filament_g_per_mm : mass of a millimetre of filament, which turns the fed length into grams
    wall_g : experiment -> designed mass of its wall, where parts are printed as a spiral; their mesh is only the
        envelope of that wall, and its mass says nothing
    """
    with styled():
        figure = new_figure(10.5, 4.4)
        left, right = figure.subplots(1, 2)
        designed = {e.id: e.mesh_mass_g for e in state.experiments.values()} if wall_g is None else wall_g
        left.set_title(f"Mass: weighed against {'designed' if wall_g is None else 'the wall as designed'}")
        left.set(xlabel="experiment", ylabel="mass error [%]")
        weighed = [e for e in state.experiments.values() if e.mass_g and designed.get(e.id)]
        printers = sorted({e.printer for e in weighed if e.printer})
        if weighed:
            numbers = np.array([e.id for e in weighed])
            error = np.array([100.0 * ((e.mass_g or 0.0) / (designed[e.id] or 1.0) - 1.0) for e in weighed])
            left.axhspan(-5.0, 5.0, color=GREEN, alpha=0.12, linewidth=0, label="within 5 %")
            left.axhline(0.0, color=INK, linewidth=0.8)
            for printer in [*printers, None]:
                mask = np.array([e.printer == printer for e in weighed])
                if mask.any():
                    _dots(left, numbers[mask], error[mask], colour_of(printers, printer), printer or "by hand")
            if len(error) >= _WINDOW:
                left.plot(numbers, _running_median(error), color=INK, linewidth=1.6, label="running median")
            left.locator_params(axis="x", integer=True)
            left.legend(loc="best")
        else:
            empty(left, "nothing was weighed yet")
        right.set_title("Extrusion: deposited against fed")
        right.set(xlabel="filament fed [g]", ylabel="weighed [g]")
        fed = [e for e in weighed if e.filament_mm and filament_g_per_mm]
        if fed:
            grams = np.array([(e.filament_mm or 0.0) * (filament_g_per_mm or 0.0) for e in fed])
            mass = np.array([e.mass_g or 0.0 for e in fed])
            for printer in [*printers, None]:
                mask = np.array([e.printer == printer for e in fed])
                if mask.any():
                    ratio = f"{printer or 'by hand'}: {float(np.median(mass[mask] / grams[mask])):.3f} g/g"
                    _dots(right, grams[mask], mass[mask], colour_of(printers, printer), ratio)
            both = np.concatenate([grams, mass])
            ends = np.array([0.97 * float(both.min()), 1.03 * float(both.max())])
            right.plot(ends, ends, color=GREY, linewidth=1.0, linestyle="--", label="all that was fed")
            right.legend(loc="best")
        else:
            empty(right, "nothing was weighed yet")
        return figure


def _dots(axes: object, x: np.ndarray, y: np.ndarray, colour: str, words: str) -> None:
    many = len(x) > MOST_VECTORS
    axes.plot(  # type: ignore[attr-defined]
        x, y, "o", color=colour or BLUE, markersize=3 if many else 5.5, alpha=0.4 if many else 0.9, label=words,
        markeredgewidth=0, rasterized=many,
    )  # fmt: skip


def _running_median(values: np.ndarray) -> np.ndarray:
    """(n,) median of up to `_WINDOW` values around each."""
    half = _WINDOW // 2
    padded = np.concatenate([np.full(half, np.nan), values, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)
    return np.asarray(np.nanmedian(windows, axis=1), dtype=float)
