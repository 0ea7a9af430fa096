"""What `gcode` says of a program: where it goes, how hot and fast it gets, and whether it may be printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toughopt.cli import main

PROGRAM = (
    "G21\nG90\nM83\nM140 S60\nM190 S60\nM109 S210\nG28\n;LAYER_CHANGE\n;Z:0.2\nG1 Z0.2 F600\nG1 X100 Y90 F6000\n"
    "G1 X110 Y90 E0.4 F1200\nG1 X20 Y30 Z12.5 F7200\nM104 S0\nM140 S0\nM107\nM84\n"
)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "part.gcode"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def test_it_says_where_it_goes_how_hot_it_gets_and_that_it_is_safe(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gcode", str(program)]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{program}: 1 layers")
    assert rest == [
        "  goes to:      x 0.0 to 110.0, y 0.0 to 90.0, z 0.2 to 12.5 mm",
        "  gets as hot:  nozzle 210 °C, bed 60 °C",
        "  fastest move: 120 mm/s",
        "safe to print on virtual",
    ]


def test_a_program_that_may_not_be_printed_is_called_unsafe_and_fails(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program.write_text(PROGRAM.replace("S210", "S280").replace("X110", "X300"), encoding="utf-8")
    assert main(["gcode", str(program)]) == 2
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "not safe to print on virtual: 2 errors"
    assert "nozzle 280 °C" in out and "x 0.0 to 300.0" in out and "it would not be printed" in err


def test_the_same_in_json(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gcode", str(program), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["printer"], found["ok"]) == ("virtual", True)
    assert (found["max_nozzle_c"], found["max_bed_c"], found["fastest_mm_s"]) == (210.0, 60.0, 120.0)
    assert found["travel_bounds_mm"] == [[0.0, 0.0, 0.2], [110.0, 90.0, 12.5]]
    assert found["bounds_mm"] == [[100.0, 90.0, 0.0], [110.0, 90.0, 0.2]]


def test_a_picture_of_another_kind_is_refused_and_not_written(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gcode", str(program), "--render", str(program.parent / "x.txt")]) == 2
    assert "a name that ends in .png" in capsys.readouterr().err
    assert list(program.parent.iterdir()) == [program]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("M303 E0 S300 C8", "asks for 300 C, above 260 C (limits.max_nozzle_c)"),
        ("M141 S90", "heats a chamber"),
        ("M302 P1", "allows cold extrusion"),
        ("M997", "updates the firmware"),
        ("G1 X101\rM104 S350", "characters that are not G-code"),
    ],
)
def test_what_would_not_be_sent_is_not_called_safe(
    line: str, reason: str, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program.write_text(PROGRAM.replace("M104 S0", f"{line}\nM104 S0"), encoding="utf-8", newline="\n")
    assert main(["gcode", str(program)]) == 2
    out, err = capsys.readouterr()
    assert "error: part.gcode, line 14: " in out and reason in out and out.endswith("on virtual: 1 error\n")
    assert "it would not be printed" in err


def test_what_the_print_host_sees_to_is_said_to_be_printed(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.write_text(PROGRAM.replace("M140 S0\n", ""), encoding="utf-8")
    assert main(["gcode", str(program)]) == 2
    assert "`toughopt print` turns off what is left on, other hosts may not" in capsys.readouterr().err
