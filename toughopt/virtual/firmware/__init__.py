"""A virtual printer that other hosts believe: a Marlin-like firmware, its machine, a record of what it did."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toughopt.virtual.firmware.emulator import VirtualFirmware
    from toughopt.virtual.firmware.faults import Fault, FaultKind, FaultPlan
    from toughopt.virtual.firmware.launch import serve, serve_command
    from toughopt.virtual.firmware.options import Clock, FirmwareOptions
    from toughopt.virtual.firmware.process import VirtualPrinterProcess
    from toughopt.virtual.firmware.record import ExecutedCommand

_HOMES = {
    "Clock": "options",
    "ExecutedCommand": "record",
    "Fault": "faults",
    "FaultKind": "faults",
    "FaultPlan": "faults",
    "FirmwareOptions": "options",
    "VirtualFirmware": "emulator",
    "VirtualPrinterProcess": "process",
    "serve": "launch",
    "serve_command": "launch",
}

__all__ = [
    "Clock",
    "ExecutedCommand",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "FirmwareOptions",
    "VirtualFirmware",
    "VirtualPrinterProcess",
    "serve",
    "serve_command",
]


def __getattr__(name: str) -> object:
    # whoever launches a printer does not need the firmware, and the other way round
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
