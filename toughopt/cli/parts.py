"""Designs and meshes: families, printers, make, slice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import (
    as_design,
    existing_file,
    json_option,
    make_folder,
    say,
    show_json,
    table,
    usable,
    write_text_whole,
)
from toughopt.cli.programs import finding_facts, printer_option, program_facts

if TYPE_CHECKING:
    from toughopt.families import Parameter, SpiralWall
    from toughopt.gcode import CheckReport, Program
    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile

_slicer = click.option("--slicer", "slicer_name", default="native", show_default=True, help="native or prusaslicer.")


@click.command()
@click.argument("name", required=False)
@json_option
def families_command(name: str | None, as_json: bool) -> None:
    """The families of structures that can be made, or all about one."""
    from toughopt.families import available_families, family

    names = [name] if name else usable(sorted(available_families()), family)
    found = [_family_facts(family(each)) for each in names]
    if as_json:
        show_json(found[0] if name else found)
        return
    for facts in found:
        columns = ["parameter", "kind", "range", "default", "meaning"]
        rows = [_parameter_row(entry, "") for entry in facts["parameters"]]
        rows += [_parameter_row(entry, ", fixed") for entry in facts["fixed_parameters"]]
        table(f"{facts['name']} {facts['version']}", columns, rows)


def _parameter_row(entry: dict[str, Any], held: str) -> list[Any]:
    return [entry["name"], f"{entry['kind']}{held}", entry["range"], str(entry["default"]), entry["description"]]


def _family_facts(family: Any) -> dict[str, Any]:
    known = {parameter.name: parameter for parameter in getattr(family, "documented", ())}
    fixed = [known[name] for name in family.fixed if name in known]
    return {
        "name": family.name,
        "version": family.version,
        "print_mode": family.print_mode,
        "parameters": [_parameter_facts(parameter) for parameter in family.parameters],
        "fixed": dict(family.fixed),
        "fixed_parameters": [_parameter_facts(p) | {"default": family.fixed[p.name]} for p in fixed],
        "features": list(family.feature_names),
    }


def _parameter_facts(parameter: Parameter) -> dict[str, Any]:
    """A parameter as `--json` shows it; `range` is what may be chosen, in words."""
    keys = ("name", "kind", "low", "high", "step", "default", "unit", "description")
    facts = {key: getattr(parameter, key) for key in keys}
    return facts | {"values": list(parameter.categories) or None, "range": parameter.allowed}


@click.command()
@click.option("--scan", is_flag=True, help="Ask every serial port what is behind it, without moving anything.")
@click.option("--host", "hosts", multiple=True, help="Ask this host for OctoPrint and Moonraker, as often as wanted.")
@json_option
def printers_command(scan: bool, hosts: tuple[str, ...], as_json: bool) -> None:
    """The printer profiles; with --scan, the machines that are connected."""
    from toughopt.profiles import available_profiles, load_profile

    if scan or hosts:
        from dataclasses import asdict

        from toughopt.printing import scan_hosts, scan_ports

        ports = [asdict(port) for port in scan_ports()] if scan else []
        if hosts:
            found = [asdict(host) for host in scan_hosts(hosts)]
            if as_json:
                show_json([*ports, *found])
            elif found:
                table("", list(found[0]), [list(host.values()) for host in found])
            else:
                click.echo(f"neither OctoPrint nor Moonraker answers at {', '.join(hosts)}")
            if as_json or not scan:
                return
        if as_json:
            show_json(ports)
        elif ports:
            table("", list(ports[0]), [list(port.values()) for port in ports])
        else:
            click.echo("no serial port was found")
        return
    profiles = [load_profile(name) for name in sorted(available_profiles())]
    if as_json:
        show_json([profile.model_dump(mode="json") for profile in profiles])
        return
    columns = ["profile", "machine", "firmware", "bed_mm", "height_mm", "nozzle_mm", "layer_mm", "material"]
    table("", columns, [_printer_row(profile) for profile in profiles])


def _printer_row(profile: PrinterProfile) -> list[Any]:
    bed = " x ".join(f"{size:g}" for size in profile.bed.size_mm)
    head = [profile.name, profile.title, profile.firmware, bed, profile.bed.height_mm]
    return [*head, profile.nozzle.diameter_mm, profile.slicing.layer_height_mm, profile.filament.material]


@click.command()
@click.argument("family_name", metavar="FAMILY")
@click.argument("design", metavar="[PARAM=VALUE...]", nargs=-1)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write to."
)
@printer_option
@_slicer
@json_option
def make_command(
    family_name: str, design: tuple[str, ...], output: Path, printer: str, slicer_name: str, as_json: bool
) -> None:
    """One design to STL and 3MF, G-code, a preview picture and a JSON of its figures.

    Parameters that the family holds fixed can be given too, e.g. height=12.
    """
    from toughopt.cli.walls import wall_warnings
    from toughopt.families import family, spiral_wall
    from toughopt.geometry import check_solid, export, render_preview
    from toughopt.profiles import load_profile, with_slicing
    from toughopt.slicing import laying_wall

    given = as_design(design)
    plain = family(family_name)
    fixed = {name: value for name, value in given.items() if name in plain.fixed}
    made = family(family_name, **fixed)
    chosen = {p.name: p.default for p in made.parameters}
    chosen |= {name: value for name, value in given.items() if name not in fixed}
    complete = made.complete(chosen)
    solid = made.solid(complete)
    profile = with_slicing(load_profile(printer), {"mode": made.print_mode}, f"how {made.name} is printed:")
    wall = spiral_wall(made, complete)
    if wall is not None:
        profile = laying_wall(profile, wall.thickness_mm)
    program, report, warnings = _programmed(solid, profile, slicer_name, complete, made.name)
    if wall is not None:
        warnings = (*wall_warnings(wall, profile), *warnings)
    make_folder(output)
    for suffix in ("stl", "3mf"):
        export(solid, output / f"part.{suffix}")
    title = f"{made.name}, a wall around {solid.volume_mm3:,.0f} mm³"
    render_preview(solid, output / "part.png", title=None if wall is None else title)
    write_text_whole(output / "part.gcode", program.text)
    low, high = solid.bounds_mm
    files = [str(output / f"part.{suffix}") for suffix in ("stl", "3mf", "gcode", "png", "json")]
    facts = {
        "family": made.name,
        "design": complete,
        **_mass_facts(solid, profile, wall),
        "bounding_box_mm": [float(value) for value in high - low],
        "checks": [finding_facts(finding) for finding in check_solid(solid, profile)],
        "features": dict(zip(made.feature_names, made.features(_columns(complete))[0].tolist(), strict=True)),
        "program": program_facts(program, report, warnings),
        "files": files,
    }
    write_text_whole(output / "part.json", json.dumps(facts, indent=2))
    if as_json:
        show_json(facts)
        return
    for warning in warnings:
        say(f"warning: {warning}")
    what = f" as designed, a wall of {wall.thickness_mm:.3g} mm" if wall is not None else ""
    minutes = program.time_s / 60
    click.echo(f"{facts['mass_g']:.2f} g{what}, {program.layer_count} layers, {minutes:.1f} min, in {output}:")
    for name in files:
        click.echo(f"  {name}")


@click.command("slice")
@click.argument("mesh", type=existing_file())
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="G-code to write.")
@printer_option
@_slicer
@click.option(
    "--scale", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Factor on all lengths: 25.4 for inches."
)
@json_option
def slice_command(mesh: Path, output: Path, printer: str, slicer_name: str, scale: float, as_json: bool) -> None:
    """Any STL, 3MF, OBJ, PLY, OFF or GLB to G-code.

    A file that does not say its unit is taken to be in mm; --scale is for those in another.
    """
    from toughopt.cli.walls import wall_of, wall_warnings
    from toughopt.geometry import load_mesh
    from toughopt.profiles import load_profile
    from toughopt.slicing import laying_wall

    solid, profile = load_mesh(mesh, scale=scale), load_profile(printer)
    wall = wall_of(mesh) if scale == 1.0 else None
    if wall is not None:
        profile = laying_wall(profile, wall.thickness_mm)
    program, report, warnings = _programmed(solid, profile, slicer_name, None, mesh.stem)
    warnings = (*solid.warnings, *(wall_warnings(wall, profile) if wall else ()), *warnings)
    write_text_whole(output, program.text)
    facts = {"file": str(output), **program_facts(program, report, warnings)}
    if as_json:
        show_json(facts)
    else:
        for warning in warnings:
            say(f"warning: {warning}")
        click.echo(f"{output}: {program.layer_count} layers, {program.time_s / 60:.1f} min, {program.filament_g:.2f} g")


def _mass_facts(solid: Solid, profile: PrinterProfile, wall: SpiralWall | None) -> dict[str, Any]:
    """Volume, mass and surface; of a part that is printed as a spiral they are those of its envelope, and called so."""
    filled = {
        "volume_mm3": solid.volume_mm3,
        "mass_g": solid.volume_mm3 * profile.filament.density_g_per_cm3 / 1000.0,
        "area_mm2": solid.area_mm2,
    }
    if wall is None:
        return filled
    around = {f"envelope_{name}": value for name, value in filled.items()}
    return {"mass_g": wall.mass_g, "wall_mm": wall.thickness_mm, **around}


def _programmed(
    solid: Solid, profile: PrinterProfile, slicer_name: str, design: dict[str, Any] | None, name: str
) -> tuple[Program, CheckReport, tuple[str, ...]]:
    from toughopt.errors import ProgramError
    from toughopt.gcode import check, write_program
    from toughopt.slicing import slicer

    toolpaths = slicer(slicer_name).slice(solid, profile)
    program = write_program(toolpaths, profile, design=design, family=name, date=datetime.now(UTC))
    report = check(program, profile)
    if not report.ok:
        problems = "; ".join(finding.message for finding in report.findings if finding.severity == "error")
        raise ProgramError(f"the program of {name} fails the checks for {profile.name}: {problems}")
    return program, report, toolpaths.warnings


def _columns(design: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    return {name: np.array([value]) for name, value in design.items()}
