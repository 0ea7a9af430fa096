"""A test-machine file becomes a curve, a curve becomes a toughness."""

from __future__ import annotations

from toughopt.compression.analysis import analyze, analyze_cycles, prepare
from toughopt.compression.base import Curve, Effect, Finding, Reader, ReadOptions, Severity
from toughopt.compression.drawing import figure
from toughopt.compression.efficiency import Efficiency, energy_absorbing_efficiency
from toughopt.compression.files import analyze_file
from toughopt.compression.own import write_csv
from toughopt.compression.reading import check_options, read_curves, readers
from toughopt.compression.results import FileAnalysis, Prepared, Toughness, as_json
from toughopt.compression.settings import AnalysisSettings

__all__ = [
    "AnalysisSettings",
    "Curve",
    "Effect",
    "Efficiency",
    "FileAnalysis",
    "Finding",
    "Prepared",
    "ReadOptions",
    "Reader",
    "Severity",
    "Toughness",
    "analyze",
    "analyze_cycles",
    "analyze_file",
    "as_json",
    "check_options",
    "energy_absorbing_efficiency",
    "figure",
    "prepare",
    "read_curves",
    "readers",
    "write_csv",
]
