"""What a printer on a line can be at, and what may follow what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum, auto

from toughopt.errors import DeviceError


class State(StrEnum):
    """What a printer is at, as its host sees it."""

    DISCONNECTED = auto()
    CONNECTING = auto()
    IDLE = auto()
    STREAMING = auto()
    PAUSED = auto()  # by the host or by the machine; nothing is fed
    DRAINING = auto()  # all is sent, the machine finishes what it has
    STOPPING = auto()  # being made safe
    HALTED = auto()  # the firmware stopped itself; only a reset helps


NEXT: Mapping[State, frozenset[State]] = {
    State.DISCONNECTED: frozenset({State.CONNECTING}),
    State.CONNECTING: frozenset({State.IDLE, State.DISCONNECTED, State.HALTED, State.STOPPING}),
    State.IDLE: frozenset({State.STREAMING, State.STOPPING, State.DISCONNECTED, State.HALTED}),
    State.STREAMING: frozenset({State.PAUSED, State.DRAINING, State.STOPPING, State.DISCONNECTED}),
    State.PAUSED: frozenset({State.STREAMING, State.DRAINING, State.STOPPING, State.DISCONNECTED}),
    State.DRAINING: frozenset({State.IDLE, State.PAUSED, State.STOPPING, State.DISCONNECTED}),
    State.STOPPING: frozenset({State.IDLE, State.HALTED, State.DISCONNECTED}),
    State.HALTED: frozenset({State.CONNECTING, State.STOPPING, State.DISCONNECTED}),
}


class StateMachine:
    """Where one printer is; every change is told to whoever listens."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._now = State.DISCONNECTED
        self._listener: Callable[[State, State, str], None] | None = None

    @property
    def now(self) -> State:
        """The present state."""
        return self._now

    def listen(self, listener: Callable[[State, State, str], None] | None) -> None:
        """Call this at every change, with the state before, the state after and why; None ends it."""
        self._listener = listener

    def to(self, state: State, why: str) -> None:
        """Change state.

        Raises
        ------
        DeviceError
            If that cannot follow the present one.
        """
        before = self._now
        if state is before:
            return
        if state not in NEXT[before]:
            raise DeviceError(f"{self._name} is {before} and cannot become {state} ({why}); wait for what it is doing")
        self._now = state
        if self._listener is not None:
            self._listener(before, state, why)
