"""A lab that needs no hardware: printers, hands, a scale and a press that behave as real ones do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toughopt.virtual.anatomy import Structure, structure
    from toughopt.virtual.exporter import VirtualPress
    from toughopt.virtual.lab import VirtualHandler, VirtualLab, specimen_seed
    from toughopt.virtual.mechanics import StrutConstants, nominal_toughness
    from toughopt.virtual.press import PressSettings, crush, simulate
    from toughopt.virtual.scale import VirtualScale
    from toughopt.virtual.small import small_campaign
    from toughopt.virtual.struts import Struts

_HOMES = {
    "PressSettings": "press",
    "Structure": "anatomy",
    "StrutConstants": "mechanics",
    "Struts": "struts",
    "VirtualHandler": "lab",
    "VirtualLab": "lab",
    "VirtualPress": "exporter",
    "VirtualScale": "scale",
    "crush": "press",
    "nominal_toughness": "mechanics",
    "simulate": "press",
    "small_campaign": "small",
    "specimen_seed": "lab",
    "structure": "anatomy",
}

__all__ = [
    "PressSettings",
    "Structure",
    "StrutConstants",
    "Struts",
    "VirtualHandler",
    "VirtualLab",
    "VirtualPress",
    "VirtualScale",
    "crush",
    "nominal_toughness",
    "simulate",
    "small_campaign",
    "specimen_seed",
    "structure",
]


def __getattr__(name: str) -> object:
    # a virtual printer's process starts faster without what the press needs
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
