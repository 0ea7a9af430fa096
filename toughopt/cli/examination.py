"""What `toughopt doctor` looks at; every look is a function that yields findings and changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from toughopt._version import __version__

LEAST_FREE_GB = 1.0
_RELEASED = 1_704_067_200.0  # 2024-01-01, seconds since 1970: a clock before it is wrong
_OPTIONAL = {  # part: (what it is for, extra that installs it)
    "starlette": ("the web monitor", "monitor"),
    "httpx": ("OctoPrint, Moonraker and other networked printers", "network"),
    "psycopg": ("a journal in PostgreSQL, for several PCs", "postgres"),
    "pyarrow": ("export to Parquet", "parquet"),
    "dask": ("simulated campaigns on many cores", "distributed"),
    "botorch": ("BoTorch's models beside our own", "botorch"),
}
_PORT_GRABBERS = ("ModemManager", "brltty")  # both open serial ports that look like a modem or a Braille display


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    level: Literal["ok", "note", "bad"]
    found: str
    remedy: str = ""


def examine(folder: Path) -> Iterator[Finding]:
    """Everything that decides whether a campaign can run in `folder` on this computer."""
    yield from versions()
    yield from packages()
    yield from optional_parts()
    yield from ports()
    yield from port_grabbers(Path("/proc"))
    yield display()
    yield disk(folder)
    yield journal(folder)
    yield clock(folder, time.time())


def versions() -> Iterator[Finding]:
    """Which toughopt, Python and system."""
    yield Finding("toughopt", "ok", __version__)
    fit = sys.version_info >= (3, 11)
    remedy = "" if fit else "install Python 3.11 or newer, and make a new environment with it"
    yield Finding("python", "ok" if fit else "bad", f"{platform.python_version()} in {sys.prefix}", remedy)
    cores = os.cpu_count() or 1
    yield Finding("system", "ok", f"{platform.system()} {platform.release()}, {platform.machine()}, {cores} cores")


def packages() -> Iterator[Finding]:
    """What toughopt needs, against what is installed."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        listed = requires("toughopt") or []
    except PackageNotFoundError:
        yield Finding("packages", "bad", "toughopt is not installed", "pip install toughopt, or -e . in a checkout")
        return
    missing, there = [], 0
    for line in listed:
        try:
            needed = Requirement(line)
        except InvalidRequirement:
            continue
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            has = version(needed.name)
        except PackageNotFoundError:
            missing.append(f"{needed} (not there)")
            continue
        there += 1
        if not needed.specifier.contains(has, prereleases=True):
            missing.append(f"{needed} (it is {has})")
    if missing:
        yield Finding("packages", "bad", "; ".join(missing), "pip install --upgrade toughopt")
    else:
        yield Finding("packages", "ok", f"all {there} that are needed")


def optional_parts() -> Iterator[Finding]:
    """Packages and programs that only some commands need."""
    for module, (purpose, extra) in _OPTIONAL.items():
        if find_spec(module) is not None:
            yield Finding(module, "ok", f"there, for {purpose}")
        else:
            yield Finding(module, "note", f"not there; only needed for {purpose}", f"pip install 'toughopt[{extra}]'")
    slicer = shutil.which("prusa-slicer") or shutil.which("prusa-slicer-console")
    told = slicer or "not there; the native slicer needs nothing"
    yield Finding("prusa-slicer", "ok" if slicer else "note", told)


def ports() -> Iterator[Finding]:
    """The serial ports, and whether this user may open them. None is opened: that would reset a board."""
    from serial.tools.list_ports import comports

    found = sorted(comports(), key=lambda port: port.device)
    if not found:
        yield Finding("serial ports", "note", "none; plug a printer in, and switch it on")
    for port in found:
        path = Path(port.device)
        if os.name != "posix" or os.access(path, os.R_OK | os.W_OK):
            yield Finding(f"port {port.device}", "ok", port.description or "there")
        else:
            yield Finding(f"port {port.device}", "bad", "this user may not open it", _permission_remedy(path))


def _permission_remedy(path: Path) -> str:
    """How a user gets the right to a serial device: usually by joining the group that owns it."""
    import grp  # POSIX only, as is this function

    try:
        group = grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        group = "dialout"
    return f"sudo usermod -aG {group} $USER, then log out and in again"


def port_grabbers(proc: Path) -> Iterator[Finding]:
    """Programs that are known to open serial ports by themselves (Linux)."""
    if not proc.is_dir():
        return
    running = set()
    for entry in proc.glob("[0-9]*/comm"):
        try:
            running.add(entry.read_text(encoding="utf-8", errors="replace").strip())
        except OSError:  # it has ended
            continue
    for name in _PORT_GRABBERS:
        if name in running:
            remedy = f"if a printer's port is busy or talks nonsense: sudo systemctl stop {name}"
            yield Finding(name, "note", "is running, and may open serial ports", remedy)


def display() -> Finding:
    """Whether a live window can be shown."""
    from toughopt.plots import has_display

    if has_display():
        return Finding("display", "ok", "there, for --live and `toughopt watch`")
    return Finding("display", "note", "none; `toughopt plot` writes the pictures to files instead")


def disk(folder: Path) -> Finding:
    """Whether there is room: an experiment leaves one to ten megabytes."""
    free = shutil.disk_usage(folder).free / 1e9
    enough = free >= LEAST_FREE_GB
    remedy = "" if enough else f"free {LEAST_FREE_GB:g} GB or more, or choose another folder with --folder"
    return Finding("disk", "ok" if enough else "bad", f"{free:.1f} GB free at {folder.resolve()}", remedy)


def journal(folder: Path) -> Finding:
    """Whether a journal can be kept there: written, synced and locked. A network file system is refused."""
    from toughopt.errors import JournalError
    from toughopt.journal import ConductorLock, open_sqlite

    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as trial:
            open_sqlite(Path(trial) / "journal.sqlite", create=True).close()
            with ConductorLock(Path(trial)):
                pass
    except JournalError as error:
        return Finding("journal", "bad", str(error))
    except OSError as error:
        remedy = "choose a folder that this user may write"
        return Finding("journal", "bad", f"{folder} cannot be written: {error.strerror or error}", remedy)
    return Finding("journal", "ok", f"can be written and locked at {folder.resolve()}")


def clock(folder: Path, now: float) -> Finding:
    """Whether the clock is plausible, and agrees with the disk's."""
    remedy = "let the system set its time (Linux: timedatectl set-ntp true)"
    if now < _RELEASED:
        return Finding("clock", "bad", f"it says {_utc(now)}", remedy)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as trial:
            apart = abs(Path(trial.name).stat().st_mtime - now)
    except OSError:
        apart = 0.0  # told by `journal`
    if apart > 60.0:
        return Finding("clock", "note", f"{_utc(now)}, {apart:.0f} s apart from that of the disk", remedy)
    return Finding("clock", "ok", _utc(now))


def _utc(now: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
