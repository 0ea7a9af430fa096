from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.gcode.tokens import code, scan

NUMBERS = st.floats(-9999, 9999, allow_nan=False).map(lambda value: round(value, 5))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(x=NUMBERS, y=NUMBERS, e=NUMBERS)
def test_numbers_are_read_as_python_reads_them(x: float, y: float, e: float) -> None:
    axes = scan(f"G1 X{x:.5f} Y{y:.3f} E{e:.5f}\n").axes
    assert axes["X"][0] == float(f"{x:.5f}")
    assert axes["Y"][0] == float(f"{y:.3f}")
    assert axes["E"][0] == float(f"{e:.5f}")
    assert np.isnan(axes["Z"][0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("G1 X.5", 0.5),
        ("G1 X-.5", -0.5),
        ("G1 X+3.", 3.0),
        ("g1 x7", 7.0),
        ("N12 G1 X7*34", 7.0),
        ("G1X7Y2", 7.0),
        ("G1 X 7", 7.0),
        ("  G1 X7 ; X99", 7.0),
        ("G1 (X99) X7", 7.0),
        ("G1 X7.000000000000000000000", 7.0),
        ("G1 X123456789.123456789", 123456789.123456789),
        ("G1 X1 X7", 7.0),
    ],
)
def test_ways_to_write_a_number(text: str, expected: float) -> None:
    commands = scan(text)
    assert commands.code.tolist() == [code("G1")]
    assert commands.axes["X"][0] == pytest.approx(expected, rel=1e-15)


def test_commands_and_their_words() -> None:
    commands = scan("M104 S210 T1\nG92.1\nT2\nM106\nG28 X Y\n")
    assert commands.code.tolist() == [code("M104"), code("G92.1"), code("T2"), code("M106"), code("G28")]
    assert commands.words[0] == {"S": 210.0, "T": 1.0}
    assert set(commands.words[4]) == {"X", "Y"}


def test_what_is_no_command_is_listed_with_its_line() -> None:
    commands = scan("G28\nSET_PIN PIN=fan\n; only words\n\nG1 Xabc\n%%\n")
    assert commands.foreign == ((1, "SET_PIN PIN=fan"), (5, "%%"))
    assert commands.broken == ((4, "G1 Xabc"),)


def test_marks_are_found_across_blocks() -> None:
    layer = ";LAYER_CHANGE\n;Z:0.2\n;TYPE:Perimeter\n" + "G1 X10.000 Y20.000 E0.10000\n" * 40_000
    commands = scan(layer * 3)  # more than one block
    assert [key for _, key, _ in commands.marks] == ["LAYER_CHANGE", "Z", "TYPE"] * 3
    assert [line for line, key, _ in commands.marks if key == "LAYER_CHANGE"] == [0, 40_003, 80_006]
    assert commands.line_count == 120_009
    assert np.array_equal(commands.line[:2], [3, 4])
    assert len(commands.code) == 120_000


def test_the_length_that_is_sent_leaves_comments_and_blanks_out() -> None:
    assert scan("  G1 X10   ; remark\nG28\n").sent_length.tolist() == [6, 3]


@pytest.mark.parametrize("text", ["", "\n", "; nothing\n", "\r\n\r\n"])
def test_texts_without_commands(text: str) -> None:
    commands = scan(text)
    assert len(commands.code) == 0
    assert commands.foreign == ()


def test_windows_line_ends() -> None:
    commands = scan("G28\r\nG1 X5\r\n")
    assert commands.axes["X"][1] == 5.0
    assert commands.sent_length.tolist() == [3, 5]
