"""Toolpaths become a program: pure text, the same for the same input."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt._version import __version__
from toughopt.errors import ProgramError
from toughopt.gcode.base import Program
from toughopt.gcode.body import Body
from toughopt.gcode.comments import content_sha256, footer, head, own_block, profile_sha256
from toughopt.gcode.figures import figures_of
from toughopt.gcode.moves import Moves, moves_of
from toughopt.gcode.planner import Plan, plan
from toughopt.gcode.templates import TemplateFolder
from toughopt.gcode.tokens import scan
from toughopt.gcode.variables import Box, variables_for

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.base import Toolpaths


def write_program(
    toolpaths: Toolpaths,
    profile: PrinterProfile,
    *,
    design: Mapping[str, Any] | None = None,
    family: str = "",
    seed: int | None = None,
    date: datetime,
    metadata: Mapping[str, str] | None = None,
    templates_folder: Path | None = None,
    thumbnail: bytes | None = None,
) -> Program:
    """The program that lays `toolpaths` down on the machine of `profile`.

    Parameters
    ----------
    design, family, seed : what the part is; kept in the program's own block
    date : the moment that the first line names
    metadata : further entries of the own block, e.g. campaign and experiment
    templates_folder : a folder of template folders that is searched before the shipped ones
    thumbnail : a PNG that hosts show

    Raises
    ------
    ConfigError
        If a template is wrong.
    UnknownName
        If the profile names a template folder that does not exist.
    ProgramError
        If there is nothing to print, or the thumbnail is no PNG.
    """
    part = _extent(toolpaths)
    templates = TemplateFolder(profile.templates, profile.firmware, templates_folder)
    variables = variables_for(profile, part, len(toolpaths.layers), family)
    change = {"previous_tool": 0, "next_tool": profile.tool}
    tool_change = templates.render("tool_change", variables | change) if profile.tool else ()
    start = templates.render("start", variables | {"tool_change": "\n".join(tool_change)})

    body = Body(toolpaths, profile)
    for index, layer in enumerate(toolpaths.layers):
        place = {
            "layer_index": index,
            "layer_z_mm": round(layer.top_mm, 3),
            "this_layer_height_mm": round(layer.height_mm, 3),
        }
        body.layer(layer, templates.render("layer_change", variables | place))
    body.finish()
    lines = [*start, *body.lines, *templates.render(profile.end, variables)]

    moves = moves_of(scan("\n".join(lines)))
    planned = plan(moves, profile)
    figures = figures_of(moves, profile.filament.diameter_mm, profile.filament.density_g_per_cm3)
    layer_count = len(toolpaths.layers)
    lines = _with_progress(lines, moves, planned)
    own = _own_entries(toolpaths, profile, design, family, seed, metadata or {}, content_sha256("\n".join(lines)))
    text = "\n".join(
        [
            *head(date, thumbnail),
            *lines,
            *footer(
                profile,
                figures.filament_mm,
                figures.volume_mm3 / 1000,
                figures.filament_g,
                planned.total_s,
                layer_count,
            ),
            *own_block(own),
            "",
        ]
    )
    return Program(
        text=text,
        layer_count=layer_count,
        time_s=planned.total_s,
        filament_mm=figures.filament_mm,
        filament_g=figures.filament_g,
        bounds_mm=figures.bounds_mm,
        profile=profile.name,
        metadata=own,
    )


def _extent(toolpaths: Toolpaths) -> Box:
    points = [line.points_mm for layer in toolpaths.layers for line in layer.lines]
    if not points:
        raise ProgramError("these toolpaths have no line: there is nothing to print; look at the solid that was sliced")
    every = np.concatenate(points)
    low, high = every.min(axis=0), every.max(axis=0)
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        raise ProgramError("these toolpaths hold points that are not finite numbers; slice the solid again")
    return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))


def _own_entries(
    toolpaths: Toolpaths,
    profile: PrinterProfile,
    design: Mapping[str, Any] | None,
    family: str,
    seed: int | None,
    metadata: Mapping[str, str],
    content: str,
) -> dict[str, str]:
    entries = {"version": __version__, "slicer": toolpaths.slicer, "profile": profile.name}
    entries["profile_sha256"] = profile_sha256(profile)
    if family:
        entries["family"] = family
    if design is not None:
        entries["design"] = json.dumps(dict(design), sort_keys=True)
    if seed is not None:
        entries["seed"] = str(seed)
    entries["part_volume_mm3"] = f"{toolpaths.part_volume_mm3:.3f}"
    entries["numpy"] = np.__version__
    entries |= {key: " ".join(str(value).split()) for key, value in metadata.items()}
    entries["content_sha256"] = content
    return entries


def _with_progress(lines: list[str], moves: Moves, planned: Plan) -> list[str]:
    """`lines` with M73 wherever the percentage or the minutes that are left change."""
    total = planned.total_s
    if moves.count == 0 or total <= 0:
        return lines
    percent = np.floor(100 * planned.end_s / total).astype(np.int64)
    minutes = np.ceil((total - planned.end_s) / 60).astype(np.int64)
    percent[-1], minutes[-1] = 100, 0
    # a move in the middle of a line is not torn from the next one: progress is told before it
    changed = np.flatnonzero((np.diff(percent) != 0) | (np.diff(minutes) != 0)) + 1
    result: list[str] = [f"M73 P0 R{math.ceil(total / 60)}"]
    done = 0
    for index in changed.tolist():
        line = int(moves.line[index])
        result += lines[done:line]
        result.append(f"M73 P{min(percent[index], 100)} R{max(minutes[index], 0)}")
        done = line
    return [*result, *lines[done:]]
