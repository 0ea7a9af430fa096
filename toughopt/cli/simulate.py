"""`toughopt simulate`: whole campaigns on a virtual clock, one or a thousand."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import (
    existing_file,
    json_option,
    make_folder,
    number,
    say,
    show_json,
    table,
    write_text_whole,
)
from toughopt.errors import InputError

if TYPE_CHECKING:
    from toughopt.loop.simulate import Simulated, Simulation

_SHARE = click.FloatRange(0.0, 1.0)
_OPTIONS = {"jam": "jams"}  # where an option's name is not the condition's


@click.command()
@click.argument("campaign", metavar="[CAMPAIGN.toml]", required=False, type=existing_file())
@click.option("-o", "--output", "folder", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--campaigns", default=1, show_default=True, type=click.IntRange(min=1), help="How many, seed by seed.")
@click.option("--budget", type=click.IntRange(min=1), help="Experiments in each (default: as the campaign says).")
@click.option(
    "--printers", default=5, show_default=True, type=click.IntRange(min=1), help="Where no campaign is given."
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Of the first campaign.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes (default: one a core).")
@click.option("--dask", metavar="URL", help="Use the workers of this Dask scheduler, which must see the same folder.")
@click.option("--print-stops", default=0.0, type=_SHARE, help="Share of prints whose firmware stops on the way.")
@click.option("--jams", default=0.0, type=_SHARE, help="Share of prints whose nozzle jams unnoticed.")
@click.option("--grab-fails", default=0.0, type=_SHARE, help="Share of parts that do not come off the bed.")
@click.option("--lost", default=0.0, type=_SHARE, help="Share of prints during which contact is lost.")
@click.option("--hands-fail", default=0.0, type=_SHARE, help="Share of parts that are dropped on their way.")
@click.option("--test-fails", default=0.0, type=_SHARE, help="Share of tests that the press does not end.")
@json_option
def simulate_command(
    campaign: Path | None,
    folder: Path,
    campaigns: int,
    budget: int | None,
    printers: int,
    seed: int,
    workers: int | None,
    dask: str | None,
    print_stops: float,
    jams: float,
    grab_fails: float,
    lost: float,
    hands_fail: float,
    test_fails: float,
    as_json: bool,
) -> None:
    """Run whole campaigns of a virtual lab on a virtual clock, with real meshes, programs and decisions.

    Each campaign gets a folder of its own in DIR, with its journal, as if it had been run; what was begun before goes
    on, under the same conditions. Without a CAMPAIGN.toml it is the crossed barrel on a fleet of virtual printers
    around one press.
    """
    from toughopt.campaign import parse_config
    from toughopt.loop.simulate import Simulation
    from toughopt.virtual.fleet import Mishaps

    if print_stops + jams + lost > 1.0:
        raise click.UsageError(
            f"--print-stops {print_stops:g}, --jams {jams:g} and --lost {lost:g} are more than all prints"
        )
    text = fleet_text(printers) if campaign is None else campaign.read_text(encoding="utf-8")
    if not parse_config(text, str(campaign or "the campaign")).all_virtual:
        raise click.UsageError(f"{campaign} names real machines; only a virtual lab can be simulated")
    mishaps = Mishaps(print_stops, jams, grab_fails, lost, hands_fail, test_fails)
    simulation = Simulation(mishaps=mishaps)
    _keep_conditions(folder, {**asdict(mishaps), "printers": printers if campaign is None else None})
    orders = [(folder / f"{seed + i:04d}", with_seed(text, seed + i), simulation, budget) for i in range(campaigns)]
    found = _run(orders, workers or os.cpu_count() or 1, dask)
    if as_json:
        show_json([_plain(result) for result in found])
        return
    columns = [
        "campaign",
        "complete",
        "failed",
        "best",
        "days",
        "a day",
        "print to crush",
        "printers",
        "hands",
        "press",
    ]
    table("", columns, [_row(result) for result in found])


def _keep_conditions(folder: Path, wanted: dict[str, Any]) -> None:
    """Write down under which conditions the campaigns in `folder` are simulated. Raises InputError where they differ.

    Conditions that are mixed would make one table of campaigns that do not compare.
    """
    path = folder / "simulation.json"
    if not path.exists():
        make_folder(folder)
        write_text_whole(path, json.dumps(wanted, indent=2) + "\n")
        return
    try:
        kept = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read: {error}; remove it, or choose another folder") from error
    for name, value in wanted.items():
        if kept.get(name, value) != value:
            raise InputError(
                f"{folder} holds campaigns that were simulated with {_option(name, kept[name])}, not with "
                f"{_option(name, value)}; choose another folder, or the same options"
            )


def _option(name: str, value: Any) -> str:
    """A condition as it is typed."""
    if name == "printers" and value is None:
        return "a CAMPAIGN.toml"
    return f"--{_OPTIONS.get(name, name.replace('_', '-'))} {value:g}"


def fleet_text(printers: int) -> str:
    """campaign.toml of the crossed barrel on so many virtual printers."""
    from toughopt.cli.setup import campaign_text

    text = campaign_text(name="fleet", budget=100)
    block = text[text.index("[[printers]]") : text.index("[scale]")]
    return text.replace(block, "".join(block.replace("printer-1", f"printer-{i}") for i in range(1, printers + 1)))


def with_seed(text: str, seed: int) -> str:
    """The same campaign with another seed."""
    line = re.compile(r"^seed\s*=.*$", re.MULTILINE)
    return line.sub(f"seed = {seed}", text, count=1) if line.search(text) else f"seed = {seed}\n{text}"


def _run(orders: list[tuple[Path, str, Simulation, int | None]], workers: int, dask: str | None) -> list[Simulated]:
    from rich.console import Console
    from rich.progress import Progress

    from toughopt.executor import completed, open_executor
    from toughopt.journal import Event, State
    from toughopt.loop.simulate import begun, simulate, simulate_one

    found: dict[int, Simulated] = {}
    with (
        open_executor(dask or "processes", workers=workers) as executor,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        if len(orders) == 1:
            folder, text, simulation, budget = orders[0]
            planned = begun(folder, text)
            task = progress.add_task("experiments", total=budget or planned)

            def follow(event: Event, state: State) -> None:
                if event.kind == "complete":
                    progress.update(task, completed=len(state.complete))

            return [simulate(folder, simulation, budget=budget, elsewhere=executor, on_event=follow)]
        task = progress.add_task("campaigns", total=len(orders))
        for index, result in completed(executor, simulate_one, orders):
            found[index] = result
            progress.advance(task)
            say(f"{result.folder.name}: {result.complete} complete, best {number(result.best)}")
    return [found[index] for index in range(len(orders))]


def _row(result: Simulated) -> list[Any]:
    used = dict(result.utilisation)
    bench = [used.pop(name, 0.0) for name in ("hands", "press")]
    shares = [sum(used.values()) / max(len(used), 1), *bench]
    pace = [f"{result.days:.2f}", f"{result.per_day:.1f}", f"{result.print_to_crush_min:.0f} min"]
    return [result.folder.name, result.complete, result.failed, result.best, *pace, *(f"{x:.0%}" for x in shares)]


def _plain(result: Simulated) -> dict[str, Any]:
    return {**asdict(result), "folder": str(result.folder), "bottleneck": result.bottleneck}
