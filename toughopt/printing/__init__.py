"""A program becomes a specimen."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toughopt.printing.base import Printer, PrintEvent, PrintOutcome, PrintStatus
    from toughopt.printing.clock import Clock, LeapingClock, SystemClock
    from toughopt.printing.console import Console
    from toughopt.printing.hostscan import FoundHost, scan_hosts
    from toughopt.printing.interrupts import ended_like_ctrl_c
    from toughopt.printing.marlin import MarlinPrinter
    from toughopt.printing.networked import NetworkPrinter
    from toughopt.printing.pace import StreamSettings
    from toughopt.printing.registry import open_printer
    from toughopt.printing.scan import FoundPort, detect_baud, scan_ports
    from toughopt.printing.states import State

_WHERE = {
    "Clock": "clock",
    "Console": "console",
    "FoundHost": "hostscan",
    "FoundPort": "scan",
    "LeapingClock": "clock",
    "MarlinPrinter": "marlin",
    "NetworkPrinter": "networked",
    "PrintEvent": "base",
    "PrintOutcome": "base",
    "PrintStatus": "base",
    "Printer": "base",
    "State": "states",
    "StreamSettings": "pace",
    "SystemClock": "clock",
    "detect_baud": "scan",
    "ended_like_ctrl_c": "interrupts",
    "open_printer": "registry",
    "scan_hosts": "hostscan",
    "scan_ports": "scan",
}

__all__ = [
    "Clock",
    "Console",
    "FoundHost",
    "FoundPort",
    "LeapingClock",
    "MarlinPrinter",
    "NetworkPrinter",
    "PrintEvent",
    "PrintOutcome",
    "PrintStatus",
    "Printer",
    "State",
    "StreamSettings",
    "SystemClock",
    "detect_baud",
    "ended_like_ctrl_c",
    "open_printer",
    "scan_hosts",
    "scan_ports",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: the watchdog process imports this package and must start at once."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
