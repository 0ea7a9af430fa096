"""Artifacts of a campaign that several PCs share: in the database by their hash, cached in each PC's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from toughopt.errors import JournalError
from toughopt.journal.artifacts import Artifacts
from toughopt.journal.tables import ARTIFACTS

if TYPE_CHECKING:
    from toughopt.journal.store import SqlStore

_ASKED_AT_ONCE = 10_000  # hashes; PostgreSQL takes 65 535 parameters in one question


class SharedArtifacts(Artifacts):
    """A table of artifacts and a folder that keeps those that this PC wrote or read."""

    def __init__(self, folder: Path, store: SqlStore) -> None:
        super().__init__(folder)
        self._store = store

    def put(self, data: bytes) -> str:
        """Store `data`; returns its SHA-256. It is in the database when this returns. Raises JournalError."""
        digest = hashlib.sha256(data).hexdigest()

        def keep(connection: Connection) -> None:
            known = connection.execute(select(ARTIFACTS.c.sha256).where(ARTIFACTS.c.sha256 == digest)).first()
            if known is None:
                connection.execute(insert(ARTIFACTS).values(sha256=digest, data=data).on_conflict_do_nothing())

        self._store.transact(keep)
        super().put(data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of an artifact, from this PC where it has them. Raises JournalError where they are nowhere."""
        with suppress(JournalError):
            return super().get(digest)
        query = select(ARTIFACTS.c.data).where(ARTIFACTS.c.sha256 == digest)
        data = self._store.transact(lambda connection: connection.execute(query).scalar())
        if data is None:
            raise JournalError(f"artifact {digest} is missing in {self._store.where}; restore it from a copy")
        data = bytes(data)
        if hashlib.sha256(data).hexdigest() != digest:
            raise JournalError(f"artifact {digest} was changed in {self._store.where}; restore it from a copy")
        with suppress(OSError, JournalError):  # it is fetched again where it cannot be kept
            self.path(digest).unlink(missing_ok=True)
            super().put(data)
        return data

    def verify(self, digests: Iterable[str]) -> list[str]:
        """What is wrong with the artifacts of those hashes in the database, one sentence each."""
        wanted = sorted(set(digests))
        query = select(ARTIFACTS.c.sha256, func.encode(func.sha256(ARTIFACTS.c.data), "hex"))
        found: dict[str, str] = {}
        with self._store.transaction() as connection:
            for first in range(0, len(wanted), _ASKED_AT_ONCE):
                some = query.where(ARTIFACTS.c.sha256.in_(wanted[first : first + _ASKED_AT_ONCE]))
                found |= {row[0]: row[1] for row in connection.execute(some)}
        problems = []
        for digest in wanted:
            if digest not in found:
                problems.append(f"artifact {digest} is missing in {self._store.where}; restore it from a copy")
            elif found[digest] != digest:
                problems.append(
                    f"artifact {digest} was changed in {self._store.where} (its SHA-256 is {found[digest]}); "
                    "restore it from a copy"
                )
        return problems
