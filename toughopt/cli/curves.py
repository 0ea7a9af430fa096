"""`toughopt analyze`: test-machine files to toughness and its companions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import Number, existing_file, json_option, say, show_json, table

if TYPE_CHECKING:
    from toughopt.compression import Curve

_MOST_BESIDE = 4  # specimens as columns; more of them are rows, and the figures' names are folded
_size = Number(min=0, min_open=True)

# how a message names what would help in Python and in campaign.toml, and the option that says so here
_NAMES = re.compile(
    r"\b(force_unit|displacement_unit|force_limit_n|contact_force_n|height_mm|mass_g|area_mm2|end_value|encoding|decimal)"
    r"(?:='([^']*)'|=(?= )|(?<!encoding)(?<!decimal)\b)"
)
_COLUMNS = (
    (r"column_map=\{'(\w+)': name\}", r"--column \1=NAME"),
    (r"column_map=\{'(\w+)': index\}", r"--column \1=NUMBER"),
    (r"\bcolumn_map (says|names)\b", r"--column \1"),
    (r"\bcolumn_map\b", "--column ROLE=NAME"),
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=existing_file())
@click.option("--height-mm", type=_size, help="Height of the specimen before the test.")
@click.option("--mass-g", type=_size, help="Its mass.")
@click.option("--area-mm2", type=_size, help="Its footprint.")
@click.option("--force-limit-n", type=_size, help="The load limit of the test.")
@click.option("--end", help="Where the area ends: end_of_loading (default), first_break, densification, strain, ...")
@click.option("--end-value", type=_size, help="With --end strain, displacement or force: its value.")
@click.option("--toe", help="none (default: from contact on), or astm_d695: from where the steepest line meets zero.")
@click.option("--compliance-mm-per-n", type=Number(min=0), help="Of the machine, to be subtracted.")
@click.option(
    "--contact-force-n", type=_size, help="Force above the baseline at which the plates touch; 1 N by default."
)
@click.option("--reader", help="Take the files for this software's (default: by what they hold).")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark, where a file leaves it open.")
@click.option("--separator", help="Column separator, where a file leaves it open; tab is one too.")
@click.option("--encoding", help="Text encoding, e.g. cp1250.")
@click.option("--force-unit", help="N, kN, lbf, ... where a file does not say.")
@click.option("--displacement-unit", help="mm, in, ... where a file does not say.")
@click.option("--column", "columns", multiple=True, metavar="ROLE=NAME", help="e.g. force=Load; as often as wanted.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Picture of the curves to write.")
@click.option("--replicates", is_flag=True, help="The curves are of one design: draw their mean and its band.")
@json_option
def analyze_command(
    files: tuple[Path, ...],
    height_mm: float | None,
    mass_g: float | None,
    area_mm2: float | None,
    force_limit_n: float | None,
    end: str | None,
    end_value: float | None,
    toe: str | None,
    compliance_mm_per_n: float | None,
    contact_force_n: float | None,
    columns: tuple[str, ...],
    plot: Path | None,
    replicates: bool,
    as_json: bool,
    **reading: str | None,
) -> int:
    """Toughness and its companions from test-machine files.

    Exit code 1 where a test is rejected: its toughness is then null, and the reason is in its warnings; 2 where a file
    cannot be read, after the others were.
    """
    from toughopt.compression import AnalysisSettings, analyze_file
    from toughopt.errors import CurveError

    chosen = {
        "force_limit_n": force_limit_n,
        "end": end,
        "end_value": end_value,
        "toe": toe,
        "compliance_mm_per_n": compliance_mm_per_n,
        "contact_force_n": contact_force_n,
    }
    wanted: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    try:
        settings = AnalysisSettings(**wanted)
    except CurveError as error:
        raise CurveError(_as_typed(str(error))) from error
    size: dict[str, Any] = {"height_mm": height_mm, "mass_g": mass_g, "area_mm2": area_mm2, "settings": settings}
    told: dict[str, Any] = {name: value for name, value in reading.items() if value is not None}
    if (separator := told.get("separator")) is not None:
        told["separator"] = {"\\t": "\t", "tab": "\t"}.get(separator, separator)
    if columns:
        told["column_map"] = dict(_pair(column) for column in columns)
    found, read = [], []
    for file in files:
        try:
            found += analyze_file(file, **size, **told)
            read.append(file)
        except CurveError as error:
            if len(files) == 1:
                raise CurveError(_as_typed(str(error))) from error
            say(f"error: {_as_typed(str(error))}")
    if plot is not None and read:
        _draw(read, plot, replicates, size, told)
    entries = [analysis.as_dict() for analysis in found]
    if as_json:
        show_json(entries)
    else:
        names = ["file", "specimen", "toughness_j", "peak_force_n", "stiffness_n_per_mm", "max_displacement_mm"]
        names += ["specific_energy_j_per_g"] if mass_g else []
        names += ["energy_absorbing_efficiency", "densification_strain"] if height_mm else []
        short = {entry["file"]: Path(entry["file"]).name for entry in entries}
        if len(set(short.values())) < len(short):  # files of one name in several folders
            short = {file: file for file in short}
        shown = [{**entry, "file": short[entry["file"]]} for entry in entries]
        if len(shown) <= _MOST_BESIDE:
            heads = [" ".join(filter(None, (entry["file"], entry["specimen"]))) for entry in shown]
            table("", ["", *heads], [[name, *(entry[name] for entry in shown)] for name in names[2:]])
        else:
            table("", names, [[entry[name] for name in names] for entry in shown])
        for entry in shown:
            for warning in entry["warnings"]:
                say(" ".join(filter(None, (entry["file"], entry["specimen"]))) + f": {_as_typed(warning)}")
    if len(read) < len(files):
        return CurveError.exit_code
    return 1 if any(entry["toughness_j"] is None for entry in entries) else 0


def _as_typed(message: str) -> str:
    """A message that names arguments of Python, naming the options that are typed here."""
    for pattern, option in _COLUMNS:
        message = re.sub(pattern, option, message)
    return _NAMES.sub(lambda found: f"--{found[1].replace('_', '-')}" + (f" {found[2]}" if found[2] else ""), message)


def _draw(files: list[Path], target: Path, replicates: bool, size: dict[str, Any], told: dict[str, Any]) -> None:
    from toughopt.compression import figure, read_curves
    from toughopt.plots import save_figure_to

    curves: list[Curve] = []
    names: list[str] = []
    for file in files:
        held = read_curves(file, **told)
        curves += held
        if len(files) == 1:
            names += [curve.specimen or str(number) for number, curve in enumerate(held, start=1)]
        else:
            names += [" ".join(filter(None, (file.stem, curve.specimen))) for curve in held]
    shown = {name: size[name] for name in ("height_mm", "area_mm2", "settings")}
    title = files[0].name if len(curves) == 1 else ""
    drawn = figure(curves, **shown, title=title, names=names, replicates=True if replicates else None)
    save_figure_to(drawn, target)


def _pair(text: str) -> tuple[str, str | int]:
    role, equals, name = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not of the form ROLE=NAME, e.g. force=Load")
    return role, int(name) if name.isdigit() else name
