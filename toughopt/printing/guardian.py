"""Starts the watchdog process beside an open printer, and releases it."""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType

from toughopt.errors import DeviceError
from toughopt.printing.processes import start_time

RELEASE = b"release\n"


class Guardian:
    """A process of its own that turns the heaters off should this one die. See `toughopt.printing.watchdog`.

    Raises
    ------
    DeviceError
        If it cannot be started.
    """

    def __init__(self, url: str, baud: int, tools: int, fan_off: bool) -> None:
        pid = os.getpid()
        command = [
            sys.executable,
            "-m",
            "toughopt.printing.watchdog",
            "--pid",
            str(pid),
            "--started",
            start_time(pid) or "",
        ]
        command += ["--url", url, "--baud", str(baud), "--tools", str(tools)] + (["--fan-off"] if fan_off else [])
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
                creationflags=flags,
            )
        except OSError as error:
            raise DeviceError(
                f"the watchdog process cannot be started: {error}; without it nobody cools a forgotten printer"
            ) from error

    def __enter__(self) -> Guardian:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it still watches."""
        return self._process.poll() is None

    def release(self) -> None:
        """Tell it that nothing is left to watch, and wait for it to end."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            try:
                pipe.write(RELEASE)
                pipe.close()
            except OSError:
                pass  # it has ended by itself
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
