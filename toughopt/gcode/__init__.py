"""Toolpaths become a program; programs are parsed, checked, timed and turned into what they lay down."""

from toughopt.gcode.base import ExecutedPath, Program
from toughopt.gcode.check import check
from toughopt.gcode.deposit import Deposit, LayerTable, deposit
from toughopt.gcode.mass import FlowFit, MassControl, MassReading, fit_flow, part_filament_mm, with_flow
from toughopt.gcode.moves import Moves, parse
from toughopt.gcode.path import path_of, taken_at_its_word
from toughopt.gcode.planner import Plan, estimate_time_s, plan
from toughopt.gcode.raster import Grid
from toughopt.gcode.reader import read_program
from toughopt.gcode.reconstruct import Reconstruction, on_bed, reconstruct
from toughopt.gcode.render import picture, render, thumbnail
from toughopt.gcode.report import CheckReport, Finding, LayerFigures, Severity
from toughopt.gcode.sections import LayerSection, layer_sections
from toughopt.gcode.templates import TemplateFolder
from toughopt.gcode.writer import write_program

__all__ = [
    "CheckReport",
    "Deposit",
    "ExecutedPath",
    "Finding",
    "FlowFit",
    "Grid",
    "LayerFigures",
    "LayerSection",
    "LayerTable",
    "MassControl",
    "MassReading",
    "Moves",
    "Plan",
    "Program",
    "Reconstruction",
    "Severity",
    "TemplateFolder",
    "check",
    "deposit",
    "estimate_time_s",
    "fit_flow",
    "layer_sections",
    "on_bed",
    "parse",
    "part_filament_mm",
    "path_of",
    "picture",
    "plan",
    "read_program",
    "reconstruct",
    "render",
    "taken_at_its_word",
    "thumbnail",
    "with_flow",
    "write_program",
]
