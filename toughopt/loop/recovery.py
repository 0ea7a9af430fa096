"""What a new conductor does first: settle what the last one left in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.journal import Experiment, Stage, State
from toughopt.journal import events as ev

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor

INTERRUPTION = "interruption"  # who failed what a crash of the conductor cut short: not one of the design's tries


def recover(conductor: Conductor) -> None:
    """Bring every experiment to a state from which the loop can go on.

    What was printing, or being crushed, when the last process died is uncertain: it is never counted as done and never
    silently done again. Virtual machines are new at every start, so a part that still lay on a virtual bed is gone.
    """
    discard = conductor.workspace.config.discards_uncertain
    fresh_machines = conductor.workspace.config.all_virtual
    for experiment in conductor.state.under_way:
        doubt = "" if experiment.manual else _doubt(experiment, fresh_machines)
        if doubt and experiment.stage is not Stage.UNCERTAIN:
            conductor.record(ev.Uncertain(stage=str(experiment.stage), reason=doubt), experiment.id)
        if experiment.stage is Stage.UNCERTAIN and discard:
            conductor.fail(experiment, experiment.failed_stage, experiment.reason, "lab", by=INTERRUPTION)
    retries = conductor.workspace.config.recovery.retries
    for experiment in list(conductor.state.experiments.values()):
        again = second_try(conductor.state, experiment, retries) if experiment.retry_of is None else None
        if again is not None:
            conductor.record(again, conductor.state.next_id())
    if fresh_machines:
        for printer in list(conductor.state.beds):
            conductor.record(ev.BedCleared(printer=printer, by="the virtual lab, started anew"))
        return
    for printer in conductor.lab.printers:
        if printer not in conductor.state.beds:
            conductor.record(ev.BedDoubted(printer=printer, reason="nobody watched it while no loop was running"))


def _doubt(experiment: Experiment, fresh_machines: bool) -> str:
    match experiment.stage:
        case Stage.QUEUED | Stage.PRINTING:
            return "the conductor died while it was being printed"
        case Stage.PRINTED if fresh_machines:
            return "the virtual printer that held it is gone"
        case Stage.WEIGHED if experiment.crushing:
            return "the conductor died while it was being crushed"
        case _:
            return ""


def second_try(state: State, experiment: Experiment, retries: int) -> ev.Proposed | None:
    """The same design once more, as an experiment that says whose place it takes; None once it has had its tries."""
    if experiment.stage is not Stage.FAILED:  # what the lab did not fail has no other tries to look for
        return None
    tries = [e for e in state.experiments.values() if e.root == experiment.root]
    last = tries[-1]
    spent = sum(e.failed_by != INTERRUPTION for e in tries)
    if last.stage is not Stage.FAILED or last.blame != "lab" or last.manual or spent > retries:
        return None
    note = f"in place of experiment {last.id}: {last.reason}"[:300]
    return ev.Proposed(design=last.design, source="retry", retry_of=last.root, note=note)
