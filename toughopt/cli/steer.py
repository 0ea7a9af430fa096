"""The loop by hand: suggest, tell, add, fail, and `ctl` for everything else that a running loop can be asked."""

from __future__ import annotations

from pathlib import Path

import click

from toughopt.cli.output import as_design, campaign_argument, design_text, existing_file, json_option, show_json

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
@click.option("--toughness", "--value", "value", type=float, help="The measured value of the objective (toughness: J).")
@click.option("--mass", "mass_g", type=click.FloatRange(min=0, min_open=True), help="Mass of the specimen, g.")
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

    if (curve is None) == (value is None):
        raise click.UsageError("give either --curve FILE or --toughness J")
    with Campaign.open(folder) as campaign:
        told = campaign.tell(identity, value=value, curve=curve, mass_g=mass_g, why=why)
        name = campaign.workspace.config.objective.name
    if as_json:
        show_json({"id": identity, "value": told})
    else:
        click.echo(f"{identity}  {name} = {told:.4g}")


@click.command()
@campaign_argument
@click.argument("design", metavar="PARAM=VALUE...", nargs=-1, required=True)
@click.option("--by-hand", is_flag=True, help="You will make it yourself and `tell` the result.")
@_why
@json_option
def add_command(folder: Path, design: tuple[str, ...], by_hand: bool, why: str, as_json: bool) -> None:
    """Have a design of your own made next."""
    from toughopt.loop import Campaign

    with Campaign.open(folder) as campaign:
        identity = campaign.add(as_design(design), manual=by_hand, why=why)
    if as_json:
        show_json({"id": identity})
    else:
        click.echo(f"{identity}  added")


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
def fail_command(folder: Path, identity: int, why: str, blame: str) -> None:
    """Declare experiment ID failed."""
    from toughopt.loop import Campaign

    with Campaign.open(folder) as campaign:
        campaign.fail(identity, why=why, blame=blame)
    click.echo(f"{identity}  failed")


@click.command()
@campaign_argument
@click.argument("verb")
@click.argument("target", required=False)
@click.option("--now", is_flag=True, help="With pause: stop feeding lines at once, not after the specimens in hand.")
@_why
def ctl_command(folder: Path, verb: str, target: str | None, now: bool, why: str) -> None:
    """Steer a campaign from anywhere.

    \b
    pause [--now] | resume | stop
    enable PRINTER | disable PRINTER | bed-cleared PRINTER
    exclude ID | restore ID | printed ID | note [ID]
    budget N
    """
    from toughopt.loop import Campaign

    arguments: dict[str, object] = {"now": True} if now else {}
    if target is not None:
        key = "printer" if verb in ("enable", "disable", "bed-cleared") else "budget" if verb == "budget" else "id"
        if key != "printer" and not target.isdigit():
            raise click.BadParameter(f"{target!r} is not a number, which `ctl {verb}` needs")
        arguments[key] = target if key == "printer" else int(target)
    with Campaign.open(folder) as campaign:
        answer = campaign.request(verb, arguments, why=why)
    click.echo(answer["message"])
