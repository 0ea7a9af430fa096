"""`toughopt run`: conduct a campaign, and say what happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import design_text, json_option, number, say, show_json, table

if TYPE_CHECKING:
    from toughopt.journal import Event, State
    from toughopt.loop import Campaign, Conductor, RunSummary


@click.command()
@click.argument("folder", metavar="[DIR]", default=Path("campaign"), type=click.Path(path_type=Path, file_okay=False))
@click.option("--budget", type=click.IntRange(min=1), help="Experiments in all (default: as campaign.toml says).")
@click.option("--batch", type=click.IntRange(min=1), help="Designs chosen at once, for a campaign that is made.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of a campaign that is made.")
@click.option("--live", is_flag=True, help="Open the live window beside it.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@json_option
def run_command(
    folder: Path, budget: int | None, batch: int | None, seed: int | None, live: bool, quiet: bool, as_json: bool
) -> None:
    """Run or resume the campaign in DIR (default ./campaign), up to N experiments in all.

    Where DIR does not exist it is made: the crossed barrel on the virtual lab. The first Ctrl-C finishes the specimens
    in hand and stops; the second aborts them safely.
    """
    campaign = _opened(folder, seed, batch)
    with campaign:
        window = _live_window(folder) if live else None
        tell = _Teller(quiet or as_json)
        try:
            with _signals() as handle:
                summary = campaign.run(budget, on_event=tell.event, on_start=handle)
        finally:
            if window is not None:
                say("the live window stays open; close it when you are done")
        _pictures(campaign, quiet)
        if as_json:
            show_json(_answer(campaign, summary))
        elif not quiet:
            _told(campaign, summary)


def _opened(folder: Path, seed: int | None, batch: int | None) -> Campaign:
    from toughopt.cli.setup import campaign_text
    from toughopt.errors import InputError
    from toughopt.loop import Campaign

    if (folder / "campaign.toml").exists():
        campaign = Campaign.open(folder)
        config = campaign.workspace.config
        for name, wanted, has in (("seed", seed, config.seed), ("batch", batch, config.optimizer.batch)):
            if wanted is not None and wanted != has:
                campaign.close()
                raise InputError(
                    f"--{name} {wanted} does not fit {folder / 'campaign.toml'}, which says {has}: edit it there, "
                    "or leave the option out"
                )
        return campaign
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty and holds no campaign.toml; choose another folder")
    return Campaign.create(folder, campaign_text(name=folder.resolve().name, seed=seed or 1, batch=batch or 1))


@contextmanager
def _signals() -> Iterator[Any]:
    """Ctrl-C once: finish; twice, or SIGTERM: abort safely."""
    conductors: list[Conductor] = []
    presses = 0

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses == 1 and number == signal.SIGINT:
            say("finishing the specimens in hand; press Ctrl-C again to abort them")
            for conductor in conductors:
                conductor.finish()
        else:
            say("aborting: leaving every machine safe")
            for conductor in conductors:
                conductor.abort()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield conductors.append
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if presses:
        raise click.exceptions.Exit(130)


class _Teller:
    """Prints one line for what a person would want to know as it happens."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def event(self, event: Event, state: State) -> None:
        if self._quiet:
            return
        line = _line(event, state)
        if line:
            click.echo(line, err=True)


def _line(event: Event, state: State) -> str:
    experiment = state.experiments.get(event.experiment_id or 0)
    payload = event.payload
    match event.kind:
        case "proposed" if experiment is not None:
            return f"{experiment.id:4d}  {payload['source']:<7} {design_text(experiment.design)}"
        case "complete" if experiment is not None:
            best = state.best
            mark = "  best so far" if best is not None and best.id == experiment.id else ""
            name = state.config.get("objective", {}).get("name", "value")
            return f"{experiment.id:4d}  {name} = {number(payload['value'])}{mark}"
        case "failed" | "uncertain":
            return f"{event.experiment_id:4d}  {event.kind} at {payload['stage']}: {payload['reason']}"
        case "heaters_unknown":
            return f"!!!! {payload['printer']}: heaters NOT known to be off ({payload['reason']}): look, pull the plug"
        case "steered":
            return f"      {payload['key']} = {payload['value']} ({payload['who']}: {payload['why']})"
        case "stopped":
            return f"      stopping: {payload['reason']}"
        case _:
            return ""


def _live_window(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "toughopt", "watch", str(folder)])


def _pictures(campaign: Campaign, quiet: bool) -> None:
    from toughopt.plots import save_figures

    save_figures(campaign.workspace, campaign.folder / "exports", formats=("png",))


def _answer(campaign: Campaign, summary: RunSummary) -> dict[str, Any]:
    from toughopt.cli.status import status_of

    return {"reason": summary.reason, **status_of(campaign)}


def _told(campaign: Campaign, summary: RunSummary) -> None:
    state = campaign.state
    name = campaign.workspace.config.objective.name
    parameters = campaign.workspace.parameters
    best = state.best
    rows = []
    for experiment in state.experiments.values():
        mark = "best" if best is not None and best.id == experiment.id else ""
        figures = [experiment.design.get(parameter) for parameter in parameters]
        rows.append([experiment.id, *figures, experiment.mass_g, experiment.value, str(experiment.stage), mark])
    table(campaign.workspace.config.name, ["id", *parameters, "mass_g", name, "state", ""], rows)
    click.echo(f"\n{summary.reason}: {summary.complete} complete, {summary.failed} failed.")
    if best is not None:
        click.echo(f"Best test:   {name} = {number(best.value)} at {design_text(best.design)} (experiment {best.id})")
    found = campaign.recommendation
    if found is not None:
        click.echo(f"Best design: {name} = {number(found.mean)} +/- {number(found.std)} at {design_text(found.design)}")
    click.echo(f"Figures:     {campaign.folder / 'exports'}")
    click.echo(f"Go on with:  toughopt run {campaign.folder} --budget {state.counted() + 25}")
