"""Derive every decision of a logged campaign again, from the events before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from toughopt.campaign import CampaignConfig
from toughopt.errors import ToughoptError
from toughopt.journal import Event, State
from toughopt.loop.choosing import Chooser
from toughopt.loop.workspace import Workspace, make_recipe
from toughopt.optimizer.policies import older_settings


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that comes out otherwise today."""

    seq: int
    experiment_id: int
    logged: tuple[Mapping[str, Any], ...]
    derived: tuple[Mapping[str, Any], ...]
    cause: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found."""

    decisions: int
    differences: tuple[Difference, ...]


def replay(
    workspace: Workspace,
    *,
    first: int = 1,
    until: int | None = None,
    sample: int | None = None,
    on_decision: Callable[[int], None] = lambda experiment_id: None,
) -> Replay:
    """Derive the decisions again, in this version and environment.

    The settings are those that were in force; where campaign.toml was edited since the last start, those in it. What a
    decision of an older version does not record is taken to be as it was in that version.

    Parameters
    ----------
    first, until : experiments whose decisions are looked at
    sample : derive only so many of them, spread evenly
    """
    edited = workspace.config if workspace.config.model_dump(mode="json") != _last_config(workspace) else None
    wanted = _wanted(workspace, first, until, sample)
    state, chooser, chooser_for = State(), None, None
    differences: list[Difference] = []
    for event in workspace.store.read():
        identity = event.experiment_id or 0
        decision = event.payload.get("decision") if event.kind == "proposed" else None
        if decision is not None and identity in wanted:
            if chooser is None or chooser_for is not state.config:
                config = edited or CampaignConfig.model_validate(dict(state.config))
                chooser, chooser_for = (
                    Chooser(config, make_recipe(config, workspace.folder).family, workspace.folder),
                    state.config,
                )
            on_decision(identity)
            found = _derive(chooser, state, event, identity)
            if found is not None:
                differences.append(found)
        state.apply(event)
    return Replay(len(wanted), tuple(differences))


def _derive(chooser: Chooser, state: State, event: Event, identity: int) -> Difference | None:
    record, seq = event.payload["decision"], event.seq
    held = older_settings(record["policy"], record["settings"])
    logged = {**record, "settings": {**held, **record["settings"]}}
    then = tuple(dict(design) for design in logged["designs"])
    try:
        decision = chooser.decide(state, int(logged["k"]), event.payload["printer"], held=held)
    except ToughoptError as error:
        return Difference(seq, identity, then, (), f"it cannot be derived: {error}")
    now = decision.to_dict()
    derived = tuple(dict(design) for design in now["designs"])
    if derived == then and now["rng_after"] == logged["rng_after"]:
        return None
    return Difference(seq, identity, then, derived, _cause(logged, now))


def _cause(logged: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    for key, words in (
        ("policy", "the policy is another"),
        ("settings", "settings differ"),
        ("observations_sha256", "the observations before it differ"),
        ("sources", "the earlier campaigns that it learned from differ"),
        ("pending", "other designs were pending"),
        ("rng_before", "the random generator was in another state"),
        ("start_hyperparameters", "the fit started elsewhere"),
        ("environment", "the software differs"),
    ):
        then, today = logged.get(key), now.get(key)
        if key == "sources":  # a record is a tuple as it is made and a list as it is read; older ones have none
            then, today = list(then or ()), list(today or ())
        if then != today:
            return f"{words}: {_difference(then, today)}"
    return "nothing that is recorded differs: arithmetic on this machine does"


def _difference(then: Any, now: Any) -> str:
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        keys = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        return ", ".join(f"{key} was {then.get(key)!r}, is {now.get(key)!r}" for key in keys)[:400]
    return f"was {then!r}, is {now!r}"[:400]


def _last_config(workspace: Workspace) -> Any:
    return CampaignConfig.model_validate(dict(workspace.state.config)).model_dump(mode="json")


def _wanted(workspace: Workspace, first: int, until: int | None, sample: int | None) -> frozenset[int]:
    decided = [
        e.id
        for e in workspace.state.experiments.values()
        if e.decision is not None
        and "made_with" not in e.decision
        and e.id >= first
        and (until is None or e.id <= until)
    ]
    if sample is not None and sample < len(decided):
        decided = [decided[(i * len(decided)) // sample] for i in range(sample)]
    return frozenset(decided)
