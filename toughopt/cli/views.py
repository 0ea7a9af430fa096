"""Pictures: plot to files, watch in a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toughopt.cli.output import campaign_argument, json_option, say, show_json

if TYPE_CHECKING:
    from toughopt.errors import ToughoptError


@click.command()
@campaign_argument
@click.option("--format", "formats", multiple=True, type=click.Choice(["png", "svg", "pdf"]), default=("png",))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Folder (default: DIR/exports).")
@json_option
def plot_command(folder: Path, formats: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """The campaign's figures to files; one that cannot be drawn is left out, with a word about it."""
    from toughopt.loop import Campaign
    from toughopt.plots import save_figures

    def skipped(name: str, why: ToughoptError) -> None:
        say(f"{name} is left out: {why}")

    with Campaign.open(folder) as campaign:
        target = output or folder / "exports"
        paths = save_figures(campaign.workspace, target, formats=formats, model=True, on_skipped=skipped)
    if as_json:
        show_json(paths)
    else:
        for path in paths:
            click.echo(path)


@click.command()
@campaign_argument
def watch_command(folder: Path) -> None:
    """A live window on a campaign; redraws as events arrive, and never slows the loop."""
    from toughopt.plots import step_back, watch

    step_back()
    watch(folder)
