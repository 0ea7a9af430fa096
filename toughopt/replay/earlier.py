"""A table of an earlier campaign as experiments of this one: which column means what, row by row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from toughopt.errors import InputError, ToughoptError, UnknownName
from toughopt.journal import events as ev

if TYPE_CHECKING:
    from toughopt.loop import Workspace
    from toughopt.replay.sheet import Sheet

# What else than a parameter a column may be, and what people call it.
ROLES: Mapping[str, tuple[str, ...]] = {
    "value": (),  # of the objective: its own name is added
    "mass_g": ("mass_g", "mass", "weight", "weight_g"),
    "printer": ("printer", "printernumber", "printer_name", "machine"),
    "id": ("id", "adts_id", "experiment", "experiment_id", "specimen", "sample"),
    "failed": ("failed", "failure"),
    "valid": ("valid", "ok"),
    "ignore": (),
}
_OBJECTIVES: Mapping[str, tuple[str, ...]] = {
    "toughness_j": ("toughness", "toughness_j", "energy_j"),
    "energy_absorbing_efficiency": ("criticalefficiency", "energy_absorbing_efficiency", "efficiency", "ks"),
    "specific_energy_j_per_g": ("specific_energy", "specific_energy_j_per_g", "sea"),
    "peak_force_n": ("peak_force", "peak_force_n", "max_force"),
    "stiffness_n_per_mm": ("stiffness", "stiffness_n_per_mm"),
}
# Columns of the campaign table of Snapp et al., Nature Communications 15, 4290 (2024).
_PUBLISHED: Mapping[str, str] = {
    "c1t": "c4_top",
    "c2t": "c8_top",
    "c1b": "c4_base",
    "c2b": "c8_base",
    "twist": "twist_linear",
    "spatialfrequency": "twist_cycles",
    "amplitude": "twist_amplitude",
    "stllengthratio": "perimeter_ratio",
    "height": "height",
    "wallthickness": "thickness",
}
_TRUE = frozenset({"1", "1.0", "true", "t", "yes", "y", "x"})
_FALSE = frozenset({"0", "0.0", "false", "f", "no", "n", "-"})
_UNPRINTABLE = ("failed", "design")  # state and blame of an exported experiment whose design is at fault


@dataclass(frozen=True, slots=True)
class Earlier:
    """One row as an experiment; `value` None where it failed."""

    line: int
    design: dict[str, float | int | str]
    value: float | None
    mass_g: float | None
    note: str


def own_export(sheet: Sheet, objective: str) -> tuple[Sheet, dict[str, str]]:
    """What of a table that `toughopt export` wrote is a result, and the role of the column that says the same twice.

    Such a table has a row for every experiment: those still under way, those that the lab failed, and those that were
    excluded teach a model nothing and are left out. Its `value` is that of the objective then; where it differs from
    the column of the objective now, the latter is meant. Any other table comes back as it is.

    Raises
    ------
    InputError
        If no experiment is left.
    """
    if not {"id", "state", "blame", "excluded", "value"} <= set(sheet.columns):
        return sheet, {}
    told = [row.cells for row in sheet.rows]
    differs = any(row.get(objective) and row["value"] and row[objective] != row["value"] for row in told)
    measured, twin = (objective, "value") if differs else ("value", objective)

    def counts(row: Mapping[str, str]) -> bool:
        ended = bool(row[measured]) if row["state"] == "complete" else (row["state"], row["blame"]) == _UNPRINTABLE
        return ended and row["excluded"].lower() not in _TRUE

    rows = tuple(row for row in sheet.rows if counts(row.cells))
    if not rows:
        raise InputError(f"{sheet.path}: none of its {len(sheet.rows)} experiments came to a result that counts")
    return replace(sheet, rows=rows), {twin: "ignore"} if twin in sheet.columns else {}


def roles_of(
    columns: Sequence[str], parameters: Sequence[str], objective: str, given: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """What each column is: as given, else as its name tells; those that mean nothing are ignored.

    Parameters
    ----------
    given : column -> role; "mass,mass_g" where one column is two things, "ignore" where it is none

    Raises
    ------
    UnknownName
        If a column or a role that was given does not exist.
    InputError
        If two columns look like the same thing, or a parameter or the value is in none.
    """
    known = [*parameters, *ROLES]
    for column, text in given.items():
        if column not in columns:
            raise UnknownName("column", column, columns)
        for role in text.split(","):
            if role not in known:
                raise UnknownName("role of a column", role, known)
    found = {column: tuple(role for role in text.split(",") if role != "ignore") for column, text in given.items()}
    settled = {role for roles in found.values() for role in roles}
    guesses = {
        column: tuple(r for r in _guessed(column, columns, parameters, objective) if r not in settled)
        for column in columns
        if column not in given
    }
    for role in dict.fromkeys(r for roles in guesses.values() for r in roles):
        alike = [column for column, roles in guesses.items() if role in roles]
        if len(alike) > 1:
            raise InputError(
                f"the columns {' and '.join(map(repr, alike))} both look like {role}; "
                f"say which is: --map '{alike[0]}={role}', and --map '{alike[1]}=ignore'"
            )
    found |= guesses
    have = {role for roles in found.values() for role in roles}
    missing = [role for role in (*parameters, "value") if role not in have]
    if missing:
        what = f"the objective {objective}" if missing[0] == "value" else f"the parameter {missing[0]}"
        free = [column for column, roles in found.items() if not roles]
        raise InputError(
            f"no column looks like {what}; say which is: --map 'COLUMN={missing[0]}' "
            f"(columns without a role: {', '.join(free) or 'none'})"
        )
    return {column: found[column] for column in columns}


def experiments_of(sheet: Sheet, roles: Mapping[str, Sequence[str]], parameters: Sequence[str]) -> list[Earlier]:
    """The rows as experiments; one without a value failed, unless it says that it did not.

    Raises
    ------
    InputError
        If a number is none, or a flag is neither yes nor no; the message names the line.
    """
    column_of = {role: column for column, taken in roles.items() for role in taken}
    found = []
    for row in sheet.rows:
        where = f"{sheet.path}, line {row.line}"
        told = {role: row.cells[column] for role, column in column_of.items() if row.cells[column]}
        failed = _flag(told, "failed", False, where) or not _flag(told, "valid", True, where)
        if not failed and "value" not in told and {"failed", "valid"} & set(told):
            raise InputError(
                f"{where}: {column_of['value']} is missing, and yet the test did not fail; "
                "fill it in, or take the row out"
            )
        value = None if failed or "value" not in told else _number(told["value"], f"{where}: {column_of['value']}")
        design = {name: _plain(told.get(name, ""), f"{where}: {column_of[name]}") for name in parameters}
        mass = _number(told["mass_g"], f"{where}: {column_of['mass_g']}") if "mass_g" in told else None
        note = [f"{sheet.path.name}, line {row.line}", *(f"{r} {told[r]}" for r in ("id", "printer") if r in told)]
        found.append(Earlier(row.line, design, value, mass, ", ".join(note)))
    return found


def fitting(
    workspace: Workspace, earlier: Iterable[Earlier], *, skip_outside: bool = False, again: bool = False
) -> list[Earlier]:
    """Those that can be written into a campaign's journal, their designs as the campaign says them.

    Raises
    ------
    InputError
        If a design is none of the campaign's, unless `skip_outside`; if the journal has experiments with the same
        design and the same result already, unless `again`.
    """
    found = []
    for entry in earlier:
        try:
            design = workspace.chooser.space.check(entry.design)
        except ToughoptError as error:
            if not skip_outside:
                raise InputError(
                    f"line {entry.line}: {error}; widen the campaign's limits, or leave such rows out with "
                    "--skip-outside"
                ) from error
            continue
        found.append(replace(entry, design=design))
    key = workspace.chooser.space.key
    told = [e for e in workspace.state.experiments.values() if e.value is not None or e.blame == "design"]
    known = {(key(e.design), e.value) for e in told}
    twice = [entry.line for entry in found if (key(entry.design), entry.value) in known]
    if twice and not again:
        raise InputError(
            f"{len(twice)} of {len(found)} rows are in the campaign already, with the same design and the same result, "
            f"the first in line {twice[0]}; the model would take each for a second test: take them out, or add --again "
            "if they were made twice"
        )
    return found


def take_over(
    workspace: Workspace, earlier: Sequence[Earlier], *, skip_outside: bool = False, again: bool = False
) -> tuple[int, int]:
    """Write them into a campaign's journal, all or none; returns how many were written and how many left out.

    Raises
    ------
    CampaignBusy
        If somebody conducts it.
    InputError
        As `fitting` does.
    """
    with workspace.store.lock(workspace.folder):
        workspace.take_in()
        written = fitting(workspace, earlier, skip_outside=skip_outside, again=again)
        workspace.note_changes()  # what campaign.toml says by now is what these were taken into
        events: list[tuple[ev.Payload, int | None]] = []
        for identity, entry in enumerate(written, start=workspace.state.next_id()):
            events.append((ev.Proposed(design=entry.design, source="import", note=entry.note), identity))
            if entry.value is None:
                ended: ev.Payload = ev.Failed(
                    stage="proposed", reason="failed in the earlier campaign", blame="design", by="import"
                )
            else:
                ended = ev.Complete(value=entry.value, mass_g=entry.mass_g, by="import")
            events.append((ended, identity))
        workspace.store.append_all(events)
        workspace.take_in()
    return len(written), len(earlier) - len(written)


def _guessed(column: str, columns: Sequence[str], parameters: Sequence[str], objective: str) -> tuple[str, ...]:
    plain = _plain_name(column)
    published = {"c1t", "c2b"} <= {_plain_name(c) for c in columns}
    found = [name for name in parameters if _plain_name(name) == plain]
    if not found and published and _PUBLISHED.get(plain) in parameters:
        found = [_PUBLISHED[plain]]
    words = {**ROLES, "value": (objective, "value", *_OBJECTIVES.get(objective, ()))}
    found += [role for role, names in words.items() if plain in {_plain_name(n) for n in names}]
    return tuple(dict.fromkeys(found))


def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"[\[(].*?[\])]", "", name).lower())


def _flag(told: Mapping[str, str], role: str, default: bool, where: str) -> bool:
    text = told.get(role, "").lower()
    if not text:
        return default
    if text not in _TRUE | _FALSE:
        raise InputError(
            f"{where}: {told[role]!r} says neither yes nor no, as {role} should (1 or 0, true or false, yes or no); "
            "write one of them, or map that column to ignore"
        )
    return text in _TRUE


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where} = {text!r} is not a finite number")
    return value


def _plain(text: str, where: str) -> float | int | str:
    if not text:
        raise InputError(f"{where} is missing")
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
