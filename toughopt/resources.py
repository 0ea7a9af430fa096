"""Where the shipped data lies: printer profiles and G-code templates, in a wheel as in a checkout."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def printer_profiles() -> Traversable:
    """The folder of the shipped printer profiles."""
    return _folder("data_printers", "printers")


def gcode_templates() -> Traversable:
    """The folder of the shipped G-code templates."""
    return _folder("data_gcode_templates", "gcode_templates")


def _folder(package: str, name: str) -> Traversable:
    try:
        return files(import_module(f"toughopt.{package}"))
    except ModuleNotFoundError:  # a checkout on PYTHONPATH, never installed
        return Path(__file__).parent.parent / name
