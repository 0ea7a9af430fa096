"""toughopt's own CSV: what it writes it reads back to the last bit, and it notices a missing end."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from toughopt.compression.base import AS_FOUND, Curve, Effect, Finding, ReadOptions, Severity
from toughopt.compression.curves import assemble
from toughopt.compression.tables import find_tables

_FIRST = "# toughopt curve 1"
_END = re.compile(r"^# end (\d+)\s*$", re.MULTILINE)


class OwnReader:
    """Files written by `write_csv`."""

    name = "toughopt"

    def recognises(self, text: str) -> bool:
        """By its first line."""
        return text.startswith(_FIRST)

    def read(self, text: str, options: ReadOptions = AS_FOUND) -> tuple[Curve, ...]:
        """The one curve of the file. Raises CurveError when it is damaged beyond use."""
        tables = find_tables(text, options, decimal=".")
        curve = assemble(tables, options)[0]
        table = tables[0]
        told: dict[str, str] = {}
        for line in table.preamble:
            key, _, value = line.removeprefix("#").partition(":")
            if value:
                told[key.strip()] = value.strip()
        specimen = told.pop("specimen", "")
        end = _END.search(text)
        findings = tuple(f for f in curve.findings if f.code != "NO_FINAL_NEWLINE")
        rows = table.rows
        if end is None or int(end.group(1)) != rows:
            wanted = "its end mark is missing" if end is None else f"it says {end.group(1)} rows and has {rows}"
            message = f"the file was cut: {wanted}; take the complete file"
            findings = (*findings, Finding("TRUNCATED", Severity.ERROR, Effect.REJECT, message))
        return (Curve(curve.displacement_mm, curve.force_n, curve.time_s, specimen, (), told, findings),)


def write_csv(curve: Curve, path: str | Path) -> Path:
    """Write the curve as UTF-8 CSV with units in the names, shortest exact numbers and an end mark; returns the path.

    The file appears whole or not at all: it is written beside its place and moved there.
    """
    target = Path(path)
    columns = {"displacement_mm": curve.displacement_mm, "force_n": curve.force_n}
    if curve.time_s is not None:
        columns = {"time_s": curve.time_s, **columns}
    lines = [_FIRST]
    told = {"specimen": curve.specimen, **curve.metadata}
    lines += [f"# {_one_line(key)}: {_one_line(value)}" for key, value in told.items() if value]
    lines.append(",".join(columns))
    rows = np.column_stack(list(columns.values())).tolist()
    lines += [",".join(map(repr, row)) for row in rows]
    lines += [f"# end {len(rows)}", ""]
    beside = target.with_name(target.name + ".part")
    beside.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    beside.replace(target)
    return target


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
