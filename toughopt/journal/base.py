"""What a store of events is, and the lock of the one process that conducts a campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from toughopt.journal.artifacts import Artifacts
from toughopt.journal.codec import Event
from toughopt.journal.events import Payload


@runtime_checkable
class Lock(Protocol):
    """Held by exactly one process while it conducts a campaign; free soon after that process is gone."""

    def acquire(self) -> None:
        """Take it, or raise CampaignBusy with who holds it."""
        ...

    def holder(self) -> str:
        """Who holds it, as far as is known."""
        ...

    def held(self) -> bool:
        """Whether somebody holds it at this moment."""
        ...

    def release(self) -> None:
        """Let it go."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class Store(Protocol):
    """An append-only log. An append that returned is on disk."""

    where: str  # it is, in messages
    clock: Callable[[], str]  # what events are dated with: the real time, unless a simulated lab has its own

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

    def lock(self, folder: Path) -> Lock:
        """What the process that conducts the campaign in `folder` holds."""
        ...

    def artifacts(self, folder: Path) -> Artifacts:
        """The campaign's artifacts, kept or cached in `folder`."""
        ...

    def close(self) -> None:
        """Let the database go."""
        ...
