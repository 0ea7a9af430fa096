"""What people ask of a campaign from outside the conductor, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toughopt.digits import four_digits
from toughopt.errors import InputError, ToughoptError, UnknownName
from toughopt.files import in_shell
from toughopt.journal import NEXT, Experiment, Stage
from toughopt.journal import events as ev
from toughopt.loop.massing import doubt_of_mass, expected_g
from toughopt.loop.measuring import Measurement, measure_file
from toughopt.loop.steering import STEERING
from toughopt.loop.verbs import Answer, Events, Verb, find, finite, positive, whole

if TYPE_CHECKING:
    from toughopt.loop.conductor import Conductor
    from toughopt.loop.workspace import Workspace

_IN_HAND = frozenset({Stage.QUEUED, Stage.PRINTING})
_UNWEIGHED = _IN_HAND | {Stage.PROPOSED, Stage.BUILT, Stage.SLICED, Stage.PRINTED}


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


def _suggest(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    first = conductor.state.next_id()
    proposals = conductor.workspace.choose(whole(arguments, "count", "a number of designs"))
    events: Events = [
        (proposal.model_copy(update={"manual": True}), first + index) for index, proposal in enumerate(proposals)
    ]
    designs = [{"id": first + index, "design": proposal.design} for index, proposal in enumerate(proposals)]
    return events, f"{len(designs)} designs proposed", {"designs": designs}


def _add(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    wanted = arguments.get("design")
    if not isinstance(wanted, Mapping):
        raise InputError(f"{wanted!r} is not a design; give each parameter a value")
    design = conductor.workspace.recipe.family.complete(wanted)
    chosen = {name: design[name] for name in conductor.workspace.parameters}
    identity = conductor.state.next_id()
    manual = bool(arguments.get("manual", False))
    payload = ev.Proposed(design=chosen, source="person", manual=manual, note=f"added by {who}: {why}".rstrip(": "))
    return [(payload, identity)], f"experiment {identity} added", {"id": identity, "design": chosen}


def _tell(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    if experiment.ended or Stage.COMPLETE not in NEXT[experiment.stage]:
        raise InputError(_told_already(conductor, experiment))
    given = arguments.get("mass_g") is not None
    mass_g = positive(arguments, "mass_g", "a mass in g") if given else experiment.mass_g
    workspace = conductor.workspace
    if arguments.get("curve") is not None:
        data = workspace.artifacts.get(arguments["curve"])
        name, body = str(arguments.get("file_name", f"curve of {experiment.id}")), workspace.body(experiment)
        measurement = measure_file(workspace.config, data, name, mass_g=mass_g, body=body, by=who)
        if measurement.value is None:
            raise InputError(f"{name} gives no {workspace.config.objective.name}: {measurement.reason}")
        complete = measurement.event().model_copy(update={"curve": arguments["curve"]})
    elif arguments.get("value") is not None:
        value = finite(arguments, "value", f"a value of {workspace.config.objective.name}")
        complete = Measurement(value, mass_g=mass_g, by=who).event()
    else:
        raise InputError("tell needs a value or a curve")
    message = f"experiment {experiment.id} is complete: {four_digits(complete.value)}"
    message += _after(doubt(workspace, complete.value))
    if given and mass_g is not None:
        message += _after(doubt_of_told_mass(workspace, experiment, mass_g))
    message += _after(same_file(workspace, experiment.id, complete.curve))
    return [(complete, experiment.id)], message, {"id": experiment.id, "value": complete.value}


def _told_already(conductor: Conductor, experiment: Experiment) -> str:
    """Why an experiment cannot be told a result, and what does help."""
    why = f"experiment {experiment.id} is {experiment.stage}; only one that waits can be told a result"
    if experiment.stage is not Stage.COMPLETE:
        return why
    ctl = f"toughopt ctl {in_shell(conductor.workspace.folder)}"
    by_hand = "" if experiment.curve else f"`{ctl} value {experiment.id} NUMBER` corrects it, "
    return f"{why}: {by_hand}`{ctl} curve {experiment.id} FILE` gives it another curve, `exclude` leaves it out"


def doubt(workspace: Workspace, value: float) -> str:
    """A remark on a value that no test can give, "" for others; every objective is an amount or a share."""
    return "" if value >= 0 else f"{workspace.config.objective.name} cannot be below 0: was it mistyped?"


def doubt_of_told_mass(workspace: Workspace, experiment: Experiment, mass_g: float) -> str:
    """A remark on a mass in g that the part of `experiment` can hardly have, "" for others."""
    should_g = expected_g(experiment)
    if should_g is None:
        try:
            should_g = workspace.recipe.designed_mass_g(experiment.design)
        except ToughoptError:  # made by other means than ours: what it should weigh is not known
            return ""
    return doubt_of_mass(mass_g, should_g, workspace.config.test.mass_tolerance) or ""


def same_file(workspace: Workspace, identity: int, curve: str | None) -> str:
    """A remark on a file that another experiment was told, too, "" for others: one part is crushed once."""
    if curve is None:
        return ""
    others = [str(e.id) for e in workspace.state.complete if e.curve == curve and e.id != identity]
    if not others:
        return ""
    wrong = f"`toughopt ctl {in_shell(workspace.folder)} curve {identity} FILE` gives it another"
    return f"the same file was told for experiment {', '.join(others)}: if it is not that of {identity}, {wrong}"


def _after(remark: str) -> str:
    return f"; {remark}" if remark else ""


def _value(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment, workspace = find(conductor, arguments), conductor.workspace
    if experiment.stage is not Stage.COMPLETE:
        raise InputError(f"experiment {experiment.id} is {experiment.stage}; a value is corrected once it is complete")
    if experiment.curve is not None:
        raise InputError(
            f"the value of experiment {experiment.id} is measured from its curve; "
            f"`toughopt ctl {in_shell(workspace.folder)} curve {experiment.id} FILE` gives it another"
        )
    value = finite(arguments, "value", f"a value of {workspace.config.objective.name}")
    message = f"experiment {experiment.id} is now {four_digits(value)}{_after(doubt(workspace, value))}"
    corrected = ev.Corrected(who=who, why=why, value=value)
    return [(corrected, experiment.id)], message, {"id": experiment.id, "value": value}


def _fail(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    if experiment.ended:
        ctl = f"toughopt ctl {in_shell(conductor.workspace.folder)} exclude {experiment.id}"
        remedy = f"; `{ctl}` leaves its result out" if experiment.stage is Stage.COMPLETE else ""
        raise InputError(f"experiment {experiment.id} is {experiment.stage} already{remedy}")
    if experiment.stage in _IN_HAND and experiment.printer in conductor.lab.printers:
        conductor.lab.printers[experiment.printer].cancel(f"declared failed by {who}")
    blame = "lab" if arguments.get("blame") == "lab" else "design"
    conductor.fail(experiment, str(experiment.stage), f"{why or 'declared failed'} (by {who})", blame)
    return [], f"experiment {experiment.id} is failed", {"id": experiment.id}


def _exclude(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    if experiment.excluded:
        raise InputError(f"experiment {experiment.id} is excluded already")
    return [(ev.Excluded(who=who, why=why), experiment.id)], f"experiment {experiment.id} is excluded", {}


def _restore(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    if not experiment.excluded:
        excluded = ", ".join(str(e.id) for e in conductor.state.experiments.values() if e.excluded)
        raise InputError(f"experiment {experiment.id} is not excluded; those that are: {excluded or 'none'}")
    return [(ev.Restored(who=who, why=why), experiment.id)], f"experiment {experiment.id} counts again", {}


def _note(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    identity = find(conductor, arguments).id if arguments.get("id") is not None else None
    if not why:
        raise InputError("a note says something: what is noted is the reason (--why TEXT)")
    return [(ev.Noted(who=who, text=why), identity)], "noted", {}


def _printed(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    if experiment.stage is not Stage.UNCERTAIN:
        raise InputError(f"experiment {experiment.id} is {experiment.stage}, not uncertain")
    if conductor.state.beds.get(experiment.printer or "") != experiment.id:
        tell = f"`toughopt tell {in_shell(conductor.workspace.folder)} {experiment.id} --curve FILE`"
        raise InputError(
            f"the bed of {experiment.printer} was cleared, so experiment {experiment.id} is not on it; "
            f"{tell} says what it gave, where it was tested or can be"
        )
    printer = experiment.printer or ""
    cold = printer not in conductor.state.hot_printers  # that the part is whole says nothing of the heaters
    payload = ev.Printed(printer=printer, duration_s=0.0, lines_sent=0, heaters_off=cold)
    return [(payload, experiment.id)], f"experiment {experiment.id} counts as printed", {}


def _reprint(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    identity = conductor.state.next_id()
    note = f"experiment {experiment.id} once more, wanted by {who}: {why}".rstrip(": ")
    payload = ev.Proposed(design=experiment.design, source="person", note=note)
    message = f"experiment {identity} is to print the design of {experiment.id} again"
    if not conductor.running:
        message += f"; no loop runs: `toughopt run {in_shell(conductor.workspace.folder)}` begins one"
    return [(payload, identity)], message, {"id": identity}


def _mass(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    mass_g = positive(arguments, "mass_g", "a mass in g")
    being_weighed = experiment.stage is Stage.CLEARED and experiment.id in conductor.busy
    if not experiment.manual and (experiment.stage in _UNWEIGHED or being_weighed):
        raise InputError(
            f"experiment {experiment.id} is {experiment.stage}; what it weighs is corrected once it was weighed, "
            "because the scale's word would replace yours"
        )
    message = f"experiment {experiment.id} weighs {mass_g:g} g" + _after(
        doubt_of_told_mass(conductor.workspace, experiment, mass_g)
    )
    if experiment.stage is Stage.CLEARED and experiment.id not in conductor.busy:
        return [(ev.Weighed(mass_g=mass_g, by=who), experiment.id)], message, {}
    return [(_corrected(conductor, experiment, experiment.curve, mass_g, who, why), experiment.id)], message, {}


def _curve(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    experiment = find(conductor, arguments)
    if experiment.stage is not Stage.COMPLETE:
        raise InputError(f"experiment {experiment.id} is {experiment.stage}; a curve is replaced once it is complete")
    if arguments.get("curve") is None:
        raise InputError("the test machine's file is missing; give the one that replaces the curve")
    curve, name = str(arguments["curve"]), arguments.get("file_name")
    corrected = _corrected(conductor, experiment, curve, experiment.mass_g, who, why, name)
    message = f"experiment {experiment.id} is now {four_digits(corrected.value or 0.0)}"
    message += _after(same_file(conductor.workspace, experiment.id, curve))
    return [(corrected, experiment.id)], message, {"id": experiment.id, "value": corrected.value}


def _corrected(
    conductor: Conductor,
    experiment: Experiment,
    curve: str | None,
    mass_g: float | None,
    who: str,
    why: str,
    file_name: str | None = None,
) -> ev.Corrected:
    """The figures of an experiment with another mass or curve; its value, where it has one, measured again."""
    if experiment.stage is not Stage.COMPLETE or curve is None:
        return ev.Corrected(who=who, why=why, mass_g=mass_g)
    workspace = conductor.workspace
    data, body = workspace.artifacts.get(curve), workspace.body(experiment)
    name = file_name or str(experiment.result.get("file") or f"curve of {experiment.id}")
    found = measure_file(workspace.config, data, name, mass_g=mass_g, body=body, by=who)
    if found.value is None:
        raise InputError(f"{name} gives no {workspace.config.objective.name} for {experiment.id}: {found.reason}")
    return ev.Corrected(
        who=who,
        why=why,
        value=found.value,
        mass_g=mass_g,
        curve=curve,
        result=dict(found.result),
        censored=found.censored,
    )


_EXPERIMENTS: Mapping[str, Verb] = {
    "suggest": _suggest,
    "add": _add,
    "tell": _tell,
    "fail": _fail,
    "reprint": _reprint,
    "mass": _mass,
    "curve": _curve,
    "value": _value,
    "exclude": _exclude,
    "restore": _restore,
    "note": _note,
    "printed": _printed,
}
VERBS: Mapping[str, Verb] = {**_EXPERIMENTS, **STEERING}
