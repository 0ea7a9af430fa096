"""What agents and conductor tell each other through the database; the queue itself is procrastinate's."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, DateTime, Float, MetaData, String, Table, Text, func

METADATA = MetaData()

AGENTS = Table(
    "machine_agents",
    METADATA,
    Column("name", String(80), primary_key=True),
    Column("session", String(32), nullable=False),  # another one each time that it starts
    Column("machines", JSON, nullable=False),
    Column("stale_s", Float, nullable=False),  # after how long without a heartbeat it counts as lost
    Column("beat", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
)
JOBS = Table(
    "machine_jobs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("agent", String(80), nullable=False),
    Column("machine", String(80), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(20), nullable=False),  # offered, running, done, lost, withdrawn, dropped
    Column("session", String(32), nullable=True),  # of the agent that runs it
    Column("answer", JSON, nullable=True),
    Column("made", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
)
NEWS = Table(
    "machine_news",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=True),
    Column("job", String(32), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("data", JSON, nullable=False),
)
WISHES = Table(
    "machine_wishes",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=True),
    Column("job", String(32), nullable=False, index=True),
    Column("verb", String(20), nullable=False),
    Column("reason", Text, nullable=False),
)
