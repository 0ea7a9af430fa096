"""`toughopt status`: where every experiment is, the best so far, and what the lab waits for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toughopt.cli.output import campaign_argument, design_text, json_option, number, show_json, table

if TYPE_CHECKING:
    from toughopt.loop import Campaign

_NEWEST = 50  # experiments in the table


@click.command()
@campaign_argument
@click.option("--all", "everything", is_flag=True, help="Every experiment, not only the newest.")
@json_option
def status_command(folder: Path, everything: bool, as_json: bool) -> None:
    """Where every experiment is, the best so far with its uncertainty, what the lab waits for."""
    from toughopt.loop import Campaign

    with Campaign.open(folder) as campaign:
        answer = status_of(campaign)
    if as_json:
        show_json(answer)
        return
    parameters = list(answer["experiments"][0]["design"]) if answer["experiments"] else []
    rows = [
        [e["id"], *(e["design"].get(p) for p in parameters), e["state"], e["value"], e["reason"]]
        for e in (answer["experiments"] if everything else answer["experiments"][-_NEWEST:])
    ]
    if len(rows) < len(answer["experiments"]):
        click.echo(
            f"the newest {len(rows)} of {len(answer['experiments'])} experiments; --all shows every one", err=True
        )
    table(answer["campaign"], ["id", *parameters, "state", answer["objective"], ""], rows)
    best, recommended = answer["best"], answer["recommended"]
    if best is not None:
        click.echo(f"Best test:   {number(best['value'])} at {design_text(best['design'])} (experiment {best['id']})")
    if recommended is not None:
        spread = f"{number(recommended['mean'])} +/- {number(recommended['std'])}"
        click.echo(f"Best design: {spread} at {design_text(recommended['design'])}")
    for line in answer["waits_for"]:
        click.echo(f"Waits for:   {line}")


def status_of(campaign: Campaign) -> dict[str, Any]:
    """The answer of `status --json`."""
    state = campaign.state
    best = state.best
    found = campaign.recommendation
    recommended = None
    if found is not None:
        recommended = {"design": dict(found.design), "mean": found.mean, "std": found.std}
    experiments = [
        {
            "id": e.id,
            "design": e.design,
            "state": str(e.stage),
            "value": e.value,
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
        "budget": campaign.workspace.budget(),
        "complete": len(state.complete),
        "failed": sum(e.reason != "" and e.ended for e in state.experiments.values()),
        "under_way": len(state.under_way),
        "printers": _printers(campaign),
        "best": None if best is None else {"id": best.id, "design": best.design, "value": best.value},
        "recommended": recommended,
        "conductor": None if state.conductor is None else dict(state.conductor),
        "waits_for": _waits_for(campaign),
        "experiments": experiments,
    }


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


def _waits_for(campaign: Campaign) -> list[str]:
    state = campaign.state
    lines = [f"{printer}: heaters NOT known to be off ({why})" for printer, why in state.hot_printers.items()]
    for experiment in state.under_way:
        if experiment.stage == "uncertain":
            lines.append(
                f"a person's decision on experiment {experiment.id}, {experiment.reason}: "
                f"`toughopt ctl DIR printed {experiment.id}` or `toughopt fail DIR {experiment.id}`"
            )
        elif experiment.manual:
            lines.append(f"the result of experiment {experiment.id}: `toughopt tell DIR {experiment.id} ...`")
    for printer, left_g in state.spools_g.items():
        if any((e.filament_g or 0.0) > left_g for e in state.under_way if e.stage == "sliced"):
            lines.append(f"filament on {printer} ({left_g:.0f} g left): `toughopt ctl DIR filament {printer} GRAMS`")
    for key, value in state.steering.items():
        if key.startswith("disabled:") and value:
            name = key.partition(":")[2]
            lines.append(f"`toughopt ctl DIR enable {name}`: it is disabled")
    if state.steering.get("keep_clear"):
        lines.append(f"`toughopt ctl DIR keep-clear off`: {state.steering['keep_clear']}")
    if state.steering.get("paused"):
        lines.append("`toughopt ctl DIR resume`: the loop is paused")
    lines += [f"an answer to `{request['verb']}`" for request in state.open_requests.values()]
    return lines
