"""A part that weighs what it cannot well weigh is doubted, and the experiment goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.frames import Scale
from toughopt.journal import Event, Experiment
from toughopt.journal import events as ev
from toughopt.loop.lab import Lab, open_lab
from toughopt.loop.massing import doubt_of_mass, expected_g
from toughopt.loop.notices import gist, notices
from toughopt.loop.workspace import Workspace


@dataclass
class Wrong:
    """A scale that shows a quarter of what lies on it."""

    scale: Scale
    name: str = "bench scale"

    def weigh(self, timeout_s: float) -> float:
        return self.scale.weigh(timeout_s) / 4

    def close(self) -> None:
        self.scale.close()


@contextmanager
def lab_with_a_wrong_scale(workspace: Workspace) -> Iterator[Lab]:
    with open_lab(workspace) as lab:
        assert lab.scale is not None
        yield replace(lab, scale=Wrong(lab.scale))


def weighed_wrong(folder: Path, text: str) -> tuple[list[Event], int, Experiment]:
    """Faults of a campaign of one part that is weighed wrong; how many are complete; the part."""
    with Campaign.create(folder, text.replace("budget = 5", "budget = 1")) as campaign:
        summary = campaign.run(lab=lab_with_a_wrong_scale)
        faults = [e for e in campaign.workspace.store.read() if e.kind == "fault"]
        return faults, summary.complete, campaign.state.experiments[1]


def test_a_part_that_is_far_too_light_is_told_and_goes_on(tmp_path: Path, small_text: str) -> None:
    (fault,), complete, experiment = weighed_wrong(tmp_path / "lab", small_text)
    assert complete == 1 and fault.experiment_id == 1
    data = fault.payload["data"]
    assert fault.payload["device"] == "bench scale"
    assert data["mass_g"] == experiment.mass_g
    assert data["expected_g"] == pytest.approx(4 * (experiment.mass_g or 0.0), rel=0.1)
    assert "another part, or not whole" in data["reason"]


@pytest.mark.parametrize("tolerance", [0.0, 0.9])
def test_how_far_is_too_far_is_a_setting(tolerance: float, tmp_path: Path, small_text: str) -> None:
    text = small_text + f"\n[test]\nmass_tolerance = {tolerance}\n"
    assert weighed_wrong(tmp_path / "lab", text)[:2] == ([], 1)


def test_people_who_are_not_there_are_told(tmp_path: Path, small_text: str) -> None:
    with Campaign.create(tmp_path / "lab", small_text) as campaign:
        before = gist(campaign.state)
        data = {"reason": "it weighs 1 g", "mass_g": 1.0, "expected_g": 4.0}
        campaign.workspace.store.append(ev.Fault(device="bench scale", data=data), 7)
        (event,) = campaign.workspace.take_in()
        (notice,) = notices(event, before, campaign.state)
    assert (notice.occasion, notice.experiment_id) == ("failure", 7)
    assert "weighed by bench scale: it weighs 1 g" in notice.text


def sliced(**figures: float) -> Experiment:
    experiment = Experiment(1, {}, "policy", False, None)
    for name, value in figures.items():
        setattr(experiment, name, value)
    return experiment


def test_neither_skirt_and_priming_nor_what_makes_up_for_the_printer_are_weighed() -> None:
    part = sliced(filament_g=5.0, filament_mm=1000.0, part_filament_mm=800.0)
    assert expected_g(part) == pytest.approx(4.0)
    part.flow = 1.25
    assert expected_g(part) == pytest.approx(3.2)
    assert expected_g(sliced(filament_g=5.0, filament_mm=1000.0)) == 5.0
    assert expected_g(sliced()) is None


@pytest.mark.parametrize(("mass_g", "doubted"), [(3.3, False), (3.1, True), (4.7, False), (4.9, True), (0.97, True)])
def test_too_light_and_too_heavy_are_doubted_alike(mass_g: float, doubted: bool) -> None:
    assert (doubt_of_mass(mass_g, 4.0, 0.2) is not None) == doubted
    assert doubt_of_mass(mass_g, 4.0, 0.0) is None
