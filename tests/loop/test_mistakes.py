"""A mistake in the program, while one machine is at work: that experiment ends, the others go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.journal import Stage
from toughopt.loop.lab import Lab
from toughopt.loop.simulate import simulate
from toughopt.virtual.fleet import SimulatedPrinter


def broken_once(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    real: Callable[..., Any] = getattr(owner, name)
    calls: list[int] = []

    def work(*given: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("division by zero")
        return real(*given, **options)

    monkeypatch.setattr(owner, name, work)


@pytest.fixture
def folder(tmp_path: Path, small_text: str) -> Path:
    Campaign.create(tmp_path / "c", small_text.replace('"default"', '"random"')).close()
    return tmp_path / "c"


def test_a_mistake_while_a_part_is_weighed_costs_that_experiment_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_once(monkeypatch, Lab, "weigh")
    simulate(folder)
    with Campaign.open(folder) as campaign:
        stages = [experiment.stage for experiment in campaign.state.experiments.values()]
        assert stages.count(Stage.FAILED) == 1
        assert len(campaign.state.complete) == campaign.workspace.budget()
        (fault,) = [e for e in campaign.workspace.store.read() if e.kind == "fault"]
        assert "ZeroDivisionError" in fault.payload["data"]["traceback"]


def test_a_mistake_in_a_print_leaves_it_uncertain_and_its_heaters_unknown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_once(monkeypatch, SimulatedPrinter, "print")
    simulate(folder)
    with Campaign.open(folder) as campaign:
        kinds = [e.kind for e in campaign.workspace.store.read() if e.experiment_id == 1]
    assert kinds[kinds.index("printing") :][:3] == ["printing", "heaters_unknown", "uncertain"]
