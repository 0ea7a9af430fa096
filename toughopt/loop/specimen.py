"""From a design to a program that passed its checks: pure work, fit for any thread or process."""

from __future__ import annotations

from collections.abc import Mapping
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
    from toughopt.geometry import Solid
    from toughopt.slicing import Toolpaths


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that turns a design into a program, besides the design."""

    family: Family
    profile: PrinterProfile
    slicer: str
    campaign: str
    seed: int
    templates: Path | None = None  # a user's own folder of templates

    def designed_mass_g(self, design: Mapping[str, float | int | str]) -> float:
        """What the design weighs in the profile's filament, g; DesignError or MeshError where it cannot be made."""
        from toughopt.families import designed_mass_g

        whole = self.family.complete(design)
        volume_mm3 = self.family.solid(whole).volume_mm3
        return designed_mass_g(self.family, whole, volume_mm3, self.profile.filament.density_g_per_cm3)


@dataclass(frozen=True, slots=True)
class Order:
    """One design to be prepared; `filament_mm` is what the part shall take, where mass control says so."""

    recipe: Recipe
    experiment_id: int
    design: dict[str, float | int | str]
    proposed_utc: str
    filament_mm: float | None = None
    flow: float = 1.0  # extrusion multiplier to begin with


@dataclass(frozen=True, slots=True)
class Prepared:
    """A design as solid and as program."""

    mesh: bytes  # 3MF
    volume_mm3: float
    mass_g: float
    size_mm: tuple[float, float, float]
    program: Program
    slicer: str
    flow: float = 1.0
    part_filament_mm: float = 0.0
    mesh_warnings: tuple[str, ...] = ()
    program_warnings: tuple[str, ...] = ()


def prepare(order: Order) -> Prepared:
    """Build, slice, write and check one design.

    Raises
    ------
    DesignError, MeshError
        If the family cannot make the design, or the slicer cannot print it.
    ProgramError
        If the checker refuses the program; it names each finding.
    """
    from toughopt.families import designed_mass_g
    from toughopt.gcode import check, on_bed, write_program
    from toughopt.geometry import check_solid, export

    recipe = order.recipe
    whole = recipe.family.complete(order.design)
    solid = recipe.family.solid(whole)
    sliced = _sliced(order, solid, _profile(recipe, whole))
    profile, toolpaths = sliced.profile, sliced.toolpaths
    program = write_program(
        toolpaths,
        profile,
        design=order.design,
        family=f"{recipe.family.name} {recipe.family.version}",
        seed=recipe.seed,
        date=datetime.fromisoformat(order.proposed_utc),
        metadata={"campaign": recipe.campaign, "experiment": str(order.experiment_id)},
        templates_folder=recipe.templates,
    )
    report = check(program, profile, solid=on_bed(solid, profile))
    if not report.ok:
        problems = "; ".join(f.message for f in report.findings if f.severity == "error")
        raise ProgramError(f"the checker refuses the program of experiment {order.experiment_id}: {problems}")
    with TemporaryDirectory() as folder:
        target = Path(folder) / "part.3mf"
        export(solid, target)
        mesh = target.read_bytes()
    low, high = solid.bounds_mm
    return Prepared(
        mesh=mesh,
        volume_mm3=solid.volume_mm3,
        mass_g=designed_mass_g(recipe.family, whole, solid.volume_mm3, profile.filament.density_g_per_cm3),
        size_mm=(float(high[0] - low[0]), float(high[1] - low[1]), float(high[2] - low[2])),
        program=program,
        slicer=toolpaths.slicer,
        flow=sliced.flow,
        part_filament_mm=sliced.filament_mm,
        mesh_warnings=tuple(finding.message for finding in check_solid(solid, profile)),
        program_warnings=(
            *toolpaths.warnings,
            *sliced.warnings,
            *(f.message for f in report.findings if f.severity == "warning"),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Sliced:
    toolpaths: Toolpaths
    profile: PrinterProfile
    flow: float
    filament_mm: float
    warnings: tuple[str, ...] = ()


def _profile(recipe: Recipe, design: Mapping[str, float | int | str]) -> PrinterProfile:
    """The recipe's; a spiral's wall is laid as thick as it was designed, as far as the nozzle can."""
    from toughopt.families import spiral_wall
    from toughopt.slicing import laying_wall

    wall = spiral_wall(recipe.family, dict(design))
    return recipe.profile if wall is None else laying_wall(recipe.profile, wall.thickness_mm)


def _sliced(order: Order, solid: Solid, profile: PrinterProfile) -> _Sliced:
    """The part's toolpaths, sliced again until they take the filament that mass control asks for."""
    from toughopt.gcode import fit_flow, part_filament_mm, with_flow
    from toughopt.slicing import slicer

    tool = slicer(order.recipe.slicer)
    if order.filament_mm is None:
        toolpaths = tool.slice(solid, profile)
        return _Sliced(toolpaths, profile, 1.0, part_filament_mm(toolpaths, profile))
    tried: dict[float, tuple[Toolpaths, PrinterProfile]] = {}

    def length_at(multiplier: float) -> float:
        adjusted = with_flow(profile, multiplier)
        tried[multiplier] = tool.slice(solid, adjusted), adjusted
        return part_filament_mm(*tried[multiplier])

    fit = fit_flow(length_at, order.filament_mm, order.flow)
    toolpaths, adjusted = tried[fit.multiplier]
    return _Sliced(toolpaths, adjusted, fit.multiplier, fit.filament_mm, fit.warnings)
