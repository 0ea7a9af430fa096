"""What machines say while they work, for whoever watches: kept beside the journal, never in it."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toughopt.printing import PrintEvent

_FILE = "machines.json"
_EVERY_S = 1.0
_STALE_S = 15.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest that one printer said.

    temperatures : heater -> actual and wanted, deg C
    fraction : of the program that is done, 0..1; left_s : what remains, s; None where nothing is printed
    """

    temperatures: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    fraction: float | None = None
    left_s: float | None = None


class Telemetry:
    """Keeps the newest readings in a file of the campaign's folder; a context manager.

    `see` returns at once, from any thread: the file is written by a thread of its own, once a second at most, and a
    disk that is full or slow costs the loop nothing.
    """

    def __init__(self, folder: Path, every_s: float = _EVERY_S) -> None:
        self._path = folder / "lab" / _FILE
        self._every_s = every_s
        self._lock = threading.Lock()
        self._newest: dict[str, dict[str, Any]] = {}
        self._changed, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="telemetry", daemon=True)
        self._thread.start()

    def see(self, printer: str, event: PrintEvent) -> None:
        """Take in what a printer said."""
        with self._lock:
            mine = self._newest.setdefault(printer, {})
            if event.kind == "temperature":
                mine["temperatures"] = {name: list(pair) for name, pair in event.data.items()}
            elif event.kind == "progress":
                mine["fraction"], mine["left_s"] = event.data.get("fraction"), event.data.get("left_s")
            else:
                return
        self._changed.set()

    def close(self) -> None:
        """Stop, and take the file away: nothing is said any more."""
        self._closing.set()
        self._changed.set()
        self._thread.join(5.0)
        with suppress(OSError):  # in use, or out of reach; it is old in a moment
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Telemetry:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _work(self) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            self._changed.clear()
            with self._lock:
                text = json.dumps(self._newest)
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                half = self._path.with_suffix(".half")
                half.write_text(text, encoding="utf-8")
                half.replace(self._path)
            except OSError:  # somebody reads it just now, or the disk is full: the next one may get through
                pass
            self._closing.wait(self._every_s)


def readings(folder: Path, now: float | None = None) -> dict[str, Reading]:
    """The newest readings of a campaign's printers; empty where none speaks."""
    path = folder / "lab" / _FILE
    try:
        if (time.time() if now is None else now) - path.stat().st_mtime > _STALE_S:
            return {}
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): _reading(entry) for name, entry in told.items()} if isinstance(told, dict) else {}


def last_said(folder: Path) -> float:
    """When the readings were last written, 0 where there are none: changes with them."""
    try:
        return (folder / "lab" / _FILE).stat().st_mtime
    except OSError:
        return 0.0


def _reading(entry: Any) -> Reading:
    if not isinstance(entry, dict):
        return Reading()
    pairs = {
        str(name): (float(pair[0]), float(pair[1]))
        for name, pair in (entry.get("temperatures") or {}).items()
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(value, int | float) for value in pair)
    }
    return Reading(pairs, _finite(entry.get("fraction")), _finite(entry.get("left_s")))


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
