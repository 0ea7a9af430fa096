"""Which printer a URL is for."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from toughopt.errors import ConfigError, UnknownName
from toughopt.printing import MarlinPrinter, Printer, open_printer, registry
from toughopt.profiles import PrinterProfile


class Other(MarlinPrinter):
    """Somebody else's printer."""

    def __init__(self, name, url, profile):
        self.name, self.url, self.profile = name, url, profile


def broken(name, url, profile):
    raise RuntimeError("no licence")


def half(name, url, profile):
    return name


@pytest.fixture
def installed(monkeypatch):
    def install(*names, code="Other"):
        found = [EntryPoint(name, f"{__name__}:{code}", registry.GROUP) for name in names]
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


@pytest.mark.parametrize(
    ("code", "said"),
    [("broken", "cannot be used: RuntimeError: no licence"), ("half", "made a str"), ("gone", "cannot be imported")],
)
def test_a_printer_of_another_package_that_is_none_is_told_as_its_own(code, said, installed):
    installed("octoprint", code=code)
    with pytest.raises(ConfigError, match=rf"printer 'octoprint' \({__name__}:{code}\).*{said}"):
        open_printer("one", "octoprint+http://host:5000", PrinterProfile(name="x"))
