"""The wizard that writes a printer's profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from toughopt.cli import group, main
from toughopt.profiles import available_profiles, load_profile
from toughopt.virtual.firmware import VirtualPrinterProcess


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options_alone_write_a_profile_that_holds_what_they_say(here: Path) -> None:
    options = ["--width-mm", "120", "--max-bed-c", "90", "--bed-c", "0", "--nozzle-mm", "0.6", "--material", 'P"ET']
    assert main(["first-print", "mine", "--yes", "--like", "ender3", *options]) == 0
    profile = load_profile(str(here / "printers" / "mine.toml"))
    assert profile.bed.size_mm == (120.0, 220.0)  # the depth is the Ender's
    assert profile.limits.max_bed_c == 90.0 and profile.filament.bed_c == 0.0
    assert profile.nozzle.diameter_mm == 0.6
    assert profile.nozzle.line_width_min_mm < 0.6 < profile.nozzle.line_width_max_mm
    assert profile.filament.material == 'P"ET'


def test_it_asks_for_what_is_not_given_and_offers_the_usual(here: Path) -> None:
    answers = "ender3\n\n200\n" + "\n" * 8
    done = CliRunner().invoke(group, ["first-print", "asked", "--width-mm", "111"], input=answers)
    assert done.exit_code == 0, done.output
    assert "Width" not in done.output and "Depth of the bed, y, mm [220.0]" in done.output
    profile = load_profile(str(here / "printers" / "asked.toml"))
    assert profile.bed.size_mm == (111.0, 220.0) and profile.bed.height_mm == 200.0
    assert "toughopt print first-part/part.gcode -p printers/asked.toml --port PORT" in done.output


def test_what_cannot_be_is_refused_with_its_reason_and_leaves_no_file(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["first-print", "hot", "--yes", "--nozzle-c", "300"]) == 2
    assert "limits.max_nozzle_c = 260" in capsys.readouterr().err
    assert not list((here / "printers").glob("*"))


@pytest.mark.parametrize(
    ("option", "value", "limits"),
    [
        ("--nozzle-mm", "40", "0.1<=x<=2"),
        ("--nozzle-mm", "0.04", "0.1<=x<=2"),
        ("--width-mm", "22000", "20<=x<=3000"),
        ("--height-mm", "2", "20<=x<=3000"),
        ("--filament-mm", "0.175", "1<=x<=4"),
        ("--nozzle-c", "20", "50<=x<=500"),
        ("--max-nozzle-c", "2600", "50<=x<=500"),
        ("--bed-c", "215", "0<=x<=200"),
        ("--max-bed-c", "0", "20<=x<=200"),
    ],
)
def test_what_no_printer_has_is_refused_with_the_limits(
    here: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, limits: str
) -> None:
    assert main(["first-print", "odd", "--yes", option, value]) == 2
    error = capsys.readouterr().err
    assert option in error and limits in error
    assert not (here / "printers").exists()


@pytest.mark.parametrize("like", available_profiles())
def test_every_profile_that_comes_along_is_within_the_limits(here: Path, like: str) -> None:
    answers = CliRunner().invoke(group, ["first-print", "mine", "--like", like], input="\n" * 10)
    assert answers.exit_code == 0, answers.output
    assert load_profile(str(here / "printers" / "mine.toml")).bed == load_profile(like).bed


def test_a_profile_that_is_there_is_not_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["first-print", "mine", "--yes"]) == 0
    before = (here / "printers" / "mine.toml").read_bytes()
    assert main(["first-print", "mine", "--yes", "--bed-c", "50"]) == 2
    assert "already there" in capsys.readouterr().err
    assert (here / "printers" / "mine.toml").read_bytes() == before


@pytest.mark.parametrize("name", ["../mine", "", "a b", "7"])
def test_a_name_that_is_none_for_a_file_is_refused(here: Path, name: str) -> None:
    assert main(["first-print", name, "--yes"]) == 2
    assert not (here / "printers").exists()


def test_the_machine_is_asked_for_its_name_and_neither_moves_nor_heats(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with VirtualPrinterProcess("virtual_small", folder=here) as printer:
        assert main(["first-print", "mine", "--yes", "--port", printer.url, "--json"]) == 0
        status = printer.status()
        assert not status["target_history"]
    answer = json.loads(capsys.readouterr().out)
    assert answer["machine"]
    assert load_profile(answer["profile"]).title == answer["machine"]
    assert answer["next"]["the print; stay beside the machine"].endswith(printer.url)


def test_a_port_without_a_machine_is_told_before_anything_is_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["first-print", "mine", "--yes", "--port", str(here / "no-such-port")]) == 3
    assert "no-such-port" in capsys.readouterr().err
    assert not (here / "printers").exists()
