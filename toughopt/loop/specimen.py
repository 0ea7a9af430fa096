"""From a design to a program that passed its checks: pure work, fit for any thread or process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from toughopt.errors import ProgramError
from toughopt.profiles import PrinterProfile

if TYPE_CHECKING:
    from toughopt.families import Family
    from toughopt.gcode import Program


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that turns a design into a program, besides the design."""

    family: Family
    profile: PrinterProfile
    slicer: str
    campaign: str
    seed: int
    templates: Path | None = None  # a user's own folder of templates


@dataclass(frozen=True, slots=True)
class Prepared:
    """A design as solid and as program."""

    mesh: bytes  # 3MF
    volume_mm3: float
    mass_g: float
    program: Program
    slicer: str
    mesh_warnings: tuple[str, ...] = ()
    program_warnings: tuple[str, ...] = ()


def prepare(recipe: Recipe, experiment_id: int, design: dict[str, float | int | str], proposed_utc: str) -> Prepared:
    """Build, slice, write and check one design.

    Raises
    ------
    DesignError, MeshError
        If the family cannot make the design, or the slicer cannot print it.
    ProgramError
        If the checker refuses the program; it names each finding.
    """
    from toughopt.gcode import check, write_program
    from toughopt.geometry import check_solid, export
    from toughopt.slicing import slicer

    solid = recipe.family.solid(recipe.family.complete(design))
    toolpaths = slicer(recipe.slicer).slice(solid, recipe.profile)
    program = write_program(
        toolpaths,
        recipe.profile,
        design=design,
        family=f"{recipe.family.name} {recipe.family.version}",
        seed=recipe.seed,
        date=datetime.fromisoformat(proposed_utc),
        metadata={"campaign": recipe.campaign, "experiment": str(experiment_id)},
        templates_folder=recipe.templates,
    )
    report = check(program, recipe.profile)
    if not report.ok:
        problems = "; ".join(f.message for f in report.findings if f.severity == "error")
        raise ProgramError(f"the checker refuses the program of experiment {experiment_id}: {problems}")
    with TemporaryDirectory() as folder:
        target = Path(folder) / "part.3mf"
        export(solid, target)
        mesh = target.read_bytes()
    return Prepared(
        mesh=mesh,
        volume_mm3=solid.volume_mm3,
        mass_g=solid.volume_mm3 * recipe.profile.filament.density_g_per_cm3 / 1000.0,
        program=program,
        slicer=toolpaths.slicer,
        mesh_warnings=tuple(finding.message for finding in check_solid(solid, recipe.profile)),
        program_warnings=(*toolpaths.warnings, *(f.message for f in report.findings if f.severity == "warning")),
    )
