"""A mistake in the program, while one machine is at work: that experiment ends, the others go on."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.errors import CurveError, DeviceError, ExtensionError, Mistake, RunFailed, SpaceError
from toughopt.frames import SartoriusScale
from toughopt.journal import Event, Stage, State
from toughopt.journal import events as ev
from toughopt.loop import preparing
from toughopt.loop.lab import Lab
from toughopt.loop.notices import notices
from toughopt.loop.simulate import simulate
from toughopt.printing import PrintOutcome, PrintStatus
from toughopt.virtual.fleet import SimulatedPrinter


def broken_once(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
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


def test_a_mistake_in_slicing_one_design_costs_that_design_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_once(monkeypatch, preparing, "prepare")
    simulate(folder)
    with Campaign.open(folder) as campaign:
        first = campaign.state.experiments[1]
        assert (first.stage, first.blame) == (Stage.FAILED, "design") and "ZeroDivisionError" in first.reason
        assert len(campaign.state.complete) == campaign.workspace.budget() - 1


@pytest.mark.parametrize(
    "mass", [math.nan, pytest.param("1.03 g", marks=pytest.mark.full), pytest.param(None, marks=pytest.mark.full)]
)
def test_what_a_scale_answers_that_is_no_mass_costs_that_experiment_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mass: object
) -> None:
    real = SartoriusScale.weigh
    answers = iter([mass])
    monkeypatch.setattr(SartoriusScale, "weigh", lambda scale, timeout_s: next(answers, real(scale, timeout_s)))
    simulate(folder)
    with Campaign.open(folder) as campaign:
        (failed,) = [e for e in campaign.state.experiments.values() if e.stage is Stage.FAILED]
        assert failed.blame == "lab" and f"answered {mass!r}, which is no mass in g" in failed.reason
        assert len(campaign.state.complete) == campaign.workspace.budget()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        PrintOutcome("printed", "", True, 1.0, 1),  # type: ignore[arg-type]
        PrintOutcome(PrintStatus.PRINTED, "", "no", 1.0, 1),  # type: ignore[arg-type]
    ],
)
def test_an_answer_of_a_printer_that_says_nothing_leaves_its_heaters_unknown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    real = SimulatedPrinter.print
    answers = iter([answer])

    def work(printer: SimulatedPrinter, *given: Any) -> Any:
        done = real(printer, *given)
        return next(answers, done)

    monkeypatch.setattr(SimulatedPrinter, "print", work)
    simulate(folder)
    with Campaign.open(folder) as campaign:
        kinds = [e.kind for e in campaign.workspace.store.read() if e.experiment_id == 1]
        assert "heaters_unknown" in kinds and "uncertain" in kinds and "printed" not in kinds


@pytest.mark.parametrize(
    ("error", "told"),
    [(ZeroDivisionError("division by zero"), Mistake), (ExtensionError("family 'ring' cannot build"), ExtensionError)],
)
def test_mistakes_in_slicing_every_design_end_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: type[Exception]
) -> None:
    def broken(*_: object) -> Any:
        raise error

    monkeypatch.setattr(preparing, "prepare", broken)
    with pytest.raises(told, match=str(error)):
        simulate(folder, budget=50)
    with Campaign.open(folder) as campaign:
        stages = [experiment.stage for experiment in campaign.state.experiments.values()]
        assert stages.count(Stage.FAILED) == 2 and len(stages) <= 3


def test_a_lab_that_reads_no_curve_does_not_print_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*given: Any, **options: Any) -> Any:
        raise CurveError("the numbers can be read in two ways")

    def enough(event: Event, state: State) -> None:
        assert len(state.experiments) < 20, "it prints on and on"

    monkeypatch.setattr("toughopt.loop.workspace.measure_file", unreadable)
    with pytest.raises(RunFailed, match=r"\d+ parts in a row .* in two ways\. Mend it, then `toughopt run "):
        simulate(folder, on_event=enough)
    monkeypatch.undo()
    result = simulate(folder)
    assert result.complete == 5


def test_one_result_among_failures_is_reason_to_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Lab.weigh
    calls: list[str] = []

    def weigh(lab: Lab, specimen: str) -> float | None:
        calls.append(specimen)
        if len(calls) % 8:
            raise DeviceError("the scale is not stable")
        return real(lab, specimen)

    monkeypatch.setattr(Lab, "weigh", weigh)
    assert simulate(folder, budget=2).complete == 2


def test_where_no_design_can_be_chosen_what_is_being_printed_is_finished(folder: Path) -> None:
    def narrowed(event: Event, state: State) -> None:
        if event.kind == "printing" and event.experiment_id == 1:
            for end, limit in (("low", 7.0), ("high", 7.5)):
                aside.workspace.store.append(ev.Steered(key=f"{end}:n", value=limit, who="Ada"))

    with Campaign.open(folder) as aside:
        with pytest.raises(SpaceError):
            simulate(folder, on_event=narrowed)
        assert {e.stage for e in aside.state.experiments.values()} == {Stage.COMPLETE}
        (fault,) = [e for e in aside.workspace.store.read() if e.kind == "fault"]
        assert "constraints" in fault.payload["data"]["reason"]
        assert [n.occasion for n in notices(fault, aside.state, aside.state)] == ["waiting"]
        aside.request("limits", {"parameter": "n", "low": "none"})
    assert simulate(folder).complete == 5


def test_a_run_goes_on_as_soon_as_designs_can_be_chosen_again(folder: Path) -> None:
    def steered(event: Event, state: State) -> None:
        if event.kind == "printing" and event.experiment_id == 1:
            aside.workspace.store.append(ev.Steered(key="high:theta", value=-1.0, who="Ada"))
        elif event.kind == "fault":
            aside.workspace.store.append(ev.Steered(key="high:theta", value=None, who="Ada"))

    with Campaign.open(folder) as aside:
        assert simulate(folder, on_event=steered).complete == 5
