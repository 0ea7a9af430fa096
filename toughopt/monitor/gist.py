"""The few figures that a page shows of a campaign, however many experiments it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toughopt.campaign import CampaignConfig
    from toughopt.journal import Experiment, State

_WORKING = ("printing", "printed", "cleared", "weighed", "tested")


@dataclass(frozen=True, slots=True)
class PrinterGist:
    """One printer as the journal tells it.

    work : what it does, in a word or two; tone : "busy", "free", "off" or "alarm"
    progress : share of the program's time that has passed, None where nothing is printed
    """

    name: str
    profile: str
    work: str
    tone: str
    experiment: Experiment | None
    begun_utc: str
    expected_s: float | None
    done: int
    failed: int
    disabled: bool
    bed: int | None


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should know.

    tone : "danger", "wait" or "note"
    verb : the command that answers it, with the arguments `given`; "experiment" where a person must look at one first
    """

    tone: str
    text: str
    verb: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gist:
    """What an overview shows."""

    mood: str  # "running", "paused", "idle", "attention"
    mood_text: str
    counts: Mapping[str, int]
    complete: int
    failed: int
    counted: int
    budget: int
    best: Experiment | None
    latest: Sequence[Experiment]
    queue: Sequence[Experiment]
    bench: Sequence[Experiment]
    printers: Sequence[PrinterGist]
    alerts: Sequence[Alert]
    per_hour: float | None
    left_h: float | None


def gist_of(state: State, config: CampaignConfig, budget: int) -> Gist:
    """The gist of a campaign: one pass over its experiments."""
    counts = Counter(str(e.stage) for e in state.experiments.values())
    results = state.complete
    under_way = state.under_way
    counted = state.counted()
    alerts = _alerts(state, under_way)
    pace = _per_hour(results)
    paused = state.steering.get("paused")
    if any(alert.tone == "danger" for alert in alerts):
        mood, words = "attention", "Needs a person"
    elif state.conductor is None:
        mood, words = "idle", "Not running"
    elif paused:
        mood, words = "paused", f"Paused {paused}" if isinstance(paused, str) else "Paused"
    elif alerts:
        mood, words = "attention", "Waits for a person"
    else:
        mood, words = "running", "Running"
    left = None if not pace or counted >= budget else (budget - counted) / pace
    return Gist(
        mood=mood,
        mood_text=words,
        counts=counts,
        complete=len(results),
        failed=counts.get("failed", 0),
        counted=counted,
        budget=budget,
        best=state.best,
        latest=_latest(state, 12),
        queue=[e for e in under_way if e.stage in ("proposed", "built", "sliced", "queued")],
        bench=[e for e in under_way if e.stage in ("printed", "cleared", "weighed", "tested")],
        printers=[_printer(state, p.name, p.profile, under_way) for p in config.printers],
        alerts=alerts,
        per_hour=pace,
        left_h=left,
    )


def _alerts(state: State, under_way: Sequence[Experiment]) -> list[Alert]:
    found = [
        Alert("danger", f"{printer}: heaters are NOT known to be off ({why}). Look, and pull the plug.")
        for printer, why in state.hot_printers.items()
    ]
    for e in under_way:
        if e.stage == "uncertain":
            on_bed = state.beds.get(e.printer or "") == e.id
            question = "Was it printed, or has it failed?" if on_bed else "Tell its result, or declare it failed."
            text = f"Experiment {e.id} is uncertain: {e.reason}. {question}"
            found.append(Alert("wait", text, "experiment", {"id": str(e.id)}))
        elif e.manual:
            found.append(
                Alert(
                    "wait",
                    f"Experiment {e.id} is made by hand: its result is awaited.",
                    "experiment",
                    {"id": str(e.id)},
                )
            )
    printing = {e.printer for e in under_way if e.stage in ("queued", "printing", "printed")}
    for printer, identity in state.beds.items():
        if printer not in printing:
            what = f"a part of experiment {identity}" if identity else "something"
            found.append(
                Alert(
                    "wait",
                    f"{printer}: {what} may lie on the bed. Clear it, and say so.",
                    "bed-cleared",
                    {"printer": printer},
                )
            )
    if state.steering.get("keep_clear"):
        why = state.steering["keep_clear"]
        found.append(Alert("note", f"The frame does not move: {why}.", "keep-clear", {"state": "off"}))
    for key, value in state.steering.items():
        if key.startswith("disabled:") and value:
            name = key.removeprefix("disabled:")
            found.append(Alert("note", f"{name} is disabled.", "enable", {"printer": name}))
    return found


def _printer(state: State, name: str, profile: str, under_way: Sequence[Experiment]) -> PrinterGist:
    mine = [e for e in under_way if e.printer == name and e.stage in ("queued", "printing", "printed")]
    current = mine[0] if mine else None
    disabled = bool(state.steering.get(f"disabled:{name}"))
    bed = state.beds.get(name)
    work, tone = "free", "free"
    if name in state.hot_printers:
        work, tone = "heaters not known to be off", "alarm"
    elif current is not None and current.stage == "printing":
        work, tone = "printing", "busy"
    elif current is not None:
        work, tone = ("part on the bed" if current.stage == "printed" else "about to print"), "busy"
    elif disabled:
        work, tone = "disabled", "off"
    elif bed is not None:
        work, tone = "bed not confirmed clear", "alarm"
    elif state.conductor is None:
        work, tone = "not connected", "off"
    begun = current.times.get("printing", "") if current is not None and current.stage == "printing" else ""
    done = failed = 0
    for e in state.experiments.values():
        if e.printer == name:
            done += e.stage == "complete"
            failed += e.stage == "failed"
    expected = current.program_time_s if begun and current is not None else None
    return PrinterGist(name, profile, work, tone, current, begun, expected, done, failed, disabled, bed)


def _latest(state: State, count: int) -> list[Experiment]:
    ended = [e for e in state.experiments.values() if e.ended]
    return sorted(ended, key=lambda e: -(e.complete_seq or e.failed_seq))[:count]


def _per_hour(results: Sequence[Experiment]) -> float | None:
    """Results an hour over the newest of them, at most the last day and the last fifty."""
    times = [datetime.fromisoformat(e.times["complete"]) for e in results[-50:] if "complete" in e.times]
    if len(times) < 2:
        return None
    newest = times[-1]
    times = [t for t in times if newest - t <= timedelta(days=1)]
    span_h = (newest - times[0]).total_seconds() / 3600.0
    return (len(times) - 1) / span_h if len(times) > 1 and span_h > 0 else None


def ago(time_utc: str, now: datetime | None = None) -> str:
    """How long ago that was, in a person's words."""
    if not time_utc:
        return "never"
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(time_utc)).total_seconds()
    if seconds < 5:
        return "just now"
    return f"{lasting(seconds // 60 * 60 if 60 <= seconds < 3600 else seconds)} ago"


def lasting(seconds: float | None) -> str:
    """A length of time, in its two leading units."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, lower, lower_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // lower
            return f"{whole // size} {unit} {rest} {lower_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"
