"""`toughopt gcode`: what a program would do to a machine, and whether it may."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import existing_file, json_option, show_json

if TYPE_CHECKING:
    from toughopt.gcode import CheckReport, Program

printer_option = click.option(
    "-p", "--printer", default="virtual", show_default=True, help="Printer profile, or a TOML file."
)


@click.command()
@click.argument("file", type=existing_file())
@printer_option
@click.option("--render", type=click.Path(path_type=Path, dir_okay=False), help="PNG of the layers to write.")
@json_option
def gcode_command(file: Path, printer: str, render: Path | None, as_json: bool) -> None:
    """Inspect and check any G-code: where it goes, temperatures, speed, layers, time, filament; is it safe to print?

    It is checked against the machine of the profile. Exit code 2 where it may not be printed there.
    """
    from toughopt.errors import ProgramError
    from toughopt.gcode import check, read_program
    from toughopt.gcode import render as draw
    from toughopt.printing.refusal import as_sent, is_refused
    from toughopt.profiles import load_profile

    profile = load_profile(printer)
    program = read_program(file)
    report = as_sent(check(program, profile), program, profile)
    if render is not None:
        draw(program, render)
    if as_json:
        show_json({"file": str(file), "printer": profile.name, **program_facts(program, report, ())})
    else:
        for line in _told(file, program, report, profile.name):
            click.echo(line)
    if not report.ok:
        told = (
            "it would not be printed"
            if is_refused(report)
            else "`toughopt print` turns off what is left on, other hosts may not"
        )
        raise ProgramError(f"{file} fails the checks for {profile.name}; {told}")


def _told(file: Path, program: Program, report: CheckReport, printer: str) -> list[str]:
    """The same for people."""
    minutes, grams = program.time_s / 60, program.filament_g
    goes = ", ".join(
        f"{axis} {low:.1f} to {high:.1f}" for axis, low, high in zip("xyz", *report.travel_bounds_mm, strict=True)
    )
    lines = [
        f"{file}: {program.layer_count} layers, {minutes:.1f} min, {program.filament_mm:.0f} mm, {grams:.2f} g",
        f"  goes to:      {goes} mm",
        f"  gets as hot:  nozzle {report.max_nozzle_c:g} °C, bed {report.max_bed_c:g} °C",
        f"  fastest move: {report.fastest_mm_s:.0f} mm/s",
    ]
    for finding in report.findings:
        where = f"{file.name}, line {finding.line}: " if finding.line else ""
        lines.append(f"{finding.severity}: {where}{finding.message}")
    errors, warned = len(report.errors), len(report.warnings)
    told = f", with {warned} warning{'s' * (warned != 1)}" if warned else ""
    verdict = f"safe to print on {printer}{told}"
    return [*lines, verdict if report.ok else f"not safe to print on {printer}: {errors} error{'s' * (errors != 1)}"]


def program_facts(program: Program, report: CheckReport, warnings: tuple[str, ...]) -> dict[str, Any]:
    """A program and what its check found, as `--json` shows them."""
    return {
        "layers": program.layer_count,
        "lines": program.line_count,
        "time_s": program.time_s,
        "filament_mm": program.filament_mm,
        "filament_g": program.filament_g,
        "bounds_mm": program.bounds_mm,
        "travel_bounds_mm": report.travel_bounds_mm,
        "max_nozzle_c": report.max_nozzle_c,
        "max_bed_c": report.max_bed_c,
        "fastest_mm_s": report.fastest_mm_s,
        "sha256": program.sha256,
        "ok": report.ok,
        "findings": [finding_facts(finding) for finding in report.findings],
        "warnings": list(warnings),
    }


def finding_facts(finding: Any) -> dict[str, Any]:
    """One finding of a check, of a solid or of a program."""
    return {name: getattr(finding, name) for name in finding.__dataclass_fields__}
