"""Messages to people who are not there: what an event means to them, and a sender that can never slow the loop."""

from __future__ import annotations

import json
import queue
import threading
import time
import urllib.request
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Literal

from toughopt.errors import ConfigError
from toughopt.journal import Stage
from toughopt.journal.events import CHOICE

if TYPE_CHECKING:
    from toughopt.journal import Event, State

Occasion = Literal["waiting", "failure", "best", "done"]
OCCASIONS: tuple[Occasion, ...] = ("waiting", "failure", "best", "done")
_TIMEOUT_S = 10.0
_MOST_WAITING = 100  # messages; while nothing gets through, the oldest are dropped
_TRIES = 3
_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person wants to know.

    occasion : "waiting" (for a person), "failure", "best" or "done"
    text : one sentence
    """

    occasion: Occasion
    campaign: str
    text: str
    experiment_id: int | None
    seq: int
    time_utc: str


def notices(event: Event, before: State | Gist, after: State) -> list[Notice]:
    """What `event` means to people: a pure rule.

    Parameters
    ----------
    before, after : the state without and with the event. `before` may be a `Gist` of that state, which costs less to
        keep than a copy
    """
    return list(_told(event, gist(before), after))


@dataclass(frozen=True, slots=True)
class Gist:
    """As much of a state as the rule looks at."""

    best: float | None
    uncertain: frozenset[int]


def gist(state: State | Gist) -> Gist:
    """What the rule must know of the state before an event."""
    if isinstance(state, Gist):
        return state
    best = state.best
    uncertain = frozenset(e.id for e in state.under_way if e.stage is Stage.UNCERTAIN)
    return Gist(None if best is None else best.value, uncertain)


def _told(event: Event, before: Gist, after: State) -> list[Notice]:
    payload, identity = event.payload, event.experiment_id
    objective = after.config.get("objective", {}).get("name", "value")

    def say(occasion: Occasion, text: str) -> list[Notice]:
        name = str(after.config.get("name", "campaign"))
        return [Notice(occasion, name, text, identity, event.seq, event.time_utc)]

    match event.kind:
        case "heaters_unknown":
            reason = payload["reason"]
            return say(
                "failure", f"{payload['printer']}: heaters are NOT known to be off ({reason}); look, pull the plug"
            )
        case "uncertain" if identity not in before.uncertain and not _discards(after):
            return say("waiting", f"experiment {identity} waits for a person's decision: {payload['reason']}")
        case "proposed" if payload["manual"]:
            return say("waiting", f"experiment {identity} waits to be made by hand")
        case "failed":
            return say("failure", f"experiment {identity} failed at {payload['stage']}: {payload['reason']}")
        case "fault" if "expected_g" in payload["data"]:
            return say("failure", f"experiment {identity}, weighed by {payload['device']}: {payload['data']['reason']}")
        case "fault" if payload["device"] == CHOICE:
            return say(
                "waiting", f"no design can be chosen, so what is in hand is finished: {payload['data']['reason']}"
            )
        case "steered" if payload["key"].startswith("disabled:") and payload["value"] and payload["who"] == "toughopt":
            name = payload["key"].removeprefix("disabled:")
            return say("waiting", f"{name} was disabled and waits for a person: {payload['why']}")
        case "complete" | "corrected" if after.best is not None and after.best.id == identity:
            best = after.best
            if best.value is None or best.value == before.best:
                return []
            rise = "" if before.best is None else f", after {before.best:.4g}"
            return say("best", f"new best: {objective} = {best.value:.4g} in experiment {identity}{rise}")
        case "stopped":
            return say("done", f"the campaign ends: {payload['reason']}")
        case "conductor_stopped":
            return say("done", f"the run ended: {payload['reason']}; {len(after.complete)} experiments are complete")
        case _:
            return []


def _discards(state: State) -> bool:
    from toughopt.campaign import CampaignConfig

    return CampaignConfig.model_validate(dict(state.config)).discards_uncertain if state.config else False


def body(notice: Notice, form: str) -> bytes:
    """A notice as JSON: "json" with every field, or "slack" with the one that Slack and its likes show."""
    if form == "slack":
        mark = {"waiting": ":raising_hand:", "failure": ":warning:", "best": ":trophy:", "done": ":checkered_flag:"}
        name, text = (escape(each, quote=False) for each in (notice.campaign, notice.text))
        return json.dumps({"text": f"{mark[notice.occasion]} *{name}*: {text}"}).encode()
    told: Mapping[str, Any] = {name: getattr(notice, name) for name in Notice.__slots__}
    return json.dumps(told).encode()


class Messenger:
    """Sends notices to a webhook from a thread of its own; what cannot be sent is dropped, and `lost` counts it.

    Parameters
    ----------
    url : http or https
    form : "json" or "slack"
    on : the occasions that are sent

    Raises
    ------
    ConfigError
        If the address is no web address, or an occasion or form is unknown.
    """

    def __init__(self, url: str, form: str = "json", on: Collection[str] = OCCASIONS) -> None:
        if not url.startswith(("https://", "http://")):
            raise ConfigError(f"[notify] url = {url!r} is no web address; it begins with https://")
        if form not in ("json", "slack"):
            raise ConfigError(f"[notify] format = {form!r} is unknown; choose json or slack")
        unknown = sorted(set(on) - set(OCCASIONS))
        if unknown:
            raise ConfigError(f"[notify] on: {unknown[0]!r} is unknown; choose among {', '.join(OCCASIONS)}")
        self.lost = 0
        self._url, self._form, self._on = url, form, frozenset(on)
        self._waiting: queue.Queue[Notice | None] = queue.Queue(_MOST_WAITING)
        self._closing = threading.Event()
        self._before: Gist | None = None
        self._thread = threading.Thread(target=self._work, name="notices", daemon=True)
        self._thread.start()

    def begin(self, state: State) -> None:
        """Say where the campaign stands, before the first event is seen."""
        self._before = gist(state)

    def see(self, event: Event, state: State) -> None:
        """Look at an event that was just taken in; returns at once, whatever the network does."""
        before = self._before if self._before is not None else gist(state)
        for notice in notices(event, before, state):
            self.send(notice)
        if event.kind in _CHANGES:
            self._before = gist(state)

    def send(self, notice: Notice) -> None:
        """Put a notice in the queue."""
        if notice.occasion not in self._on or self._closing.is_set():
            return
        while True:
            try:
                self._waiting.put_nowait(notice)
                return
            except queue.Full:
                with suppress(queue.Empty):  # sent meanwhile
                    self._waiting.get_nowait()
                    self.lost += 1

    def close(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Send what waits, for at most so long."""
        end = time.monotonic() + timeout_s
        with suppress(queue.Full):  # nothing gets through
            self._waiting.put(None, timeout=timeout_s)
        self._thread.join(max(0.0, end - time.monotonic()))
        self._closing.set()

    def __enter__(self) -> Messenger:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _work(self) -> None:
        while not self._closing.is_set():
            notice = self._waiting.get()
            if notice is None:
                return
            if not any(self._sent(notice, attempt) for attempt in range(_TRIES)):
                self.lost += 1

    def _sent(self, notice: Notice, attempt: int) -> bool:
        if attempt and self._closing.wait(_PAUSE_S * attempt):
            return False
        headers = {"Content-Type": "application/json", "User-Agent": "toughopt"}
        request = urllib.request.Request(self._url, body(notice, self._form), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                return 200 <= int(answer.status) < 300
        except (OSError, ValueError, HTTPException):  # no network, no such host, a refusal: the loop goes on without
            return False


_CHANGES = frozenset({"complete", "corrected", "excluded", "restored", "uncertain", "printed", "failed"})
