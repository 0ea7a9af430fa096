"""`toughopt policies`: what can choose the designs of a campaign."""

from __future__ import annotations

from typing import Any

import click

from toughopt.cli.output import json_option, show_json, table


@click.command()
@click.argument("name", required=False)
@json_option
def policies_command(name: str | None, as_json: bool) -> None:
    """The policies that choose designs, or one with all its settings."""
    from toughopt.optimizer import available_policies, policy
    from toughopt.optimizer.policies import meaning, unusual_settings

    names = [name] if name else list(available_policies())
    found: list[dict[str, Any]] = [
        {"name": each, "meaning": meaning(each), "settings": dict(policy(each).settings)} for each in names
    ]
    if as_json:
        show_json(found[0] if name else found)
        return
    if name:
        click.echo(f"{name}: {meaning(name)}")
        table("", ["setting", "value"], [[k, str(v)] for k, v in found[0]["settings"].items()])
        return
    rows = [[each, meaning(each), ", ".join(f"{k} = {v}" for k, v in unusual_settings(each).items())] for each in names]
    table("", ["policy", "what it does", "settings of its own"], rows)
