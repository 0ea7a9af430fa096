"""Whether a certain process still runs: told by its id and, because ids are used again, by when it started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def start_time(pid: int) -> str | None:
    """When the process started, as text that is only good for comparison; None where there is no such process.

    A process that has ended but was not yet waited for by its parent counts as none.
    """
    if sys.platform == "win32":
        return _windows_start_time(pid)
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        return _linux_start_time(stat)
    return _posix_start_time(pid)


def is_alive(pid: int, started: str) -> bool:
    """Whether that very process runs; stopped (SIGSTOP, a closed lid) is alive."""
    return start_time(pid) == started


def _linux_start_time(stat: Path) -> str | None:
    try:
        text = stat.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold anything
    state, ticks = fields[0], fields[19]
    return None if state in "ZXx" else ticks


def _posix_start_time(pid: int) -> str | None:
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "C"},
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return started.strip() if state and not state.startswith("Z") else None


def _windows_start_time(pid: int) -> str | None:
    if sys.platform != "win32":
        return None
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = wintypes.HANDLE
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None
    try:
        code = wintypes.DWORD()
        if kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code)) and code.value != 259:  # STILL_ACTIVE
            return None
        times = [wintypes.FILETIME() for _ in range(4)]
        if not kernel.GetProcessTimes(wintypes.HANDLE(handle), *(ctypes.byref(value) for value in times)):
            return None
        return f"{times[0].dwHighDateTime}-{times[0].dwLowDateTime}"
    finally:
        kernel.CloseHandle(wintypes.HANDLE(handle))
