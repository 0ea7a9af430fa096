"""A solid becomes toolpaths."""

from __future__ import annotations

from toughopt.errors import UnknownName
from toughopt.slicing.base import Layer, Line, Role, Slicer, Toolpaths
from toughopt.slicing.native import NativeSlicer
from toughopt.slicing.prusaslicer import PrusaSlicer
from toughopt.slicing.vase import laying_wall, wall_range_mm

__all__ = [
    "Layer",
    "Line",
    "NativeSlicer",
    "PrusaSlicer",
    "Role",
    "Slicer",
    "Toolpaths",
    "laying_wall",
    "slicer",
    "wall_range_mm",
]


def slicer(name: str) -> Slicer:
    """The slicer called `name`: "native" or "prusaslicer".

    Raises
    ------
    UnknownName
        If there is no such slicer.
    """
    if name == "native":
        return NativeSlicer()
    if name == "prusaslicer":
        return PrusaSlicer()
    raise UnknownName("slicer", name, ("native", "prusaslicer"))
