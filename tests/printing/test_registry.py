"""Which printer a URL is for."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from toughopt.errors import UnknownName
from toughopt.printing import MarlinPrinter, Printer, open_printer, registry
from toughopt.profiles import PrinterProfile


class Other:
    """Somebody else's printer."""

    def __init__(self, name, url, profile):
        self.name, self.url, self.profile = name, url, profile


@pytest.fixture
def installed(monkeypatch):
    def install(*names):
        found = [EntryPoint(name, f"{__name__}:Other", registry.GROUP) for name in names]
        for point in found:
            monkeypatch.setattr(type(point), "load", lambda self: Other)
        monkeypatch.setattr(registry, "entry_points", lambda group: found)

    return install


@pytest.mark.parametrize("firmware", ["marlin", "klipper", "reprapfirmware"])
def test_a_serial_line_is_ours(firmware, installed):
    installed()
    printer = open_printer("one", "/dev/ttyUSB0", PrinterProfile(name="x", firmware=firmware))
    assert isinstance(printer, MarlinPrinter)
    assert isinstance(printer, Printer)
    printer.close()


def test_others_are_found_by_the_kind_in_the_url_or_by_firmware(installed):
    installed("octoprint", "klipper")
    printer = open_printer("one", "octoprint+http://host:5000", PrinterProfile(name="x"))
    assert isinstance(printer, Other)
    assert printer.url == "http://host:5000"
    assert isinstance(open_printer("two", "/dev/ttyACM0", PrinterProfile(name="x", firmware="klipper")), Other)


def test_an_unknown_kind_is_said(installed):
    installed("octoprint")
    with pytest.raises(UnknownName, match="did you mean octoprint"):
        open_printer("one", "octopint+http://host", PrinterProfile(name="x"))
