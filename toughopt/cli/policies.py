"""`toughopt policies`: what can choose the designs of a campaign."""

from __future__ import annotations

from typing import Any

import click

from toughopt.cli.output import json_option, show_json, table, usable


@click.command()
@click.argument("name", required=False)
@json_option
def policies_command(name: str | None, as_json: bool) -> None:
    """The policies that choose designs, or one with all its settings."""
    from toughopt.optimizer import available_policies, policy
    from toughopt.optimizer.policies import IN_A_BOX, meaning, unusual_settings

    names = [name] if name else usable(available_policies(), policy)
    found: list[dict[str, Any]] = [
        {
            "name": each,
            "meaning": meaning(each),
            "settings": dict(policy(each).settings),
            "in_a_box": dict(IN_A_BOX.get(each, {})),
        }
        for each in names
    ]
    if as_json:
        show_json(found[0] if name else found)
        return
    if name:
        click.echo(f"{name}: {meaning(name)}")
        box = found[0]["in_a_box"]
        rows = [[k, str(v), *([str(box.get(k, ""))] if box else [])] for k, v in found[0]["settings"].items()]
        table("", ["setting", "value", *(["in a box"] if box else [])], rows)
        return
    rows = [[each, meaning(each), ", ".join(f"{k} = {v}" for k, v in unusual_settings(each).items())] for each in names]
    table("", ["policy", "what it does", "settings of its own"], rows)
