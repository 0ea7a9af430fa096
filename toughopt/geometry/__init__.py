"""Solids: sweep, union, checks, export."""

from toughopt.geometry.export import export
from toughopt.geometry.polygons import circle, circle_sides
from toughopt.geometry.solid import Solid, combine, from_arrays
from toughopt.geometry.sweep import leaning_tubes, lofts

__all__ = ["Solid", "circle", "circle_sides", "combine", "export", "from_arrays", "leaning_tubes", "lofts"]
