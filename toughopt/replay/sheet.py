"""A CSV table as people and spreadsheets save it: commas, semicolons or tabs, decimal points or commas."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toughopt.errors import InputError

_SEPARATORS = ",;\t"
_WITH_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_WITH_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: the line of the file on which it ends, and each column's text, "" where there is none."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with a header: the columns that have a name, and the rows in which anything is written."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(path: Path) -> Sheet:
    """A CSV table with a header line.

    The separator is the one that makes most columns of the header. Numbers with decimal commas are taken for such where
    the separator is another and no number in the file has a point.

    Raises
    ------
    InputError
        If the file is no such table; the message names the line.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
        first = next((line for line in text.splitlines() if line.strip()), "")
        separator = max(_SEPARATORS, key=lambda each: len(next(csv.reader([first], delimiter=each), [])))
        rows = list(_rows(text, separator))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV table: {error}; save it as CSV in UTF-8") from error
    if first.lstrip().startswith(("{", "[")):
        raise InputError(f"{path} is JSON and no table; save it as CSV, as `toughopt export --format csv` does")
    if len(rows) < 2:
        raise InputError(f"{path} holds no rows; a table has a header line and one row a test")
    (_, header), *body = rows
    named = [name for name in header if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: two columns are called {twice!r}; rename one")
    point = separator != "," and not any(_WITH_POINT.fullmatch(cell) for _, cells in body for cell in cells)
    return Sheet(path, tuple(named), tuple(Row(n, _named(path, n, header, cells, point)) for n, cells in body))


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Line and stripped cells of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _named(path: Path, line: int, header: Sequence[str], cells: Sequence[str], commas: bool) -> dict[str, str]:
    if any(cells[len(header) :]):
        raise InputError(
            f"{path}, line {line}: {len(cells)} cells under {len(header)} columns; quote a cell with a separator in it"
        )
    if commas:
        cells = [cell.replace(",", ".") if _WITH_COMMA.fullmatch(cell) else cell for cell in cells]
    padded = [*cells, *[""] * (len(header) - len(cells))]
    return {name: cell for name, cell in zip(header, padded, strict=False) if name}
