"""A solid becomes toolpaths."""

from __future__ import annotations

from toughopt.errors import UnknownName
from toughopt.slicing.base import Layer, Line, Role, Slicer, Toolpaths
from toughopt.slicing.native import NativeSlicer

__all__ = ["Layer", "Line", "NativeSlicer", "Role", "Slicer", "Toolpaths", "slicer"]


def slicer(name: str) -> Slicer:
    """The slicer called `name`: "native" or "prusaslicer".

    Raises
    ------
    UnknownName
        If there is no such slicer.
    """
    if name == "native":
        return NativeSlicer()
    raise UnknownName("slicer", name, ("native", "prusaslicer"))
