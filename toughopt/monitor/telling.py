"""Events and experiments in words that a person reads at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from toughopt.digits import four_digits
from toughopt.loop.steering import in_words
from toughopt.monitor.gist import lasting

if TYPE_CHECKING:
    from toughopt.journal import Event, Experiment

_LONGEST = 240
_TRACK = ("proposed", "built", "sliced", "queued", "printing", "printed", "cleared", "weighed", "tested", "complete")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log. tone : "", "good", "bad" or "person"."""

    seq: int
    time_utc: str
    kind: str
    experiment_id: int | None
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of an experiment: when it was reached, and how long after the one before."""

    name: str
    time_utc: str
    took: str
    mark: str  # "done", "now", "bad" or "open"


def told(event: Event) -> Line:
    """An event as a line."""
    tone = {
        "complete": "good", "failed": "bad", "uncertain": "bad", "fault": "bad", "heaters_unknown": "bad",
        "requested": "person", "answered": "person", "steered": "person", "noted": "person", "excluded": "person",
        "restored": "person", "corrected": "person",
    }.get(event.kind, "")  # fmt: skip
    return Line(event.seq, event.time_utc, event.kind, event.experiment_id, _words(event)[:_LONGEST], tone)


def stages_of(e: Experiment) -> list[Step]:
    """The way of an experiment through the lab, with what is still ahead."""
    track = [name for name in _TRACK if name in e.times or not (e.manual or e.ended)]
    if e.stage in ("failed", "uncertain"):
        track = [name for name in track if name in e.times] + [str(e.stage)]
    steps, last = [], None
    for name in track:
        at = e.times.get(name, "")
        took = ""
        if at:
            when = datetime.fromisoformat(at)
            took = lasting((when - last).total_seconds()) if last is not None else ""
            last = when
        current = name == e.stage and not e.ended
        mark = "bad" if name in ("failed", "uncertain") else "now" if current else "done" if at else "open"
        steps.append(Step(name, at, took, mark))
    return steps


def _words(event: Event) -> str:
    p = event.payload
    match event.kind:
        case "proposed":
            design = " ".join(f"{k}={_short(v)}" for k, v in p["design"].items())
            return f"{p['source']}: {design}"
        case "built":
            return f"{p['volume_mm3']:.0f} mm³, {p['mass_g']:.2f} g"
        case "sliced":
            return f"{p['layers']} layers, {lasting(p['time_s'])}, {p['filament_g']:.2f} g of filament"
        case "complete":
            return f"{_short(p['value'])}{' (a lower bound)' if p['censored'] else ''}, by {p['by']}"
        case "failed":
            return f"at {p['stage']}, {p['blame']} to blame: {p['reason']}"
        case "fault" if "reason" in p["data"]:
            return f"{p['device']}: {p['data']['reason']}"
        case "requested":
            arguments = " ".join(f"{k}={_short(v)}" for k, v in p["arguments"].items())
            return f"{p['who']} asks: {p['verb']} {arguments} {p['why']}".strip()
        case "answered":
            return f"{'done' if p['ok'] else 'refused'}: {p['message']}"
        case "steered":
            return f"{in_words(p['key'], p['value'])} ({': '.join(filter(None, (p['who'], p['why'])))})"
        case "campaign_created" | "campaign_changed":
            return f"campaign.toml, {len(p['config_toml'].splitlines())} lines"
        case "conductor_started":
            return f"process {p['pid']} on {p['host']}"
        case _:
            return _flat(p)


def _flat(payload: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {_short(v)}" for k, v in payload.items() if isinstance(v, str | int | float) and v != "")


def _short(value: Any) -> str:
    if isinstance(value, float):
        return four_digits(value)
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 and text.isalnum() else text
