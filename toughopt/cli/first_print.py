"""`toughopt first-print`: asks for a machine's limits and writes its profile. Heats nothing, moves nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import json_option, make_folder, say, show_json, write_text_whole

if TYPE_CHECKING:
    from toughopt.printing import FoundPort
    from toughopt.profiles import PrinterProfile

# What printers of plastic are within, with room to spare: beyond it a figure is in other units, or mistyped.
_bed = click.FloatRange(min=20, max=3000)
_nozzle = click.FloatRange(min=0.1, max=2)
_filament = click.FloatRange(min=1, max=4)
_heat = click.FloatRange(min=50, max=500)
_warmth = click.FloatRange(min=0, max=200)
_bed_limit = click.FloatRange(min=20, max=200)  # the room's own warmth is within it, also where nothing heats the bed

# option: (question, its type, where a profile says it)
_QUESTIONS: dict[str, tuple[str, click.ParamType[Any], tuple[str | int, ...]]] = {
    "width_mm": ("Width of the bed, x, mm", _bed, ("bed", "size_mm", 0)),
    "depth_mm": ("Depth of the bed, y, mm", _bed, ("bed", "size_mm", 1)),
    "height_mm": ("Largest height of a part, mm", _bed, ("bed", "height_mm")),
    "nozzle_mm": ("Diameter of the nozzle, mm", _nozzle, ("nozzle", "diameter_mm")),
    "material": ("Filament", click.STRING, ("filament", "material")),
    "filament_mm": ("Diameter of the filament, mm", _filament, ("filament", "diameter_mm")),
    "nozzle_c": ("Temperature at which it is printed, deg C", _heat, ("filament", "nozzle_c")),
    "bed_c": ("Temperature of the bed, deg C (0: not heated)", _warmth, ("filament", "bed_c")),
    "max_nozzle_c": ("Hottest that the nozzle may ever get, deg C", _heat, ("limits", "max_nozzle_c")),
    "max_bed_c": ("Hottest that the bed may ever get, deg C", _bed_limit, ("limits", "max_bed_c")),
}


@click.command("first-print")
@click.argument("name", default="my_printer")
@click.option("--like", help="The nearest shipped profile (`toughopt printers` lists them).")
@click.option("--width-mm", type=_bed, help="Width of the bed, x.")
@click.option("--depth-mm", type=_bed, help="Depth of the bed, y.")
@click.option("--height-mm", type=_bed, help="Largest height of a part.")
@click.option("--nozzle-mm", type=_nozzle, help="Diameter of the nozzle.")
@click.option("--material", help="Filament.")
@click.option("--filament-mm", type=_filament, help="Diameter of the filament.")
@click.option("--nozzle-c", type=_heat, help="Temperature at which it is printed.")
@click.option("--bed-c", type=_warmth, help="Temperature of the bed; 0 where it is not heated.")
@click.option("--max-nozzle-c", type=_heat, help="Hottest that the nozzle may ever get.")
@click.option("--max-bed-c", type=_bed_limit, help="Hottest that the bed may ever get, also by itself.")
@click.option("--port", help="COM3, /dev/ttyUSB0, ...: ask the machine for its name and baud rate.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("printers"), show_default=True)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: what is not given is as in the profile that it is like.")
@json_option
def first_print_command(
    name: str, like: str | None, port: str | None, folder: Path, yes: bool, as_json: bool, **given: Any
) -> None:
    """Ask for a printer's limits, and write them as a profile NAME.toml that is checked.

    Nothing is heated and nothing moves. With --port the machine is asked for its name, which may reset its board, so
    not while it prints.
    """
    from toughopt.errors import ConfigError, InputError
    from toughopt.profiles import load_profile

    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise InputError(f"a profile cannot be called {name!r}; take letters, digits and _, e.g. my_printer")
    target = folder / f"{name}.toml"
    if target.exists():
        raise InputError(f"{target} is already there; choose another name, or remove it first")
    chosen = like or ("marlin_generic" if yes else click.prompt("Nearest profile", default="marlin_generic", err=True))
    base = load_profile(chosen)
    machine = _asked(port) if port is not None else None
    answers = {key: _answer(key, given[key], base, yes) for key in _QUESTIONS}
    make_folder(folder)
    write_text_whole(target, profile_text(name, chosen, base, answers, machine))
    try:
        load_profile(str(target))
    except ConfigError:
        target.unlink()
        raise
    steps = _next_steps(target, port)
    if as_json:
        show_json({"profile": str(target), "machine": None if machine is None else machine.machine, "next": steps})
        return
    click.echo(f"{target} is written and checked. Next, in this order:")
    for step, command in steps.items():
        click.echo(f"  {command}\n      {step}")


def _asked(port: str) -> FoundPort:
    """What the machine says of itself; a port where nothing answers is an error before anything is written."""
    from toughopt.errors import DeviceError
    from toughopt.printing import scan_ports
    from toughopt.printing.address import check_address

    check_address(port)
    found = scan_ports([port])[0]
    if found.baud is None:
        raise DeviceError(f"nothing at {port} answers as a printer: {found.note}")
    say(f"{port}: {found.machine or 'a machine'} with {found.firmware or 'firmware unknown'}, {found.baud} baud")
    return found


def _answer(key: str, given: Any, base: PrinterProfile, yes: bool) -> Any:
    question, kind, path = _QUESTIONS[key]
    usual: Any = base
    for part in path:
        usual = usual[part] if isinstance(part, int) else getattr(usual, part)
    if given is not None:
        return given
    return usual if yes else click.prompt(question, default=usual, type=kind, err=True)


def profile_text(
    name: str, like: str, base: PrinterProfile, answers: dict[str, Any], machine: FoundPort | None = None
) -> str:
    """A profile that says what was answered, and leaves the rest to the one that it extends."""
    a = answers
    first_layer = min(a["nozzle_c"] + 5.0, a["max_nozzle_c"])
    lines = [
        f"# Written by `toughopt first-print`; every key of a profile: `toughopt schema printer`. It extends {like}.",
        f"extends = {json.dumps(like)}",
        f"title = {json.dumps(machine.machine if machine and machine.machine else name)}",
        "",
        "[bed]",
        f"size_mm = [{a['width_mm']}, {a['depth_mm']}]",
        f"height_mm = {a['height_mm']}",
        "",
        "[filament]",
        f"material = {json.dumps(a['material'])}",
        f"diameter_mm = {a['filament_mm']}",
        f"nozzle_c = {a['nozzle_c']}",
        f"first_layer_nozzle_c = {first_layer}",
        f"bed_c = {a['bed_c']}",
        "",
        "[limits]        # what is never sent, whatever a program says",
        f"max_nozzle_c = {a['max_nozzle_c']}",
        f"max_bed_c = {a['max_bed_c']}",
    ]
    if machine is not None:
        lines += ["", "[serial]", f"baud = {machine.baud}"]
    diameter = a["nozzle_mm"]
    if diameter != base.nozzle.diameter_mm:
        widths = [round(diameter * share, 3) for share in (0.85, 1.125, 1.625)]
        lines += [
            "",
            "[[nozzles]]     # lines as wide as the hole allows: 0.85, 1.125 and 1.625 of its diameter",
            f"diameter_mm = {diameter}",
            f"line_width_min_mm = {widths[0]}",
            f"line_width_mm = {widths[1]}",
            f"line_width_max_mm = {widths[2]}",
        ]
        layer = round(min(0.5 * diameter, base.slicing.layer_height_mm), 3)
        first = round(min(0.6 * diameter, base.slicing.first_layer_height_mm), 3)
        lines += ["", "[slicing]", f"layer_height_mm = {layer}", f"first_layer_height_mm = {first}"]
        if base.tool:
            lines.insert(3, "tool = 0")
    return "\n".join(lines) + "\n"


def _next_steps(target: Path, port: str | None) -> dict[str, str]:
    """What to do next, each with its command."""
    profile, part = target.as_posix(), "first-part/part.gcode"
    return {
        "a small first part, as mesh and G-code": f"toughopt make crossed_barrel height=6 -p {profile} -o first-part",
        "what it would do to this machine": f"toughopt gcode {part} -p {profile}",
        "a printer like yours that is none: serve it in another terminal": (
            f"toughopt virtual-printer --tcp 5000 -p {profile}"
        ),
        "the rehearsal on it": f"toughopt print {part} -p {profile} --port socket://localhost:5000",
        "the print; stay beside the machine": f"toughopt print {part} -p {profile} --port {port or 'PORT'}",
    }
