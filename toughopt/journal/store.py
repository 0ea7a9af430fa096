"""What the journal's stores share: events in one table, through SQLAlchemy Core."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from toughopt.errors import JournalError
from toughopt.journal.artifacts import Artifacts
from toughopt.journal.base import Lock
from toughopt.journal.codec import Event, checked, decode, decode_rows, encode, now_utc
from toughopt.journal.events import Payload
from toughopt.journal.tables import EVENTS

T = TypeVar("T")
_READ_AT_ONCE = 5000
_AGAIN_S = (0.05, 0.2, 0.5)  # pauses before a database is tried again; the last one from then on
_LINE_LOST = ("08", "57P01", "57P02", "57P03")  # SQLSTATEs: connection exceptions; the server ends or begins
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
    """An append-only log in one table.

    Parameters
    ----------
    patience_s : for how long a database whose line was lost is tried again, before that counts as an error
    """

    def __init__(self, engine: Engine, where: str, patience_s: float = 0.0) -> None:
        self._engine = engine
        self.where = where
        self.clock: Callable[[], str] = now_utc
        self._patience_s = patience_s

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
        rows: list[dict[str, Any]] = []

        def write(connection: Connection) -> list[int]:
            self._admit(connection)
            if rows:  # tried before: what was lost may have been the answer only
                known = _written(connection, rows)
                if known:
                    return known
            else:
                rows.extend(self._row(payload, experiment_id) for payload, experiment_id in events)
            inserted = insert(EVENTS).returning(EVENTS.c.seq)
            return [int(connection.execute(inserted, row).scalar_one()) for row in rows]

        numbers = self.transact(write)
        return [
            Event(seq, row["time_utc"], row["kind"], row["experiment_id"], _body(row))
            for seq, row in zip(numbers, rows, strict=True)
        ]

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Event]:
        """Events with `after` < seq <= `until`, in order."""
        patience = _Patience(self._patience_s)
        while True:
            query = select(EVENTS).where(EVENTS.c.seq > after).order_by(EVENTS.c.seq)
            if until is not None:
                query = query.where(EVENTS.c.seq <= until)
            try:
                with self.transaction() as connection:
                    for rows in connection.execute(query).yield_per(_READ_AT_ONCE).partitions():
                        for event in decode_rows(rows):
                            yield event
                            after = event.seq
                return
            except JournalError as error:
                patience.wait(error)

    def last_seq(self) -> int:
        """Number of the newest event, 0 where there is none."""
        return self.transact(lambda connection: int(connection.execute(select(func.max(EVENTS.c.seq))).scalar() or 0))

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

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one transaction, and again in another one where the line to the database was lost meanwhile.

        `work` must bear being done twice: the first time may have been kept although nobody heard of it.
        """
        patience = _Patience(self._patience_s)
        while True:
            try:
                with self.transaction() as connection:
                    return work(connection)
            except JournalError as error:
                patience.wait(error)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all that is done in it, or nothing. Raises JournalError where the database refuses."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise JournalError(f"{self.where}: the journal cannot be read or written: {explained(error)}") from error

    def _row(self, payload: Payload, experiment_id: int | None) -> dict[str, Any]:
        return {
            "time_utc": str(self.clock()),
            "kind": payload.kind,
            "experiment_id": experiment_id,
            "schema_version": payload.version,
            "payload": encode(payload),
        }


class _Patience:
    """How long a database that is out of reach is tried again."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._tries = 0

    def wait(self, error: JournalError) -> None:
        """Pause before the next try; raise `error` where there is none."""
        if not _line_lost(error) or time.monotonic() > self._end:
            raise error
        time.sleep(_AGAIN_S[min(self._tries, len(_AGAIN_S) - 1)])
        self._tries += 1


def _line_lost(error: JournalError) -> bool:
    cause = error.__cause__
    if not isinstance(cause, DBAPIError):
        return False
    state = getattr(cause.orig, "sqlstate", "")  # None: there was no answer at all
    return cause.connection_invalidated or state is None or state.startswith(_LINE_LOST)


def _written(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Numbers of the newest events that are exactly `rows`; none where they are not there."""
    columns = [EVENTS.c[name] for name in rows[0]]
    last = select(func.max(EVENTS.c.seq)).where(EVENTS.c.time_utc == rows[-1]["time_utc"]).scalar_subquery()
    query = select(EVENTS.c.seq, *columns).where(EVENTS.c.seq <= last).order_by(EVENTS.c.seq.desc())
    newest = connection.execute(query.limit(len(rows))).all()[::-1]
    found = [dict(zip(row._fields[1:], row[1:], strict=True)) for row in newest]
    return [int(row.seq) for row in newest] if found == list(rows) else []


def _body(row: dict[str, Any]) -> Any:
    return decode(row["kind"], row["schema_version"], row["payload"])


def explained(error: SQLAlchemyError) -> str:
    """What the database said, on one line, and what to do about it where that is known."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    hint = next((hint for words, hint in _HINTS if words in said.lower()), "")
    return f"{said}; {hint}" if hint else said
