"""Which column of a table is the force, the displacement and the time, by its name in any language and its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toughopt.compression.base import Effect, Finding, ReadOptions, Severity
from toughopt.compression.tables import Table
from toughopt.compression.units import Unit, parse_unit, require_unit
from toughopt.compression.words import NOT_A_ROLE, STRAINS, WORDS
from toughopt.errors import CurveError

_POOR = re.compile(r"absolut|abs\.|raw|roh|video|lvdt|extensometer|fein|quer|2\b|\bb\b", re.IGNORECASE)
_GOOD = re.compile(r"corrected|korrigiert|compensated|primary|standard", re.IGNORECASE)
_QUANTITY = {"force": "force", "displacement": "length", "time": "time"}
_PLAIN_UNIT = {"force": "N", "displacement": "mm", "time": "s"}
# what a gauge shows; and a travel that is called by what it makes of the part
_UNLIKE = re.compile(r"^(?:gauge )?readings?$|stauchungsweg")
_TWIN = re.compile(r"[\W_]*(?:\d|[A-Da-d])$|^[XYZ](?=[A-Z])|^[XYZxyz][\W_]+|[\W_]+[XYZxyz]$")  # two sensors, or axes
_EXTREME = re.compile(r"maxim|minim", re.IGNORECASE)
_MOST_NAMES = 12
_SHORT = {"f": "force", "x": "displacement", "d": "displacement", "s": "displacement", "u": "displacement", "t": "time"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column that was chosen, and its unit."""

    index: int
    name: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that make a curve."""

    force: Column
    displacement: Column
    time: Column | None
    findings: tuple[Finding, ...]


def choose_columns(table: Table, options: ReadOptions, within: range | None = None) -> Columns:
    """The columns of force, displacement and time among those of `within` (all when None).

    Raises
    ------
    CurveError
        If there is no force or no displacement, a unit is unknown, or a mapped column is not there.
    """
    within = within or range(len(table.names))
    findings: list[Finding] = []
    force = _choose("force", table, within, options, findings, taken=())
    if force is None:
        raise CurveError(_nothing("force", table, within))
    displacement = _choose("displacement", table, within, options, findings, taken=(force.index,))
    if displacement is None:
        raise CurveError(_nothing("displacement", table, within))
    try:
        time = _choose("time", table, within, options, findings, taken=(force.index, displacement.index))
    except CurveError as error:
        if options.time_unit is not None or "time" in (options.column_map or {}):
            raise
        time = None  # which decides nothing that is computed
        findings.append(Finding("TIME_LEFT_OUT", Severity.WARNING, Effect.WARN, f"read without times: {error}"))
    return Columns(force, displacement, time, tuple(findings))


def _nothing(role: str, table: Table, within: range) -> str:
    names = ", ".join(repr(table.names[i] or f"(column {i})") for i in within[:_MOST_NAMES])
    if len(within) > _MOST_NAMES:
        names += f" and {len(within) - _MOST_NAMES} more (one row a sample is expected, not one column)"
    if any(_EXTREME.search(table.names[i]) for i in within):
        names += " (maxima and minima, such as of cycles, are no samples: export those)"
    named = any(table.names[i] for i in within)
    which, counted = ("name", "") if named else ("index", ", counted from 0")
    return (
        f"no column of the table at line {table.line} is the {role}: {names}; "
        f"column_map={{'{role}': {which}}} tells which{counted}"
    )


def _choose(
    role: str, table: Table, within: range, options: ReadOptions, findings: list[Finding], taken: tuple[int, ...]
) -> Column | None:
    told = {"force": options.force_unit, "displacement": options.displacement_unit, "time": options.time_unit}[role]
    mapped = (options.column_map or {}).get(role)
    if mapped is not None:
        index = _mapped(mapped, role, table, within)
        return Column(index, table.names[index], _unit(role, table, index, told, findings))
    ranked = sorted(
        (rank, i)
        for i in within
        if i not in taken and (rank := _rank(role, table.names[i], table.units[i], told)) is not None
    )
    if not ranked:
        return None
    rank, index = ranked[0]
    name = table.names[index] or f"column {index}"
    twins = [i for _, i in ranked[1:] if (table.names[i], table.units[i]) == (table.names[index], table.units[index])]
    if twins and role != "time":
        raise CurveError(
            f"{len(twins) + 1} columns are called {name!r}; column_map={{'{role}': index}} tells which, counted from 0"
        )
    rivals = [table.names[i] for other, i in ranked[1:] if other[:2] == rank[:2] or other[0] == 0]
    if rank[0] and role != "time":
        alternatives = [table.names[i] for other, i in ranked[1:] if other[0] == rank[0]]
        if alternatives:
            raise CurveError(
                f"{name!r} and {', '.join(map(repr, alternatives))} could each be the {role}; "
                f"column_map={{'{role}': name}} tells which"
            )
        message = f"column {name!r} taken as the {role} because of its unit {table.units[index]!r}"
        findings.append(Finding("COLUMN_BY_UNIT", Severity.WARNING, Effect.WARN, message))
    elif rivals and role != "time":
        message = f"column {name!r} taken as the {role}, not {', '.join(map(repr, rivals))}; column_map settles it"
        alike = any(_bare(rival) == _bare(name) for rival in rivals)
        severity, effect = (Severity.WARNING, Effect.WARN) if alike else (Severity.INFO, Effect.NONE)
        findings.append(Finding("COLUMN_CHOSEN", severity, effect, message))
    return Column(index, name, _unit(role, table, index, told, findings))


def _bare(name: str) -> str:
    """A column's name without what tells it from a twin."""
    return _TWIN.sub("", name).casefold()


def _mapped(mapped: str | int, role: str, table: Table, within: range) -> int:
    if isinstance(mapped, int):
        if 0 <= mapped < len(within):
            return within[mapped]
        raise CurveError(f"column_map says that {role} is column {mapped}; there are {len(within)}, counted from 0")
    for i in within:
        unit = table.units[i]
        if mapped.strip().casefold() in {table.names[i].casefold(), f"{table.names[i]} ({unit})".casefold()}:
            return i
    for i in within:
        if table.names[i] and mapped.casefold().startswith(table.names[i].casefold()):
            return i
    raise CurveError(
        f"column_map says that {role} is {mapped!r}; the table has {', '.join(repr(table.names[i]) for i in within)}"
    )


def could_be(role: str, name: str) -> bool:
    """Whether a column is called what columns of the role "force", "displacement" or "time" are called."""
    return _rank(role, name, "", None) is not None


def _rank(role: str, name: str, unit_text: str, told: str | None) -> tuple[int, int, int] | None:
    """How well a column fits a role, smaller is better; None when it does not."""
    unit = parse_unit(unit_text) if unit_text else None
    if unit is not None and unit.quantity != _QUANTITY[role] and told is None:
        return None
    folded = name.casefold()
    if _UNLIKE.search(folded):
        return (0, 0, 0) if unit is not None or ("weg" in folded and role == "displacement") else None
    if NOT_A_ROLE.search(STRAINS.sub("", folded) if unit is not None and role == "displacement" else folded):
        return None
    doubt = (1 if _POOR.search(folded) else 0) - (1 if _GOOD.search(folded) else 0)
    words = WORDS[role]
    others = [word for kind, list_ in WORDS.items() if kind != role for word in list_]
    for position, word in enumerate(words):
        if _has(word, folded) and not (
            role == "displacement" and unit is None and any(_has(o, folded) and len(o) > len(word) for o in others)
        ):
            return (0, doubt, position)
    if _SHORT.get(folded) == role and (unit is not None or told):
        return (0, doubt + 1, len(words))
    if unit is not None and not any(_has(o, folded) for o in others):
        return (1, doubt, 0)
    return None


def _has(word: str, folded: str) -> bool:
    if len(word) <= 1 and word.isascii():
        return folded == word
    if word in ("last", "hub", "weg", "ход", "load", "time", "course", "disp", "pos"):
        return re.search(rf"(?<![a-zà-ž]){word}|{word}(?![a-zà-ž])", folded) is not None
    return word in folded


def _unit(role: str, table: Table, index: int, told: str | None, findings: list[Finding]) -> Unit:
    quantity, name = _QUANTITY[role], table.names[index] or f"column {index}"
    if told is not None:
        return require_unit(told, quantity, f"{role}_unit")
    text = table.units[index]
    if text:
        unit = parse_unit(text)
        if unit is None:
            raise CurveError(
                f"column {name!r} has the unit {text!r}, which is none that is known; give {role}_unit, "
                f"for example {role}_unit={_PLAIN_UNIT[role]!r}"
            )
        if unit.quantity != quantity:
            raise CurveError(
                f"column {name!r} has the unit {text!r}, which is none of {quantity}; column_map settles it"
            )
        if unit.text in ("kg", "lb", "gf") and role == "force":
            message = f"column {name!r} is in {text!r}: taken as a force at standard gravity"
            findings.append(Finding("MASS_AS_FORCE", Severity.WARNING, Effect.WARN, message))
        return unit
    plain = _PLAIN_UNIT[role]
    if role != "time":  # which decides nothing that is computed
        message = f"column {name!r} has no unit: taken as {plain}; {role}_unit settles it"
        findings.append(Finding("UNIT_ASSUMED", Severity.WARNING, Effect.WARN, message))
    unit = parse_unit(plain)
    assert unit is not None
    return unit
