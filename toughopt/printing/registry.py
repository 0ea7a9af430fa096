"""Which kind of printer answers to a URL and a profile; other packages add theirs by an entry point."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from toughopt.errors import UnknownName
from toughopt.printing.base import Printer
from toughopt.printing.marlin import MarlinPrinter
from toughopt.profiles import PrinterProfile

GROUP = "toughopt.printers"
_HOSTS = {"octoprint": "octoprint_printer", "moonraker": "moonraker_printer"}  # programs that drive a printer for us
_SERIAL_FIRMWARE = frozenset({"marlin", "klipper", "reprapfirmware"})  # all speak Marlin's dialect over a line


def open_printer(name: str, url: str, profile: PrinterProfile, *, wire_log: Path | None = None) -> Printer:
    """The printer behind a URL; nothing is opened before its first print.

    ``octoprint+http://host:5000`` and ``moonraker+http://host:7125`` go through those hosts. Any other
    ``KIND+http://host`` is for the entry point KIND of the group ``toughopt.printers``. The rest goes to the entry
    point named like the profile's firmware, if there is one, or over a serial line. An entry point is called with
    (name, url, profile) and returns a `Printer`.

    Raises
    ------
    UnknownName
        If nothing drives such a printer.
    ConfigError
        If a host's address cannot be used, or what network printers need is not installed.
    """
    kind, plus, rest = url.partition("+")
    found = {point.name: point for point in entry_points(group=GROUP)}
    if plus and "://" in rest and "://" not in kind:
        if kind in _HOSTS and kind not in found:
            make = getattr(import_module(f"toughopt.printing.{kind}"), _HOSTS[kind])
            return _opened(make, name, rest, profile)
        if kind not in found:
            raise UnknownName("kind of printer", kind, _HOSTS.keys() | found.keys())
        return _opened(found[kind].load(), name, rest, profile)
    if profile.firmware in found:
        return _opened(found[profile.firmware].load(), name, url, profile)
    if profile.firmware not in _SERIAL_FIRMWARE:
        raise UnknownName("firmware", profile.firmware, _SERIAL_FIRMWARE | found.keys())
    return MarlinPrinter(name, url, profile, wire_log=wire_log)


def _opened(
    make: Callable[[str, str, PrinterProfile], Printer], name: str, url: str, profile: PrinterProfile
) -> Printer:
    return make(name, url, profile)
