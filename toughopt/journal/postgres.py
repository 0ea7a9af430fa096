"""The journal in PostgreSQL: for campaigns whose machines hang on several PCs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from toughopt.errors import CampaignBusy, JournalError
from toughopt.journal.lease import LEASE_S, PostgresLock, take_turn
from toughopt.journal.shared import SharedArtifacts
from toughopt.journal.store import SqlStore, explained
from toughopt.journal.tables import CONDUCTOR, create_tables

_DRIVER = "postgresql+psycopg"
PATIENCE_S = 60.0  # for a server that is started anew, or a network that is away for a moment


class PostgresStore(SqlStore):
    """An append-only log in a database: one campaign a database, or a schema of it (`?options=-csearch_path=NAME`).

    Appends take turns, so that events become visible in the order of their numbers: whoever read up to one number
    never misses a smaller one.
    """

    def __init__(self, engine: Engine, where: str, lease_s: float = LEASE_S, patience_s: float = PATIENCE_S) -> None:
        super().__init__(engine, where, patience_s)
        self._lease_s = lease_s
        self._token: int | None = None

    def lock(self, folder: Path) -> PostgresLock:
        """An advisory lock with a heartbeat; a conductor that lost it cannot write through this store any more."""
        return PostgresLock(self._engine, self.where, self._conduct_as, self._lease_s)

    def artifacts(self, folder: Path) -> SharedArtifacts:
        """Those in the database, cached in `folder`."""
        return SharedArtifacts(folder, self)

    def _conduct_as(self, token: int | None) -> None:
        self._token = token

    def _admit(self, connection: Connection) -> None:
        take_turn(connection)
        if self._token is None:
            return
        row = connection.execute(select(CONDUCTOR.c.token, CONDUCTOR.c.holder)).first()
        if row is None or row.token != self._token:
            holder = "another process" if row is None else row.holder
            raise CampaignBusy(
                f"{self.where}: {holder} conducts this campaign now, because this process gave no sign of life for "
                "longer than the lease; nothing more is written from here"
            )


# A network that swallows what is sent is noticed within half a minute, not when TCP gives up after many.
_LINE = {
    "connect_timeout": 10,
    "application_name": "toughopt",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


def open_postgres(url: str, *, lease_s: float = LEASE_S, patience_s: float = PATIENCE_S) -> PostgresStore:
    """The journal in PostgreSQL, for several PCs; made where it is not there.

    Parameters
    ----------
    url : ``postgresql://user:password@host:port/database``
    lease_s : after how long without a sign of life a conductor counts as gone
    patience_s : for how long it is tried again where the server is lost once it was opened

    Raises
    ------
    JournalError
        If the driver is not installed, the address is none, or the server does not answer.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() not in ("postgresql", "postgres"):
            raise JournalError(
                f"[store] url begins with {address.drivername}://; a journal for several PCs is in PostgreSQL: "
                "postgresql://user:password@host:port/database"
            )
        engine = create_engine(
            address.set(drivername=_DRIVER),
            pool_pre_ping=True,
            connect_args=_LINE,
        )
        from toughopt.journal.line import Line

        event.listen(engine, "do_connect", lambda dialect, record, options, named: Line.connect(*options, **named))
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise JournalError(
            f"[store] url cannot be used: {error}; it reads postgresql://user:password@host:port/database, and needs "
            "pip install 'toughopt[postgres]'"
        ) from error
    where = engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
    try:
        if not inspect(engine).has_table("events"):
            with engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('toughopt'))"))  # one makes the tables
                create_tables(connection)
    except SQLAlchemyError as error:
        engine.dispose()
        raise JournalError(f"{where} cannot be opened as a journal: {explained(error)}") from error
    return PostgresStore(engine, where, lease_s, patience_s)
