"""Files in, analyses out: what the command line and the loop call."""

from __future__ import annotations

from pathlib import Path

from toughopt.compression.analysis import analyze, analyze_cycles
from toughopt.compression.base import Reader
from toughopt.compression.reading import read_curves
from toughopt.compression.results import FileAnalysis
from toughopt.compression.settings import AnalysisSettings


def analyze_file(
    path: str | Path,
    *,
    height_mm: float | None = None,
    mass_g: float | None = None,
    area_mm2: float | None = None,
    settings: AnalysisSettings | None = None,
    reader: str | Reader | None = None,
    column_map: dict[str, str | int] | None = None,
    decimal: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    force_unit: str | None = None,
    displacement_unit: str | None = None,
    time_unit: str | None = None,
) -> list[FileAnalysis]:
    """Every specimen in a test machine's file, analysed; the parameters are those of `read_curves` and `analyze`.

    Raises
    ------
    CurveError
        If the file holds no usable test, or can be read in two ways.
    """
    curves = read_curves(
        path,
        reader=reader,
        column_map=column_map,
        decimal=decimal,
        separator=separator,
        encoding=encoding,
        force_unit=force_unit,
        displacement_unit=displacement_unit,
        time_unit=time_unit,
    )
    found = []
    for curve in curves:
        result = analyze(curve, height_mm=height_mm, mass_g=mass_g, area_mm2=area_mm2, settings=settings)
        cyclic = any(finding.code == "CYCLIC" for finding in result.findings)
        cycles = (
            analyze_cycles(curve, height_mm=height_mm, mass_g=mass_g, area_mm2=area_mm2, settings=settings)
            if cyclic
            else ()
        )
        found.append(FileAnalysis(str(path), curve.specimen, result, cycles))
    return found
