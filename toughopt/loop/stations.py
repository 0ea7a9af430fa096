"""What is done with an experiment at each stage: build and slice, print, clear the bed, measure."""

from __future__ import annotations

import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toughopt.errors import DesignError, DeviceError, MeshError, ProgramError, ToughoptError
from toughopt.journal import Experiment, Stage
from toughopt.journal import events as ev
from toughopt.loop.measuring import Measurement
from toughopt.loop.specimen import Prepared, prepare
from toughopt.printing import PrintEvent, PrintOutcome, PrintStatus

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor

_DESIGN_TO_BLAME = (DesignError, MeshError, ProgramError)


@dataclass(slots=True)
class Stations:
    """Starts the slow work on threads of its own and writes down what came of it, on the conductor's thread."""

    conductor: Conductor
    _prepare: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "prepare"))
    _press: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "press"))
    _printers: dict[str, Executor] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)  # printer -> failures in a row
    _hands: threading.Lock = field(default_factory=threading.Lock)  # the handler has one pair

    def advance(self, *, starting: bool, finishing: bool) -> None:
        """Give work to whoever is free: new specimens where `starting`, the ones in hand where `finishing`."""
        state = self.conductor.state
        for experiment in list(state.under_way):
            if experiment.id in self.conductor.busy or experiment.manual:
                continue
            match experiment.stage:
                case Stage.PROPOSED if starting:
                    self._build_and_slice(experiment)
                case Stage.SLICED if starting and not state.steering.get("paused"):
                    free = self.free_printers()
                    if free:
                        self._print(experiment, free[0])
                case Stage.PRINTED if finishing:
                    self._clear(experiment)
                case Stage.CLEARED | Stage.WEIGHED | Stage.TESTED if finishing:
                    self._measure(experiment)
                case _:
                    pass

    def able_printers(self) -> list[str]:
        """Printers that nobody, and no series of failures, has disabled."""
        steering = self.conductor.state.steering
        return [name for name in self.conductor.lab.printers if not steering.get(f"disabled:{name}")]

    def free_printers(self) -> list[str]:
        """Able printers without work whose bed is confirmed clear."""
        state = self.conductor.state
        taken = {e.printer for e in state.under_way if e.stage in (Stage.QUEUED, Stage.PRINTING)}
        return [name for name in self.able_printers() if name not in taken and name not in state.beds]

    def dismiss(self) -> None:
        """Let the threads go, once their work has ended."""
        for executor in (self._prepare, self._press, *self._printers.values()):
            executor.shutdown(wait=True, cancel_futures=True)

    # --- building and slicing ----------------------------------------------------------------------------------------

    def _build_and_slice(self, experiment: Experiment) -> None:
        recipe, design = self.conductor.workspace.recipe, experiment.design
        proposed = experiment.times["proposed"]
        self.conductor.start(
            experiment,
            self._prepare,
            lambda: prepare(recipe, experiment.id, design, proposed),
            lambda prepared: self._prepared(experiment, prepared),
            lambda error: self._unprintable(experiment, error),
        )

    def _prepared(self, experiment: Experiment, prepared: Prepared) -> None:
        if experiment.ended:
            return
        workspace, made = self.conductor.workspace, prepared.program
        built = ev.Built(
            mesh=workspace.artifacts.put(prepared.mesh),
            volume_mm3=prepared.volume_mm3,
            mass_g=prepared.mass_g,
            warnings=list(prepared.mesh_warnings),
        )
        sliced = ev.Sliced(
            program=workspace.keep_program(made),
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
        if not isinstance(error, _DESIGN_TO_BLAME):
            raise error  # a template or a slicer that is not there fails every design: the run ends, with the reason
        if not experiment.ended:
            self.conductor.fail(experiment, "built", str(error), "design")

    # --- printing ----------------------------------------------------------------------------------------------------

    def _print(self, experiment: Experiment, name: str) -> None:
        conductor = self.conductor
        digest = experiment.program or ""
        program = conductor.workspace.program(digest)
        printer = conductor.lab.printers[name]
        conductor.record_all([ev.Queued(printer=name), ev.Printing(printer=name, program=digest)], experiment.id)
        conductor.start(
            experiment,
            self._printers.setdefault(name, ThreadPoolExecutor(1, name)),
            lambda: printer.print(program, lambda event: self._machine_event(name, experiment, event)),
            lambda outcome: self._print_ended(experiment, name, outcome),
            lambda error: self._print_failed(experiment, name, str(error)),
        )

    def _machine_event(self, printer: str, experiment: Experiment, event: PrintEvent) -> None:
        self.conductor.on_machine(printer, event)
        if event.kind == "fault":
            fault = ev.Fault(device=printer, data=plain(dict(event.data)))
            self.conductor.later(lambda: self.conductor.record(fault, experiment.id))

    def _print_ended(self, experiment: Experiment, printer: str, outcome: PrintOutcome) -> None:
        record = self.conductor.record
        if not outcome.heaters_off:
            record(ev.HeatersUnknown(printer=printer, reason=outcome.reason), experiment.id)
        if outcome.status is not PrintStatus.PRINTED or experiment.ended:
            if outcome.status is PrintStatus.UNCERTAIN and not experiment.ended:
                record(ev.Uncertain(stage="printing", reason=outcome.reason), experiment.id)
            self._print_failed(experiment, printer, outcome.reason)
            return
        self._failures[printer] = 0
        printed = ev.Printed(
            printer=printer,
            duration_s=outcome.duration_s,
            lines_sent=outcome.lines_sent,
            resends=outcome.resends,
            strays=outcome.strays,
            heaters_off=outcome.heaters_off,
            faults=[plain(dict(fault)) for fault in outcome.faults],
        )
        record(printed, experiment.id)

    def _print_failed(self, experiment: Experiment, printer: str, reason: str) -> None:
        conductor, recovery = self.conductor, self.conductor.workspace.config.recovery
        if not experiment.ended:
            self._failures[printer] = self._failures.get(printer, 0) + 1
        if self._failures.get(printer, 0) >= recovery.failures_to_disable:
            why = f"{self._failures[printer]} failures in a row, the last: {reason}"
            conductor.record(ev.Steered(key=f"disabled:{printer}", value=True, who="toughopt", why=why))
        if experiment.stage is Stage.PRINTING:
            conductor.fail(experiment, "printing", reason, "lab")
        elif experiment.stage is Stage.UNCERTAIN and conductor.workspace.config.discards_uncertain:
            conductor.fail(experiment, "printing", f"uncertain: {reason}", "lab")
        if printer in conductor.state.beds and not conductor.aborting:
            self._clear_after_failure(experiment, printer)

    def _clear_after_failure(self, experiment: Experiment, printer: str) -> None:
        handler, conductor = self.conductor.lab.handler, self.conductor

        def work() -> None:
            with self._hands:
                handler.clear_bed(printer, conductor.workspace.specimen(experiment))

        def still_there(error: ToughoptError) -> None:
            conductor.record(ev.Fault(device=handler.name, data={"reason": str(error)}), experiment.id)
            conductor.record(ev.Steered(key=f"disabled:{printer}", value=True, who="toughopt", why=str(error)))

        cleared = ev.BedCleared(printer=printer, by=handler.name)
        conductor.start(experiment, self._press, work, lambda _: conductor.record(cleared), still_there)

    # --- clearing, weighing, crushing --------------------------------------------------------------------------------

    def _clear(self, experiment: Experiment) -> None:
        conductor, handler = self.conductor, self.conductor.lab.handler
        printer, specimen = experiment.printer or "", conductor.workspace.specimen(experiment)

        def work() -> bytes | None:
            with self._hands:
                handler.clear_bed(printer, specimen)
            return conductor.lab.executed_path(specimen)

        def cleared(path: bytes | None) -> None:
            digest = conductor.workspace.artifacts.put(path) if path else None
            payload = ev.Cleared(printer=printer, by=handler.name, path=digest)
            if not experiment.ended:
                conductor.record(payload, experiment.id)
            else:
                conductor.record(ev.BedCleared(printer=printer, by=handler.name))

        def still_there(error: ToughoptError) -> None:
            conductor.record(ev.Steered(key=f"disabled:{printer}", value=True, who="toughopt", why=str(error)))
            if not experiment.ended:
                conductor.fail(experiment, "printed", str(error), "lab")

        conductor.start(experiment, self._press, work, cleared, still_there)

    def _measure(self, experiment: Experiment) -> None:
        conductor = self.conductor

        def tell(payload: ev.Payload) -> None:
            written = threading.Event()

            def write() -> None:
                try:
                    if not experiment.ended:
                        conductor.record(payload, experiment.id)
                finally:
                    written.set()

            conductor.later(write)
            written.wait()

        def measured(measurement: Measurement) -> None:
            if experiment.ended:
                return
            if measurement.value is None:
                conductor.fail(experiment, "tested", measurement.reason, "lab")
            else:
                conductor.record(measurement.event(), experiment.id)

        def unmeasured(error: ToughoptError) -> None:
            if experiment.ended:
                return
            doubt = experiment.crushing and experiment.stage is not Stage.TESTED and isinstance(error, DeviceError)
            if doubt:
                conductor.record(ev.Uncertain(stage=str(experiment.stage), reason=str(error)), experiment.id)
            if not doubt or conductor.workspace.config.discards_uncertain:
                conductor.fail(experiment, experiment.failed_stage or str(experiment.stage), str(error), "lab")

        work = lambda: conductor.lab.measure(conductor.workspace, experiment, self._hands, tell)  # noqa: E731
        conductor.start(experiment, self._press, work, measured, unmeasured)


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with bytes and numpy numbers made fit for JSON."""
    return {key: _plain(value) for key, value in data.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value
