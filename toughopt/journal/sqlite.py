"""The journal in one file of SQLite: for campaigns that one PC conducts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from toughopt.errors import JournalError, ToughoptError
from toughopt.journal.artifacts import Artifacts
from toughopt.journal.lock import ConductorLock
from toughopt.journal.store import SqlStore, explained
from toughopt.journal.tables import create_tables

_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "ncpfs"}


class SqliteStore(SqlStore):
    """An append-only log in a file; its lock and its artifacts are files beside it."""

    def lock(self, folder: Path) -> ConductorLock:
        """The lock of the operating system on a file in `folder`."""
        return ConductorLock(folder)

    def artifacts(self, folder: Path) -> Artifacts:
        """The files in `folder`."""
        return Artifacts(folder)

    def verify(self) -> None:
        """Raise JournalError where the database or an event in it is damaged."""
        with self.transaction() as connection:
            answer = connection.execute(text("PRAGMA integrity_check")).scalar()
        if answer != "ok":
            raise JournalError(f"{self.where} is damaged: {answer}; restore it from a copy")
        super().verify()

    def _admit(self, connection: Connection) -> None:
        """Whoever opened the file may append; SQLite lets one do so at a time."""


def open_sqlite(path: Path, *, create: bool = False) -> SqliteStore:
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
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        if create:
            with engine.begin() as connection:
                create_tables(connection)
        elif not inspect(engine).has_table("events"):
            raise JournalError(f"{path} is not a toughopt journal")
    except SQLAlchemyError as error:
        engine.dispose()
        raise JournalError(f"{path} cannot be opened as a journal: {explained(error)}") from error
    except ToughoptError:
        engine.dispose()
        raise
    return SqliteStore(engine, str(path))


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin, not by the driver's guess
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
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
