"""Designs become programs: for which printer, by whom, and what comes of it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toughopt.errors import DesignError, ExtensionError, MeshError, Mistake, ProgramError, ToughoptError
from toughopt.executor import completed
from toughopt.journal import Experiment, Stage
from toughopt.journal import events as ev
from toughopt.loop.recovery import INTERRUPTION
from toughopt.loop.specimen import Prepared, prepare

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor

_DESIGN_TO_BLAME = (DesignError, MeshError, ProgramError)
_MISTAKES = 3  # of the program, or of another package's family, in a row that are not those designs' oddity any more
_FOR_A_PRINTER = frozenset({Stage.PROPOSED, Stage.BUILT, Stage.SLICED})


@dataclass(slots=True)
class Preparation:
    """Builds and slices; `elsewhere` does the work in another process where it is given."""

    conductor: Conductor
    elsewhere: Executor | None = None
    _underway: dict[int, str] = field(default_factory=dict)  # experiment -> printer that it is sliced for
    _mistakes: int = 0  # of the program, since something was prepared

    def advance(self) -> None:
        """Begin with every design that nobody has begun with; give up programs that no printer is left for."""
        conductor = self.conductor
        able = conductor.stations.able_printers()
        if not able:
            return
        targets = self._targets(able)
        for experiment in conductor.state.under_way:
            if experiment.manual or experiment.id in conductor.busy:
                continue
            if experiment.stage is Stage.PROPOSED:
                name = self._printer_for(experiment, able, targets)
                if name:
                    targets[name] += 1
                    self._prepare(experiment, name)
                elif experiment.wanted:
                    reason = f"{experiment.wanted}, for which it was chosen, is disabled"
                    conductor.fail(experiment, "proposed", reason, "lab", by=INTERRUPTION)
            elif experiment.stage is Stage.SLICED and not self._printable(experiment, able):
                reason = f"{experiment.sliced_for}, for which it was sliced, is disabled, and no other prints it alike"
                conductor.fail(experiment, "sliced", reason, "lab", by=INTERRUPTION)

    def _printer_for(self, experiment: Experiment, able: list[str], targets: Counter[str]) -> str:
        """Which printer it is sliced for: the one that will need work first; "" where there is none for it."""
        if experiment.wanted:
            return experiment.wanted if experiment.wanted in able else ""
        return self._neediest(able, targets)

    def neediest(self) -> str:
        """The able printer that will need work first; "" where none is able."""
        able = self.conductor.stations.able_printers()
        return self._neediest(able, self._targets(able)) if able else ""

    def _neediest(self, able: list[str], targets: Counter[str]) -> str:
        free = self.conductor.stations.free_printers()
        return min(able, key=lambda name: (targets[name], name not in free, able.index(name)))

    def _targets(self, able: list[str]) -> Counter[str]:
        """How many programs wait for each printer already."""
        waiting = [e for e in self.conductor.state.under_way if e.stage in _FOR_A_PRINTER and not e.manual]
        bound = (e.sliced_for or e.wanted or self._underway.get(e.id, "") for e in waiting)
        return Counter(name for name in bound if name in able)

    def _printable(self, experiment: Experiment, able: list[str]) -> bool:
        same = self.conductor.workspace.prints_alike
        return any(same(experiment, name) for name in able)

    def _prepare(self, experiment: Experiment, printer: str) -> None:
        conductor = self.conductor
        order = conductor.workspace.order(experiment, printer)
        elsewhere = self.elsewhere
        self._underway[experiment.id] = printer

        def work() -> Prepared:
            return prepare(order) if elsewhere is None else next(completed(elsewhere, prepare, [(order,)]))[1]

        conductor.start(
            experiment.id,
            "preparation" if elsewhere is None else f"preparation for {printer}",
            work,
            lambda prepared: self._prepared(experiment, printer, prepared),
            lambda error: self._unprintable(experiment, error),
        )

    def _prepared(self, experiment: Experiment, printer: str, prepared: Prepared) -> None:
        self._underway.pop(experiment.id, None)
        self._mistakes = 0
        if experiment.ended:
            return
        workspace, made = self.conductor.workspace, prepared.program
        built = ev.Built(
            mesh=workspace.artifacts.put(prepared.mesh),
            volume_mm3=prepared.volume_mm3,
            mass_g=prepared.mass_g,
            size_mm=prepared.size_mm,
            warnings=list(prepared.mesh_warnings),
        )
        sliced = ev.Sliced(
            program=workspace.keep_program(made),
            printer=printer,
            flow=prepared.flow,
            part_filament_mm=prepared.part_filament_mm,
            slicer=prepared.slicer,
            profile=made.profile,
            layers=made.layer_count,
            lines=made.line_count,
            time_s=made.time_s,
            filament_mm=made.filament_mm,
            filament_g=made.filament_g,
            warnings=list(prepared.program_warnings),
        )
        self.conductor.record_all([built, sliced], experiment.id)

    def _unprintable(self, experiment: Experiment, error: ToughoptError) -> None:
        self._underway.pop(experiment.id, None)
        mistaken = isinstance(error, Mistake | ExtensionError)
        self._mistakes += mistaken
        odd_design = mistaken and self._mistakes < _MISTAKES
        if not odd_design and not isinstance(error, _DESIGN_TO_BLAME):
            raise error  # a template or a slicer that is not there fails every design: the run ends, with the reason
        if not experiment.ended:
            self.conductor.fail(experiment, "built", str(error), "design")
