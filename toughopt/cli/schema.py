"""`toughopt schema` and `toughopt completion`: help for editors and shells."""

from __future__ import annotations

from typing import Any

import click

from toughopt.cli.output import show_json


@click.command()
@click.argument("kind", type=click.Choice(["campaign", "printer"]), default="campaign")
def schema_command(kind: str) -> None:
    """JSON Schema of campaign.toml or of a printer profile, for editors that check TOML against one."""
    show_json(schema_of(kind))


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `campaign` or `printer`, every key described."""
    from toughopt.cli.keys import CAMPAIGN, PROFILE, described

    if kind == "campaign":
        from toughopt.campaign import CampaignConfig

        made = described(CampaignConfig.model_json_schema(), CAMPAIGN)
    else:
        from toughopt.profiles import PrinterProfile, available_profiles

        made = described(PrinterProfile.model_json_schema(), PROFILE)
        shipped = ", ".join(sorted(available_profiles()))
        extends = {"type": "string", "description": f"Profile that this one changes: {shipped}, or a file."}
        made["properties"] = {"extends": extends, **made["properties"]}
        made["required"] = [key for key in made.get("required", []) if key != "name"]  # the file's name stands in
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """The script that lets SHELL complete toughopt's commands and options.

    \b
    bash: eval "$(toughopt completion bash)"          in ~/.bashrc
    zsh:  eval "$(toughopt completion zsh)"           in ~/.zshrc
    fish: toughopt completion fish > ~/.config/fish/completions/toughopt.fish
    """
    from click.shell_completion import get_completion_class

    from toughopt.cli import group

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(made(group, {}, "toughopt", "_TOUGHOPT_COMPLETE").source())
