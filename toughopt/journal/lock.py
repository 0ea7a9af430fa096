"""Exactly one process conducts a campaign: an operating-system lock that is free the moment its holder dies."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from toughopt.errors import CampaignBusy, JournalError
from toughopt.journal.codec import now_utc

_MOMENT_S = 0.5  # what answering a request takes


class ConductorLock:
    """Held while a campaign is conducted. The file beside it only says by whom."""

    def __init__(self, folder: Path) -> None:
        self._lock = FileLock(folder / "conductor.lock", is_singleton=False)
        self._holder = folder / "conductor.json"

    def acquire(self) -> None:
        """Take it, or raise CampaignBusy with who holds it; one that is held for a moment only is waited for."""
        try:
            self._lock.acquire(timeout=_MOMENT_S, poll_interval=0.05)
        except Timeout as error:
            raise CampaignBusy(f"this campaign is conducted by {self.holder()}; stop that one first") from error
        except OSError as error:
            raise JournalError(f"{self._lock.lock_file} cannot be locked: {error.strerror or error}") from error
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": now_utc()}
        with suppress(OSError):  # a full disk: it is held all the same, only nobody reads by whom
            self._holder.write_text(json.dumps(me), encoding="utf-8")

    def holder(self) -> str:
        """Who holds it, as far as is known."""
        try:
            who = json.loads(self._holder.read_text(encoding="utf-8"))
            return f"process {who['pid']} on {who['host']} since {who['since']}"
        except (OSError, ValueError, KeyError):
            return "another process"

    def held(self) -> bool:
        """Whether somebody holds it at this moment; leaves no trace."""
        if self._lock.is_locked:
            return True
        if not Path(self._lock.lock_file).exists():
            return False
        try:
            with self._lock.acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # a folder that can only be read
            return self._holder.exists()

    def release(self) -> None:
        """Let it go."""
        with suppress(OSError):
            self._holder.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> ConductorLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
