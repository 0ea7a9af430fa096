"""What the journal's stores share: events in one table, through SQLAlchemy Core."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from toughopt.errors import JournalError
from toughopt.journal.artifacts import Artifacts
from toughopt.journal.base import Lock
from toughopt.journal.codec import Event, checked, decode, decode_rows, encode, now_utc
from toughopt.journal.events import Payload
from toughopt.journal.tables import EVENTS

_READ_AT_ONCE = 5000
_HINTS = (  # what a database says, and what to do about it
    ("disk is full", "free some space; everything written before is kept"),
    ("no space left", "free some space; everything written before is kept"),
    ("disk i/o error", "look at the disk's space, quota and health; everything written before is kept"),
    ("readonly", "permit writing to the file and its folder"),
    ("read-only", "permit writing to the file and its folder"),
    ("unable to open", "permit reading and writing its folder"),
    ("connection", "see whether the database server runs and can be reached"),
)


class SqlStore(ABC):
    """An append-only log in one table."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self.where = where
        self.clock: Callable[[], str] = now_utc

    @abstractmethod
    def lock(self, folder: Path) -> Lock:
        """What the process that conducts this campaign holds."""

    @abstractmethod
    def artifacts(self, folder: Path) -> Artifacts:
        """The campaign's artifacts, kept or cached in `folder`."""

    def append(self, payload: Payload, experiment_id: int | None = None) -> Event:
        """Write one event; it is on disk when this returns."""
        return self.append_all([(payload, experiment_id)])[0]

    def append_all(self, events: Sequence[tuple[Payload, int | None]]) -> list[Event]:
        """Write several events, all or none."""
        written = []
        with self.transaction() as connection:
            self._admit(connection)
            for payload, experiment_id in events:
                text_ = encode(payload)
                row = {
                    "time_utc": self.clock(),
                    "kind": payload.kind,
                    "experiment_id": experiment_id,
                    "schema_version": payload.version,
                    "payload": text_,
                }
                seq = int(connection.execute(insert(EVENTS).returning(EVENTS.c.seq), row).scalar_one())
                body = decode(payload.kind, payload.version, text_)
                written.append(Event(seq, str(row["time_utc"]), payload.kind, experiment_id, body))
        return written

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Event]:
        """Events with `after` < seq <= `until`, in order."""
        query = select(EVENTS).where(EVENTS.c.seq > after).order_by(EVENTS.c.seq)
        if until is not None:
            query = query.where(EVENTS.c.seq <= until)
        with self.transaction() as connection:
            for rows in connection.execute(query).yield_per(_READ_AT_ONCE).partitions():
                yield from decode_rows(rows)

    def last_seq(self) -> int:
        """Number of the newest event, 0 where there is none."""
        with self.transaction() as connection:
            return int(connection.execute(select(func.max(EVENTS.c.seq))).scalar() or 0)

    def verify(self) -> None:
        """Raise JournalError where the database or an event in it is damaged."""
        for entry in self.read():
            checked(entry.kind, entry.payload)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    @abstractmethod
    def _admit(self, connection: Connection) -> None:
        """Called first in each transaction that appends; raises where this process may not."""

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all that is done in it, or nothing. Raises JournalError where the database refuses."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise JournalError(f"{self.where}: the journal cannot be read or written: {explained(error)}") from error


def explained(error: SQLAlchemyError) -> str:
    """What the database said, on one line, and what to do about it where that is known."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    hint = next((hint for words, hint in _HINTS if words in said.lower()), "")
    return f"{said}; {hint}" if hint else said
