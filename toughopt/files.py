"""Files that are there whole or not at all, whatever happens while they are written; paths as they are typed."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from threading import get_ident


def write_whole(target: Path, data: bytes) -> None:
    """Write a file so that after any crash it is there whole, or as it was before; it is on disk when this returns.

    Raises
    ------
    OSError
        If it cannot be written; then nothing is left of it.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}-{get_ident()}.part")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(target.parent)


def in_shell(path: Path) -> str:
    """A path as it is typed: in quotes where it holds a blank or the like."""
    text = str(path)
    if sys.platform == "win32":
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot sync a folder; its rename is journalled by NTFS
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
