"""Which families there are: the shipped ones, and those of other packages through `toughopt.families`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from toughopt.errors import UnknownName
from toughopt.extensions import made_by, named
from toughopt.families.base import Family
from toughopt.families.crossed_barrel import CrossedBarrel
from toughopt.families.cylindrical_shell import CylindricalShell
from toughopt.families.strut_lattice import StrutLattice
from toughopt.families.tpms_shell import TpmsShell

ENTRY_POINT_GROUP = "toughopt.families"

_SHIPPED: dict[str, Callable[..., Family]] = {
    CrossedBarrel.name: CrossedBarrel,
    CylindricalShell.name: CylindricalShell,
    StrutLattice.name: StrutLattice,
    TpmsShell.name: TpmsShell,
}


def available_families() -> tuple[str, ...]:
    """Names of all families, shipped ones first, then those that installed packages add."""
    others = sorted({point.name for point in entry_points(group=ENTRY_POINT_GROUP)} - _SHIPPED.keys())
    return (*_SHIPPED, *others)


def family(name: str, **fixed: Any) -> Family:
    """The family called `name`.

    Parameters
    ----------
    name : one of `available_families()`
    **fixed : values of parameters that every design shall share, ``height=6.0``; a pair ``height=(10.0, 30.0)`` lets
        an optimizer choose it between those limits instead

    Raises
    ------
    UnknownName
        If there is no such family; the message lists the nearest names.
    DesignError
        If a parameter of that name does not exist, or cannot have that value.
    ConfigError
        If another package's family cannot be loaded, or is none.
    """
    if name in _SHIPPED:
        return _SHIPPED[name](**fixed)
    point = named("family", name, entry_points(group=ENTRY_POINT_GROUP))
    if point is None:
        raise UnknownName("family", name, available_families())
    made: Family = made_by("family", point, Family, **fixed)
    return made
