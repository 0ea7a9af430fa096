"""Every byte that went over the wire, with its time: switched on when a machine has to be understood."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TextIO

from toughopt.errors import ConfigError


class WireLog:
    """Appends one line a read or write to a text file: seconds since 1970, direction, bytes.

    A log that can no longer be written (disk full) ends; it never ends a print. `failure` then says why.

    Raises
    ------
    ConfigError
        If the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: str | None = None
        self._lock = Lock()  # the reader and the writer both log
        try:
            self._file: TextIO | None = path.open("a", encoding="ascii", buffering=1)
        except OSError as error:
            raise ConfigError(f"the wire log {path} cannot be written: {error}; name another file") from error

    def __enter__(self) -> WireLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def sent(self, data: bytes) -> None:
        """Note what was written to the machine."""
        self._note(">", data)

    def received(self, data: bytes) -> None:
        """Note what the machine said."""
        self._note("<", data)

    def remark(self, text: str) -> None:
        """Note something that is not on the wire: opened, reset, closed."""
        self._note("#", text.encode("ascii", "backslashreplace"))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                try:
                    file.close()
                except OSError as error:
                    self.failure = str(error)

    def _note(self, direction: str, data: bytes) -> None:
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.write(f"{time.time():.6f} {direction} {data!r}\n")
            except OSError as error:
                self.failure = str(error)
                self._abandon()

    def _abandon(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                return  # it has been said already that this log is lost
