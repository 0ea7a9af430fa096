"""What people ask of a campaign from outside the conductor, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toughopt.errors import InputError, ToughoptError, UnknownName
from toughopt.journal import Experiment, Stage
from toughopt.journal import events as ev
from toughopt.loop.measuring import Measurement, measure_file

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor

Events = list[tuple[ev.Payload, int | None]]
_IN_HAND = frozenset({Stage.QUEUED, Stage.PRINTING})


def answer(conductor: Conductor, seq: int, request: Mapping[str, Any]) -> Events:
    """Do what is asked, or say why not: the events that follow from request `seq`, its answer last."""
    verb = str(request["verb"])
    try:
        if verb not in VERBS:
            raise UnknownName("command", verb, VERBS)
        events, message, result = VERBS[verb](conductor, request["arguments"], str(request["who"]), str(request["why"]))
    except ToughoptError as error:
        return [(ev.Answered(request=seq, ok=False, message=str(error)), None)]
    return [*events, (ev.Answered(request=seq, ok=True, message=message, result=result), None)]


_Answer = tuple[Events, str, dict[str, Any]]


def _suggest(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    first = conductor.state.next_id()
    proposals = conductor.workspace.choose(int(arguments.get("count", 1)))
    events: Events = [
        (proposal.model_copy(update={"manual": True}), first + index) for index, proposal in enumerate(proposals)
    ]
    designs = [{"id": first + index, "design": proposal.design} for index, proposal in enumerate(proposals)]
    return events, f"{len(designs)} designs proposed", {"designs": designs}


def _add(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    design = conductor.workspace.recipe.family.complete(arguments["design"])
    chosen = {name: design[name] for name in conductor.workspace.parameters}
    identity = conductor.state.next_id()
    manual = bool(arguments.get("manual", False))
    payload = ev.Proposed(design=chosen, source="person", manual=manual, note=f"added by {who}: {why}".rstrip(": "))
    return [(payload, identity)], f"experiment {identity} added", {"id": identity, "design": chosen}


def _tell(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    experiment = _find(conductor, arguments)
    if experiment.ended or experiment.stage in _IN_HAND:
        raise InputError(f"experiment {experiment.id} is {experiment.stage}; only one that waits can be told a result")
    mass_g = arguments.get("mass_g", experiment.mass_g)
    workspace = conductor.workspace
    if arguments.get("curve") is not None:
        data = workspace.artifacts.get(arguments["curve"])
        body = workspace.body(experiment)
        measurement = measure_file(workspace.config, data, arguments["file_name"], mass_g=mass_g, body=body, by=who)
        if measurement.value is None:
            raise InputError(
                f"{arguments['file_name']} gives no {workspace.config.objective.name}: {measurement.reason}"
            )
        complete = measurement.event().model_copy(update={"curve": arguments["curve"]})
    elif arguments.get("value") is not None:
        complete = Measurement(float(arguments["value"]), mass_g=mass_g, by=who).event()
    else:
        raise InputError("tell needs a value or a curve")
    message = f"experiment {experiment.id} is complete: {complete.value:.4g}"
    return [(complete, experiment.id)], message, {"id": experiment.id, "value": complete.value}


def _fail(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    experiment = _find(conductor, arguments)
    if experiment.ended:
        raise InputError(f"experiment {experiment.id} is {experiment.stage} already")
    if experiment.stage in _IN_HAND and experiment.printer in conductor.lab.printers:
        conductor.lab.printers[experiment.printer].cancel(f"declared failed by {who}")
    blame = "lab" if arguments.get("blame") == "lab" else "design"
    conductor.fail(experiment, str(experiment.stage), f"{why or 'declared failed'} (by {who})", blame)
    return [], f"experiment {experiment.id} is failed", {"id": experiment.id}


def _exclude(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    experiment = _find(conductor, arguments)
    return [(ev.Excluded(who=who, why=why), experiment.id)], f"experiment {experiment.id} is excluded", {}


def _restore(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    experiment = _find(conductor, arguments)
    return [(ev.Restored(who=who, why=why), experiment.id)], f"experiment {experiment.id} counts again", {}


def _note(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    identity = _find(conductor, arguments).id if arguments.get("id") is not None else None
    return [(ev.Noted(who=who, text=why), identity)], "noted", {}


def _printed(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    experiment = _find(conductor, arguments)
    if experiment.stage is not Stage.UNCERTAIN:
        raise InputError(f"experiment {experiment.id} is {experiment.stage}, not uncertain")
    payload = ev.Printed(printer=experiment.printer or "", duration_s=0.0, lines_sent=0)
    return [(payload, experiment.id)], f"experiment {experiment.id} counts as printed", {}


def _pause(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    now = bool(arguments.get("now", False))
    if now:
        for printer in conductor.lab.printers.values():
            printer.pause()
    state = "now" if now else "after the specimens in hand"
    return [(ev.Steered(key="paused", value=state, who=who, why=why), None)], f"paused {state}", {}


def _resume(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    for printer in conductor.lab.printers.values():
        printer.resume()
    return [(ev.Steered(key="paused", value=None, who=who, why=why), None)], "going on", {}


def _stop(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    conductor.finish()
    return [], "the specimens in hand are finished, then the loop stops", {}


def _printer_switch(disabled: bool) -> Callable[[Conductor, Mapping[str, Any], str, str], _Answer]:
    def switch(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
        name = str(arguments.get("printer", ""))
        known = [printer.name for printer in conductor.workspace.config.printers]
        if name not in known:
            raise UnknownName("printer in this campaign", name, known)
        payload = ev.Steered(key=f"disabled:{name}", value=True if disabled else None, who=who, why=why)
        return [(payload, None)], f"{name} is {'disabled' if disabled else 'enabled'}", {}

    return switch


def _bed_cleared(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    name = str(arguments.get("printer", ""))
    if name not in conductor.state.beds:
        raise InputError(f"nothing is known to lie on the bed of {name or 'no printer'}")
    return [(ev.BedCleared(printer=name, by=who), None)], f"the bed of {name} is clear", {}


def _budget(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> _Answer:
    budget = int(arguments.get("budget", 0))
    if budget < 1:
        raise InputError(f"a budget of {budget} experiments is none; choose 1 or more")
    return [(ev.Steered(key="budget", value=budget, who=who, why=why), None)], f"the budget is {budget}", {}


def _find(conductor: Conductor, arguments: Mapping[str, Any]) -> Experiment:
    identity = arguments.get("id")
    experiment = conductor.state.experiments.get(int(identity)) if identity is not None else None
    if experiment is None:
        raise UnknownName("experiment", str(identity), (str(i) for i in conductor.state.experiments))
    return experiment


VERBS: Mapping[str, Callable[[Conductor, Mapping[str, Any], str, str], _Answer]] = {
    "suggest": _suggest,
    "add": _add,
    "tell": _tell,
    "fail": _fail,
    "exclude": _exclude,
    "restore": _restore,
    "note": _note,
    "printed": _printed,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "enable": _printer_switch(disabled=False),
    "disable": _printer_switch(disabled=True),
    "bed-cleared": _bed_cleared,
    "budget": _budget,
}
