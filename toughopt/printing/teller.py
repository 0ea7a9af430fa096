"""Tells a print's events to whoever asked for them, or keeps them back while the machine is being made safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from toughopt.printing.base import PrintEvent
from toughopt.printing.states import State


class Teller:
    """Calls `on_event`; inside `deferring`, afterwards, so that a listener that fails cannot keep heaters on."""

    def __init__(self, on_event: Callable[[PrintEvent], None]) -> None:
        self._on_event = on_event
        self._kept: list[PrintEvent] | None = None

    def __call__(self, event: PrintEvent) -> None:
        """Tell it, or keep it."""
        if self._kept is None:
            self._on_event(event)
        else:
            self._kept.append(event)

    def changed(self, before: State, after: State, why: str) -> None:
        """Tell a change of state."""
        self(PrintEvent("state", {"from": str(before), "to": str(after), "why": why}))

    @contextmanager
    def deferring(self) -> Iterator[None]:
        """Keep events until the end of the block; what a listener raises then is raised there."""
        if self._kept is not None:
            yield
            return
        kept: list[PrintEvent] = []
        self._kept = kept
        try:
            yield
        finally:
            self._kept = None
            for event in kept:
                self._on_event(event)
