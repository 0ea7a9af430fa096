"""From tables to curves: units, specimens side by side, gaps, and the findings that go with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toughopt.compression.base import AS_FOUND, Curve, Effect, Finding, ReadOptions, Severity
from toughopt.compression.columns import Column, choose_columns
from toughopt.compression.dialect import split_row
from toughopt.compression.orientation import orient, tension_signs
from toughopt.compression.outliers import usual
from toughopt.compression.preamble import with_units
from toughopt.compression.stacked import unstacked
from toughopt.compression.tables import Table
from toughopt.compression.units import parse_unit
from toughopt.errors import CurveError

FloatArray = NDArray[np.float64]
_NUMBERED = re.compile(
    r"^(?:(?P<before>[A-Za-z]|\d+)[\W_]+)?(?P<name>.*?[^\W\d_]{2,}?)(?:[\W_]*(?P<digits>\d+)|[\W_]+(?P<letter>[A-Za-z]))?$"
)
_CHANNEL = re.compile(r"\b(?:ch|channel|axis|kanal|achse)\b", re.IGNORECASE)
_FEWEST = 3  # rows below which a table is a summary, not a curve
_LAST_ROWS = 2  # that may be incomplete at the end of a record without its energy being a lower bound
_BROKEN_OFF = 5  # rows without column names from which they may be the rest of the table before
_ONE_STEP = 10.0  # usual steps from the end of a table to the beginning of one that goes on
_A_TEST = 10  # rows from which one that is left out may have been a test


def curves_of(table: Table, options: ReadOptions = AS_FOUND, specimen: str = "") -> tuple[Curve, ...]:
    """The curves of one table: one, or one a group where the same names stand side by side several times.

    Raises
    ------
    CurveError
        If a force or a displacement cannot be told from the columns.
    """
    groups = _groups(table, options)
    labels = _labels(table, groups) if len(groups) > 1 else [specimen]
    if groups != _repeated(table.names, table.units):
        message = (
            f"{len(groups)} specimens side by side, told apart by the numbers in their columns' names; "
            "column_map settles it where they are sensors of one"
        )
        told = Finding("SPECIMENS_BESIDE", Severity.WARNING, Effect.WARN, message)
        table = replace(table, findings=(*table.findings, told))
    curves = [curve_of(table, options, label, group) for label, group in zip(labels, groups, strict=True)]
    return tuple(curve for curve in curves if curve.force_n.size)


def _groups(table: Table, options: ReadOptions) -> list[range]:
    """Groups of columns, one a specimen; where a person names columns, their numbers part nothing."""
    return (_repeated if options.column_map else side_by_side)(table.names, table.units)


def curve_of(table: Table, options: ReadOptions, specimen: str, within: range | None = None) -> Curve:
    """The curve that the columns of `within` make."""
    columns = choose_columns(table, options, within)
    displacement, force = _values(table, columns.displacement), _values(table, columns.force)
    time = None if columns.time is None else _values(table, columns.time)
    findings = list(columns.findings)
    known = np.isfinite(displacement) & np.isfinite(force)
    if not known.all():
        last = int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
        gaps = int(np.count_nonzero(~known[:last]))
        if gaps:
            many = gaps > max(3, 0.02 * last)
            findings.append(
                Finding(
                    "NOT_A_NUMBER",
                    Severity.ERROR if many else Severity.WARNING,
                    Effect.REJECT if many else Effect.WARN,
                    f"{gaps} of {last} samples have no force or no displacement: left out",
                )
            )
        if last < known.size and (blank := _one_sided(displacement[last:], force[last:])):
            findings.append(blank)
        displacement, force = displacement[known], force[known]
        time = None if time is None else time[known]
    if time is not None and not np.isfinite(time).all():
        time = None
    reason = tension_signs(" ".join((*table.preamble, *table.names)), _largest_strain(table))
    if reason:
        message = f"this seems to be a tension test ({reason}); its area is no energy of compression"
        findings.append(Finding("TENSION", Severity.WARNING, Effect.WARN, message))
    curve = Curve(displacement, force, time, specimen, (), _metadata(table), (*table.findings, *findings))
    return orient(curve)[0]


def side_by_side(names: tuple[str, ...], units: tuple[str, ...]) -> list[range]:
    """Groups of columns: one, or several where the names repeat; blank columns may stand before and between them."""
    groups = _repeated(names, units)
    if len(groups) == 1:  # or "Force 1", "Travel 1", "Force 2", "Travel 2"
        bare = tuple(_without_number(name)[0] for name in names)
        apart = _repeated(bare, units)
        numbers = [_number_of(names[group.start : group.stop]) for group in apart]
        if len(apart) > 1 and all(numbers) and len(set(numbers)) == len(numbers):
            return apart
    return groups


def _repeated(names: tuple[str, ...], units: tuple[str, ...]) -> list[range]:
    columns = list(zip(names, units, strict=True))
    said = [at for at, column in enumerate(columns) if any(column)]
    if said:
        first, count = said[0], said[-1] + 1 - said[0]
        for size in range(2, (count + 1) // 2 + 1):
            whole = -(-count // size) * size
            repeated = columns[first : first + size] * (whole // size)
            named = sum(bool(name) for name in names[first : first + size])
            if named >= 2 and repeated == columns[first : first + count] + [("", "")] * (whole - count):
                return [range(at, min(at + size, len(columns))) for at in range(first, first + whole, size)]
    return [range(len(columns))]


def _without_number(name: str) -> tuple[str, str]:
    """A column's name without the number or the letter of its specimen, and that; a machine's channels keep theirs."""
    match = _NUMBERED.match(name)
    if match is None or _CHANNEL.search(name):
        return name, ""
    return match["name"].casefold(), match["before"] or match["digits"] or match["letter"] or ""


def _number_of(names: tuple[str, ...]) -> str:
    """The specimen's number or letter that all names have, "" where they have none or several."""
    numbers = {_without_number(name)[1] for name in names if name}
    return numbers.pop() if len(numbers) == 1 else ""


def assemble(
    tables: tuple[Table, ...], options: ReadOptions = AS_FOUND, title: Callable[[Table], str] = lambda table: ""
) -> tuple[Curve, ...]:
    """The curves of a file: of each table that has a force, a displacement and more rows than a summary.

    Tables with the same columns whose time goes on are one; `title` names a table's specimen, else they are numbered.

    Raises
    ------
    CurveError
        If no table is usable, saying why for each.
    """
    good: list[Table] = []
    reasons: list[str] = []
    lost_rows, longest = 0, max((table.rows for table in tables), default=0)
    for table in tables:
        rows = table.rows
        few = rows < (_A_TEST if longest >= _A_TEST else _FEWEST)
        reason = (
            f"the table at line {table.line} has {rows} rows only: a test that was broken off, or a list of results"
            if few
            else _unfit(table, options)
        )
        if reason:
            reasons.append(reason)
            nameless = good and rows >= _BROKEN_OFF and not any(table.names)  # the rest of the table before?
            lost_rows = max(lost_rows, _A_TEST if nameless else rows)
        else:
            good.append(table)
    if not good:
        raise CurveError("no usable compression test: " + "; ".join(reasons[:4] or ["no table of numbers"]))
    joined = _joined([with_units(table) for table in good])
    findings: tuple[Finding, ...] = ()
    if reasons:
        grave = lost_rows >= _A_TEST
        severity, effect = (Severity.WARNING, Effect.WARN) if grave else (Severity.INFO, Effect.NONE)
        findings = (Finding("TABLE_LEFT_OUT", severity, effect, f"left out: {'; '.join(reasons[:3])}"),)
    found: list[Curve] = []
    empty: list[str] = []
    for number, table in enumerate(joined, start=1):
        label = _leading_number(table) or title(table) or (str(number) if len(joined) > 1 else "")
        for specimen, name in unstacked(table, options):
            both = " ".join(filter(None, (label, name)))
            curves = curves_of(replace(specimen, findings=(*specimen.findings, *findings)), options, both)
            found += curves
            if not curves:
                empty.append(f"the table at line {table.line} has {table.rows} rows, none of them whole")
    if not found:
        raise CurveError("no usable compression test: the columns of force and displacement hold no numbers")
    if empty:
        lost = Finding("TABLE_LEFT_OUT", Severity.WARNING, Effect.WARN, f"left out: {'; '.join(empty[:3])}")
        return tuple(replace(curve, findings=(*curve.findings, lost)) for curve in found)
    return tuple(found)


def _leading_number(table: Table) -> str:
    """The specimen's number where it stands before the names of the columns, over nothing; "" where none does."""
    first = table.names[0]
    return first if first.isdecimal() and not np.isfinite(table.column(0)).any() else ""


def _unfit(table: Table, options: ReadOptions) -> str:
    try:
        for group in _groups(table, options):
            choose_columns(table, options, group)
    except CurveError as error:
        return str(error)
    return ""


def _joined(tables: list[Table]) -> list[Table]:
    """Neighbouring tables with the same columns as one, where the time goes on."""
    result: list[Table] = []
    for table in tables:
        before = result[-1] if result else None
        if before is not None:
            table = _in_units_of(before, table)
        if before is not None and _layout(before) == _layout(table) and _goes_on(before, table):
            findings = (*before.findings, *_resumed(before, table), *table.findings)
            result[-1] = replace(before, parts=(*before.parts, *table.parts), findings=findings)
        else:
            result.append(table)
    return result


def _in_units_of(before: Table, table: Table) -> Table:
    """The table in the units of the one before, where its columns are the same in others: a range that was switched."""
    if before.units == table.units or [n.casefold() for n in before.names] != [n.casefold() for n in table.names]:
        return table
    factors = np.ones(len(table.units))
    for index, (old, new) in enumerate(zip(before.units, table.units, strict=True)):
        wanted, unit = parse_unit(old), parse_unit(new)
        if wanted is not None and unit is not None and wanted.quantity == unit.quantity:
            factors[index] = unit.factor / wanted.factor
        elif old != new:
            return table
    if (factors == 1.0).all():
        return table
    return replace(table, units=before.units, parts=tuple(part * factors for part in table.parts))


def _layout(table: Table) -> list[tuple[str, str, float]]:
    """Names and units as they compare: without regard to case and spelling."""
    units = [(parse_unit(text), text) for text in table.units]
    pairs = [(unit.quantity, unit.factor) if unit is not None else (text.casefold(), 1.0) for unit, text in units]
    return [(name.casefold(), *pair) for name, pair in zip(table.names, pairs, strict=True)]


def _goes_on(before: Table, after: Table) -> bool:
    """Whether the time goes on; where there is none, whether displacement and force do."""
    time = _time_of(before)
    if time is not None:
        return bool(after.column(time)[0] > before.column(time)[-1])
    try:
        columns = choose_columns(before, AS_FOUND)
    except CurveError:
        return False
    return all(
        abs(after.column(column.index)[0] - values[-1]) <= _ONE_STEP * usual(np.abs(np.diff(values)))
        for column in (columns.displacement, columns.force)
        if (values := before.column(column.index)).size > 1
    )


def _time_of(table: Table) -> int | None:
    units = [parse_unit(text) if text else None for text in table.units]
    return next((at for at, unit in enumerate(units) if unit is not None and unit.quantity == "time"), None)


def _resumed(before: Table, after: Table) -> tuple[Finding, ...]:
    """What is to be said where nothing but the numbers themselves tells that two tables are one."""
    if _time_of(before) is not None:
        return ()
    message = f"the table at line {after.line} goes on where the one before it ends: taken as the same test"
    return (Finding("TABLES_JOINED", Severity.WARNING, Effect.WARN, message),)


def _values(table: Table, column: Column) -> FloatArray:
    values = table.column(column.index)
    return values * column.unit.factor if column.unit.factor != 1.0 else values


def _labels(table: Table, groups: list[range]) -> list[str]:
    above = next((line for line in reversed(table.preamble) if line.strip()), "")
    fields = split_row(above, table.separator)
    fields += [""] * (groups[-1].stop - len(fields))
    numbers = [_number_of(table.names[group.start : group.stop]) for group in groups]
    if all(numbers):
        return numbers
    labels = [next((fields[i] for i in group if i < len(fields) and fields[i]), "") for group in groups]
    return [label or str(number) for number, label in enumerate(labels, start=1)]


def _largest_strain(table: Table) -> float | None:
    largest = None
    for index, text in enumerate(table.units):
        unit = parse_unit(text) if text else None
        if unit is not None and unit.quantity == "strain":
            value = float(np.fmax.reduce(np.abs(table.column(index)))) * unit.factor
            largest = value if largest is None else max(largest, value)
    return largest


def _one_sided(displacement: FloatArray, force: FloatArray) -> Finding | None:
    """What is wrong with the end of a record where only one of displacement and force goes on."""
    lost, what = int(np.count_nonzero(np.isfinite(displacement))), "force"
    if not lost:
        lost, what = int(np.count_nonzero(np.isfinite(force))), "displacement"
    if not lost:
        return None
    message = f"the last {lost} samples have no {what}: left out; the sensor may have been beyond its range"
    return Finding("OVER_RANGE", Severity.WARNING, Effect.CENSOR if lost > _LAST_ROWS else Effect.WARN, message)


def _metadata(table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in table.preamble[:200]:
        fields = [field for field in split_row(line, table.separator) if field]
        if len(fields) == 1 and ":" in fields[0]:
            fields = [part.strip() for part in fields[0].split(":", 1)]
        if len(fields) >= 2:
            found.setdefault(fields[0].rstrip(": "), " ".join(fields[1:]))
    return found
