from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import ProgramError
from toughopt.gcode import parse

COORDINATES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=2, max_size=20)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(points=COORDINATES)
def test_relative_and_absolute_programs_go_the_same_way(points: list[tuple[int, int]]) -> None:
    absolute = "G28\nG90\n" + "\n".join(f"G1 X{x} Y{y}" for x, y in points)
    steps = np.diff(np.array([(0, 0), *points]), axis=0)
    relative = "G28\nG91\n" + "\n".join(f"G1 X{x} Y{y}" for x, y in steps.tolist())
    assert np.allclose(parse(absolute).end_mm, parse(relative).end_mm)


def test_every_move_starts_where_the_last_one_ended() -> None:
    moves = parse("G28\nG1 X10\nG92 X0\nG1 X5\nG91\nG1 Y3\nG90\nG28 X\nG1 X4 Z2\n")
    assert moves.end_mm.tolist() == [[10, 0, 0], [15, 0, 0], [15, 3, 0], [4, 3, 2]]
    assert moves.start_mm[:3].tolist() == [[0, 0, 0], [10, 0, 0], [15, 0, 0]]
    assert moves.start_mm[3].tolist() == [0, 3, 0]  # homing put X back, and ended the shift


def test_filament_in_both_modes_and_over_a_reset() -> None:
    moves = parse("M82\nG1 X1 E1\nG1 X2 E3\nG92 E0\nG1 X3 E1\nM83\nG1 X4 E1\n")
    assert moves.e_mm.tolist() == pytest.approx([1, 2, 1, 1])


def test_m83_holds_when_g90_follows() -> None:
    assert parse("M83\nG90\nG1 X1 E1\nG1 X2 E1\n").e_mm.tolist() == pytest.approx([1, 1])


def test_g91_makes_filament_relative_unless_m82_was_said() -> None:
    assert parse("G91\nG1 X1 E1\nG1 X2 E1\n").e_mm.tolist() == pytest.approx([1, 1])
    assert parse("M82\nG91\nG1 X1 E1\nG1 X2 E2\n").e_mm.tolist() == pytest.approx([1, 1])


def test_what_was_drawn_back_is_not_extruded_when_it_is_pushed_again() -> None:
    moves = parse("M83\nG1 X10 E1\nG1 E-2\nG1 X20\nG1 E2\nG1 X30 E1\n")
    assert moves.extruded_mm.tolist() == pytest.approx([1, 0, 0, 0, 1])
    assert parse("M83\nG1 X10 E1\nG1 E-2\nG1 E2.5\n").extruded_mm.tolist() == pytest.approx([1, 0, 0.5])


def test_each_tool_has_its_own_filament() -> None:
    moves = parse("M83\nT0\nG1 X10 E1\nG1 E-5\nT1\nG1 X20 E1\n")
    assert moves.extruded_mm.tolist() == pytest.approx([1, 0, 1])
    assert moves.tool.tolist() == [0, 0, 1]


def test_factors_and_units() -> None:
    assert parse("M83\nM221 S90\nG1 X1 E1\n").e_mm.tolist() == pytest.approx([0.9])
    assert parse("G20\nG1 X1 F60\n").end_mm[0, 0] == pytest.approx(25.4)
    assert parse("G20\nG1 X1 F60\n").feed_mm_s[0] == pytest.approx(25.4)
    assert parse("M220 S50\nG1 X1 F600\n").feed_mm_s[0] == pytest.approx(5)
    volumetric = parse("M83\nM200 D1.75\nG1 X1 E2.405281875\n")
    assert volumetric.e_mm[0] == pytest.approx(1.0)


def test_temperatures_hold_until_they_change() -> None:
    moves = parse("M104 S200\nM140 S60\nG1 X1\nM109 R190\nG1 X2\nM104 T1 S250\nT1\nG1 X3\nM140 S0\nG1 X4\n")
    assert moves.nozzle_c.tolist() == [200, 190, 250, 250]
    assert moves.bed_c.tolist() == [60, 60, 60, 0]


def test_reprapfirmware_sets_a_tool_with_g10_and_draws_back_with_the_same() -> None:
    moves = parse("G10 P0 S205 R150\nG1 X1\nG10\nG1 X2\n")
    assert moves.nozzle_c.tolist() == [205, 205]


def test_an_arc_keeps_its_radius_and_filament() -> None:
    moves = parse("M83\nG1 X20 Y10\nG3 X10 Y20 I-10 J0 E2 F600\n")
    arc = slice(1, None)
    assert moves.end_mm[-1].tolist() == pytest.approx([10, 20, 0])
    assert np.allclose(np.hypot(*(moves.end_mm[arc, :2] - 10).T), 10)
    assert float(np.sum(moves.e_mm)) == pytest.approx(2)
    length = np.linalg.norm(moves.end_mm[arc] - moves.start_mm[arc], axis=1).sum()
    assert length == pytest.approx(10 * np.pi / 2, rel=1e-3)
    middle = (moves.end_mm[arc, :2] + moves.start_mm[arc, :2]) / 2
    assert np.all(np.hypot(*(middle - 10).T) > 10 - 0.0051)


@pytest.mark.parametrize(
    ("command", "revolutions"),
    [
        ("G2 X20 Y10 I0 J-10", 0.25),  # from the top to the right, clockwise
        ("G3 X20 Y10 I0 J-10", 0.75),
        ("G2 X10 Y20 I0 J-10", 1.0),  # ends where it began
        ("G2 X20 Y10 R10", 0.25),
        ("G2 X20 Y10 R-10", 0.75),
    ],
)
def test_arcs_go_the_way_round_that_they_say(command: str, revolutions: float) -> None:
    moves = parse(f"G1 X10 Y20 F600\n{command}\n")
    words = {word[0]: float(word[1:]) for word in command.split()[1:]}
    assert moves.end_mm[-1, :2].tolist() == pytest.approx([words["X"], words["Y"]])
    way = np.linalg.norm((moves.end_mm - moves.start_mm)[1:], axis=1).sum()
    assert way == pytest.approx(revolutions * 2 * np.pi * 10, rel=1e-3)


def test_arcs_follow_relative_filament_and_later_absolute_moves() -> None:
    moves = parse("M82\nG1 X10 Y0 E1\nG2 X20 Y0 I5 J0 E3\nG1 X30 E4\n")
    assert float(np.sum(moves.e_mm)) == pytest.approx(4)
    assert moves.e_mm[-1] == pytest.approx(1)


def test_a_file_is_read_and_a_missing_one_named(tmp_path: Path) -> None:
    file = tmp_path / "part.gcode"
    file.write_text("G28\nG1 X3\n")
    assert parse(file).end_mm[0, 0] == 3
    assert parse(str(file)).count == 1
    with pytest.raises(ProgramError, match=r"nowhere\.gcode"):
        parse(tmp_path / "nowhere.gcode")


@pytest.mark.parametrize(("data", "said"), [(b"GCDE\x01\x00", "binary G-code"), (b"G1\0X", "NUL")])
def test_files_that_are_no_text_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "part.bgcode"
    file.write_bytes(data)
    with pytest.raises(ProgramError, match=said):
        parse(file)
