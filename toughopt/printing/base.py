"""What every printer can be asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from toughopt.gcode import Program


class PrintStatus(StrEnum):
    """How a print ended."""

    PRINTED = auto()
    FAILED = auto()
    UNCERTAIN = auto()  # contact was lost: the machine may or may not have done its work
    CANCELLED = auto()


@dataclass(frozen=True, slots=True)
class PrintEvent:
    """Something that happened on a machine: progress, temperatures, a fault."""

    kind: str  # "progress", "temperature", "state", "fault", "note"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """How a print ended, and in what state it left the machine."""

    status: PrintStatus
    reason: str
    heaters_off: bool  # verified on the machine, not hoped for
    duration_s: float
    lines_sent: int
    resends: int = 0
    strays: int = 0  # commands that the machine ran though nobody sent them as such
    faults: tuple[Mapping[str, Any], ...] = ()


@runtime_checkable
class Printer(Protocol):
    """A machine that prints one program at a time. All methods but `print` may be called from any thread."""

    name: str

    def print(self, program: Program, on_event: Callable[[PrintEvent], None]) -> PrintOutcome:
        """Print to the end and leave the machine safe; returns when the head is parked and the queue drained.

        Raises
        ------
        DeviceError
            If the machine cannot be reached at all, so that nothing was started.
        ProgramError
            If the program is refused before anything was sent.
        """
        ...

    def pause(self) -> None:
        """Stop feeding lines; the machine finishes what it has."""
        ...

    def resume(self) -> None:
        """Go on feeding."""
        ...

    def cancel(self, reason: str) -> None:
        """End the print in hand, safely; `print` then returns CANCELLED."""
        ...

    def make_safe(self) -> bool:
        """Heaters, motors and fan off; True where the machine confirmed it."""
        ...

    def close(self) -> None:
        """Let the line go."""
        ...
