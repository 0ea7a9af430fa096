"""Nothing is ever started on a bed that is not confirmed clear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.errors import DeviceError
from toughopt.loop.lab import Lab
from toughopt.loop.simulate import SimulatedCrew
from toughopt.loop.workspace import Workspace
from toughopt.virtual.clock import VirtualClock
from toughopt.virtual.fleet import simulated_lab

REAL = """url = "socket://a-real-printer:1"

[scale]
kind = "operator"

[frame]
kind = "operator"

[handler]
kind = "operator"
"""


class Person:
    """Somebody who looks at beds, and is not always there."""

    name = "person"

    def __init__(self, hands: object, there: bool = True) -> None:
        self.asked: list[tuple[str, str]] = []
        self.there = there
        self._hands = hands

    def clear_bed(self, printer: str, specimen: str) -> None:
        self.asked.append((printer, specimen))
        if not self.there:
            raise DeviceError(f"nobody confirmed that the bed of {printer} is clear")
        if specimen:
            self._hands.clear_bed(printer, specimen)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._hands, name)


def run(folder: Path, text: str, person: list[Person], there: bool, budget: int = 2) -> list[str]:
    """Run a campaign whose machines are said to be real, with one person as hands; the events' kinds."""
    clock = VirtualClock()

    @contextmanager
    def lab(workspace: Workspace) -> Iterator[Lab]:
        profiles = {name: recipe.profile for name, recipe in workspace.recipes.items()}
        with simulated_lab(profiles, workspace.folder / "lab", clock) as made:
            person.append(Person(made.hands, there))
            yield Lab(dict(made.printers), made.scale, made.frame, person[-1], made.hands.record_of, made.guard)  # type: ignore[arg-type]

    if not folder.exists():
        Campaign.create(folder, text).close()
    with Campaign.open(folder) as campaign:
        try:
            campaign.run(budget, lab=lab, crew=SimulatedCrew(clock))
        finally:
            kinds = [event.kind for event in campaign.workspace.store.read()]
    return kinds


@pytest.fixture
def text(small_text: str) -> str:
    return small_text.replace('"default"', '"random"') + REAL


def test_a_person_is_asked_for_each_bed_before_the_first_print_of_every_run(tmp_path: Path, text: str) -> None:
    person: list[Person] = []
    kinds = run(tmp_path / "real", text, person, there=True)
    assert person[0].asked[0] == ("printer-1", "")
    assert kinds.index("bed_doubted") < kinds.index("bed_cleared") < kinds.index("printing")
    run(tmp_path / "real", text, person, there=True, budget=3)
    assert person[1].asked[0] == ("printer-1", "")


def test_without_an_answer_nothing_is_printed(tmp_path: Path, text: str) -> None:
    person: list[Person] = []
    with pytest.raises(DeviceError, match="every printer is disabled"):
        run(tmp_path / "real", text, person, there=False)
    with Campaign.open(tmp_path / "real") as campaign:
        assert not any(event.kind == "printing" for event in campaign.workspace.store.read())
        assert campaign.state.beds == {"printer-1": 0}
