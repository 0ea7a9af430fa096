"""Pictures of layers, and the small one that hosts show beside a program."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import ProgramError
from toughopt.gcode.base import Program
from toughopt.gcode.deposit import Deposit
from toughopt.gcode.reader import layer_starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.slicing.base import Toolpaths

    FloatArray = NDArray[np.float64]

#: Colours of the kinds of line, by the names that slicers give them; bright against the dark ground.
COLOURS = {
    "External perimeter": "#ff9f43",
    "Perimeter": "#ffd166",
    "Overhang perimeter": "#4361ee",
    "Solid infill": "#b388eb",
    "Top solid infill": "#ef476f",
    "Internal infill": "#c1440e",
    "Bridge infill": "#4d96ff",
    "Gap fill": "#f5f5f5",
    "Skirt/Brim": "#06d6a0",
    "Custom": "#7a8794",
}
_OTHER = "#9fb4c7"
_GROUND = "#14181f"
_INK = "#d9dee5"
_DPI = 100
_LEGEND_IN = 0.32  # height of the strip at the foot of a picture


@dataclass(frozen=True, slots=True)
class _Lines:
    """What is drawn: start, end : (n, 2); width : (n,) mm; layer : (n,); colour : (n,); z of each layer.

    legend : colour and what it means
    """

    start: FloatArray
    end: FloatArray
    width: FloatArray
    layer: NDArray[np.int64]
    colour: NDArray[np.object_]
    z: FloatArray
    legend: tuple[tuple[str, str], ...] = ()


def render(source: Program | Deposit, path: Path, *, panels: int = 12, width_px: int = 1600) -> None:
    """Write a PNG of up to `panels` layers, evenly spread from the first to the last.

    A program is drawn as it tells itself, coloured by kind of line; a deposit by nozzle temperature. The file is
    written whole or not at all.

    Raises
    ------
    ProgramError
        If there is nothing to draw, the file is not called .png, or it cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ProgramError(f"{path}: the picture of the layers is a PNG; give it a name that ends in .png")
    data = picture(source, panels=panels, width_px=width_px)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ProgramError(f"cannot write the picture {path}: {error.strerror or error}") from error


def picture(source: Program | Deposit, *, panels: int = 12, width_px: int = 1600) -> bytes:
    """The picture that `render` writes, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = _of_deposit(source) if isinstance(source, Deposit) else _of_program(source)
    if not len(lines.layer):
        raise ProgramError("there is no extrusion to draw; is this a program for a printer?")
    with_lines = np.unique(lines.layer)
    chosen = with_lines[np.unique(np.linspace(0, len(with_lines) - 1, panels).round().astype(int))]
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    drawn = np.isin(lines.layer, chosen)
    low = np.minimum(lines.start[drawn].min(axis=0), lines.end[drawn].min(axis=0)) - 1.0
    high = np.maximum(lines.start[drawn].max(axis=0), lines.end[drawn].max(axis=0)) + 1.0
    panel = width_px / _DPI / columns
    tall = (panel * (high[1] - low[1]) / (high[0] - low[0]) + 0.3) * rows
    figure = Figure(figsize=(panel * columns, tall + _LEGEND_IN), dpi=_DPI)
    FigureCanvasAgg(figure)
    figure.patch.set_facecolor(_GROUND)
    points_per_mm = (panel - 0.1) * 72 / (high[0] - low[0])
    for index, layer in enumerate(chosen.tolist()):
        axes = figure.add_axes(_place(index, columns, rows, _LEGEND_IN / (tall + _LEGEND_IN)))
        _draw(axes, lines, lines.layer == layer, points_per_mm)
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        axes.set_title(f"layer {layer + 1}, z = {lines.z[layer]:.2f} mm", color=_INK, fontsize=9, pad=3)
    shown = set(lines.colour[drawn].tolist())
    _explain(figure, [(colour, words) for colour, words in lines.legend if colour in shown])
    return _png(figure)


def _explain(figure: Any, legend: list[tuple[str, str]]) -> None:
    """What the colours are, along the foot of the picture."""
    from matplotlib.lines import Line2D

    size = 9.0 if sum(len(words) + 6 for _, words in legend) * 0.085 < figure.get_figwidth() else 6.0
    figure.legend(
        handles=[Line2D([], [], color=colour, linewidth=3, label=words) for colour, words in legend],
        loc="lower left", ncols=max(len(legend), 1), frameon=False, labelcolor=_INK, fontsize=size, handlelength=1.2,
        borderaxespad=0.3, columnspacing=1.4,
    )  # fmt: skip


def _place(index: int, columns: int, rows: int, foot: float) -> tuple[float, float, float, float]:
    row, column = divmod(index, columns)
    width, height = 1 / columns, (1 - foot) / rows
    return column * width + 0.005, 1 - (row + 1) * height + 0.005, width - 0.01, height * 0.93


def _draw(axes: Any, lines: _Lines, chosen: NDArray[np.bool_], points_per_mm: float) -> None:
    from matplotlib.collections import LineCollection

    segments = np.stack([lines.start[chosen], lines.end[chosen]], axis=1)
    axes.add_collection(
        LineCollection(
            list(segments),
            linewidths=np.maximum(lines.width[chosen] * points_per_mm * 0.92, 0.3),
            colors=list(lines.colour[chosen]),
            capstyle="round",
        )
    )
    axes.set_aspect("equal")
    axes.set_facecolor(_GROUND)
    axes.set_axis_off()


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})
    return buffer.getvalue()


def _of_deposit(deposit: Deposit) -> _Lines:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    heat = deposit.nozzle_c
    spread = (heat - heat.min()) / max(float(np.ptp(heat)), 1.0) if len(heat) else heat
    levels, index = np.unique(np.round(spread, 2), return_inverse=True)
    shades = np.array([to_hex(colormaps["plasma"](0.25 + 0.7 * level)) for level in levels], dtype=object)
    return _Lines(
        deposit.start_mm[:, :2], deposit.end_mm[:, :2], deposit.width_mm, deposit.layer,
        shades[index.reshape(-1)] if len(levels) else np.zeros(0, dtype=object), deposit.layers.z_mm,
        _temperatures(heat, shades),
    )  # fmt: skip


def _temperatures(heat: FloatArray, shades: NDArray[np.object_]) -> tuple[tuple[str, str], ...]:
    if not len(shades):
        return ()
    ends = [(str(shades[0]), float(heat.min())), (str(shades[-1]), float(heat.max()))]
    return tuple((colour, f"nozzle at {value:.0f} °C") for colour, value in (ends if len(shades) > 1 else ends[:1]))


def _of_program(program: Program) -> _Lines:
    moves = program.moves
    starts = layer_starts(moves)
    lines = np.array([line for line, _ in starts], dtype=np.int64)
    layer = np.searchsorted(lines, moves.line, "right") - 1
    laid = np.flatnonzero(moves.lays_down & (layer >= 0))
    types = [(line, value) for line, key, value in moves.commands.marks if key == "TYPE"]
    kind = np.searchsorted(np.array([line for line, _ in types], dtype=np.int64), moves.line[laid], "right")
    names = [name if name in COLOURS else "other lines" for name in ("", *(name for _, name in types))]
    colours = np.array([COLOURS.get(name, _OTHER) for name in names], dtype=object)
    drawn = {names[index] for index in np.unique(kind).tolist()}
    legend = tuple((COLOURS.get(name, _OTHER), name) for name in (*COLOURS, "other lines") if name in drawn)
    z = np.array([value for _, value in starts])
    height = np.zeros(len(z))
    np.maximum.at(height, layer[laid], moves.end_mm[laid, 2])
    z = np.where(np.isnan(z), height, z) if len(z) else z
    way = np.linalg.norm(moves.end_mm[laid, :2] - moves.start_mm[laid, :2], axis=1)
    thickness = np.diff(z, prepend=0.0)
    usual = float(np.median(thickness)) if len(thickness) else 0.2
    width = moves.extruded_mm[laid] * 2.405 / np.maximum(way, 1e-6) / max(usual, 0.05)
    return _Lines(
        moves.start_mm[laid, :2], moves.end_mm[laid, :2], np.clip(width, 0.1, 2.0), layer[laid], colours[kind], z,
        legend,
    )  # fmt: skip


def thumbnail(toolpaths: Toolpaths, size_px: tuple[int, int] = (220, 124)) -> bytes:
    """A small PNG of the part, seen from above at an angle, for the head of its program."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure

    shown = [line for layer in toolpaths.layers for line in layer.lines if line.role.value in _OUTER]
    shown = shown or [line for layer in toolpaths.layers for line in layer.lines]
    if not shown:
        raise ProgramError("these toolpaths have no line: there is nothing to draw")
    polylines = [_seen(line.points_mm) for line in shown]
    top = max(float(line.points_mm[-1, 2]) for line in shown)
    warm = np.array(to_rgb(COLOURS["External perimeter"]))
    shades = [tuple(warm * (0.45 + 0.55 * float(line.points_mm[-1, 2]) / top)) for line in shown]
    every = np.concatenate(polylines)
    figure = Figure(figsize=(size_px[0] / _DPI, size_px[1] / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    figure.patch.set_facecolor(_GROUND)
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    axes.add_collection(LineCollection(polylines, colors=shades, linewidths=0.6))
    axes.set_xlim(every[:, 0].min(), every[:, 0].max())
    axes.set_ylim(every[:, 1].min(), every[:, 1].max())
    axes.set_aspect("equal")
    axes.set_axis_off()
    return _png(figure)


_OUTER = ("External perimeter", "Overhang perimeter")


def _seen(points_mm: FloatArray) -> FloatArray:
    """(n, 2) float: an isometric view."""
    x, y, z = points_mm.T
    return np.column_stack([(x - y) * 0.7071, (x + y) * 0.4082 + z * 0.8165])
