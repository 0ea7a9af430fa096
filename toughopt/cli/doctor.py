"""`toughopt doctor`: is this computer fit to run a campaign, and if not, what to do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from toughopt.cli.output import json_option, show_json


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Where campaigns shall lie (default: here).",
)
@json_option
def doctor_command(folder: Path, as_json: bool) -> int:
    """See whether this computer can run a campaign: versions, ports, rights, display, disk, clock, optional parts.

    Opens no port and moves nothing. Exit code 1 where something must be mended first.
    """
    from toughopt.cli.examination import examine

    found = list(examine(folder))
    bad = any(finding.level == "bad" for finding in found)
    if as_json:
        show_json({"fit": not bad, "findings": [asdict(finding) for finding in found]})
        return int(bad)
    for finding in found:
        click.echo(f"{finding.level:<5} {finding.what}: {finding.found}")
        if finding.remedy:
            click.echo(f"      {finding.remedy}")
    click.echo("something must be mended first" if bad else "fit to run a campaign")
    return int(bad)
