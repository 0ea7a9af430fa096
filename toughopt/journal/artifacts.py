"""Meshes, programs, curves and pictures: stored under the hash of their bytes, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from toughopt.errors import JournalError
from toughopt.files import write_whole


class Artifacts:
    """A folder of files named by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Store `data`; returns its SHA-256. It is on disk when this returns. Raises JournalError."""
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        if target.exists():
            return digest
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, data)
        except OSError as error:
            raise JournalError(
                f"{target} cannot be written: {error.strerror or error}; free some space, or permit it"
            ) from error
        return digest

    def path(self, digest: str) -> Path:
        """Where the artifact of that hash lies, or would."""
        return self.folder / digest[:2] / digest[2:]

    def get(self, digest: str) -> bytes:
        """The bytes of an artifact. Raises JournalError where it is missing or changed."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise JournalError(
                f"artifact {path} is missing: {error.strerror or error}; restore it from a copy"
            ) from error
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise JournalError(f"artifact {path} was changed (its SHA-256 is {found}); restore it from a copy")
        return data

    def verify(self, digests: Iterable[str]) -> list[str]:
        """What is wrong with the artifacts of those hashes, one sentence each."""
        problems = []
        for digest in sorted(set(digests)):
            try:
                self.get(digest)
            except JournalError as error:
                problems.append(str(error))
        return problems
