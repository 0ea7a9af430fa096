"""What was really done: the path with the filament that left the nozzle, and the commands that were executed."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toughopt.gcode.base import ExecutedPath

COLUMNS = 11  # start (3), end (3), filament, nozzle temperature, speed, time, tool


@dataclass(frozen=True, slots=True)
class ExecutedCommand:
    """A command that the machine ran; `line` is None where it came without a number."""

    line: int | None
    text: str


class PathRecord:
    """Segments since the bed was last cleared, eleven numbers each."""

    __slots__ = ("data", "extruded_mm", "filament_diameter_mm", "nozzle_diameter_mm")

    def __init__(self, filament_diameter_mm: float, nozzle_diameter_mm: float) -> None:
        self.filament_diameter_mm = filament_diameter_mm
        self.nozzle_diameter_mm = nozzle_diameter_mm
        self.data = array("d")
        self.extruded_mm = 0.0

    def __len__(self) -> int:
        return len(self.data) // COLUMNS

    def clear(self) -> None:
        """The bed is empty again."""
        self.data = array("d")
        self.extruded_mm = 0.0

    def path(self) -> ExecutedPath:
        """The segments as arrays."""
        import numpy as np

        from toughopt.gcode.base import ExecutedPath

        table = np.array(self.data, dtype=np.float64).reshape(-1, COLUMNS)
        return ExecutedPath(
            start_mm=table[:, 0:3].copy(),
            end_mm=table[:, 3:6].copy(),
            filament_mm=table[:, 6].copy(),
            nozzle_c=table[:, 7].copy(),
            speed_mm_s=table[:, 8].copy(),
            time_s=table[:, 9].copy(),
            tool=table[:, 10].astype(np.int64),
            filament_diameter_mm=self.filament_diameter_mm,
            nozzle_diameter_mm=self.nozzle_diameter_mm,
        )


class CommandLog:
    """The last `size` commands that were executed, oldest first; None keeps all, 0 keeps none."""

    def __init__(self, size: int | None) -> None:
        self.enabled = size is None or size > 0
        self._entries: deque[tuple[int | None, str]] = deque(maxlen=size)
        self.add = self._entries.append

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> list[ExecutedCommand]:
        """What is kept."""
        return [ExecutedCommand(line, text) for line, text in self._entries]
