from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression.tables import find_tables, is_units_row, split_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Extension (mm)", ("Extension", "mm")),
        ("Z_Position(mm)", ("Z_Position", "mm")),
        ("Kraft [kN]", ("Kraft", "kN")),
        ("time/s", ("time", "s")),
        ("force_n", ("force", "n")),
        ("displacement_mm", ("displacement", "mm")),
        ("压缩应变 (位移)", ("压缩应变 (位移)", "")),
        ("Ch 1 Force", ("Ch 1 Force", "")),
        ("Load", ("Load", "")),
        ("Travel (in mm)", ("Travel", "mm")),
        ("Travel (extensometer mm)", ("Travel", "mm")),
        ("Travel (thousandths of an inch)", ("Travel", "thousandths of an inch")),
    ],
)
def test_a_unit_beside_a_name_is_found(name, parts):
    assert split_name(name) == parts


def test_a_row_of_units_is_told_from_names_and_numbers():
    assert is_units_row(["(s)", "(mm)", "(kN)"])
    assert is_units_row(["d", "s", "kN", "mm"])
    assert not is_units_row(["Time", "Extension", "Load"])
    assert not is_units_row(["1.0", "2.0"])


def test_tables_one_after_the_other_keep_their_names_and_titles():
    text = "Results Table 1\nTime,Load\n(s),(N)\n0,1\n1,2\n\nResults Table 2\nTime,Load\n(s),(kN)\n0,3\n1,4\n2,5\n"
    first, second = find_tables(text)
    assert (first.units, second.units) == (("s", "N"), ("s", "kN"))
    assert first.preamble == ("Results Table 1",)
    np.testing.assert_array_equal(second.column(1), [3.0, 4.0, 5.0])
    assert (first.line, second.line) == (4, 10)


def test_a_column_of_words_among_the_numbers_is_no_hindrance():
    text = "Time (s),State,Load (N),Travel (mm)\n" + "".join(f"{i}.0,LOADING,{2 * i}.5,0.{i}\n" for i in range(9))
    (table,) = find_tables(text + "Total_time(s),9.0\n")
    assert table.rows == 9
    assert np.isnan(table.column(1)).all()
    np.testing.assert_array_equal(table.column(2), 2.0 * np.arange(9) + 0.5)
    assert table.findings == ()


def test_names_with_blanks_over_columns_of_blanks():
    text = "Time (s)   Axial Force (N)   Travel (mm)\n" + "".join(f"  {i}.0   {2 * i}.5    0.{i}\n" for i in range(9))
    (table,) = find_tables(text)
    assert table.names == ("Time", "Axial Force", "Travel")
    assert table.units == ("s", "N", "mm")
