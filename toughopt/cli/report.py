"""`toughopt report`: the campaign as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from toughopt.cli.output import campaign_argument, json_option, say, show_json


@click.command()
@campaign_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: DIR/exports/report.html."
)
@click.option("-q", "--quiet", is_flag=True, help="Say only where it is.")
@json_option
def report_command(folder: Path, output: Path | None, quiet: bool, as_json: bool) -> None:
    """One self-contained HTML file: figures, tables, provenance, whether it was worth it, and a methods paragraph.

    It needs no network, and prints well: the browser's print makes a PDF of it.
    """
    from toughopt.loop import Campaign
    from toughopt.report import write_report

    path = output or folder / "exports" / "report.html"
    with Campaign.open(folder) as campaign:
        write_report(campaign.workspace, path, say=lambda words: None if quiet else say(words))
    if as_json:
        show_json({"file": path, "bytes": path.stat().st_size})
    else:
        click.echo(path)
