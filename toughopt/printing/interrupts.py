"""Makes being told to end (SIGTERM, a closed terminal) the same as Ctrl-C, so that a print ends safely first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

_NAMES = ("SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Inside, SIGTERM, SIGHUP and (on Windows) SIGBREAK raise KeyboardInterrupt in the main thread.

    Signals that somebody handles already, and those that are ignored (nohup), are left alone; so is everything when
    called from another thread than the main one.
    """
    numbers = ending_signals()
    if current_thread() is not main_thread():
        numbers = []
    changed = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def ending_signals() -> list[signal.Signals]:
    """The signals, beside Ctrl-C, that tell a process of this platform to end."""
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def heeded_signals() -> list[signal.Signals]:
    """Those of them that are to be heard: a closed terminal means nothing under nohup, which ignores its signal."""
    return [sent for sent in ending_signals() if sent == signal.SIGTERM or signal.getsignal(sent) is not signal.SIG_IGN]


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(f"signal {number}")
