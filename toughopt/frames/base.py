"""What every load frame, scale and handler can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class TestLimits:
    """What a compression test may do at most."""

    __test__ = False  # not a test case

    force_n: float = 5000.0
    travel_mm: float = 18.0
    speed_mm_per_min: float = 2.0


@runtime_checkable
class LoadFrame(Protocol):
    """Crushes one specimen at a time and leaves a test-machine file."""

    name: str

    def crush(self, specimen: str, limits: TestLimits, timeout_s: float) -> Path:
        """Crush the specimen that lies on the plate; returns the complete file that the frame wrote.

        Raises
        ------
        DeviceError
            If the frame does not answer, exceeds a limit, or writes nothing within `timeout_s`.
        """
        ...

    def stop(self) -> bool:
        """Stop the crosshead at once; True where it was seen to stand still. May be called from any thread."""
        ...

    def close(self) -> None:
        """Let the machine go."""
        ...


@runtime_checkable
class Scale(Protocol):
    """Weighs one specimen at a time."""

    name: str

    def weigh(self, timeout_s: float) -> float:
        """Mass in g once the reading is stable. Raises DeviceError after `timeout_s`."""
        ...

    def close(self) -> None:
        """Let the scale go."""
        ...


@runtime_checkable
class Handler(Protocol):
    """Moves a specimen between machines: a person who is asked, a robot's command, or the virtual lab's hands."""

    name: str

    def clear_bed(self, printer: str, specimen: str) -> None:
        """Take the specimen off the printer's bed; returns only when the bed is confirmed clear.

        `specimen` is "" where nobody knows whether anything lies there. Raises DeviceError.
        """
        ...

    def to_scale(self, specimen: str) -> None:
        """Put the specimen on the scale. Raises DeviceError."""
        ...

    def to_frame(self, specimen: str) -> None:
        """Put the specimen between the load frame's plates. Raises DeviceError."""
        ...

    def discard(self, specimen: str) -> None:
        """Take what is left of it away. Raises DeviceError."""
        ...
