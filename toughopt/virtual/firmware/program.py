"""A whole program executed at once, for simulated fleets: no line numbers, no acknowledgements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.errors import FirmwareHalted
from toughopt.virtual.firmware.options import Clock
from toughopt.virtual.firmware.words import command_part

if TYPE_CHECKING:
    from toughopt.virtual.firmware.machine import Machine


def run_text(machine: Machine, text: str) -> None:
    """Execute every line of `text`, then let all moves end; waits for a person are answered at once.

    Raises
    ------
    FirmwareHalted
        If the firmware stopped itself.
    """
    clock = machine.clock
    machine.clock = Clock()
    try:
        for number, line in enumerate(text.splitlines(), start=1):
            command = line.partition(";")[0].strip()
            if command.startswith("N"):
                command = command_part(command)
            if command:
                machine.run_command(command)
                if machine.halted:
                    said = machine.take_output().strip().splitlines()
                    raise FirmwareHalted(
                        f"the firmware stopped itself at line {number} ({command}): {' / '.join(said[-3:])}"
                    )
        machine.finish_moves()
    finally:
        machine.clock = clock
    machine.take_output()
