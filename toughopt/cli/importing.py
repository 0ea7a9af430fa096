"""`toughopt import`: earlier results into a campaign, so that its model begins with them."""

from __future__ import annotations

from pathlib import Path

import click

from toughopt.cli.output import campaign_argument, existing_file, json_option, say, show_json, table


@click.command()
@click.argument("file", type=existing_file())
@campaign_argument
@click.option("--map", "given", multiple=True, metavar="COLUMN=ROLE", help="What a column is; as often as wanted.")
@click.option("--skip-outside", is_flag=True, help="Leave out rows that are no design of this campaign.")
@click.option("--again", is_flag=True, help="Take rows that the campaign has already for further tests.")
@click.option("--yes", is_flag=True, help="Write them; without it, only say what would be written.")
@json_option
def import_command(
    file: Path, folder: Path, given: tuple[str, ...], skip_outside: bool, again: bool, yes: bool, as_json: bool
) -> None:
    """Take a CSV table of earlier tests into the campaign in DIR (made with `toughopt new`).

    Each column gets the role that its name tells, unless --map says otherwise: a parameter of the family, or value (of
    the objective), mass_g, printer, id, failed, valid, ignore. Two columns of one role are refused. Of a table that
    `toughopt export` wrote, what came to no result, was excluded, or failed by the lab's fault is left out. A
    file with rows that the campaign has already, design and result alike, is refused unless --again says otherwise.
    """
    from toughopt.loop import Campaign
    from toughopt.replay import experiments_of, fitting, own_export, read_sheet, roles_of, take_over

    told = {}
    for item in given:
        column, equals, role = item.rpartition("=")
        if not equals or not column or not role:
            raise click.BadParameter(f"{item!r} is not of the form COLUMN=ROLE", param_hint="--map")
        told[column] = role
    source = read_sheet(file)
    with Campaign.open(folder) as campaign:
        workspace = campaign.workspace
        objective = workspace.config.objective.name
        source, twice = own_export(source, objective)
        roles = roles_of(source.columns, workspace.parameters, objective, twice | told)
        earlier = experiments_of(source, roles, workspace.parameters)
        if yes:
            written, outside = take_over(workspace, earlier, skip_outside=skip_outside, again=again)
        else:
            would = fitting(workspace, earlier, skip_outside=skip_outside, again=again)
            written, outside = 0, len(earlier) - len(would)
    failed = sum(e.value is None for e in earlier)
    if as_json:
        show_json({"roles": roles, "rows": len(earlier), "failed": failed, "written": written, "outside": outside})
        return
    table(
        "", ["column", "is", "first row"], [[c, ", ".join(r) or "-", source.rows[0].cells[c]] for c, r in roles.items()]
    )
    if yes:
        say(f"{written} experiments written, {failed} of them failed; {outside} rows left out")
    else:
        say(
            f"{len(earlier)} rows, {failed} of them failed, {outside} to be left out; nothing is written yet: "
            "add --yes, or correct it with --map"
        )
