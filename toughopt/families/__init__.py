"""Parametric structures: a design becomes a solid."""

from toughopt.families.base import Design, Designs, Family, Parameter, Value
from toughopt.families.crossed_barrel import SMALL_SPECIMEN, CrossedBarrel
from toughopt.families.cylindrical_shell import CylindricalShell
from toughopt.families.parametric import Fault, ParametricFamily
from toughopt.families.registry import available_families, family

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
    "Value",
    "available_families",
    "family",
]
