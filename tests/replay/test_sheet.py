from __future__ import annotations

from pathlib import Path

import pytest

from toughopt.errors import InputError
from toughopt.replay import read_sheet


def write(folder: Path, data: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "n,j\n6,1.5\n8,2.5\n",
        "\ufeffn, j\r\n6, 1.5\r\n8, 2.5\r\n",
        "n;j\n6;1,5\n8;2,5\n",
        "n;j\n6;1.5\n8;2.5\n",
        "n\tj\n6\t1,5\n8\t2,5\n",
        'n,"j"\n"6","1.5"\n\n8,2.5\n,\n',
        "n,j,\n6,1.5,\n8,2.5,\n",
    ],
    ids=["plain", "spaces", "decimal-commas", "semicolons", "tabs", "quotes-and-blanks", "trailing-commas"],
)
def test_a_table_reads_the_same_however_it_was_saved(tmp_path: Path, text: str) -> None:
    sheet = read_sheet(write(tmp_path, text))
    assert sheet.columns == ("n", "j")
    assert [dict(row.cells) for row in sheet.rows] == [{"n": "6", "j": "1.5"}, {"n": "8", "j": "2.5"}]


def test_text_that_a_spreadsheet_saves_as_unicode_is_read(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, "n\tj [µJ]\n6\t1\n".encode("utf-16")))
    assert sheet.columns == ("n", "j [µJ]")


def test_a_comma_is_no_decimal_comma_where_other_numbers_have_points(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, "n;j\n1,234;1.5\n"))
    assert sheet.rows[0].cells["n"] == "1,234"


def test_rows_know_the_lines_that_they_stand_on(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, 'n,note\n\n6,"two\nlines"\n8,\n'))
    assert [row.line for row in sheet.rows] == [4, 5]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "no rows"),
        ("n,j\n", "no rows"),
        ("n,j\n,\n", "no rows"),
        ("n,n\n6,1\n", "two columns are called 'n'"),
        ("n,j\n6,1\n8,2,3\n", "line 3: 3 cells under 2 columns"),
        (b"n,j\n6,\xb5\n", "UTF-8"),
        ('{"id": 1, "n": 8, "value": 3.0}\n{"id": 2, "n": 8, "value": 3.5}\n', "is JSON and no table; save it as CSV"),
    ],
)
def test_what_is_no_table_is_told_with_its_line(tmp_path: Path, data: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_sheet(write(tmp_path, data))
