"""The loop by hand: suggest, tell, add, fail, and `ctl` for everything else that a running loop can be asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toughopt.cli.output import (
    Number,
    as_design,
    campaign_argument,
    design_text,
    existing_file,
    json_option,
    number,
    say,
    show_json,
)
from toughopt.errors import ConfigError, InputError, UnknownName
from toughopt.files import in_shell

if TYPE_CHECKING:
    from toughopt.families import Family
    from toughopt.loop import Campaign

_why = click.option("--why", default="", help="The reason, for the log.")


@click.command()
@campaign_argument
@click.option("-n", "--count", default=1, show_default=True, type=click.IntRange(min=1), help="How many designs.")
@json_option
def suggest_command(folder: Path, count: int, as_json: bool) -> None:
    """Ask for designs to make by hand; each is pending until `tell` or `fail`."""
    from toughopt.loop import Campaign

    with Campaign.open(folder) as campaign:
        designs = campaign.suggest(count)
    if as_json:
        show_json(designs)
        return
    for entry in designs:
        click.echo(f"{entry['id']}  {design_text(entry['design'])}")


@click.command()
@campaign_argument
@click.argument("identity", metavar="ID", type=int)
@click.option("--curve", type=existing_file(), help="The test machine's file.")
@click.option(
    "--toughness", "--value", "value", type=Number(), help="The measured value of the objective (toughness: J)."
)
@click.option("--mass", "mass_g", type=Number(min=0, min_open=True), help="Mass of the specimen, g.")
@_why
@json_option
def tell_command(
    folder: Path,
    identity: int,
    curve: Path | None,
    value: float | None,
    mass_g: float | None,
    why: str,
    as_json: bool,
) -> None:
    """Say what experiment ID gave: a value, or the test machine's file."""
    from toughopt.loop import Campaign
    from toughopt.loop.requests import doubt, doubt_of_told_mass, same_file

    if (curve is None) == (value is None):
        raise click.UsageError("give either --curve FILE or --toughness J")
    with Campaign.open(folder) as campaign:
        told = campaign.tell(identity, value=value, curve=curve, mass_g=mass_g, why=why)
        workspace, experiment = campaign.workspace, campaign.state.experiments[identity]
        name, remark = workspace.config.objective.name, doubt(workspace, told)
        odd_mass = "" if mass_g is None else doubt_of_told_mass(workspace, experiment, mass_g)
        twin, findings = same_file(workspace, identity, experiment.curve), experiment.result.get("warnings", ())
    if as_json:
        show_json({"id": identity, "value": told})
    else:
        click.echo(f"{identity}  {name} = {number(told)}")
    for finding in findings:
        say(f"{experiment.result['file']}: {finding}")
    if twin:
        say(f"warning: {twin}")
    if remark:
        say(f"warning: {remark} `toughopt ctl {in_shell(folder)} value {identity} NUMBER` corrects it")
    if odd_mass:
        say(f"warning: {odd_mass}; `toughopt ctl {in_shell(folder)} mass {identity} GRAMS` corrects it")


@click.command()
@campaign_argument
@click.argument("design", metavar="PARAM=VALUE...", nargs=-1)
@click.option("--list", "table", type=existing_file(), help="A CSV of designs: a column a parameter, a row a design.")
@click.option("--by-hand", is_flag=True, help="You will make it yourself and `tell` the result.")
@_why
@json_option
def add_command(
    folder: Path, design: tuple[str, ...], table: Path | None, by_hand: bool, why: str, as_json: bool
) -> None:
    """Have a design of your own made next, or a list of them."""
    from toughopt.loop import Campaign

    if bool(design) == (table is not None):
        raise click.UsageError("give either PARAM=VALUE... or --list FILE")
    with Campaign.open(folder) as campaign:
        designs = [as_design(design)] if table is None else _listed(table, campaign.workspace.recipe.family)
        identities = [campaign.add(each, manual=by_hand, why=why) for each in designs]
    if as_json:
        show_json({"id": identities[0]} if table is None else {"ids": identities})
        return
    for identity in identities:
        click.echo(f"{identity}  added")


def _listed(table: Path, family: Family) -> list[dict[str, float | int | str]]:
    """The designs of a CSV, all of which the family can make.

    Raises
    ------
    InputError
        If it holds none, a cell is empty, or a row is no design of the family; then none of them is added.
    """
    from toughopt.replay import read_sheet

    designs = []
    for row in read_sheet(table).rows:
        where = f"{table}, line {row.line}"
        if empty := [name for name, cell in row.cells.items() if not cell]:
            raise InputError(f"{where}: {empty[0]} is missing")
        design = as_design([f"{name}={cell}" for name, cell in row.cells.items()])
        try:
            family.complete(design)
        except InputError as error:
            raise InputError(f"{where}: {error}; no row was added") from error
        designs.append(design)
    return designs


@click.command()
@campaign_argument
@click.argument("identity", metavar="ID", type=int)
@click.option("--why", required=True, help="What went wrong.")
@click.option(
    "--blame",
    type=click.Choice(["design", "lab"]),
    default="design",
    show_default=True,
    help="design: it cannot be made, and the model learns that; lab: it is done again.",
)
@json_option
def fail_command(folder: Path, identity: int, why: str, blame: str, as_json: bool) -> None:
    """Declare experiment ID failed."""
    from toughopt.loop import Campaign

    with Campaign.open(folder) as campaign:
        campaign.fail(identity, why=why, blame=blame)
    if as_json:
        show_json({"id": identity, "blame": blame})
    else:
        click.echo(f"{identity}  failed")


# verb -> what follows it on the command line; a trailing ? marks what may be left out
_WORDS: dict[str, tuple[str, ...]] = {
    "pause": (),
    "drain": (),
    "resume": (),
    "stop": (),
    "budget": ("budget",),
    "target": ("target",),
    "enable": ("printer",),
    "disable": ("printer",),
    "bed-cleared": ("printer",),
    "filament": ("printer", "grams"),
    "keep-clear": ("state?",),
    "policy": ("policy", "printer?"),
    "limits": ("parameter", "low", "high?"),
    "printability": ("probability",),
    "reprint": ("id",),
    "mass": ("id", "mass_g"),
    "curve": ("id", "file"),
    "value": ("id", "value"),
    "exclude": ("id",),
    "restore": ("id",),
    "printed": ("id",),
    "note": ("id?",),
}
_OF_THEIR_OWN = ("suggest", "add", "tell", "fail")


@click.command(context_settings={"ignore_unknown_options": True})  # so that `limits c8_top -0.5 0.5` holds a number
@campaign_argument
@click.argument("verb")
@click.argument("words", metavar="[ARGUMENT]...", nargs=-1)
@click.option("--now", is_flag=True, help="With pause: hold the printers still at once.")
@_why
@json_option
def ctl_command(folder: Path, verb: str, words: tuple[str, ...], now: bool, why: str, as_json: bool) -> None:
    """Steer a campaign from anywhere, whether or not somebody conducts it.

    \b
    pause [--now]           nothing new begins; --now holds the printers still
    drain                   finish and test what is printing, start no print
    resume | stop           go on | finish the specimens in hand, then end
    budget N | target VALUE|none
    enable PRINTER | disable PRINTER | bed-cleared PRINTER
    filament PRINTER GRAMS  what is on its spool
    keep-clear [on|off]     nothing is loaded or crushed while hands are at the frame
    policy NAME [PRINTER] | limits PARAMETER LOW HIGH (or none) | printability P
    reprint ID | mass ID GRAMS | curve ID FILE | value ID NUMBER
    exclude ID | restore ID | printed ID
    note [ID] --why TEXT
    """
    if verb in _OF_THEIR_OWN:
        raise InputError(f"{verb} is a command of its own: `toughopt {verb} {in_shell(folder)} ...`")
    odd = [word for word in words if word.startswith("-") and not _is_number(word)]
    if odd:
        raise click.NoSuchOption(odd[0])
    if now and verb != "pause":
        raise click.UsageError(f"--now goes with pause, not with {verb}")
    with _steerable(folder) as campaign:
        arguments = _arguments(verb, words, campaign)
        if now:
            arguments["now"] = True
        answer = campaign.request(verb, arguments, why=why)
    if as_json:
        show_json(answer)
    else:
        click.echo(answer["message"])


def _steerable(folder: Path) -> Campaign:
    """The campaign in `folder`; a loop that runs is steered also where campaign.toml is wrong by now."""
    from toughopt.loop import Campaign

    try:
        return Campaign.open(folder)
    except ConfigError as error:
        running = Campaign.open_running(folder)
        if running is None:
            raise
        say(f"The loop goes on as it began; campaign.toml is to be mended before the next: {error}")
        return running


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _arguments(verb: str, words: tuple[str, ...], campaign: Campaign) -> dict[str, object]:
    if verb not in _WORDS:
        raise UnknownName("command", verb, _WORDS)
    names = _WORDS[verb]
    least = sum(not name.endswith("?") for name in names)
    if not least <= len(words) <= len(names):
        usage = " ".join(
            name.rstrip("?").upper() if not name.endswith("?") else f"[{name[:-1].upper()}]" for name in names
        )
        raise click.UsageError(
            f"ctl {verb} {usage}".rstrip() + f" is how it is used, not with {len(words)} word{'s' * (len(words) != 1)}"
        )
    arguments: dict[str, object] = {name.rstrip("?"): word for name, word in zip(names, words, strict=False)}
    identity = arguments.get("id")
    if identity is not None and not str(identity).isdecimal():
        raise click.BadParameter(f"{identity!r} is not the number of an experiment, which `ctl {verb}` needs")
    file = arguments.pop("file", None)
    if file is not None:
        arguments |= campaign.keep_file(Path(str(file)))
    return arguments
