from __future__ import annotations

from pathlib import Path

import pytest

from toughopt.gcode import read_program
from toughopt.gcode.comments import duration, entries_of, seconds_of
from toughopt.profiles import PrinterProfile

CURA = """;FLAVOR:Marlin
;TIME:100
G28
M82
;LAYER_COUNT:2
;LAYER:0
G0 X10 Y10 Z0.3 F6000
;TYPE:WALL-OUTER
G1 X20 Y10 E1 F1200
;LAYER:1
G0 X10 Y10 Z0.5
G1 X20 Y10 E2
"""
BARE = "G28\nM83\nG1 Z0.2\nG1 X10 Y0 E1 F600\nG1 Z5\nG1 Z0.4\nG1 X0 Y0 E1\nG1 Z0.2\nG1 X9 Y9 E1\n"


def test_layers_are_counted_by_whatever_comments_there_are() -> None:
    assert read_program(CURA).layer_count == 2
    assert read_program(";LAYER_CHANGE\n;Z:0.2\nM83\nG1 X1 E1\n").layer_count == 1


def test_layers_are_counted_by_height_where_there_are_none() -> None:
    assert read_program(BARE).layer_count == 2


def test_figures_come_from_the_moves() -> None:
    program = read_program(BARE)
    assert program.filament_mm == pytest.approx(3)
    assert program.filament_g == pytest.approx(3 * 2.405282 * 1.24e-3)
    assert program.bounds_mm == ((0, 0, 0), (10, 9, 0.4))
    assert program.time_s > 1
    assert program.line_count == 9


def test_what_a_program_says_of_itself_is_believed_where_no_profile_is_given() -> None:
    text = BARE + "; estimated printing time (normal mode) = 1h 2m 3s\n; filament_diameter = 2.85\n"
    program = read_program(text)
    assert program.time_s == 3723
    assert program.filament_g == pytest.approx(3 * 6.3794 * 1.24e-3, rel=1e-4)
    estimated = read_program(text, PrinterProfile(name="m"))
    assert estimated.time_s < 60
    assert estimated.filament_g == pytest.approx(3 * 2.405282 * 1.24e-3)


def test_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.gcode"
    file.write_bytes(b"\xef\xbb\xbf" + BARE.replace("\n", "\r\n").encode())
    assert read_program(file).layer_count == 2


@pytest.mark.parametrize("seconds", [0, 59, 60, 3600, 86_399, 90_061, 45])
def test_durations_are_read_as_they_are_written(seconds: int) -> None:
    assert seconds_of(duration(seconds)) == seconds


def test_a_duration_is_written_as_slicers_do() -> None:
    assert duration(3723) == "1h 2m 3s"
    assert duration(7) == "7s"
    assert duration(90_061) == "1d 1h 1m 1s"
    assert seconds_of("soon") is None


def test_entries_of_a_long_program_come_from_both_ends() -> None:
    text = "; first = 1\n" + "G1 X1\n" * 200_000 + "; last = 2\n"
    assert entries_of(text) == {"first": "1", "last": "2"}
