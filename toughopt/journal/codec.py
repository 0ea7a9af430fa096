"""Events as the journal stores them: JSON with the version of its schema, older ones lifted when they are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from toughopt.errors import JournalError
from toughopt.journal.events import KINDS, Payload

# (kind, version) -> what lifts a payload of that version to the next one.
UPCASTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    ("proposed", 1): lambda payload: {**payload, "printer": ""},
    ("built", 1): lambda payload: {**payload, "size_mm": None},
    ("sliced", 1): lambda payload: {**payload, "printer": "", "flow": 1.0},
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal, as read back."""

    seq: int
    time_utc: str
    kind: str
    experiment_id: int | None
    payload: Mapping[str, Any]


def encode(payload: Payload) -> str:
    """JSON of a payload, as stored."""
    return payload.model_dump_json()


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
        payload: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise JournalError(f"an event {kind!r} of the journal is damaged: {error}") from error
    while version < model.version:
        payload = UPCASTS[kind, version](payload)
        version += 1
    return payload


def checked(kind: str, payload: Mapping[str, Any]) -> Payload:
    """The typed payload of an event. Raises JournalError where it does not fit its schema."""
    try:
        return KINDS[kind].model_validate(payload)
    except ValidationError as error:
        raise JournalError(f"an event {kind!r} does not fit its schema: {error}") from error


def now_utc() -> str:
    """The time as events carry it: ISO 8601, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
