"""Programs from files: whoever made them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.base import Program
from toughopt.gcode.comments import entries_of, number_of, own_entries, seconds_of
from toughopt.gcode.figures import figures_of
from toughopt.gcode.moves import Moves, text_of
from toughopt.gcode.planner import estimate_time_s

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile

_TIME_KEYS = ("estimated printing time (normal mode)", "estimated printing time", "total estimated time")
_USUAL_DIAMETER_MM = 1.75
_USUAL_DENSITY = 1.24


def read_program(source: str | Path, profile: PrinterProfile | None = None) -> Program:
    """The program in a file, or in a text of more than one line.

    Filament, bounds and layers are counted from the moves. The time is what the program says of itself; where it says
    nothing, or where a `profile` is given, it is estimated. Diameter and density are the profile's, else the program's
    own, else those of 1.75 mm PLA.

    Raises
    ------
    ProgramError
        If the file cannot be read or is no text.
    """
    from toughopt.profiles import PrinterProfile

    text = text_of(source)
    entries = entries_of(text)
    own = own_entries(entries)
    if profile is not None:
        diameter, density = profile.filament.diameter_mm, profile.filament.density_g_per_cm3
    else:
        diameter = number_of(entries, "filament_diameter") or _USUAL_DIAMETER_MM
        density = number_of(entries, "filament_density") or _USUAL_DENSITY
    nothing = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    name = "the program" if text is source else Path(source).name
    bare = Program(text, 0, 0.0, 0.0, 0.0, nothing, own.get("profile", ""), own, name)
    moves = bare.moves
    figures = figures_of(moves, diameter, density)
    told = next((seconds_of(entries[key]) for key in _TIME_KEYS if key in entries), None)
    if profile is not None or told is None:
        told = estimate_time_s(moves, profile or PrinterProfile(name="unknown"))
    program = replace(
        bare,
        layer_count=layer_count_of(moves),
        time_s=told,
        filament_mm=figures.filament_mm,
        filament_g=figures.filament_g,
        bounds_mm=figures.bounds_mm,
    )
    program.__dict__["moves"] = moves  # read once
    return program


def layer_starts(moves: Moves) -> list[tuple[int, float]]:
    """(line, z) of each layer, by the program's comments; by the heights of extrusion where it has none.

    z is NaN where the comments do not tell it.
    """
    starts: list[tuple[int, float]] = []
    for line, key, value in moves.commands.marks:
        if key == "LAYER_CHANGE" or (key == "LAYER" and value.lstrip("-").isdigit()):
            starts.append((line, np.nan))
        elif key == "Z" and starts and np.isnan(starts[-1][1]):
            starts[-1] = (starts[-1][0], _number(value))
    if starts:
        return starts
    laid = np.flatnonzero(moves.lays_down)
    z = np.round(moves.end_mm[laid, 2], 3)
    new = np.flatnonzero(np.diff(z, prepend=-1.0) > 1e-4)
    highest = np.maximum.accumulate(z[new]) if len(new) else z[new]
    first = np.concatenate([[True], highest[1:] > highest[:-1]]) if len(new) else np.zeros(0, dtype=bool)
    return [(int(moves.line[laid[index]]), float(z[index])) for index in new[first]]


def layer_count_of(moves: Moves) -> int:
    """Number of layers, see `layer_starts`."""
    return len(layer_starts(moves))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
