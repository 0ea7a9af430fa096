"""Solids: sweep, union, checks, export."""

from toughopt.geometry.checks import Finding, check_solid
from toughopt.geometry.export import export
from toughopt.geometry.grid import Grid
from toughopt.geometry.isosurface import box_layer
from toughopt.geometry.load import load_mesh
from toughopt.geometry.polygons import circle, circle_sides
from toughopt.geometry.preview import draw_solid, render_preview
from toughopt.geometry.solid import Solid, combine, from_arrays, gathered, main_body, manifold_from
from toughopt.geometry.sweep import leaning_tubes, lofts, rotation_minimising_frames, swept_tube
from toughopt.geometry.tiling import mirrored_fan, mirrored_tiles

__all__ = [
    "Finding",
    "Grid",
    "Solid",
    "box_layer",
    "check_solid",
    "circle",
    "circle_sides",
    "combine",
    "draw_solid",
    "export",
    "from_arrays",
    "gathered",
    "leaning_tubes",
    "load_mesh",
    "lofts",
    "main_body",
    "manifold_from",
    "mirrored_fan",
    "mirrored_tiles",
    "render_preview",
    "rotation_minimising_frames",
    "swept_tube",
]
