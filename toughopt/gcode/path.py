"""The path that a machine follows when it does exactly what the program says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.base import ExecutedPath, Program
from toughopt.gcode.moves import Moves
from toughopt.gcode.planner import plan

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile


def taken_at_its_word(program: Program, profile: PrinterProfile) -> ExecutedPath:
    """What the machine of `profile` does if every move succeeds and every temperature is the one asked for."""
    return path_of(program.moves, profile)


def path_of(moves: Moves, profile: PrinterProfile) -> ExecutedPath:
    """The executed path of parsed `moves`: times and speeds from the planner, filament as fed past each retraction."""
    planned = plan(moves, profile)
    speed = planned.length_mm / np.maximum(planned.move_s, 1e-9)
    return ExecutedPath(
        start_mm=moves.start_mm,
        end_mm=moves.end_mm,
        filament_mm=moves.extruded_mm,
        nozzle_c=moves.nozzle_c,
        speed_mm_s=speed,
        time_s=planned.end_s,
        tool=moves.tool,
        filament_diameter_mm=profile.filament.diameter_mm,
        nozzle_diameter_mm=profile.nozzle.diameter_mm,
    )
