"""Helpers of the tests of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.virtual import small_campaign


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`run("families", "--json")` -> exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def answer(run: Callable[..., tuple[int, str, str]]) -> Callable[..., Any]:
    """`answer("families")` -> what the command says with --json."""

    def call(*arguments: object) -> Any:
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A campaign with a budget of five experiments, three of which were told by hand."""
    with Campaign.create(tmp_path / "my lab", small_campaign()) as campaign:
        for entry in campaign.suggest(3):
            campaign.tell(entry["id"], value=float(entry["id"]))
    return tmp_path / "my lab"
