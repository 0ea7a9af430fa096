"""What commands share: options, and how answers are shown."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from toughopt.digits import decimal_comma, four_digits

F = TypeVar("F", bound=Callable[..., Any])
_MOST_COLUMNS = 7  # parameters of a design; more would leave a few letters to each column


def json_option(command: F) -> F:
    """`--json`: one JSON document on stdout, everything else on stderr."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")(command)


def campaign_argument(command: F) -> F:
    """DIR, the campaign's folder."""
    kind = click.Path(path_type=Path, file_okay=False)
    return click.argument("folder", metavar="DIR", type=kind)(command)


class Number(click.FloatRange):
    """The type of a number; one with a decimal comma is refused with what is meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if advice := decimal_comma(value):
            self.fail(f"{value!r} is not a number{advice}", param, ctx)
        return super().convert(value, param, ctx)


def existing_file() -> click.Path:
    """The type of an argument that is a file to read."""
    return click.Path(path_type=Path, exists=True, dir_okay=False)


def show_json(answer: Any) -> None:
    """One JSON document on stdout; what is not a number in JSON becomes null."""
    json.dump(_fit_for_json(answer), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def say(text: str) -> None:
    """One line for people, on stderr; where nobody can be told, nothing ends for that."""
    with suppress(OSError, ValueError):  # a full disk, a terminal or a pipe that was closed
        click.echo(text, err=True)


def usable(names: Iterable[str], make: Callable[[str], object]) -> list[str]:
    """Those of which one can be made; what keeps one of another package from it is told, and hides no other."""
    from toughopt.errors import ConfigError

    found = []
    for name in names:
        try:
            make(name)
        except ConfigError as error:
            say(f"warning: {error}")
        else:
            found.append(name)
    return found


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table for people, on stdout."""
    from rich.console import Console
    from rich.table import Table

    made = Table(title=title or None, title_justify="left", header_style="bold")
    rows = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numbers = all(isinstance(row[index], int | float | None) for row in rows)
        made.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(number(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 120).print(made)


def design_columns(parameters: Sequence[str]) -> list[str]:
    """The parameters that find room as columns of a table: all of them or, where they are many, none."""
    return list(parameters) if len(parameters) <= _MOST_COLUMNS else []


def number(value: Any) -> str:
    """A cell: four digits of a number or all before its point, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return four_digits(value) if math.isfinite(value) else ""
    return str(value)


def as_design(items: Iterable[str]) -> dict[str, float | int | str]:
    """`n=8 theta=100` as a design. Raises click.BadParameter."""
    design: dict[str, float | int | str] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name or not text:
            raise click.BadParameter(f"{item!r} is not of the form parameter=value, e.g. n=8")
        if name in design:
            raise click.BadParameter(f"{name} is given twice")
        if advice := decimal_comma(text):
            raise click.BadParameter(f"{item!r} gives no number{advice}")
        design[name] = _value(text)
    return design


def design_text(design: Mapping[str, Any]) -> str:
    """A design on one line."""
    return " ".join(f"{name}={number(value)}" for name, value in design.items())


def make_folder(path: Path) -> None:
    """A folder to write to, with those above it, where it is not there yet. Raises InputError."""
    from toughopt.errors import InputError

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be made: {error.strerror or error}") from error


def write_text_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all. Raises InputError."""
    write_bytes_whole(path, text.encode())


def write_bytes_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises InputError."""
    from toughopt.errors import InputError
    from toughopt.files import write_whole

    if str(path) == "-":
        raise InputError("- is no name for this file: standard output is not what it is written to; name a file")
    try:
        write_whole(path, data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def _value(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _fit_for_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _fit_for_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fit_for_json(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return _fit_for_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
