"""The journal's store: SQLAlchemy Core over SQLite (one PC) or PostgreSQL (several)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from toughopt.errors import JournalError, ToughoptError
from toughopt.journal.events import Event, Payload, checked, decode, encode, now_utc

_METADATA = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER is a rowid in SQLite
EVENTS = Table(
    "events",
    _METADATA,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("time_utc", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("experiment_id", Integer, nullable=True),
    Column("schema_version", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    sqlite_autoincrement=True,
)
_GUARDS = (  # events are never changed: the database itself refuses
    "CREATE TRIGGER IF NOT EXISTS events_no_update BEFORE UPDATE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END",
    "CREATE TRIGGER IF NOT EXISTS events_no_delete BEFORE DELETE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END",
)
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "ncpfs"}


class SqlStore:
    """An append-only log in one table."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self.clock: Callable[[], str] = now_utc  # what events are dated with: a simulated lab has its own time

    def append(self, payload: Payload, experiment_id: int | None = None) -> Event:
        """Write one event; it is on disk when this returns."""
        return self.append_all([(payload, experiment_id)])[0]

    def append_all(self, events: Sequence[tuple[Payload, int | None]]) -> list[Event]:
        """Write several events, all or none."""
        written = []
        with self._transaction() as connection:
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
        with self._transaction() as connection:
            for seq, time_utc, kind, experiment_id, version, payload in connection.execute(query).yield_per(5000):
                yield Event(seq, time_utc, kind, experiment_id, decode(kind, version, payload))

    def last_seq(self) -> int:
        """Number of the newest event, 0 where there is none."""
        with self._transaction() as connection:
            return int(connection.execute(select(func.max(EVENTS.c.seq))).scalar() or 0)

    def verify(self) -> None:
        """Raise JournalError where the database or an event in it is damaged."""
        if self._engine.dialect.name == "sqlite":
            with self._transaction() as connection:
                answer = connection.execute(text("PRAGMA integrity_check")).scalar()
            if answer != "ok":
                raise JournalError(f"{self._where} is damaged: {answer}; restore it from a copy")
        for entry in self.read():
            checked(entry.kind, entry.payload)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error)
            raise JournalError(f"{self._where}: the journal cannot be read or written: {reason}") from error


def open_sqlite(path: Path, *, create: bool = False) -> SqlStore:
    """The journal in one file: WAL, every append synced to disk.

    Raises
    ------
    JournalError
        If it is not there (or already there, with `create`), is not a journal, or lies on a network file system.
    """
    if create == path.exists():
        problem = "is already there; resume it, or choose another folder" if create else "is not there; not a campaign?"
        raise JournalError(f"{path} {problem}")
    kind = _file_system(path.parent)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise JournalError(
            f"{path} lies on a network file system ({kind}), where SQLite loses data; "
            "use a local folder, or PostgreSQL with [store] url in campaign.toml"
        )
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return _prepared(engine, str(path), create)


def open_postgres(url: str) -> SqlStore:
    """The journal in PostgreSQL, for several PCs; made where it is not there. Raises JournalError."""
    try:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise JournalError(
            f"[store] url = {url!r} cannot be used: {error}; pip install 'toughopt[postgres]'"
        ) from error
    shown = engine.url.render_as_string(hide_password=True)
    return _prepared(engine, shown, create=True)


def _prepared(engine: Engine, where: str, create: bool) -> SqlStore:
    try:
        if create:
            _METADATA.create_all(engine)
            if engine.dialect.name == "sqlite":
                with engine.begin() as connection:
                    for guard in _GUARDS:
                        connection.execute(text(guard))
        elif not inspect(engine).has_table("events"):
            raise JournalError(f"{where} is not a toughopt journal")
    except SQLAlchemyError as error:
        engine.dispose()
        reason = str(getattr(error, "orig", None) or error)
        raise JournalError(f"{where} cannot be opened as a journal: {reason}") from error
    except ToughoptError:
        engine.dispose()
        raise
    return SqlStore(engine, where)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver's guess
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _file_system(folder: Path) -> str:
    """Type of the file system that `folder` lies on, where the platform tells ("" elsewhere)."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "cifs" if str(folder.resolve()).startswith("\\\\") else ""
    best, kind = "", ""
    place = str(folder.resolve())
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split()
        mount = fields[1].replace("\\040", " ")
        if len(mount) > len(best) and (place + "/").startswith(mount.rstrip("/") + "/"):
            best, kind = mount, fields[2]
    return kind
