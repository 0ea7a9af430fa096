"""The state of a campaign: a pure fold over its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toughopt.errors import JournalError
from toughopt.journal.codec import Event, many_objects
from toughopt.journal.experiment import NEXT, Experiment, Stage

_MOVES = {stage.value: stage for stage in Stage}


@dataclass(slots=True)
class State:
    """Everything that is known of a campaign after the event `seq`."""

    seq: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    config_toml: str = ""
    experiments: dict[int, Experiment] = field(default_factory=dict)
    open_requests: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    answers: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    faults: int = 0
    beds: dict[str, int] = field(default_factory=dict)  # printer -> experiment whose part may lie on it, 0: unknown
    steering: dict[str, Any] = field(default_factory=dict)  # what people changed: "paused", "budget", "disabled:NAME"
    steered_by: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # key -> the event: also "who" and "why"
    spools_g: dict[str, float] = field(default_factory=dict)  # printer -> filament left, where it was told
    hot_printers: dict[str, str] = field(default_factory=dict)  # heaters NOT known to be off, and why
    conductor: Mapping[str, Any] | None = None  # who conducts, where it has not said that it stopped
    stopped: Mapping[str, Any] | None = None  # the last stopping rule that fired
    notes: list[str] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Take one more event in. Raises JournalError where it does not fit what came before."""
        handler = _HANDLERS.get(event.kind)
        if handler is None:
            raise JournalError(f"event {event.seq}: no rule for {event.kind!r}")
        handler(self, event)
        self.seq = event.seq

    @property
    def complete(self) -> list[Experiment]:
        """Experiments with a value, in the order in which they got it."""
        done = [e for e in self.experiments.values() if e.stage is Stage.COMPLETE]
        return sorted(done, key=lambda e: e.complete_seq)

    @property
    def learned(self) -> list[Experiment]:
        """What the model learns from, in the order in which it became known."""
        known = [e for e in self.experiments.values() if e.learned]
        return sorted(known, key=lambda e: e.complete_seq or e.failed_seq)

    @property
    def under_way(self) -> list[Experiment]:
        """Experiments that have not ended, oldest first."""
        return [e for e in self.experiments.values() if not e.ended]

    @property
    def goal_sign(self) -> int:
        """+1 where larger values are better, -1 where smaller ones are."""
        return -1 if self.config.get("objective", {}).get("goal") == "min" else 1

    @property
    def best(self) -> Experiment | None:
        """The complete experiment with the best value, None where there is none."""
        usable = [e for e in self.complete if not e.excluded]
        return max(usable, key=lambda e: self.goal_sign * (e.value or 0.0), default=None)

    def decision_of(self, experiment: Experiment) -> tuple[Mapping[str, Any] | None, int]:
        """The record of the decision that chose an experiment's design, and its place there; None where none did.

        Of several designs that were chosen at once, the first experiment holds the record, and the others refer to it.
        """
        record = experiment.decision
        if record is None or "made_with" not in record:
            return record, 0
        return self.experiments[record["made_with"]].decision, int(record["index"])

    def counted(self) -> int:
        """Experiments that count against the budget: not what the lab failed, nor what a person still has in hand."""
        return sum(
            not (e.stage is Stage.FAILED and e.blame == "lab") and (e.ended or not e.manual)
            for e in self.experiments.values()
        )

    def next_id(self) -> int:
        """The id of the next experiment."""
        return max(self.experiments, default=0) + 1


def fold(events: Iterable[Event], state: State | None = None) -> State:
    """The state after `events`, starting from `state` (which is changed) or from nothing."""
    state = State() if state is None else state
    with many_objects():
        for event in events:
            state.apply(event)
    return state


def _created(state: State, event: Event) -> None:
    state.config = event.payload["config"]
    state.config_toml = event.payload["config_toml"]


def _changed(state: State, event: Event) -> None:
    before = state.config.get("budget")
    _created(state, event)
    if state.config.get("budget") != before:
        state.steering.pop("budget", None)  # the file has the last word


def _conductor_started(state: State, event: Event) -> None:
    state.conductor = event.payload
    state.stopped = None


def _conductor_stopped(state: State, event: Event) -> None:
    state.conductor = None


def _proposed(state: State, event: Event) -> None:
    identity, payload = event.experiment_id, event.payload
    if identity is None or identity in state.experiments:
        raise JournalError(f"event {event.seq}: experiment {identity} is proposed twice")
    experiment = Experiment(identity, payload["design"], payload["source"], payload["manual"], payload["retry_of"])
    experiment.decision = payload["decision"]
    experiment.proposed_seq = event.seq
    experiment.wanted = payload["printer"]
    experiment.times["proposed"] = event.time_utc
    if payload["note"]:
        experiment.notes.append(payload["note"])
    state.experiments[identity] = experiment


# Payload key -> attribute, for the events that only move an experiment on and note some figures.
_FIGURES: Mapping[str, Mapping[str, str]] = {
    "built": {"mesh": "mesh", "mass_g": "mesh_mass_g", "size_mm": "size_mm"},
    "sliced": {
        "program": "program",
        "time_s": "program_time_s",
        "filament_mm": "filament_mm",
        "filament_g": "filament_g",
        "printer": "sliced_for",
        "flow": "flow",
        "part_filament_mm": "part_filament_mm",
    },
    "queued": {"printer": "printer"},
    "printing": {"printer": "printer", "program": "program"},
    "printed": {"duration_s": "print_s", "resends": "resends", "strays": "strays"},
    "cleared": {"path": "path"},
    "weighed": {"mass_g": "mass_g"},
    "tested": {"curve": "curve"},
    "complete": {"value": "value", "noise_std": "noise_std", "censored": "censored", "result": "result"},
    "failed": {"stage": "failed_stage", "reason": "reason", "blame": "blame", "by": "failed_by"},
    "uncertain": {"stage": "failed_stage", "reason": "reason"},
}


_STEPS = {kind: (_MOVES[kind], tuple(figures.items())) for kind, figures in _FIGURES.items()}


def _moved(state: State, event: Event) -> None:
    experiment = _experiment(state, event)
    kind, payload = event.kind, event.payload
    stage, figures = _STEPS[kind]
    if stage not in NEXT[experiment.stage]:
        raise JournalError(
            f"event {event.seq}: experiment {experiment.id} cannot go from {experiment.stage} to {stage}"
        )
    experiment.stage = stage
    experiment.times[kind] = event.time_utc
    for key, attribute in figures:
        setattr(experiment, attribute, payload[key])
    if stage is Stage.COMPLETE:
        experiment.complete_seq = event.seq
        experiment.curve = payload["curve"] or experiment.curve
        if payload["mass_g"] is not None:
            experiment.mass_g = payload["mass_g"]
    elif stage is Stage.FAILED:
        experiment.failed_seq = event.seq


def _fault(state: State, event: Event) -> None:
    state.faults += 1


def _heaters_unknown(state: State, event: Event) -> None:
    state.hot_printers[event.payload["printer"]] = event.payload["reason"]


def _printing(state: State, event: Event) -> None:
    experiment = _experiment(state, event)
    _moved(state, event)
    state.beds[event.payload["printer"]] = experiment.id


def _cleared(state: State, event: Event) -> None:
    _moved(state, event)
    printer = event.payload["printer"]
    if state.beds.get(printer) in (event.experiment_id, 0):  # another's part stays where it is
        del state.beds[printer]


def _bed_doubted(state: State, event: Event) -> None:
    state.beds.setdefault(event.payload["printer"], 0)


def _bed_cleared(state: State, event: Event) -> None:
    state.beds.pop(event.payload["printer"], None)


def _crushing(state: State, event: Event) -> None:
    _experiment(state, event).crushing = True


def _steered(state: State, event: Event) -> None:
    key, value = event.payload["key"], event.payload["value"]
    state.steering[key] = value
    state.steered_by[key] = event.payload
    if key.startswith("filament:"):
        state.spools_g[key.partition(":")[2]] = float(value)


def _printed(state: State, event: Event) -> None:
    _moved(state, event)
    printer, used_g = event.payload["printer"], state.experiments[event.experiment_id or 0].filament_g
    if printer in state.spools_g:
        state.spools_g[printer] = max(state.spools_g[printer] - (used_g or 0.0), 0.0)
    if event.payload["heaters_off"]:
        state.hot_printers.pop(event.payload["printer"], None)


def _requested(state: State, event: Event) -> None:
    state.open_requests[event.seq] = event.payload


def _answered(state: State, event: Event) -> None:
    state.open_requests.pop(event.payload["request"], None)
    state.answers[event.payload["request"]] = event.payload


def _excluded(state: State, event: Event) -> None:
    experiment = _experiment(state, event)
    experiment.excluded = event.kind == "excluded"
    experiment.notes.append(f"{event.kind} by {event.payload['who']}: {event.payload['why']}".rstrip(": "))


def _corrected(state: State, event: Event) -> None:
    experiment, payload = _experiment(state, event), event.payload
    for name in ("value", "mass_g", "curve", "result", "censored"):
        if payload[name] is not None:
            setattr(experiment, name, payload[name])
    experiment.notes.append(f"corrected by {payload['who']}: {payload['why']}".rstrip(": "))


def _noted(state: State, event: Event) -> None:
    line = f"{event.payload['who']}: {event.payload['text']}"
    (state.notes if event.experiment_id is None else _experiment(state, event).notes).append(line)


def _stopped(state: State, event: Event) -> None:
    state.stopped = event.payload


def _experiment(state: State, event: Event) -> Experiment:
    try:
        return state.experiments[event.experiment_id]  # type: ignore[index]
    except KeyError:
        raise JournalError(f"event {event.seq}: there is no experiment {event.experiment_id}") from None


_HANDLERS: Mapping[str, Callable[[State, Event], None]] = {
    "campaign_created": _created,
    "campaign_changed": _changed,
    "conductor_started": _conductor_started,
    "conductor_stopped": _conductor_stopped,
    "proposed": _proposed,
    **dict.fromkeys(_FIGURES, _moved),
    "printing": _printing,
    "printed": _printed,
    "cleared": _cleared,
    "bed_doubted": _bed_doubted,
    "bed_cleared": _bed_cleared,
    "crushing": _crushing,
    "steered": _steered,
    "fault": _fault,
    "heaters_unknown": _heaters_unknown,
    "requested": _requested,
    "answered": _answered,
    "excluded": _excluded,
    "restored": _excluded,
    "corrected": _corrected,
    "noted": _noted,
    "stopped": _stopped,
}
