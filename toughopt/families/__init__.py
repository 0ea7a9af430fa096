"""Parametric structures: a design becomes a solid."""

from toughopt.families.base import Design, Designs, Family, Parameter, Value
from toughopt.families.crossed_barrel import SMALL_SPECIMEN, CrossedBarrel
from toughopt.families.cylindrical_shell import CylindricalShell
from toughopt.families.parametric import Fault, ParametricFamily
from toughopt.families.registry import available_families, family
from toughopt.families.spiral_wall import SpiralWall, designed_mass_g, spiral_wall, spiral_walls
from toughopt.families.strut_lattice import StrutLattice
from toughopt.families.tpms_shell import TpmsShell
from toughopt.families.user import family_from_function

__all__ = [
    "SMALL_SPECIMEN",
    "CrossedBarrel",
    "CylindricalShell",
    "Design",
    "Designs",
    "Family",
    "Fault",
    "Parameter",
    "ParametricFamily",
    "SpiralWall",
    "StrutLattice",
    "TpmsShell",
    "Value",
    "available_families",
    "designed_mass_g",
    "family",
    "family_from_function",
    "spiral_wall",
    "spiral_walls",
]
