"""Faults of the machine itself, as opposed to those of its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.virtual.firmware.faults import FaultKind
from toughopt.virtual.firmware.heaters import HeaterFault

if TYPE_CHECKING:
    from toughopt.virtual.firmware.faults import Fault
    from toughopt.virtual.firmware.machine import Machine


def apply_fault(machine: Machine, fault: Fault) -> None:
    """Let it happen now."""
    body = machine.body
    tool = min(fault.tool, len(body.hotends) - 1)
    last = machine.reader.last_number
    match fault.kind:
        case FaultKind.LOST_OK:
            machine.lose_oks += 1
        case FaultKind.SPURIOUS_OK:
            machine.say("ok\n")
        case FaultKind.WRONG_NUMBER:
            wanted = max(last + 1 + round(fault.size), 0)
            machine.say(f"Error:Line Number is not Last Line Number+1, Last Line: {last}\nResend: {wanted}\nok\n")
        case FaultKind.RESEND_WITHOUT_OK:
            machine.say(f"Error:checksum mismatch, Last Line: {last}\nResend: {last + 1}\n")
        case FaultKind.RESEND_STORM:
            machine.say(f"Error:checksum mismatch, Last Line: {last}\n")
            machine.say(f"Resend: {last + 1}\nok\n" * max(round(fault.size), 1))
        case FaultKind.RESET:
            machine.reset()
        case FaultKind.DISCONNECT:
            machine.signals.append("disconnect")
        case FaultKind.HALT:
            machine.kill()
        case FaultKind.STOP:
            machine.stop()
        case FaultKind.LOCK:
            machine.locked = True
        case FaultKind.HOMING_FAILED:
            machine.body.endstops_work = False
        case _:
            _break_hardware(machine, fault, tool)


def _break_hardware(machine: Machine, fault: Fault, tool: int) -> None:
    body = machine.body
    match fault.kind:
        case FaultKind.HEATING_FAILED | FaultKind.THERMAL_RUNAWAY:
            body.hotends[tool].set_fault(machine.now, HeaterFault.OPEN)
        case FaultKind.MAXTEMP:
            body.hotends[tool].set_fault(machine.now, HeaterFault.STUCK)
        case FaultKind.BED_HEATING_FAILED:
            body.bed.set_fault(machine.now, HeaterFault.OPEN)
        case FaultKind.JAM:
            body.jammed[tool] = True
        case FaultKind.UNJAM:
            body.jammed[tool] = False
        case FaultKind.LAYER_SHIFT:
            body.offset_mm[fault.axis] += fault.size
        case FaultKind.RUNOUT:
            body.filament_left_mm[tool] = fault.size
            machine.filament_out()
        case FaultKind.RUNOUT_UNSEEN:
            body.filament_left_mm[tool] = fault.size
        case FaultKind.COLD_NOZZLE:
            body.cold_by_c[tool] = fault.size
    body.note_impairment()
    machine.watch_heaters()
