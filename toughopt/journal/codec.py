"""Events as the journal stores them: JSON with the version of its schema, older ones lifted when they are read."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from toughopt.errors import JournalError
from toughopt.journal.events import KINDS, Payload

# (kind, version) -> what lifts a payload of that version to the next one.
UPCASTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    ("proposed", 1): lambda payload: {**payload, "printer": ""},
    ("built", 1): lambda payload: {**payload, "size_mm": None},
    ("sliced", 1): lambda payload: {**payload, "printer": "", "flow": 1.0},
}

_DECISION, _AFTER_DECISION = ',"decision":{', '},"retry_of":'
_WIDTH = {kind: len(model.model_fields) for kind, model in KINDS.items()}
_DEFAULTS = {
    kind: {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
    for kind, model in KINDS.items()
}
_NEWEST = {kind: model.version for kind, model in KINDS.items()}


class Event(NamedTuple):
    """One line of the journal, as read back (a tuple, because there may be hundreds of thousands)."""

    seq: int
    time_utc: str
    kind: str
    experiment_id: int | None
    payload: Mapping[str, Any]


class Later(Mapping[str, Any]):
    """A record that is parsed when somebody looks into it: decisions are most of the text, and rarely needed."""

    __slots__ = ("_found", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        return self._parsed()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed())

    def __len__(self) -> int:
        return len(self._parsed())

    def __repr__(self) -> str:
        return f"Later({self._text[:60]!r}...)"

    def _parsed(self) -> dict[str, Any]:
        if self._found is None:
            try:
                self._found = from_json(self._text, cache_strings="keys")
            except ValueError as error:
                raise JournalError(f"a decision of the journal is damaged: {error}") from error
        return self._found


def encode(payload: Payload) -> str:
    """JSON of a payload, as stored."""
    return payload.model_dump_json()


def encode_row(event: Event) -> str:
    """An event on one line of JSON: [seq, time, kind, experiment, schema version, payload]."""
    version = KINDS[event.kind].version
    row = [event.seq, event.time_utc, event.kind, event.experiment_id, version, event.payload]
    return json.dumps(row, default=dict, ensure_ascii=False)  # a record left for later is parsed now


def decode(kind: str, version: int, text: str) -> dict[str, Any]:
    """A stored payload, lifted to today's version of its kind.

    Raises
    ------
    JournalError
        If the kind or its version was written by a newer toughopt, or the text is not JSON.
    """
    model = KINDS.get(kind)
    if model is None or version > model.version:
        raise JournalError(
            f"the journal holds an event {kind!r} version {version}, which a newer toughopt wrote; update"
        )
    try:
        payload: dict[str, Any] = from_json(text, cache_strings="keys")
    except ValueError as error:
        raise JournalError(f"an event {kind!r} of the journal is damaged: {error}") from error
    while version < model.version:
        payload = UPCASTS[kind, version](payload)
        version += 1
    return _filled(kind, payload)


def decode_rows(rows: Iterable[tuple[int, str, str, int | None, int, str]]) -> list[Event]:
    """Stored rows (seq, time, kind, experiment, version, text) as events. Raises JournalError, as `decode`."""
    events = []
    with many_objects():
        for seq, time_utc, kind, experiment_id, version, text in rows:
            if version == _NEWEST.get(kind):
                try:
                    payload = _proposed(text) if kind == "proposed" else from_json(text, cache_strings="keys")
                    if len(payload) != _WIDTH[kind]:
                        payload = _filled(kind, payload)
                except ValueError:
                    payload = decode(kind, version, text)  # tells what is wrong
            else:
                payload = decode(kind, version, text)
            events.append(Event(seq, time_utc, kind, experiment_id, payload))
    return events


def _filled(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """With the default of each field that its schema gained since it was written."""
    return payload if len(payload) == _WIDTH[kind] else {**_DEFAULTS[kind], **payload}


def _proposed(text: str) -> dict[str, Any]:
    """The payload of a `proposed` event, its decision left for later.

    Quotes inside strings are escaped, and everything before and behind the decision is flat: so the first of one mark
    and the last of the other are its ends. Where they are not found, everything is parsed at once.
    """
    begin = text.find(_DECISION) + len(_DECISION) - 1
    end = text.rfind(_AFTER_DECISION) + 1
    if begin < len(_DECISION) - 1 or end <= begin:
        whole: dict[str, Any] = from_json(text, cache_strings="keys")
        return whole
    payload: dict[str, Any] = from_json(f"{text[:begin]}null{text[end:]}", cache_strings="keys")
    payload["decision"] = Later(text[begin:end])
    return payload


def checked(kind: str, payload: Mapping[str, Any]) -> Payload:
    """The typed payload of an event. Raises JournalError where it does not fit its schema."""
    try:
        return KINDS[kind].model_validate(payload)
    except ValidationError as error:
        raise JournalError(f"an event {kind!r} does not fit its schema: {error}") from error


@contextmanager
def many_objects() -> Iterator[None]:
    """Without collections of garbage, which would look at everything that was read again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def now_utc() -> str:
    """The time as events carry it: ISO 8601, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
