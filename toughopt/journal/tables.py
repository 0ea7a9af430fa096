"""The tables of a journal, and the triggers by which the database itself refuses to change an event."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    text,
)

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

_SHARED = MetaData()  # only where several PCs share a journal
CONDUCTOR = Table(
    "conductor",
    _SHARED,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one
    Column("token", BigInteger, nullable=False),  # one more with each conductor
    Column("backend", Integer, nullable=False),  # the server's process behind the conductor's connection
    Column("holder", Text, nullable=False),
    Column("lease_s", Float, nullable=False),
    Column("beat", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
ARTIFACTS = Table(
    "artifacts",
    _SHARED,
    Column("sha256", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

_SQLITE_GUARDS = (
    "CREATE TRIGGER IF NOT EXISTS events_no_update BEFORE UPDATE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END",
    "CREATE TRIGGER IF NOT EXISTS events_no_delete BEFORE DELETE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END",
)
_POSTGRES_GUARDS = (
    "CREATE OR REPLACE FUNCTION toughopt_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'events are never changed or deleted'; END $$",
    "DROP TRIGGER IF EXISTS events_kept ON events",
    "CREATE TRIGGER events_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
    "FOR EACH STATEMENT EXECUTE FUNCTION toughopt_refuse()",
)


def create_tables(connection: Connection) -> None:
    """Make what a journal needs and does not have."""
    _METADATA.create_all(connection)
    guards: tuple[str, ...] = _SQLITE_GUARDS
    if connection.dialect.name != "sqlite":
        _SHARED.create_all(connection)
        guards = _POSTGRES_GUARDS
    for guard in guards:
        connection.execute(text(guard))
