"""What the lines above a table say of the units of columns that name none themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from toughopt.compression.columns import could_be
from toughopt.compression.tables import Table
from toughopt.compression.units import parse_unit

_UNIT = r"[ _-]?(?:units?|einheit)\W*[:=\t,;]\W*([^\s,;\t\"()\[\]]+)"
KEYS: Mapping[str, re.Pattern[str]] = {
    role: re.compile(rf"^\W*(?:{words}){_UNIT}", re.IGNORECASE)
    for role, words in {
        "force": "force|load|kraft|last",
        "displacement": "displacement|travel|extension|position|stroke|deflection|length|weg",
        "time": "time|zeit",
    }.items()
}
_LIST = re.compile(r"^\W*(?:units?|einheiten|unités|unidades)\b\W*[:=\t,;](.+)$", re.IGNORECASE)
_QUANTITY = {"force": "force", "displacement": "length", "time": "time"}


def with_units(
    table: Table, keys: Mapping[str, re.Pattern[str]] = KEYS, usual: Mapping[str, str] | None = None
) -> Table:
    """The table with the units that its preamble tells, for columns that have none.

    Parameters
    ----------
    keys : for each of "force", "displacement" and "time" a line that tells its unit, the unit in group 1
    usual : units where the preamble tells none
    """
    if all(table.units):
        return table
    told = dict(usual or {})
    for line in table.preamble:
        told |= _listed(line)
        for role, pattern in keys.items():
            match = pattern.match(line)
            unit = parse_unit(match.group(1)) if match else None
            if match and unit is not None and unit.quantity == _QUANTITY[role]:
                told[role] = match.group(1)
    units = list(table.units)
    for index, name in enumerate(table.names):
        if name and not units[index]:
            units[index] = next((told[role] for role in told if could_be(role, name)), "")
    return replace(table, units=tuple(units))


def _listed(line: str) -> dict[str, str]:
    """The units of a line such as `Units: kN, mm`: nothing where it says anything else, or two of one quantity."""
    match = _LIST.match(line)
    words = [word for word in re.split(r"[\s,;/]+", match.group(1).strip(" ,;")) if word] if match else []
    units = [parse_unit(word) for word in words]
    found = {
        role: word
        for role, quantity in _QUANTITY.items()
        for word, unit in zip(words, units, strict=True)
        if unit is not None and unit.quantity == quantity
    }
    return found if len(found) == len(words) else {}
