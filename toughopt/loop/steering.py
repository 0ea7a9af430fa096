"""What people change of a running loop: its pace, its machines, its policy, its limits and its goal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toughopt.errors import InputError, SpaceError, UnknownName
from toughopt.files import in_shell
from toughopt.journal import Stage
from toughopt.journal import events as ev
from toughopt.loop.choosing import steered_limits
from toughopt.loop.stations import AFTER_THE_TASK, DRAIN, NOW
from toughopt.loop.verbs import Answer, Verb, finite, positive, printer_of, whole

if TYPE_CHECKING:
    from toughopt.loop.choosing import Chooser
    from toughopt.loop.conductor import Conductor

_BY_HAND = "kept clear by hand"
_ON_THE_BED = frozenset({Stage.QUEUED, Stage.PRINTING, Stage.PRINTED})


_PACES: Mapping[str | None, str] = {
    NOW: "paused now: the printers hold still, nothing new begins",
    AFTER_THE_TASK: "paused: what is under way ends, nothing new begins",
    DRAIN: "draining: what is being printed is finished and tested, no print is started",
    None: "going on",
}


def in_words(key: str, value: Any) -> str:
    """What it means that `key` is steered to `value`, for people."""
    what, _, name = key.partition(":")
    figure = f"{value:g}" if isinstance(value, float) else str(value)
    match what:
        case "paused":
            return _PACES.get(value, f"paused {value}")
        case "budget":
            return f"the budget is {figure}"
        case "target":
            gone = "there is no target; the loop goes on to its budget"
            return gone if value is None else f"the target is {figure}"
        case "disabled":
            return f"{name} is {'disabled' if value else 'enabled'}"
        case "filament":
            return f"{name} has {figure} g of filament"
        case "keep_clear":
            kept = "the frame is kept clear: nothing is loaded or crushed"
            return "the frame may move again" if value is None else kept
        case "policy":
            return f"{value} chooses for {name}" if name else f"{value} chooses from here on"
        case "low" | "high":
            end = "lower" if what == "low" else "upper"
            return f"the {end} limit of {name} is {'the one of the campaign again' if value is None else figure}"
        case "printability":
            return f"designs below a printability of {figure} are shunned"
        case _:
            return f"{key} = {value}"


def _steered(
    key: str, value: str | float | int | bool | None, who: str, why: str, message: str | None = None
) -> Answer:
    answer = in_words(key, value) if message is None else message
    return [(ev.Steered(key=key, value=value, who=who, why=why), None)], answer, {}


# --- pace ------------------------------------------------------------------------------------------------------------


def _pause(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    if arguments.get("now"):
        for printer in conductor.lab.printers.values():
            printer.pause()
        return _steered("paused", NOW, who, why, _idle(conductor, "begins nothing"))
    return _steered("paused", AFTER_THE_TASK, who, why, _idle(conductor, "begins nothing"))


def _drain(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    return _steered("paused", DRAIN, who, why, _idle(conductor, "tests what is printed, starts no print"))


def _resume(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    for printer in conductor.lab.printers.values():
        printer.resume()
    folder = in_shell(conductor.workspace.folder)
    idle = f"nothing is paused; no loop runs: `toughopt run {folder}` begins one"
    return _steered("paused", None, who, why, None if conductor.running else idle)


def _stop(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    if not conductor.running:
        folder = in_shell(conductor.workspace.folder)
        return [], f"no loop runs, so there is none to stop; `toughopt ctl {folder} pause` holds the next one", {}
    conductor.finish()
    return [], "the specimens in hand are finished, then the loop stops", {}


def _idle(conductor: Conductor, then: str) -> str | None:
    """What holds from the next run on, where no loop runs; None where one does."""
    if conductor.running:
        return None
    folder = in_shell(conductor.workspace.folder)
    return f"no loop runs; the next one {then} until `toughopt ctl {folder} resume`"


def _budget(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    budget = whole(arguments, "budget", "a budget of experiments")
    counted = conductor.state.counted()
    spent = f"; {counted} count already, so no more are chosen" if counted >= budget else ""
    return _steered("budget", budget, who, why, in_words("budget", budget) + spent)


def _target(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    if arguments.get("target") in (None, "none"):
        return _steered("target", None, who, why)
    target = finite(arguments, "target", "a target value of the objective")
    return _steered("target", target, who, why)


# --- machines --------------------------------------------------------------------------------------------------------


def _enable(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    name = printer_of(conductor, arguments)
    return _steered(f"disabled:{name}", None, who, why)


def _disable(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    name = printer_of(conductor, arguments)
    return _steered(f"disabled:{name}", True, who, why)


def _bed_cleared(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    name = str(arguments.get("printer", ""))
    if name not in conductor.state.beds:
        raise InputError(f"nothing is known to lie on the bed of {name or 'no printer'}")
    on_it = conductor.state.experiments.get(conductor.state.beds[name])
    if on_it is not None and on_it.stage in _ON_THE_BED:
        raise InputError(
            f"experiment {on_it.id} is {on_it.stage} on {name}; its bed is clear once that part was taken off, or the "
            "experiment declared failed"
        )
    return [(ev.BedCleared(printer=name, by=who), None)], f"the bed of {name} is clear", {}


def _filament(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    name = printer_of(conductor, arguments)
    grams = positive(arguments, "grams", "the filament on the spool in g")
    return _steered(f"filament:{name}", grams, who, why)


def _keep_clear(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    guard = conductor.lab.guard
    state = str(arguments.get("state", "on"))
    if state not in ("on", "off"):
        raise InputError(f"{state!r} is neither on nor off, which is how a frame is kept clear and released")
    if state == "off":
        if guard is not None:
            guard.release(_BY_HAND)
        return _steered("keep_clear", None, who, why)
    if guard is not None:
        guard.keep_clear(_BY_HAND)
    return _steered("keep_clear", why or _BY_HAND, who, why)


# --- choosing --------------------------------------------------------------------------------------------------------


def _policy(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    name = str(arguments.get("policy", ""))
    conductor.workspace.chooser.check_policy(name)
    if arguments.get("printer"):
        printer = printer_of(conductor, arguments)
        return _steered(f"policy:{printer}", name, who, why)
    return _steered("policy", name, who, why)


def _limits(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    chooser = conductor.workspace.chooser
    name = str(arguments.get("parameter", ""))
    if name not in chooser.dimensions:
        raise UnknownName("parameter of this campaign", name, chooser.dimensions)
    if arguments.get("low") in (None, "none"):
        events = [(ev.Steered(key=f"{end}:{name}", value=None, who=who, why=why), None) for end in ("low", "high")]
        return list(events), f"{name} is free within the campaign's limits again", {}
    entry = chooser.dimensions[name]
    low, high = finite(arguments, "low", "a lower limit"), finite(arguments, "high", "an upper limit")
    if "low" not in entry:
        raise InputError(f"{name} is not a number; its values cannot be limited while the loop runs")
    if low > high:
        raise InputError(f"the lower limit of {name}, {low:g}, is above the upper one, {high:g}; give the lower first")
    if not entry["low"] <= low <= high <= entry["high"]:
        raise InputError(
            f"{low:g} to {high:g} is not within {entry['low']:g} to {entry['high']:g}, which the campaign allows {name}"
        )
    limits = {f"low:{name}": low, f"high:{name}": high}
    if not _leaves_designs(chooser, {**conductor.state.steering, **limits}):
        raise InputError(
            f"{low:g} to {high:g} leaves no value of {name}, or hardly any that goes with the other limits; choose a "
            "wider range"
        )
    events = [(ev.Steered(key=key, value=limit, who=who, why=why), None) for key, limit in limits.items()]
    return list(events), f"{name} is chosen from {low:g} to {high:g}", {}


def _leaves_designs(chooser: Chooser, steering: Mapping[str, Any]) -> bool:
    """Whether a design can be found within the limits that are steered; without one, no next design can be chosen."""
    import numpy as np

    within = steered_limits(steering)
    try:
        return within is None or bool(chooser.space.with_constraint(within).sample(1, np.random.default_rng(0)))
    except SpaceError:
        return False


def _printability(conductor: Conductor, arguments: Mapping[str, Any], who: str, why: str) -> Answer:
    share = finite(arguments, "probability", "a probability")
    if not 0.0 <= share <= 1.0:
        raise InputError(f"{share:g} is not a probability; choose 0 to 1")
    return _steered("printability", share, who, why)


STEERING: Mapping[str, Verb] = {
    "pause": _pause,
    "drain": _drain,
    "resume": _resume,
    "stop": _stop,
    "budget": _budget,
    "target": _target,
    "enable": _enable,
    "disable": _disable,
    "bed-cleared": _bed_cleared,
    "filament": _filament,
    "keep-clear": _keep_clear,
    "policy": _policy,
    "limits": _limits,
    "printability": _printability,
}
