"""`toughopt status`: where every experiment is, the best so far, and what the lab waits for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import (
    campaign_argument,
    design_columns,
    design_text,
    json_option,
    number,
    show_json,
    table,
)
from toughopt.files import in_shell

if TYPE_CHECKING:
    from toughopt.loop import Campaign
    from toughopt.optimizer import Front

_NEWEST = 50  # experiments in the table
_SOON_ASKED = 300  # results; with so many the model answers in a moment


@click.command()
@campaign_argument
@click.option("--all", "everything", is_flag=True, help="Every experiment, not only the newest.")
@click.option(
    "--recommend/--no-recommend",
    default=None,
    help=f"Ask the model for the best design (default: up to {_SOON_ASKED} results; with many it takes a while).",
)
@json_option
def status_command(folder: Path, everything: bool, recommend: bool | None, as_json: bool) -> None:
    """Where every experiment is, the best so far with its uncertainty, what the lab waits for."""
    from toughopt.loop import Campaign

    with Campaign.open(folder) as campaign:
        answer = status_of(campaign, recommend)
    if as_json:
        show_json(answer)
        return
    parameters = design_columns(answer["experiments"][0]["design"] if answer["experiments"] else [])
    further = answer["against"]
    rows = [
        [
            e["id"],
            *(e["design"].get(p) for p in parameters),
            e["state"],
            e["value"],
            *map(e["against"].get, further),
            _remark(e),
        ]
        for e in (answer["experiments"] if everything else answer["experiments"][-_NEWEST:])
    ]
    if len(rows) < len(answer["experiments"]):
        click.echo(
            f"the newest {len(rows)} of {len(answer['experiments'])} experiments; --all shows every one", err=True
        )
    table(answer["campaign"], ["id", *parameters, "state", answer["objective"], *further, ""], rows)
    click.echo(f"Experiments: {answer['counted']} of {answer['budget']}")
    click.echo(f"Loop:        {_loop(answer)}")
    for name, (low, high) in answer["limits"].items():
        click.echo(f"Limits:      {name} {number(low)} to {number(high)}")
    best, recommended = answer["best"], answer["recommended"]
    if best is not None:
        click.echo(f"Best test:   {number(best['value'])} at {design_text(best['design'])} (experiment {best['id']})")
    if recommended is not None:
        spread = f"{number(recommended['mean'])} +/- {spread_text(recommended['std'])}"
        chance = recommended["probability_top"]
        rank = "" if chance is None else f"; among the best 1 % of all designs with probability {chance:.2f}"
        click.echo(f"Best design: {spread} at {design_text(recommended['design'])}{rank}")
    elif best is not None and not answer["model_asked"]:
        click.echo(f"Best design: ask the model of {answer['complete']} results with --recommend")
    if answer["front"] is not None:
        names = list(answer["front"]["reference"])
        rows = [
            [*(m["design"].get(p) for p in parameters), *(interval_text(m["interval"][n]) for n in names), m["tests"]]
            for m in answer["front"]["members"]
        ]
        table("Pareto front (95 % intervals)", [*parameters, *names, "tests"], rows)
    for line in answer["waits_for"]:
        click.echo(f"Waits for:   {line}")


def status_of(campaign: Campaign, recommend: bool | None = None) -> dict[str, Any]:
    """The answer of `status --json`.

    recommend : whether the model is asked for the best design; None: where it answers in a moment
    """
    from toughopt.loop.objectives import recorded

    state = campaign.state
    best = state.best
    against = [objective.name for objective in campaign.workspace.config.objective.against]
    asked = len(state.complete) <= _SOON_ASKED if recommend is None else recommend
    found, front = (campaign.recommendation, campaign.front) if asked else (None, None)
    recommended = None
    if found is not None:
        recommended = {
            "design": dict(found.design),
            "mean": found.mean,
            "std": _told(found.std),
            "interval": [_told(end) for end in found.interval],
            "tests": found.tests,
            "probability_top": _told(found.probability_top),
        }
    experiments = [
        {
            "id": e.id,
            "design": e.design,
            "state": str(e.stage),
            "value": e.value,
            "against": {name: recorded(e, name) for name in against},
            "mass_g": e.mass_g,
            "printer": e.printer,
            "source": e.source,
            "retry_of": e.retry_of,
            "excluded": e.excluded,
            "reason": e.reason,
            "blame": e.blame,
        }
        for e in state.experiments.values()
    ]
    return {
        "campaign": campaign.workspace.config.name,
        "objective": campaign.workspace.config.objective.name,
        "against": against,
        "budget": campaign.workspace.budget(),
        "counted": state.counted(),
        "complete": len(state.complete),
        "failed": sum(e.stage == "failed" for e in state.experiments.values()),
        "under_way": len(state.under_way),
        "printers": _printers(campaign),
        "best": None if best is None else {"id": best.id, "design": best.design, "value": best.value},
        "recommended": recommended,
        "model_asked": asked,
        "front": None if front is None else _front(front),
        "conducted": campaign.conducted,
        "limits": _limits(campaign),
        "conductor": None if state.conductor is None else dict(state.conductor),
        "waits_for": waits_for(campaign),
        "experiments": experiments,
    }


def spread_text(std: float | None) -> str:
    """Two digits of a standard deviation, which is not known better."""
    return "?" if std is None or not math.isfinite(std) else number(float(f"{std:.2g}"))


def _remark(experiment: Mapping[str, Any]) -> str:
    return "; ".join(filter(None, ("excluded" if experiment["excluded"] else "", experiment["reason"])))


def _loop(answer: Mapping[str, Any]) -> str:
    """Whether one runs, in words."""
    last = answer["conductor"]
    if last is None:
        return "does not run"
    who = f"process {last['pid']} on {last['host']}"
    return f"runs, {who}" if answer["conducted"] else f"does not run; the last one, {who}, did not come to its end"


def _limits(campaign: Campaign) -> dict[str, list[float]]:
    """What is chosen from, where people narrowed it while the campaign ran."""
    steering, dimensions = campaign.state.steering, campaign.workspace.chooser.dimensions
    ends = {name: [steering.get(f"{end}:{name}") for end in ("low", "high")] for name in dimensions}
    return {
        name: [
            dimensions[name][end] if limit is None else limit for end, limit in zip(("low", "high"), found, strict=True)
        ]
        for name, found in ends.items()
        if found != [None, None]
    }


def _front(front: Front) -> dict[str, Any]:
    """As `--json` tells it."""
    members = [
        {
            "design": dict(m.design),
            "mean": dict(m.mean),
            "std": {name: _told(std) for name, std in m.std.items()},
            "interval": {name: [_told(low), _told(high)] for name, (low, high) in m.interval.items()},
            "tests": m.tests,
            "probability": _told(m.probability),
        }
        for m in front.members
    ]
    return {"members": members, "reference": dict(front.reference), "hypervolume": front.hypervolume}


def _told(value: float) -> float | None:
    """Null where the model cannot tell."""
    return value if math.isfinite(value) else None


def interval_text(interval: list[float | None]) -> str:
    """`12.1 to 14.3`; one number where both ends are the same, or a dash where they are not known."""
    low, high = interval
    if low is None or high is None:
        return "-"
    return number(low) if number(low) == number(high) else f"{number(low)} to {number(high)}"


def _printers(campaign: Campaign) -> dict[str, dict[str, Any]]:
    """What each printer does, and the filament that it has left where somebody told."""
    state = campaign.state
    prints = {e.printer: e.id for e in state.under_way if e.stage in ("queued", "printing")}
    return {
        printer.name: {
            "profile": printer.profile,
            "disabled": bool(state.steering.get(f"disabled:{printer.name}")),
            "prints": prints.get(printer.name),
            "on_bed": state.beds.get(printer.name),
            "filament_g": state.spools_g.get(printer.name),
            "policy": campaign.workspace.chooser.policy_of(state, printer.name),
        }
        for printer in campaign.workspace.config.printers
    }


def waits_for(campaign: Campaign) -> list[str]:
    """A line for everything that the campaign waits for a person to do."""
    state, folder = campaign.state, in_shell(campaign.folder)
    lines = [f"{printer}: heaters NOT known to be off ({why})" for printer, why in state.hot_printers.items()]
    for experiment in state.under_way:
        if experiment.stage == "uncertain":
            on_bed = state.beds.get(experiment.printer or "") == experiment.id
            good = (
                f"`toughopt ctl {folder} printed {experiment.id}` where it is whole"
                if on_bed
                else f"`toughopt tell {folder} {experiment.id} --curve FILE` where it was tested, or can be"
            )
            lines.append(
                f"a person's decision on experiment {experiment.id}, {experiment.reason}: {good}, or "
                f"`toughopt fail {folder} {experiment.id} --why TEXT --blame lab`"
            )
        elif experiment.manual:
            lines.append(f"the result of experiment {experiment.id}: `toughopt tell {folder} {experiment.id} ...`")
    for printer, left_g in state.spools_g.items():
        if any((e.filament_g or 0.0) > left_g for e in state.under_way if e.stage == "sliced"):
            lines.append(
                f"filament on {printer} ({left_g:.0f} g left): `toughopt ctl {folder} filament {printer} GRAMS`"
            )
    for key, value in state.steering.items():
        if key.startswith("disabled:") and value:
            name = key.partition(":")[2]
            lines.append(f"`toughopt ctl {folder} enable {name}`: it is disabled")
    if state.steering.get("keep_clear"):
        lines.append(f"`toughopt ctl {folder} keep-clear off`: {state.steering['keep_clear']}")
    if state.steering.get("paused"):
        lines.append(f"`toughopt ctl {folder} resume`: the loop is paused")
    lines += [f"an answer to `{request['verb']}`" for request in state.open_requests.values()]
    return lines
