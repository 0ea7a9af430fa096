"""`toughopt run`: conduct a campaign, and say what happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import design_columns, design_text, json_option, number, say, show_json, table
from toughopt.files import in_shell

if TYPE_CHECKING:
    from toughopt.journal import Event, State
    from toughopt.loop import Campaign, Conductor, RunSummary
    from toughopt.optimizer import Objective

_MORE = 25  # experiments that are proposed where the budget is used
_BEST = ("best", "unbeaten")  # what an experiment is called with one objective, and with several


@click.command()
@click.argument("folder", metavar="[DIR]", default=Path("campaign"), type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--budget", type=click.IntRange(min=1), help="Experiments in all, from here on (default: as said before)."
)
@click.option("--batch", type=click.IntRange(min=1), help="Designs chosen at once, for a campaign that is made.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of a campaign that is made.")
@click.option("--live", is_flag=True, help="Open the live window beside it.")
@click.option("--dry-run", is_flag=True, help="Do everything but heat, move and write the journal.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say every step of every experiment; with --json too.")
@json_option
def run_command(
    folder: Path,
    budget: int | None,
    batch: int | None,
    seed: int | None,
    live: bool,
    dry_run: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run or resume the campaign in DIR (default ./campaign), up to N experiments in all.

    Where DIR does not exist it is made: the crossed barrel on the virtual lab. The first Ctrl-C finishes the specimens
    in hand and stops; the second aborts them safely.
    """
    if quiet and verbose:
        raise click.UsageError("give either -q or -v")
    campaign = _opened(folder, seed, batch)
    with campaign:
        if dry_run:
            return _rehearsed(campaign, as_json)
        window = _live_window(folder) if live else None
        tell = _Teller(quiet, verbose, as_json and not verbose, folder)
        hands = _Interrupts()

        def begin(conductor: Conductor) -> None:
            hands.watch(conductor)
            tell.begin(campaign)

        with hands:
            summary = campaign.run(budget, on_event=tell.event, on_start=begin)
        _pictures(campaign)
        if as_json:
            show_json(_answer(campaign, summary))
        elif not quiet:
            _told(campaign, summary)
        if window is not None and window.poll() is None:
            say("the live window stays open; close it when you are done")
    return 130 if hands.presses else 0


def _rehearsed(campaign: Campaign, as_json: bool) -> int:
    from toughopt.loop.rehearsal import rehearse

    steps = []
    for step in rehearse(campaign.workspace):
        steps.append(step)
        if not as_json:
            click.echo(f"{'ok  ' if step.ok else 'FAIL'}  {step.what}: {step.said}")
            for warning in step.warnings:
                click.echo(f"      warning: {warning}")
    if as_json:
        show_json([asdict(step) for step in steps])
    return 0 if all(step.ok for step in steps) else 1


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
    if (folder / "journal.sqlite").exists():
        raise InputError(
            f"{folder} holds a journal and no campaign.toml; "
            f"`toughopt new {in_shell(folder)}` writes it again, as it was"
        )
    if folder.exists() and any(folder.iterdir()):
        raise InputError(
            f"{folder} is not empty and holds no campaign.toml; choose another folder; a lost campaign.toml whose "
            f"journal is in PostgreSQL is written again by `toughopt new {in_shell(folder)} --journal URL`"
        )
    return Campaign.create(folder, campaign_text(name=folder.resolve().name, seed=seed or 1, batch=batch or 1))


class _Interrupts:
    """Ctrl-C once: finish the specimens in hand; twice, SIGTERM or a closed terminal: abort safely."""

    def __init__(self) -> None:
        self.presses = 0
        self._conductors: list[Conductor] = []
        self._before: dict[int, Any] = {}

    def watch(self, conductor: Conductor) -> None:
        """Pass on what people want to this conductor."""
        self._conductors.append(conductor)

    def __enter__(self) -> None:
        from toughopt.printing.interrupts import heeded_signals

        self._before = {sent: signal.signal(sent, self._heard) for sent in (signal.SIGINT, *heeded_signals())}

    def __exit__(self, *error: object) -> None:
        for sent, handler in self._before.items():
            signal.signal(sent, handler)

    def _heard(self, sent: int, frame: FrameType | None) -> None:
        self.presses += 1
        if not self._conductors:
            raise KeyboardInterrupt
        gently = self.presses == 1 and sent == signal.SIGINT
        say("finishing the specimens in hand; Ctrl-C again aborts them" if gently else "aborting: making machines safe")
        for conductor in self._conductors:
            if gently:
                conductor.finish()
            else:
                conductor.abort()


class _Teller:
    """Prints one line for what a person would want to know as it happens; where `brief`, only what is waited for."""

    def __init__(self, quiet: bool, verbose: bool, brief: bool, folder: Path) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._brief = brief
        self._folder = folder
        self._objectives: tuple[Objective, ...] = ()

    def begin(self, campaign: Campaign) -> None:
        from toughopt.cli.status import waits_for

        self._objectives = campaign.workspace.chooser.objectives
        if not self._quiet:
            for line in waits_for(campaign):
                say(f"Waits for: {line}")

    def event(self, event: Event, state: State) -> None:
        if self._quiet:
            return
        line = _line(event, state, self._objectives) or (_step(event) if self._verbose else "")
        if line and not self._brief:
            say(line)
        if event.kind == "steered" and event.payload["key"] == "paused" and event.payload["value"]:
            say(f"Waits for: `toughopt ctl {in_shell(self._folder)} resume`: the loop is paused")


def _line(event: Event, state: State, objectives: tuple[Objective, ...]) -> str:
    from toughopt.journal.events import CHOICE

    experiment = state.experiments.get(event.experiment_id or 0)
    payload = event.payload
    match event.kind:
        case "proposed" if experiment is not None:
            return f"{experiment.id:4d}  {payload['source']:<7} {design_text(experiment.design)}"
        case "complete" if experiment is not None:
            found = _leaders(state, objectives)
            mark = f"  {_BEST[bool(objectives)]} so far" if experiment.id in found else ""
            name = state.config.get("objective", {}).get("name", "value")
            return f"{experiment.id:4d}  {name} = {number(payload['value'])}{mark}"
        case "failed" | "uncertain":
            return f"{event.experiment_id:4d}  {event.kind} at {payload['stage']}: {payload['reason']}"
        case "heaters_unknown":
            return f"!!!! {payload['printer']}: heaters NOT known to be off ({payload['reason']}): look, pull the plug"
        case "fault" if "expected_g" in payload["data"]:
            return f"{event.experiment_id:4d}  {payload['device']}: {payload['data']['reason']}"
        case "fault" if payload["device"] == CHOICE:
            return f"      no design can be chosen, so what is in hand is finished: {payload['data']['reason']}"
        case "steered":
            from toughopt.loop.steering import in_words

            by = ": ".join(filter(None, (payload["who"], payload["why"])))
            return f"      {in_words(payload['key'], payload['value'])} ({by})"
        case "stopped":
            return f"      stopping: {payload['reason']}"
        case _:
            return ""


def _leaders(state: State, objectives: tuple[Objective, ...]) -> frozenset[int]:
    """The best experiment; those that no other beats in every objective, where there are several."""
    from toughopt.loop.objectives import unbeaten

    if objectives:
        return unbeaten(state, objectives)
    return frozenset() if state.best is None else frozenset({state.best.id})


def _step(event: Event) -> str:
    about = "    " if event.experiment_id is None else f"{event.experiment_id:4d}"
    where = event.payload.get("printer")
    return f"{about}  {event.kind.replace('_', ' ')}" + (f" on {where}" if isinstance(where, str) else "")


def _live_window(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-P", "-m", "toughopt", "watch", str(folder)])


def _pictures(campaign: Campaign) -> None:
    from toughopt.plots import save_figures

    save_figures(campaign.workspace, campaign.folder / "exports", formats=("png",))


def _answer(campaign: Campaign, summary: RunSummary) -> dict[str, Any]:
    from toughopt.cli.status import status_of

    return {"reason": summary.reason, **status_of(campaign)}


def _told(campaign: Campaign, summary: RunSummary) -> None:
    from toughopt.cli.status import spread_text, waits_for

    state = campaign.state
    name = campaign.workspace.config.objective.name
    parameters = design_columns(campaign.workspace.parameters)
    best, objectives = state.best, campaign.workspace.chooser.objectives
    leaders = _leaders(state, objectives)
    rows = []
    for experiment in state.experiments.values():
        mark = _BEST[bool(objectives)] if experiment.id in leaders else "excluded" if experiment.excluded else ""
        figures = [experiment.design.get(parameter) for parameter in parameters]
        rows.append([experiment.id, *figures, experiment.mass_g, experiment.value, str(experiment.stage), mark])
    table(campaign.workspace.config.name, ["id", *parameters, "mass_g", name, "state", ""], rows)
    click.echo(f"\n{summary.reason}: {summary.complete} complete, {summary.failed} failed.")
    if best is not None:
        click.echo(f"Best test:   {name} = {number(best.value)} at {design_text(best.design)} (experiment {best.id})")
    found = campaign.recommendation
    if found is not None:
        click.echo(
            f"Best design: {name} = {number(found.mean)} +/- {spread_text(found.std)} at {design_text(found.design)}"
        )
    click.echo(f"Figures:     {campaign.folder / 'exports'}")
    for line in waits_for(campaign):
        click.echo(f"Waits for:   {line}")
    click.echo(f"Go on with:  {_next(campaign)}")


def _next(campaign: Campaign) -> str:
    """What people do where they want more experiments."""
    state, folder = campaign.state, in_shell(campaign.folder)
    spent = state.counted() >= campaign.workspace.budget()
    command = f"toughopt run {folder}" + (f" --budget {state.counted() + _MORE}" if spent else "")
    if state.steering.get("paused"):
        command = f"toughopt ctl {folder} resume, then {command}"
    if state.stopped is None:
        return command
    if state.stopped["rule"] == "target":
        return f"toughopt ctl {folder} target none, then {command}"
    return f"another rule under [stopping] in {campaign.folder / 'campaign.toml'}, then {command}"
