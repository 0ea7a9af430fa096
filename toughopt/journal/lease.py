"""Exactly one process conducts a campaign that several PCs share: an advisory lock of the database, and a heartbeat."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

from sqlalchemy import Connection, Engine, Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from toughopt.errors import CampaignBusy, JournalError
from toughopt.journal.codec import now_utc
from toughopt.journal.store import explained
from toughopt.journal.tables import CONDUCTOR

LEASE_S = 30.0
_MOMENT_S = 0.5  # what answering a request takes
_DEPARTURE_S = 5.0  # what the server takes to end a connection
_POLL_S = 0.05
_BEATS_A_LEASE = 3
_LOOK_S = 1.0  # how often a holder sees whether its line is still there
_GRACE_S = 3 * _LOOK_S  # what a holder that lives has to take the lock again, once its line was lost
_TAKE_BACK_S = 0.3
# Advisory locks are told apart by two numbers: what for, and which schema of the database.
_TURN = "SELECT pg_advisory_xact_lock(1953461607, hashtext(current_schema()))"
_TRY = "SELECT pg_try_advisory_lock(1953461608, hashtext(current_schema()))"
_DISMISS = (  # of that process only, and only where it is the one that holds the lock
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1953461608 "
    "AND objid::bigint = hashtext(current_schema())::bigint & 4294967295 AND pid = :backend"
)
_SIGN_OFF = "UPDATE conductor SET beat = 'epoch'::timestamptz WHERE token = :token"
_LEAVE = "SELECT pg_advisory_unlock(1953461608, hashtext(current_schema()))"


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction appends; until the end of this one, none does."""
    connection.execute(text(_TURN))


class PostgresLock:
    """Held while a campaign is conducted.

    The database frees it when the holder's connection ends, as it does where its process dies. Whether the process
    died, or only its line was lost, nobody can see: who lives takes the lock again within a second, and others wait a
    moment longer before they take it. A holder whose PC or network is gone may leave its connection open: it counts as
    gone when its heartbeat is older than the lease. Each holder has a token of its own, and a store writes for it only
    as long as nobody else got one since.

    Parameters
    ----------
    engine, where : the database, and its name for people
    conduct_as : told the token while the lock is held, and None afterwards
    lease_s : after how long without a heartbeat this holder counts as gone
    """

    def __init__(
        self, engine: Engine, where: str, conduct_as: Callable[[int | None], None], lease_s: float = LEASE_S
    ) -> None:
        self._engine, self._where, self._conduct_as, self._lease_s = engine, where, conduct_as, lease_s
        self._connection: Connection | None = None
        self._token = 0
        self._leaving = threading.Event()
        self._heart: threading.Thread | None = None

    def acquire(self) -> None:
        """Take it, or raise CampaignBusy with who holds it; one that is held for a moment only is waited for."""
        try:
            self._connection = self._entered()
            self._token = self._signed(self._connection)
        except SQLAlchemyError as error:
            if self._connection is not None:
                self._connection.invalidate()  # ends it, and with it the lock
                self._connection = None
            raise JournalError(f"{self._where} cannot be locked: {explained(error)}") from error
        self._conduct_as(self._token)
        self._leaving.clear()
        self._heart = threading.Thread(target=self._beat, name="conductor's heartbeat", daemon=True)
        self._heart.start()

    def holder(self) -> str:
        """Who holds it, as far as is known."""
        try:
            with self._engine.connect() as connection:
                row = _record(connection)
        except SQLAlchemyError:  # the server is away: nobody can say
            return "another process"
        return "another process" if row is None else f"{row.holder}, last seen {row.age_s:.0f} s ago"

    def held(self) -> bool:
        """Whether somebody holds it at this moment."""
        try:
            with self._engine.connect() as connection:
                row = _record(connection)
        except SQLAlchemyError as error:
            raise JournalError(f"{self._where} cannot be asked who conducts: {explained(error)}") from error
        return row is not None and row.age_s <= row.lease_s

    def release(self) -> None:
        """Let it go."""
        self._leaving.set()
        if self._heart is not None:
            self._heart.join()
            self._heart = None
        self._conduct_as(None)
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.execute(text(_SIGN_OFF), {"token": self._token})
            connection.execute(text(_LEAVE))
            connection.close()
        except SQLAlchemyError:  # the connection is gone, and the lock with it
            connection.invalidate()

    def __enter__(self) -> PostgresLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _entered(self) -> Connection:
        """A connection that holds the lock."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        deadline = time.monotonic() + _MOMENT_S
        dismissed, free_since = 0, None
        try:
            while True:
                row = _record(connection)
                gone = row is None or row.age_s > row.lease_s  # or it has signed off
                if connection.execute(text(_TRY)).scalar():
                    free_since = free_since or time.monotonic()
                    if gone or time.monotonic() - free_since > _GRACE_S:
                        return connection
                    connection.execute(text(_LEAVE))
                    time.sleep(_TAKE_BACK_S)
                    continue
                if row is not None and gone and row.token != dismissed:
                    dismissed = row.token
                    connection.execute(text(_DISMISS), {"backend": row.backend})
                    deadline = time.monotonic() + _DEPARTURE_S
                if time.monotonic() > deadline:
                    raise CampaignBusy(f"this campaign is conducted by {self.holder()}; stop that one first")
                time.sleep(_POLL_S)
        except BaseException:
            connection.close()
            raise

    def _signed(self, connection: Connection) -> int:
        """Write down who holds it, between two appends of others; returns the new token."""
        me = f"process {os.getpid()} on {socket.gethostname()} since {now_utc()}"
        backend = connection.execute(select(func.pg_backend_pid())).scalar_one()
        values = {"backend": backend, "holder": me, "lease_s": self._lease_s}
        signed = insert(CONDUCTOR).values(id=1, token=1, beat=func.clock_timestamp(), **values)
        renewed = signed.on_conflict_do_update(
            index_elements=[CONDUCTOR.c.id],
            set_={**values, "token": CONDUCTOR.c.token + 1, "beat": func.clock_timestamp()},
        )
        with self._engine.begin() as writing:
            take_turn(writing)
            token = writing.execute(renewed.returning(CONDUCTOR.c.token)).scalar_one()
        return int(token)

    def _beat(self) -> None:
        """Give signs of life until the lock is let go; take it again where the server was away for a while."""
        alive = update(CONDUCTOR).where(CONDUCTOR.c.token == self._token).values(beat=func.clock_timestamp())
        every_s, beaten = self._lease_s / _BEATS_A_LEASE, time.monotonic()
        while not self._leaving.wait(min(every_s, _LOOK_S)):
            try:
                if self._connection is None:
                    self._connection = self._again()
                if self._connection is None:
                    continue
                due = time.monotonic() - beaten >= every_s
                self._connection.execute(alive if due else select(1))
                beaten = time.monotonic() if due else beaten
            except SQLAlchemyError:
                if self._connection is not None:
                    self._connection.invalidate()
                    self._connection.close()
                self._connection = None

    def _again(self) -> Connection | None:
        """The lock on a new connection, where nobody else held it since."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        row = _record(connection)
        if row is None or row.token != self._token or not connection.execute(text(_TRY)).scalar():
            connection.close()
            return None
        connection.execute(update(CONDUCTOR).values(backend=func.pg_backend_pid(), beat=func.clock_timestamp()))
        return connection


def _record(connection: Connection) -> Row[tuple[int, int, str, float, float]] | None:
    age_s = func.extract("epoch", func.clock_timestamp() - CONDUCTOR.c.beat).label("age_s")
    columns = (CONDUCTOR.c.token, CONDUCTOR.c.backend, CONDUCTOR.c.holder, CONDUCTOR.c.lease_s, age_s)
    return connection.execute(select(*columns)).first()
