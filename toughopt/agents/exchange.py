"""The counter between the conductor and the agents: jobs are offered, claimed, followed and answered here.

A job is run once at most: it is claimed in one transaction, and one whose agent is lost is never offered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy import Connection, case, func, insert, inspect, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from toughopt.agents.tables import AGENTS, JOBS, METADATA, NEWS, WISHES
from toughopt.errors import DeviceError
from toughopt.journal import Artifacts
from toughopt.journal.line import Line
from toughopt.journal.postgres import PostgresStore, open_postgres

TASK = "toughopt.machine"
_PATIENCE_S = 20.0  # for a connection of the queue
_STORE_PATIENCE_S = 3.0  # for the rest; who waits longer than that decides what to do meanwhile
_TURN = "SELECT pg_advisory_xact_lock(1953461609, hashtext(current_schema()))"  # while tables are made


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as the database knows it; the ages are taken by the clock of the database."""

    name: str
    session: str
    machines: tuple[str, ...]
    stale_s: float
    age_s: float

    @property
    def lost(self) -> bool:
        """Whether it has given no sign of life for too long."""
        return self.age_s > self.stale_s


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as the database knows it."""

    id: str
    machine: str
    kind: str
    payload: Mapping[str, Any]
    state: str
    answer: Mapping[str, Any] | None


class Exchange:
    """One campaign's counter. All methods may be called from any thread; they raise JournalError."""

    def __init__(self, store: PostgresStore, artifacts: Artifacts, url: str) -> None:
        self.artifacts = artifacts
        self.where = store.where
        self.url = url
        self._store = store

    # --- the conductor's side ----------------------------------------------------------------------------------------

    def offer(self, job: str, agent: str, machine: str, kind: str, payload: Mapping[str, Any]) -> None:
        """Queue a job for a machine, under an id of `new_job`.

        Raises
        ------
        DeviceError, JournalError
            Where it is not known whether it was queued; `withdraw` it.
        """
        values = {"id": job, "agent": agent, "machine": machine, "kind": kind, "payload": dict(payload)}
        offered = upsert(JOBS).values(state="offered", **values).on_conflict_do_nothing()
        self._store.transact(lambda connection: connection.execute(offered))
        line = queue_name(agent, machine)
        try:
            with queue_app(self.url, waiting=False).open() as app:
                app.configure_task(TASK, queue=line, lock=line).defer(job=job)
        except (ProcrastinateException, psycopg.Error) as error:
            why = " ".join(str(error.__cause__ or error).split())  # procrastinate only says "Database error."
            raise DeviceError(f"{self.where} queues nothing for {line}: {why}") from error

    def withdraw(self, job: str) -> bool:
        """Take back a job that nobody has claimed; False where somebody has."""
        return self._move(job, "offered", "withdrawn")

    def unknown(self, job: str) -> bool:
        """Whether a job never came to be, or was taken back."""
        query = select(JOBS.c.state).where(JOBS.c.id == job)
        return self._store.transact(lambda connection: connection.execute(query).scalar()) in (None, "withdrawn")

    def give_up(self, job: str) -> bool:
        """Count a running job as lost; False where it has ended meanwhile."""
        return self._move(job, "running", "lost")

    def job(self, job: str) -> JobRecord:
        """A job as it stands."""
        query = select(JOBS.c.id, JOBS.c.machine, JOBS.c.kind, JOBS.c.payload, JOBS.c.state, JOBS.c.answer)
        row = self._store.transact(lambda connection: connection.execute(query.where(JOBS.c.id == job)).one())
        return JobRecord(row.id, row.machine, row.kind, row.payload, row.state, row.answer)

    def at_work(self, agent: str, machine: str) -> bool:
        """Whether a machine has a job that was begun and not answered, one that was given up among them."""
        begun = JOBS.c.state.in_(("running", "lost")) & JOBS.c.answer.is_(None)
        query = select(JOBS.c.id).where(JOBS.c.agent == agent, JOBS.c.machine == machine, begun)
        return self._store.transact(lambda connection: connection.execute(query.limit(1)).first()) is not None

    def agent(self, name: str) -> AgentRecord | None:
        """An agent, where there ever was one of that name."""
        age_s = func.extract("epoch", func.clock_timestamp() - AGENTS.c.beat).label("age_s")
        columns = (AGENTS.c.name, AGENTS.c.session, AGENTS.c.machines, AGENTS.c.stale_s, age_s)
        query = select(*columns).where(AGENTS.c.name == name)
        row = self._store.transact(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        return AgentRecord(row.name, row.session, tuple(row.machines), row.stale_s, float(row.age_s))

    def news(self, job: str, after: int) -> list[tuple[int, str, dict[str, Any]]]:
        """(number, kind, data) of what happened after that number."""
        query = select(NEWS.c.seq, NEWS.c.kind, NEWS.c.data).where(NEWS.c.job == job, NEWS.c.seq > after)
        rows = self._store.transact(lambda connection: connection.execute(query.order_by(NEWS.c.seq)).all())
        return [(row.seq, row.kind, row.data) for row in rows]

    def wish(self, job: str, verb: str, reason: str) -> None:
        """Ask something of a job that is running."""
        wished = insert(WISHES).values(job=job, verb=verb, reason=reason)
        self._store.transact(lambda connection: connection.execute(wished))

    # --- the agent's side --------------------------------------------------------------------------------------------

    def sign_on(self, name: str, session: str, machines: Sequence[str], stale_s: float) -> bool:
        """Take a name; False while another agent that is alive has it."""
        values = {"session": session, "machines": list(machines), "stale_s": stale_s}
        other = AGENTS.c.session != session
        fresh = func.clock_timestamp() - AGENTS.c.beat < func.make_interval(0, 0, 0, 0, 0, 0, AGENTS.c.stale_s)
        new = upsert(AGENTS).values(name=name, beat=func.clock_timestamp(), **values)
        taken = new.on_conflict_do_update(
            index_elements=[AGENTS.c.name], set_={**values, "beat": func.clock_timestamp()}, where=~(fresh & other)
        ).returning(AGENTS.c.name)
        return self._store.transact(lambda connection: connection.execute(taken).first()) is not None

    def sign_off(self, name: str, session: str) -> None:
        """Leave, so that the name is free at once."""
        gone = update(AGENTS).where(AGENTS.c.name == name, AGENTS.c.session == session)
        left = gone.values(beat=text("'epoch'::timestamptz"), session="")
        self._store.transact(lambda connection: connection.execute(left))

    def beat(self, name: str, session: str) -> bool:
        """Give a sign of life; False where another agent has taken the name."""
        alive = update(AGENTS).where(AGENTS.c.name == name, AGENTS.c.session == session)
        beaten = alive.values(beat=func.clock_timestamp())
        return self._store.transact(lambda connection: connection.execute(beaten).rowcount) == 1

    def claim(self, job: str, session: str) -> JobRecord | None:
        """Begin a job; None where it was withdrawn, or begun by another: then it is not run.

        Claimed again by the same session it is answered as before, because that one may not have heard the answer.
        """
        mine = (JOBS.c.id == job) & ((JOBS.c.state == "offered") | (JOBS.c.state == "running"))
        mine &= JOBS.c.session.is_(None) | (JOBS.c.session == session)
        moved = update(JOBS).where(mine).values(state="running", session=session)
        begun = self._store.transact(lambda connection: connection.execute(moved).rowcount) == 1
        return self.job(job) if begun else None

    def tell(self, job: str, kind: str, data: Mapping[str, Any]) -> None:
        """Tell what happened."""
        with self._store.transaction() as connection:
            connection.execute(insert(NEWS).values(job=job, kind=kind, data=dict(data)))

    def wishes(self, job: str, after: int) -> list[tuple[int, str, str]]:
        """(number, verb, reason) of what is asked for after that number."""
        query = select(WISHES.c.seq, WISHES.c.verb, WISHES.c.reason).where(WISHES.c.job == job, WISHES.c.seq > after)
        rows = self._store.transact(lambda connection: connection.execute(query.order_by(WISHES.c.seq)).all())
        return [(row.seq, row.verb, row.reason) for row in rows]

    def answer(self, job: str, answer: Mapping[str, Any]) -> bool:
        """Say how a job ended; False where the conductor has given it up: it stays lost, and the answer is kept."""
        over = case((JOBS.c.state == "running", "done"), else_=JOBS.c.state)
        told = update(JOBS).where(JOBS.c.id == job).values(answer=dict(answer), state=over).returning(JOBS.c.state)
        return self._store.transact(lambda connection: connection.execute(told).scalar()) == "done"

    def take_over(self, name: str) -> list[str]:
        """End what earlier agents of that name left: what they began is lost, what they did not begin is dropped.

        Returns
        -------
        list
            The jobs that are lost.
        """
        mine = update(JOBS).where(JOBS.c.agent == name)
        dropped = mine.where(JOBS.c.state == "offered").values(state="dropped")
        open_ones = mine.where(JOBS.c.state.in_(("running", "lost")), JOBS.c.answer.is_(None))
        lost = open_ones.values(state="lost", answer={"error": "LinkLost", "message": "its agent was lost"})

        def end(connection: Connection) -> list[str]:
            connection.execute(dropped)
            return [row.id for row in connection.execute(lost.returning(JOBS.c.id))]

        return self._store.transact(end)

    def close(self) -> None:
        """Let the database go."""
        self._store.close()

    def _move(self, job: str, before: str, after: str, **values: Any) -> bool:
        moved = update(JOBS).where(JOBS.c.id == job, JOBS.c.state == before).values(state=after, **values)
        return self._store.transact(lambda connection: connection.execute(moved).rowcount) == 1


def open_exchange(url: str, folder: Path) -> Exchange:
    """The counter in a campaign's database; made where it is not there. `folder` keeps programs that were fetched.

    Raises
    ------
    JournalError
        If the database cannot be opened.
    """
    store = open_postgres(url, patience_s=_STORE_PATIENCE_S)
    with store.transaction() as connection:
        connection.execute(text(_TURN))
        METADATA.create_all(connection)
        queued = inspect(connection).has_table("procrastinate_jobs")
        if not queued:
            with queue_app(url, waiting=False).open() as app:
                app.schema_manager.apply_schema()
    return Exchange(store, store.artifacts(folder), url)


def new_job() -> str:
    """The id of a job that is to be offered."""
    return uuid4().hex


def queue_name(agent: str, machine: str) -> str:
    """The queue of a machine, and its lock: one job at a time."""
    return f"{agent}/{machine}"


def queue_app(url: str, *, waiting: bool) -> App:
    """procrastinate over that database; `waiting` for an agent's worker, which runs in an event loop.

    Raises
    ------
    DeviceError
        If the address is none that it takes.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise DeviceError("machines on other PCs need a campaign whose [store] url is postgresql://...")
    options: dict[str, Any] = {"conninfo": url, "min_size": 1, "max_size": 4, "timeout": _PATIENCE_S}
    if waiting:
        return App(connector=PsycopgConnector(**options))
    return App(connector=SyncPsycopgConnector(connection_class=Line, **options))
