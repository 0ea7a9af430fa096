"""The printers: which of them can take work, what they are given, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toughopt.errors import Mistake, ToughoptError
from toughopt.journal import Experiment, Stage
from toughopt.journal import events as ev
from toughopt.printing import PrintEvent, PrintOutcome, PrintStatus

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor

_TAKEN = frozenset({Stage.QUEUED, Stage.PRINTING})
_SURE_SHARE = 0.9  # of a program's estimated time, that its print is sure to take


@dataclass(slots=True)
class PrintShop:
    """Hands out programs; a printer that fails too often in a row is disabled."""

    conductor: Conductor
    _failures: dict[str, int] = field(default_factory=dict)  # printer -> failures in a row

    def able(self) -> list[str]:
        """Printers that nobody, and no series of failures, has disabled."""
        steering = self.conductor.state.steering
        return [name for name in self.conductor.lab.printers if not steering.get(f"disabled:{name}")]

    def free(self) -> list[str]:
        """Able printers without work whose bed is confirmed clear."""
        state = self.conductor.state
        taken = {e.printer for e in state.under_way if e.stage in _TAKEN}
        return [name for name in self.able() if name not in taken and name not in state.beds]

    def advance(self) -> None:
        """Give every free printer the oldest program that it prints as it was sliced, and has the filament for."""
        for name in self.free():
            for experiment in self._waiting(name):
                if self._has_filament_for(experiment, name):
                    self._print(experiment, name)
                    break

    def short_of_filament(self) -> list[str]:
        """A line for each free printer that could print what waits, had it the filament."""
        spools = self.conductor.state.spools_g
        return [
            f"{name} has {spools[name]:.3g} g, and experiment {experiment.id} takes {experiment.filament_g:.3g} g"
            for name in self.free()
            for experiment in self._waiting(name)[:1]
            if not self._has_filament_for(experiment, name)
        ]

    def _waiting(self, printer: str) -> list[Experiment]:
        """The sliced experiments that this printer prints as they were sliced, oldest first."""
        conductor = self.conductor
        return [
            experiment
            for experiment in conductor.state.under_way
            if experiment.stage is Stage.SLICED
            and not experiment.manual
            and experiment.id not in conductor.busy
            and conductor.workspace.prints_alike(experiment, printer)
        ]

    def _has_filament_for(self, experiment: Experiment, printer: str) -> bool:
        """Whether the spool holds enough, as far as anybody told how much it holds."""
        left_g = self.conductor.state.spools_g.get(printer)
        return left_g is None or left_g >= (experiment.filament_g or 0.0)

    def disable(self, printer: str, why: str) -> None:
        """Give a printer no more work until a person enables it."""
        self.conductor.record(ev.Steered(key=f"disabled:{printer}", value=True, who="toughopt", why=why))

    def _print(self, experiment: Experiment, name: str) -> None:
        conductor = self.conductor
        digest = experiment.program or ""
        program = conductor.workspace.program(digest)
        printer = conductor.lab.printers[name]

        def work() -> PrintOutcome:
            if conductor.aborting or experiment.ended:  # wished before the printer could hear of it
                return PrintOutcome(PrintStatus.CANCELLED, "cancelled before it began", True, 0.0, 0)
            return _checked(name, printer.print(program, lambda event: self._machine_event(name, experiment, event)))

        conductor.record_all([ev.Queued(printer=name), ev.Printing(printer=name, program=digest)], experiment.id)
        conductor.start(
            experiment.id,
            name,
            work,
            lambda outcome: self._ended(experiment, name, outcome),
            lambda error: self._raised(experiment, name, error),
            at_least_s=_SURE_SHARE * program.time_s,
        )

    def _machine_event(self, printer: str, experiment: Experiment, event: PrintEvent) -> None:
        self.conductor.on_machine(printer, event)
        if event.kind == "fault":
            fault = ev.Fault(device=printer, data=plain(dict(event.data)))
            self.conductor.later(lambda: self.conductor.record(fault, experiment.id))

    def _ended(self, experiment: Experiment, printer: str, outcome: PrintOutcome) -> None:
        record = self.conductor.record
        if not outcome.heaters_off:
            record(ev.HeatersUnknown(printer=printer, reason=outcome.reason), experiment.id)
        if outcome.status is not PrintStatus.PRINTED or experiment.ended:
            if outcome.status is PrintStatus.UNCERTAIN and not experiment.ended:
                record(ev.Uncertain(stage="printing", reason=outcome.reason), experiment.id)
            self._failed(experiment, printer, outcome.reason)
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

    def _raised(self, experiment: Experiment, printer: str, error: ToughoptError) -> None:
        reason = str(error)
        if isinstance(error, Mistake):
            self.conductor.record(ev.HeatersUnknown(printer=printer, reason=reason), experiment.id)
            if not experiment.ended:
                self.conductor.record(ev.Uncertain(stage="printing", reason=reason), experiment.id)
        self._failed(experiment, printer, reason)

    def _failed(self, experiment: Experiment, printer: str, reason: str) -> None:
        conductor, recovery = self.conductor, self.conductor.workspace.config.recovery
        if not experiment.ended and not conductor.aborting:  # that a person ends a print is no failure of the printer
            self._failures[printer] = self._failures.get(printer, 0) + 1
        if self._failures.get(printer, 0) >= recovery.failures_to_disable:
            self.disable(printer, f"{self._failures.pop(printer)} failures in a row, the last: {reason}")
        if experiment.stage is Stage.PRINTING:
            conductor.fail(experiment, "printing", reason, "lab")
        elif experiment.stage is Stage.UNCERTAIN and conductor.workspace.config.discards_uncertain:
            conductor.fail(experiment, "printing", f"uncertain: {reason}", "lab")


def _checked(printer: str, outcome: object) -> PrintOutcome:
    """What a printer answered; Mistake where that says nothing of the part, or of the heaters."""
    if not isinstance(outcome, PrintOutcome):
        raise Mistake(f"{printer} answered with a {type(outcome).__name__} instead of a PrintOutcome")
    if not isinstance(outcome.status, PrintStatus) or not isinstance(outcome.heaters_off, bool):
        raise Mistake(
            f"{printer} answered status = {outcome.status!r}, heaters_off = {outcome.heaters_off!r}; these are a "
            "PrintStatus and True or False"
        )
    return outcome


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
