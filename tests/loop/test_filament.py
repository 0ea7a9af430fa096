"""Nothing is begun on a spool that somebody said is too short for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.errors import RunFailed
from toughopt.journal import Stage
from toughopt.loop.simulate import simulate
from toughopt.virtual import small_campaign


def spools(folder: Path, printers: int, **grams: float) -> None:
    with Campaign.create(folder, small_campaign(budget=2, policy="random", printers=printers)) as campaign:
        for name, left_g in grams.items():
            campaign.request("filament", {"printer": name.replace("_", "-"), "grams": left_g}, why="weighed")


def test_a_short_spool_ends_the_run_and_a_new_one_lets_it_go_on(tmp_path: Path) -> None:
    spools(tmp_path / "lab", 1, printer_1=0.01)
    with pytest.raises(RunFailed, match=r"printer-1 has 0\.01 g, and experiment 1 takes"):
        simulate(tmp_path / "lab")
    with Campaign.open(tmp_path / "lab") as campaign:
        assert campaign.state.experiments[1].stage is Stage.SLICED
        campaign.request("filament", {"printer": "printer-1", "grams": 750.0}, why="a new spool")
    simulate(tmp_path / "lab")
    with Campaign.open(tmp_path / "lab") as campaign:
        assert len(campaign.state.complete) == 2
        assert 740.0 < campaign.state.spools_g["printer-1"] < 750.0


def test_the_other_printer_takes_what_one_has_no_filament_for(tmp_path: Path) -> None:
    spools(tmp_path / "lab", 2, printer_1=0.01)
    simulate(tmp_path / "lab")
    with Campaign.open(tmp_path / "lab") as campaign:
        assert {e.printer for e in campaign.state.complete} == {"printer-2"} and len(campaign.state.complete) == 2
