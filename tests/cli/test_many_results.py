"""Campaigns with more results than a model answers about at once, and with files that a figure cannot be drawn of."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.journal import events as ev

DESIGN = {"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A campaign with 301 results, told by hand."""
    folder = tmp_path / "campaign"
    with Campaign.create(folder, 'name = "many"\nbudget = 400\n[optimizer]\npolicy = "random"\n') as campaign:
        told: list[tuple[ev.Payload, int | None]] = []
        for i in range(1, 302):
            design = DESIGN | {"theta": 200.0 * (i % 97) / 97.0}
            told.append((ev.Proposed(design=design, source="person", manual=True), i))
            told.append((ev.Complete(value=10.0 + math.sin(i), result={}), i))
        campaign.workspace.store.append_all(told)
    return folder


def test_status_of_many_results_asks_the_model_only_where_it_is_told_to(
    many: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", str(many), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["complete"], answer["model_asked"], answer["recommended"]) == (301, False, None)
    assert answer["best"]["value"] == pytest.approx(11.0, abs=0.001)
    assert main(["status", str(many)]) == 0
    assert "ask the model of 301 results with --recommend" in capsys.readouterr().out


def test_a_figure_that_cannot_be_drawn_is_left_out_with_a_word(
    many: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with Campaign.open(many) as campaign:
        program = campaign.workspace.artifacts.put(b"; nothing is extruded\nG28\nG1 X10 Y10 F600\n")
        store = campaign.workspace.store
        store.append(ev.Proposed(design=DESIGN, source="person"), 302)
        store.append(ev.Built(mesh=program, volume_mm3=1.0, mass_g=1.0), 302)
        sliced = ev.Sliced(
            program=program,
            slicer="native",
            profile="virtual",
            layers=1,
            lines=2,
            time_s=1.0,
            filament_mm=1.0,
            filament_g=1.0,
        )
        store.append(sliced, 302)
        store.append(ev.Complete(value=12.0, result={}), 302)
    assert main(["plot", str(many), "-o", str(tmp_path / "figures")]) == 0
    said = capsys.readouterr()
    assert "is left out:" in said.err
    assert (tmp_path / "figures" / "best_so_far.png").exists()
    assert "best_so_far.png" in said.out
