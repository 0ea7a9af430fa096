"""Which kind of printer answers to a URL and a profile; other packages add theirs by an entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from toughopt.errors import UnknownName
from toughopt.extensions import made_by, named
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
        If a host's address cannot be used, what network printers need is not installed, or another package's printer
        cannot be imported or is none.
    """
    kind, plus, rest = url.partition("+")
    points = entry_points(group=GROUP)
    known = {point.name for point in points}
    if plus and "://" in rest and "://" not in kind:
        if point := named("printer", kind, points):
            return _of_another_package(point, name, rest, profile)
        if kind not in _HOSTS:
            raise UnknownName("kind of printer", kind, _HOSTS.keys() | known)
        made: Printer = getattr(import_module(f"toughopt.printing.{kind}"), _HOSTS[kind])(name, rest, profile)
        return made
    if point := named("printer", profile.firmware, points):
        return _of_another_package(point, name, url, profile)
    if profile.firmware not in _SERIAL_FIRMWARE:
        raise UnknownName("firmware", profile.firmware, _SERIAL_FIRMWARE | known)
    return MarlinPrinter(name, url, profile, wire_log=wire_log)


def _of_another_package(point: EntryPoint, name: str, url: str, profile: PrinterProfile) -> Printer:
    made: Printer = made_by("printer", point, Printer, name, url, profile)
    return made
