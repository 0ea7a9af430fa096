"""Starts the watchdog process beside an open printer, and releases it."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Event as Signal
from threading import Thread
from types import TracebackType

from toughopt.errors import DeviceError
from toughopt.printing.processes import start_time

_MODULE = "toughopt.printing.watchdog"
RELEASE, READY = b"release\n", b"ready\n"
_BEGIN_S = 60.0  # on a PC that is slow to start a process


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
            "-P",  # a serial.py that lies where the host was started is not pyserial
            "-m",
            _MODULE,
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
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
                creationflags=flags,
            )
        except OSError as error:
            raise DeviceError(
                f"the watchdog process cannot be started: {error}; without it nobody cools a forgotten printer"
            ) from error
        self._begun, self._first_word = Signal(), b""
        Thread(target=self._listen, name="watchdog's first word", daemon=True).start()

    def __enter__(self) -> Guardian:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def require(self) -> None:
        """Wait until it watches.

        Raises
        ------
        DeviceError
            If it has ended, or says nothing.
        """
        self._begun.wait(_BEGIN_S)
        if self._first_word.strip() != READY.strip() or not self.is_running():
            raise DeviceError(
                "the watchdog process does not run; without it nobody cools a forgotten printer: "
                f"find out why `{sys.executable} -P -m {_MODULE} --help` fails"
            )

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

    def _listen(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        with pipe:
            self._first_word = pipe.readline()
            self._begun.set()
