"""What a virtual printer tells a test or a monitor about itself."""

from __future__ import annotations

from dataclasses import asdict
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter

    from toughopt.virtual.firmware.machine import Machine


def status_of(machine: Machine, faults: Counter[str]) -> dict[str, Any]:
    """Plain JSON values."""
    body, planner, carriage = machine.body, machine.planner, machine.carriage
    x, y, z, e = carriage.logical()
    lost = body.offset_mm
    left = [None if left == inf else left for left in body.filament_left_mm]
    return {
        "clock_s": machine.now,
        "print_s": machine.print_s,
        "halted": machine.halted,
        "stopped": machine.stopped,
        "locked": machine.locked,
        "temperatures_c": {heater.name: heater.at(machine.now) for heater in body.heaters},
        "targets_c": {heater.name: heater.target_c for heater in body.heaters},
        "target_history": [asdict(change) for change in machine.history],
        "fan": machine.fan,
        "motors_on": body.motors_on,
        "position_mm": {"x": x, "y": y, "z": z, "e": e},
        "real_position_mm": [value + offset for value, offset in zip(carriage.position, lost, strict=True)],
        "homed": list(carriage.homed),
        "tool": carriage.tool,
        "moving": planner.count > 0,
        "planned_moves": planner.count,
        "queue": len(machine.queue),
        "waiting": machine.waiting,
        "last_line": machine.reader.last_number,
        "executed_commands": machine.executed,
        "rejected_lines": machine.reader.rejected_lines,
        "dropped_bytes": machine.reader.dropped_bytes,
        "resets": machine.resets,
        "bed_occupied": body.something_on_bed,
        "segments": len(body.record),
        "extruded_mm": body.record.extruded_mm,
        "filament_left_mm": left,
        "faults": dict(faults),
    }
