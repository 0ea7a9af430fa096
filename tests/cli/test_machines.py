"""Programs on machines, as a person types it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from toughopt.cli import main
from toughopt.cli.machines import fault_text
from toughopt.virtual.firmware import VirtualPrinterProcess


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    assert main(["make", "crossed_barrel", "n=6", "height=6", "-o", str(folder), "-p", "virtual_small"]) == 0
    return folder / "part.gcode"


def test_print_streams_to_a_virtual_printer_and_leaves_it_cold(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with VirtualPrinterProcess("virtual_small", folder=tmp_path) as printer:
        code = main(["print", str(program), "--port", printer.url, "-p", "virtual_small"])
        assert code == 0, capsys.readouterr()
        said = capsys.readouterr()
        assert re.match(r"printed in [\d.]+ min: \d+ lines$", said.out.strip()) and "fault" not in said.err
        path = printer.take(tmp_path / "part.npz")
    assert path.filament_mm.sum() > 100.0


def test_a_noisy_line_is_told_in_a_few_lines_of_words(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with VirtualPrinterProcess("virtual_small", folder=tmp_path, faults=("garble_in=0.02",), seed=1) as printer:
        assert main(["print", str(program), "--port", printer.url, "-p", "virtual_small"]) == 0
    said = capsys.readouterr()
    faults = [line for line in said.err.splitlines() if line.startswith("fault: ")]
    assert len(faults) == 5 and not any(odd in "".join(faults) for odd in "{}'")
    assert re.search(r"and \d+ faults more", said.err)
    assert "sent again" in said.out


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"fault": "probe", "bytes": "N-1 M105*25"}, "fault: no answer to a line; the machine is asked whether it"),
        ({"fault": "resend", "line": 17, "last": 20}, "fault: the machine asks for a line once more: line 17"),
        ({"fault": "link_lost", "reason": "the port\nis gone"}, "fault: link lost: the port is gone"),
    ],
)
def test_a_fault_is_one_readable_line(data: dict[str, object], words: str) -> None:
    assert fault_text(data).startswith(words) and "\n" not in fault_text(data)


def test_a_program_that_would_overheat_is_refused_and_the_machine_stays_untouched(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hot = tmp_path / "hot.gcode"
    hot.write_text(program.read_text(encoding="utf-8").replace("M109 S", "M109 S9", 1), encoding="utf-8")
    with VirtualPrinterProcess("virtual_small", folder=tmp_path) as printer:
        assert main(["print", str(hot), "--port", printer.url, "-p", "virtual_small"]) == 2
        error = capsys.readouterr().err
        assert "Traceback" not in error and "260" in error
        assert not printer.status()["target_history"]


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "piped"])
def test_the_console_refuses_what_is_too_hot_and_goes_on_only_where_somebody_types(
    typed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = io.StringIO("M104 S300\nM115\n")
    lines.isatty = lambda: typed  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", lines)
    with VirtualPrinterProcess("virtual_small", folder=tmp_path) as printer:
        code = main(["console", "--port", printer.url, "-p", "virtual_small"])
        assert all(change["target_c"] == 0.0 for change in printer.status()["target_history"])
    said = capsys.readouterr()
    assert "not sent: 'M104 S300' asks for 300 C" in said.err
    assert ("FIRMWARE_NAME" in said.out) is typed
    assert code == (0 if typed else 2)
