"""Nothing is ever started on a bed that is not confirmed clear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.errors import DeviceError, InputError
from toughopt.journal import events as ev
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


def on_the_bed(folder: Path, text: str, *more: ev.Payload) -> Campaign:
    """A campaign whose first experiment came as far as that, on printer-1."""
    campaign = Campaign.create(folder, text)
    digest = campaign.workspace.artifacts.put(b"G28")
    sliced = ev.Sliced(
        program=digest, slicer="native", profile="virtual_small", layers=1, lines=1, time_s=1.0, filament_mm=1.0,
        filament_g=1.0,
    )  # fmt: skip
    store = campaign.workspace.store
    for identity in (1, 2):
        store.append(ev.Proposed(design={"n": 6, "theta": 50.0, "r": 1.8, "t": 0.8}, source="person"), identity)
        store.append(ev.Built(mesh=digest, volume_mm3=1.0, mass_g=1.0), identity)
        store.append(sliced, identity)
    for payload in (ev.Queued(printer="printer-1"), ev.Printing(printer="printer-1", program=digest), *more):
        store.append(payload, 1)
    return campaign


_PRINTED = ev.Printed(printer="printer-1", duration_s=1.0, lines_sent=1)


@pytest.mark.parametrize("more", [(), (_PRINTED,)], ids=["printing", "printed"])
def test_a_bed_with_a_part_in_hand_cannot_be_declared_clear(
    tmp_path: Path, text: str, more: tuple[ev.Payload, ...]
) -> None:
    with on_the_bed(tmp_path / "campaign", text, *more) as campaign:
        with pytest.raises(InputError, match="experiment 1 is print"):
            campaign.request("bed-cleared", {"printer": "printer-1"})
        assert campaign.state.beds == {"printer-1": 1}


def test_what_was_taken_off_a_bed_does_not_clear_it_of_the_next_part(tmp_path: Path, text: str) -> None:
    with on_the_bed(tmp_path / "campaign", text, _PRINTED) as campaign:
        store = campaign.workspace.store
        store.append(ev.BedCleared(printer="printer-1", by="an older version"))
        program = campaign.state.experiments[2].program or ""
        store.append(ev.Queued(printer="printer-1"), 2)
        store.append(ev.Printing(printer="printer-1", program=program), 2)
        store.append(ev.Cleared(printer="printer-1", by="somebody late"), 1)
        assert campaign.state.beds == {"printer-1": 2}


def test_a_part_declared_printed_says_nothing_of_the_heaters(tmp_path: Path, text: str) -> None:
    hot = ev.HeatersUnknown(printer="printer-1", reason="the cable was pulled")
    doubt = ev.Uncertain(stage="printing", reason="the line was lost")
    with on_the_bed(tmp_path / "campaign", text, hot, doubt) as campaign:
        campaign.request("printed", {"id": 1})
        assert campaign.state.hot_printers == {"printer-1": "the cable was pulled"}


def test_what_a_cleared_bed_held_is_not_declared_printed(tmp_path: Path, text: str) -> None:
    doubt = ev.Uncertain(stage="printing", reason="the line was lost")
    with on_the_bed(tmp_path / "campaign", text, doubt) as campaign:
        campaign.request("bed-cleared", {"printer": "printer-1"})
        with pytest.raises(InputError, match="the bed of printer-1 was cleared"):
            campaign.request("printed", {"id": 1})
