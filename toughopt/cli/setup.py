"""`toughopt new`: write a campaign.toml in which every key is explained."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click
from click.core import ParameterSource

from toughopt.cli.output import campaign_argument, json_option, make_folder, show_json
from toughopt.files import in_shell


@click.command()
@campaign_argument
@click.option("--family", "family_name", default="crossed_barrel", show_default=True, help="What is varied.")
@click.option("--printer", default="virtual", show_default=True, help="Printer profile.")
@click.option(
    "--url", default="virtual", show_default=True, help="Its port: COM3, /dev/ttyUSB0, socket://..., or virtual."
)
@click.option("--frame", help="Load frame: virtual, watched_folder, mark10, load_cell, operator.")
@click.option("--scale", help="Scale: virtual, sartorius, serial, operator, none.")
@click.option("--policy", default="default", show_default=True, help="How designs are chosen.")
@click.option("--budget", default=25, show_default=True, type=click.IntRange(min=1), help="Experiments in all.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--journal", metavar="URL", help="Write it again from this journal in PostgreSQL, for a lost one.")
@json_option
def new_command(
    folder: Path,
    family_name: str,
    printer: str,
    url: str,
    frame: str | None,
    scale: str | None,
    policy: str,
    budget: int,
    seed: int,
    journal: str | None,
    as_json: bool,
) -> None:
    """Write a commented campaign.toml into DIR, and begin its journal.

    Where DIR holds a journal whose campaign.toml is gone, that file is written again as it was; where the journal is
    in PostgreSQL, --journal says where.
    """
    from toughopt.errors import InputError, UnknownName
    from toughopt.loop import Campaign

    if journal is not None or ((folder / "journal.sqlite").exists() and not (folder / "campaign.toml").exists()):
        _restore(folder, journal, as_json)
        return
    virtual = url == "virtual"
    text = campaign_text(
        name=folder.resolve().name,
        family=family_name,
        printer=_own_profile(printer, folder),
        url=url,
        frame=frame or ("virtual" if virtual else "operator"),
        scale=scale or ("virtual" if virtual else "operator"),
        policy=policy,
        budget=budget,
        seed=seed,
    )
    _refuse_odd_machines(tomllib.loads(text), virtual)
    try:
        Campaign.create(folder, text).close()
    except UnknownName as error:
        if error.kind != "printer profile":
            raise
        raise InputError(
            f"{error}; `toughopt first-print NAME` asks for a printer's limits and writes a profile: "
            "--printer printers/NAME.toml"
        ) from error
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if "TO FILL IN" in line]
    if as_json:
        own = [folder / "campaign.toml", folder / "journal.sqlite", folder / "printers" / Path(printer).name]
        show_json({"folder": folder, "files": [path for path in own if path.is_file()], "fill_in_lines": lines})
        return
    change = f"fill in line {', '.join(map(str, lines))}" if lines else "change it"
    click.echo(f"{folder / 'campaign.toml'} is written: read it, {change}, then `toughopt check {in_shell(folder)}`")


def _restore(folder: Path, journal: str | None, as_json: bool) -> None:
    from toughopt.errors import InputError
    from toughopt.loop.workspace import restore_config

    context = click.get_current_context()
    given = [
        name
        for name in context.params
        if name not in ("folder", "journal", "as_json")
        and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given and journal is None:
        raise InputError(
            f"{folder} holds the journal of a campaign whose campaign.toml is gone; `toughopt new {in_shell(folder)}` "
            "without options writes it again as it was; for another campaign choose another folder"
        )
    if given:
        raise InputError("--journal writes a lost campaign.toml again as it was; leave the other options out")
    if (folder / "campaign.toml").exists():
        raise InputError(f"{folder / 'campaign.toml'} is there; nothing is written over it")
    path = restore_config(folder, journal)
    if as_json:
        show_json({"folder": folder, "files": [path], "fill_in_lines": []})
        return
    click.echo(f"{path} is written again, as the journal last knew it: `toughopt check {in_shell(folder)}`")


#: What nobody but the lab knows, as examples to be changed; "TO FILL IN" itself is refused by check and run.
_TO_FILL_IN: Mapping[tuple[str, str], Mapping[str, tuple[object, str]]] = {
    ("frame", "watched_folder"): {
        "folder": ("TO FILL IN", "where the test machine's PC exports to, such as /mnt/bluehill or D:/exports"),
    },
    ("frame", "mark10"): {
        "url": ("/dev/ttyUSB1", "its port, or COM4"),
        "folder": ("curves", "an existing folder for the curves; a relative name begins beside this file"),
        "own_force_limit_n": (1500.0, "the limit that is set at the stand"),
    },
    ("frame", "load_cell"): {
        "url": ("/dev/ttyUSB1", "its port, or COM4"),
        "folder": ("curves", "an existing folder for the curves; a relative name begins beside this file"),
        "trigger.command": (["start-the-stand"], "the program that starts and stops the stand"),
    },
    ("scale", "sartorius"): {"url": ("/dev/ttyUSB2", "its port, or COM5")},
    ("scale", "serial"): {"url": ("/dev/ttyUSB2", "its port, or COM5")},
}


def _refuse_odd_machines(config: Mapping[str, Any], virtual_printer: bool) -> None:
    """Raises UnknownName for a frame or scale that is not known, BadParameter where only the printer is virtual."""
    from toughopt.frames import check_options

    parts: tuple[Literal["frame", "scale"], ...] = ("frame", "scale")
    for part in parts:
        kind = config[part]["kind"]
        if kind == "virtual":
            continue
        if (part, kind) != ("scale", "none"):
            check_options(part, config[part])
        if virtual_printer:
            raise click.BadParameter(
                f"{kind!r} does not go with a virtual printer: give the printer's port by --url, or leave --{part} out",
                param_hint=f"--{part}",
            )


def _quoted(value: object) -> str:
    """A value as TOML says it, umlauts as they are."""
    return json.dumps(value, ensure_ascii=False)


def _device(part: str, kind: str) -> str:
    lines = [f"kind = {_quoted(kind)}"]
    for key, (example, meaning) in _TO_FILL_IN.get((part, kind), {}).items():
        lines.append(f"{key} = {_quoted(example)}  # TO FILL IN: {meaning}")
    return "\n".join(lines)


_PRIOR = (
    '# prior = "press"     # expect of a crossed barrel what mechanics does, as far as the tests do not say otherwise\n'
)


def _family_examples(name: str) -> str:
    """Lines that would fix a parameter of the family, and narrow another. Raises UnknownName, ConfigError."""
    from toughopt.families import family

    made = family(name)
    numbers = [p for p in made.parameters if p.low is not None and p.high is not None]
    fixed = {p.name: p.default for p in numbers} | dict(made.fixed)
    held = "height" if "height" in fixed else next(iter(fixed), None)
    varied = next((p for p in numbers if p.name != held), None)
    examples = {}
    if held is not None:
        examples[f"# fixed = {{ {held} = {_quoted(fixed[held])} }}"] = (
            "parameters that are held fixed at other than their default"
        )
    if varied is not None:
        limits = f"low = {varied.low:g}, high = {varied.high:g}"
        examples[f"# parameters.{varied.name} = {{ {limits} }}"] = "narrower limits than the family's"
    width = max(map(len, examples), default=0)
    return "\n".join(f"{example:<{width}}  # {meaning}" for example, meaning in examples.items())


def _own_profile(printer: str, folder: Path) -> str:
    """The profile's name; a file is copied into the campaign's folder, so that it stays with what was printed."""
    from toughopt.errors import InputError

    file = Path(printer)
    if file.suffix == ".toml" and not file.is_file():
        raise InputError(f"--printer {printer}: there is no such file; `toughopt printers` lists what comes along")
    if file.suffix != ".toml" or (folder / "campaign.toml").exists():
        return printer
    own = folder / "printers" / file.name
    if not own.exists():
        make_folder(own.parent)
        shutil.copyfile(file, own)
    return file.stem


def campaign_text(
    *,
    name: str = "campaign",
    family: str = "crossed_barrel",
    printer: str = "virtual",
    url: str = "virtual",
    frame: str = "virtual",
    scale: str = "virtual",
    policy: str = "default",
    budget: int = 25,
    seed: int = 1,
    batch: int = 1,
) -> str:
    """A campaign.toml with every key that people change, and what each means."""
    handler = "virtual" if url == "virtual" else "operator"
    coarse = "# overrides = { layer_height_mm = 0.2 }  # what is otherwise than the printer's profile says"
    if url == "virtual":
        coarse = "overrides = { layer_height_mm = 0.25, first_layer_height_mm = 0.25, tolerance_mm = 0.1 }"
        coarse += "  # coarse: a virtual part takes seconds"
    text = f"""\
# A toughopt campaign. Every key may be left out; what is here is the default or what was asked for.
name = {_quoted(name)}
seed = {seed}        # of everything that is chosen by chance
budget = {budget}     # experiments in all

[family]        # what is varied; `toughopt families` lists them. Cannot change once the campaign runs.
name = {_quoted(family)}
{_family_examples(family)}

[objective]     # what is optimized. Cannot change once the campaign runs.
name = "toughness_j"  # or energy_absorbing_efficiency, specific_energy_j_per_g, peak_force_n, ...
goal = "max"
too_strong = "as_published"  # a specimen too strong for the force limit counts with the energy below it; or "censored"
# [[objective.against]]  # weigh it against what it costs: mass_g, print_time_s, filament_g, or another figure of a test
# name = "mass_g"
# goal = "min"

[optimizer]
policy = {_quoted(policy)}
initial = 5     # designs spread over the space before a model chooses
batch = {batch}       # designs chosen at once
lookahead = 1   # designs built and sliced while others print; 0 waits for each result
features = true # tell the model what the family knows of a design before it is printed
{_PRIOR if family == "crossed_barrel" else ""}\
# context = ["printer"]        # let the model learn how the printers differ
# learn_from = ["../earlier"]  # campaigns of the same parameters and objective

[slicing]
slicer = "native"  # or "prusaslicer", where it is installed
{coarse}

[[printers]]    # one such block a printer
name = "printer-1"
profile = {_quoted(printer)}   # `toughopt printers` lists them
url = {_quoted(url)}       # or COM3, /dev/ttyUSB0, socket://host:port

[scale]         # virtual, sartorius, serial, operator, none
{_device("scale", scale)}

[frame]         # virtual, watched_folder, mark10, load_cell, operator
{_device("frame", frame)}

[handler]       # who carries parts and clears beds: virtual, operator, command
kind = {_quoted(handler)}

[test]
force_limit_n = 5000.0
speed_mm_per_min = 2.0
# mass_tolerance = 0.2  # a part whose mass differs by more from what its program lays down is told; 0: never

[curve_file]    # what the test machine's files leave open; the rest is found out from each file
# decimal = ","
# columns = {{ force = "Load Cell", displacement = 2 }}  # names, or numbers counted from 0
# force_unit = "kN"

[analysis]      # how a curve becomes a toughness
# end = "end_of_loading"  # or first_break, densification, strain, displacement, force

[recovery]
# uncertain = "ask"  # what was printing when contact was lost: ask a person, or "discard" (default in a virtual lab)
retries = 2          # how often the lab may fail a design before it is given up
failures_to_disable = 3

[fleet]
priority = "balanced"  # what the hands do first: clear beds ("printers"), feed the frame ("press"), or as it comes
workers = 0            # processes that build and slice; 0: the loop's own

[mass_control]
enabled = false        # let each printer's flow follow what its parts weighed

[notify]
# url = "https://..."  # a webhook that is told when the loop waits, fails, finds a new best or ends
# format = "json"      # or "slack"

[stopping]
# target = 40.0        # stop when the best design reaches it
# hours = 48
# smallest_gain = 0.1  # stop when the next test is expected to gain less
# interval = 2.0       # stop when the best design is known to within this width
"""
    tomllib.loads(text)
    return text
