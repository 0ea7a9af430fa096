"""`toughopt analyze`: test-machine files to toughness and its companions."""

from __future__ import annotations

from pathlib import Path

import click

from toughopt.cli.output import existing_file, json_option, say, show_json, table


@click.command()
@click.argument("files", nargs=-1, required=True, type=existing_file())
@click.option(
    "--height-mm", type=click.FloatRange(min=0, min_open=True), help="Height of the specimen before the test."
)
@click.option("--mass-g", type=click.FloatRange(min=0, min_open=True), help="Its mass.")
@click.option("--area-mm2", type=click.FloatRange(min=0, min_open=True), help="Its footprint.")
@click.option("--force-limit-n", type=click.FloatRange(min=0, min_open=True), help="The load limit of the test.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Picture of the curves to write.")
@json_option
def analyze_command(
    files: tuple[Path, ...],
    height_mm: float | None,
    mass_g: float | None,
    area_mm2: float | None,
    force_limit_n: float | None,
    plot: Path | None,
    as_json: bool,
) -> int:
    """Toughness and its companions from test-machine files.

    Exit code 1 where a test is rejected: its toughness is then null, and the reason is in its warnings.
    """
    from toughopt.compression import AnalysisSettings, analyze_file, save_figure

    settings = AnalysisSettings() if force_limit_n is None else AnalysisSettings(force_limit_n=force_limit_n)
    entries = [
        entry
        for file in files
        for entry in analyze_file(file, height_mm=height_mm, mass_g=mass_g, area_mm2=area_mm2, settings=settings)
    ]
    if plot is not None:
        save_figure(files, plot, height_mm=height_mm, mass_g=mass_g, area_mm2=area_mm2, settings=settings)
    if as_json:
        show_json(entries)
    else:
        names = ["file", "specimen", "toughness_j", "peak_force_n", "stiffness_n_per_mm", "max_displacement_mm"]
        rows = [[entry[name] for name in names] for entry in entries]
        table("", names, rows)
        for entry in entries:
            for warning in entry["warnings"]:
                say(f"{entry['file']} {entry['specimen']}: {warning}".replace("  ", " "))
    return 1 if any(entry["toughness_j"] is None for entry in entries) else 0
