"""The journal in one file of SQLite: for campaigns that one PC conducts."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from toughopt.errors import JournalError, ToughoptError
from toughopt.journal.artifacts import Artifacts
from toughopt.journal.lock import ConductorLock
from toughopt.journal.store import SqlStore, explained
from toughopt.journal.tables import create_tables

_NETWORK_FILE_SYSTEMS = frozenset(
    {
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "9p",
            "afs",
            "ncpfs",
            "ceph",
            "glusterfs",
            "lustre",
            "beegfs",
            "gpfs",
        ),
        *("davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.davfs", "fuse.rclone", "fuse.s3fs"),
    }
)


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
    """The journal in one file: WAL, every append synced to disk; to be read only where its folder cannot be written.

    Raises
    ------
    JournalError
        If it is not there (or already there, with `create`), is not a journal, or lies on a network file system.
    """
    if create == path.exists():
        problem = "is already there; resume it, or choose another folder" if create else "is not there; not a campaign?"
        raise JournalError(f"{path} {problem}")
    kind = file_system(path.parent)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise JournalError(
            f"{path} lies on a network file system ({kind}), where SQLite loses data; "
            "use a local folder, or PostgreSQL with [store] url in campaign.toml"
        )
    folder = path.parent
    engine = _engine(path, writable=create or all(os.access(each, os.W_OK) for each in (path, folder)))
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


def _engine(path: Path, *, writable: bool) -> Engine:
    if writable:
        return create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": 30})
    return create_engine("sqlite://", creator=lambda: _read_only(path), poolclass=NullPool)


def _read_only(path: Path) -> sqlite3.Connection:
    """What was published or belongs to somebody else, who may conduct it meanwhile.

    SQLite reads a journal with a write-ahead log through a file beside it, which it cannot make here. Where there is no
    such log nobody has the journal open, and it can be read as it lies.
    """
    conducted = path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.resolve().as_uri()}?mode=ro" + ("" if conducted else "&immutable=1")
    return sqlite3.connect(uri, uri=True, timeout=30, check_same_thread=False)


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin, not by the driver's guess
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def file_system(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Type of the file system that `folder` lies on, where the platform tells ("" elsewhere)."""
    if not mounts.exists():
        return "cifs" if str(folder.resolve()).startswith("\\\\") else ""
    best, kind = "", ""
    place = str(folder.resolve())
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split()
        mount = fields[1].replace("\\040", " ")
        if fields[2] == "9p" and mount == "/":
            continue  # the disk of a sandbox, which is all that there is
        # of two on one place the later one lies on top: an automounter's, then what it mounted
        if len(mount) >= len(best) and (place + "/").startswith(mount.rstrip("/") + "/"):
            best, kind = mount, fields[2]
    return kind
