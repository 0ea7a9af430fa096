"""What a store of events is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from toughopt.journal.events import Event, Payload


@runtime_checkable
class Store(Protocol):
    """An append-only log. An append that returned is on disk."""

    def append(self, payload: Payload, experiment_id: int | None = None) -> Event:
        """Write one event. Raises JournalError where it cannot be written; then nothing is."""
        ...

    def append_all(self, events: Sequence[tuple[Payload, int | None]]) -> list[Event]:
        """Write several events, all or none."""
        ...

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Event]:
        """Events with `after` < seq <= `until`, in order."""
        ...

    def last_seq(self) -> int:
        """Number of the newest event, 0 where there is none."""
        ...

    def verify(self) -> None:
        """Raise JournalError where the log is damaged."""
        ...

    def close(self) -> None:
        """Let the database go."""
        ...
