"""What a person ends is no failure of the machine that was at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toughopt import Campaign
from toughopt.gcode import Program
from toughopt.journal import Stage
from toughopt.loop import Conductor, Lab, Workspace
from toughopt.printing import PrintEvent, PrintOutcome, PrintStatus
from toughopt.virtual.clock import VirtualClock
from toughopt.virtual.fleet import simulated_lab


class Patient:
    """A printer that prints until it is told to stop."""

    name = "printer-1"

    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun = begun
        self._over = threading.Event()

    def print(self, program: Program, on_event: Callable[[PrintEvent], None]) -> PrintOutcome:
        self._begun()
        assert self._over.wait(60)
        return PrintOutcome(PrintStatus.CANCELLED, "the run was aborted", True, 1.0, 1)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def cancel(self, reason: str) -> None:
        self._over.set()

    def make_safe(self) -> bool:
        return True

    def close(self) -> None: ...


def test_a_print_that_a_person_aborts_does_not_disable_its_printer(tmp_path: Path, small_text: str) -> None:
    conductors: list[Conductor] = []

    @contextmanager
    def lab(workspace: Workspace) -> Iterator[Lab]:
        profiles = {name: recipe.profile for name, recipe in workspace.recipes.items()}
        with simulated_lab(profiles, workspace.folder / "lab", VirtualClock()) as made:
            yield Lab({"printer-1": Patient(lambda: conductors[0].abort())}, made.scale, made.frame, made.handler)

    text = small_text.replace('"default"', '"random"') + "\n[recovery]\nfailures_to_disable = 1\n"
    with Campaign.create(tmp_path / "c", text) as campaign:
        summary = campaign.run(lab=lab, on_start=conductors.append)
        assert summary.reason == "aborted by hand"
        assert campaign.state.experiments[1].stage is Stage.FAILED
        assert not campaign.state.steering.get("disabled:printer-1")
