"""Hands, scale and load frame: beds are cleared, specimens weighed, crushed and thrown away, one thing at a time.

There is one pair of hands, one scale and one frame. While the frame moves the hands are free for something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toughopt.errors import DeviceError, ToughoptError
from toughopt.journal import Experiment, Stage
from toughopt.journal import events as ev
from toughopt.loop.massing import doubt_of_mass, expected_g

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor
    from toughopt.loop.measuring import Measurement

_HANDS, _FRAME, _DESK = "hands", "frame", "analysis"
_Task = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _OnFrame:
    """What lies on the load frame."""

    experiment: Experiment
    specimen: str
    spent: bool = False  # it was crushed, and waits to be taken away


@dataclass(slots=True)
class Bench:
    """Decides what the hands do next; all of it on the conductor's thread."""

    conductor: Conductor
    _on_frame: _OnFrame | None = None
    _at: set[str] = field(default_factory=set)  # who is at work: hands, frame

    def advance(self) -> None:
        """Give the hands and the frame what is most urgent."""
        if _HANDS not in self._at:
            task = next(self._tasks(), None)
            if task is not None:
                task()
        for experiment in self.conductor.state.under_way:
            if experiment.stage is Stage.TESTED and experiment.id not in self.conductor.busy:
                self._analyse(experiment)

    def _tasks(self) -> Iterator[_Task]:
        """What the hands could do now, most urgent first."""
        if self._on_frame is not None and self._on_frame.spent:
            yield self._throw_away
        take_off, load, weigh = self._parts_to_take_off(), self._parts_to_load(), self._parts_to_weigh()
        beds = [*take_off, *self._beds_to_clear()]
        match self.conductor.workspace.config.fleet.priority:
            case "printers":
                yield from (*beds, *load, *weigh)
            case "press":
                yield from (*load, *weigh, *beds)
            case _:  # an idle frame waits for seconds of handling, then the hands have minutes for the beds
                starved = [] if self._waiting(Stage.WEIGHED) else weigh  # the frame's next part is to lie ready
                yield from (*load, *starved, *beds, *weigh)

    def _waiting(self, *stages: Stage) -> list[Experiment]:
        busy = self.conductor.busy
        return [e for e in self.conductor.state.under_way if e.stage in stages and not e.manual and e.id not in busy]

    def _by_hand(
        self, key: object, work: Callable[[], object], then: _Task, otherwise: Callable[[ToughoptError], None]
    ) -> None:
        """Have the hands do something; they are free again before what follows from it is done."""
        self._at.add(_HANDS)

        def done(_: object) -> None:
            self._at.discard(_HANDS)
            then()

        def failed(error: ToughoptError) -> None:
            self._at.discard(_HANDS)
            otherwise(error)

        self.conductor.start(key, _HANDS, work, done, failed)

    # --- beds --------------------------------------------------------------------------------------------------------

    def _parts_to_take_off(self) -> list[_Task]:
        return [lambda e=e: self._take_off(e) for e in self._waiting(Stage.PRINTED)]  # type: ignore[misc]

    def _take_off(self, experiment: Experiment) -> None:
        conductor, handler = self.conductor, self.conductor.lab.handler
        printer, specimen = experiment.printer or "", conductor.workspace.specimen(experiment)
        paths: list[bytes | None] = []

        def work() -> None:
            handler.clear_bed(printer, specimen)
            paths.append(conductor.lab.executed_path(specimen))

        def cleared() -> None:
            if experiment.ended:
                conductor.record(ev.BedCleared(printer=printer, by=handler.name))
                return
            path = paths[0]
            digest = conductor.workspace.artifacts.put(path) if path else None
            conductor.record(ev.Cleared(printer=printer, by=handler.name, path=digest), experiment.id)

        def still_there(error: ToughoptError) -> None:
            conductor.stations.shop.disable(printer, str(error))
            if not experiment.ended:
                conductor.fail(experiment, "printed", str(error), "lab")

        self._by_hand(experiment.id, work, cleared, still_there)

    def _beds_to_clear(self) -> Iterator[_Task]:
        """Beds with a part that is of no use any more, or of which nobody knows whether they are clear."""
        state = self.conductor.state
        able = self.conductor.stations.able_printers()
        for printer, identity in state.beds.items():
            experiment = state.experiments.get(identity)
            useless = experiment is None or (experiment.ended and identity not in self.conductor.busy)
            if printer in able and useless:
                yield lambda printer=printer, experiment=experiment: self._clear(printer, experiment)  # type: ignore[misc]

    def _clear(self, printer: str, experiment: Experiment | None) -> None:
        conductor, handler = self.conductor, self.conductor.lab.handler
        specimen = "" if experiment is None else conductor.workspace.specimen(experiment)

        def still_there(error: ToughoptError) -> None:
            identity = None if experiment is None else experiment.id
            conductor.record(ev.Fault(device=handler.name, data={"reason": str(error)}), identity)
            conductor.stations.shop.disable(printer, str(error))

        self._by_hand(
            f"bed of {printer}",
            lambda: handler.clear_bed(printer, specimen),
            lambda: conductor.record(ev.BedCleared(printer=printer, by=handler.name)),
            still_there,
        )

    # --- scale -------------------------------------------------------------------------------------------------------

    def _parts_to_weigh(self) -> list[_Task]:
        return [lambda e=e: self._weigh(e) for e in self._waiting(Stage.CLEARED)]  # type: ignore[misc]

    def _weigh(self, experiment: Experiment) -> None:
        conductor, lab = self.conductor, self.conductor.lab
        specimen = conductor.workspace.specimen(experiment)
        masses: list[float | None] = []

        def weighed() -> None:
            if not experiment.ended:
                by = lab.scale.name if lab.scale else "nobody"
                conductor.record(ev.Weighed(mass_g=masses[0], by=by), experiment.id)
                self._doubt_mass(experiment, by)

        def unweighed(error: ToughoptError) -> None:
            if not experiment.ended:
                conductor.fail(experiment, "cleared", str(error), "lab")

        self._by_hand(experiment.id, lambda: masses.append(lab.weigh(specimen)), weighed, unweighed)

    def _doubt_mass(self, experiment: Experiment, scale: str) -> None:
        """Say that a part weighs what it cannot well weigh; the experiment goes on, for people to judge."""
        should_g = expected_g(experiment)
        if experiment.mass_g is None or should_g is None:
            return
        reason = doubt_of_mass(experiment.mass_g, should_g, self.conductor.workspace.config.test.mass_tolerance)
        if reason is not None:
            data = {"reason": reason, "mass_g": experiment.mass_g, "expected_g": should_g}
            self.conductor.record(ev.Fault(device=scale, data=data), experiment.id)

    # --- load frame --------------------------------------------------------------------------------------------------

    def _parts_to_load(self) -> list[_Task]:
        blocked = self._on_frame is not None or self.conductor.state.steering.get("keep_clear")
        if blocked:
            return []
        return [lambda e=e: self._load(e) for e in self._waiting(Stage.WEIGHED)]  # type: ignore[misc]

    def _load(self, experiment: Experiment) -> None:
        conductor, handler = self.conductor, self.conductor.lab.handler
        specimen = conductor.workspace.specimen(experiment)
        self._on_frame = _OnFrame(experiment, specimen)

        def loaded() -> None:
            if experiment.ended or conductor.aborting:
                self._on_frame = _OnFrame(experiment, specimen, spent=True)
                return
            conductor.record(ev.Crushing(frame=conductor.lab.frame.name), experiment.id)
            self._crush(experiment, specimen)

        def not_there(error: ToughoptError) -> None:
            self._on_frame = None
            if not experiment.ended:
                conductor.fail(experiment, "weighed", str(error), "lab")

        self._by_hand(experiment.id, lambda: handler.to_frame(specimen), loaded, not_there)

    def _crush(self, experiment: Experiment, specimen: str) -> None:
        conductor, lab, workspace = self.conductor, self.conductor.lab, self.conductor.workspace

        def work() -> ev.Tested:
            data, name = lab.crush(workspace.config.test, specimen, workspace.body(experiment).height_mm)
            return ev.Tested(curve=workspace.artifacts.put(data), file_name=name, by=lab.frame.name)

        def crushed(tested: ev.Tested) -> None:
            self._on_frame = _OnFrame(experiment, specimen, spent=True)
            if not experiment.ended:
                conductor.record(tested, experiment.id)

        def untested(error: ToughoptError) -> None:
            self._on_frame = _OnFrame(experiment, specimen, spent=True)
            self._untested(experiment, error)

        conductor.start(experiment.id, _FRAME, work, crushed, untested)

    def _untested(self, experiment: Experiment, error: ToughoptError) -> None:
        conductor = self.conductor
        if experiment.ended:
            return
        stage = str(experiment.stage)
        doubt = isinstance(error, DeviceError)  # the specimen may be spent, or not
        if doubt:
            conductor.record(ev.Uncertain(stage=stage, reason=str(error)), experiment.id)
        if not doubt or conductor.workspace.config.discards_uncertain:
            conductor.fail(experiment, stage, str(error), "lab")

    def _throw_away(self) -> None:
        on_frame, conductor = self._on_frame, self.conductor
        if on_frame is None:
            return
        handler = conductor.lab.handler

        def gone() -> None:
            self._on_frame = None

        def stays(error: ToughoptError) -> None:
            conductor.record(ev.Fault(device=handler.name, data={"reason": str(error)}), on_frame.experiment.id)
            conductor.record(
                ev.Steered(key="keep_clear", value=f"{on_frame.specimen} lies there", who="toughopt", why=str(error))
            )
            self._on_frame = None

        self._by_hand(f"remains of {on_frame.specimen}", lambda: handler.discard(on_frame.specimen), gone, stays)

    # --- analysis ----------------------------------------------------------------------------------------------------

    def _analyse(self, experiment: Experiment) -> None:
        conductor, workspace = self.conductor, self.conductor.workspace

        def measured(measurement: Measurement) -> None:
            if experiment.ended:
                return
            if measurement.value is None:
                conductor.fail(experiment, "tested", measurement.reason, "lab")
            else:
                conductor.record(measurement.event(), experiment.id)

        def unreadable(error: ToughoptError) -> None:
            if not experiment.ended:
                conductor.fail(experiment, "tested", str(error), "lab")

        conductor.start(experiment.id, _DESK, lambda: workspace.measure(experiment), measured, unreadable)
