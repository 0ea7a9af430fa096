"""What a program is, and the path that a machine executed."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from toughopt.errors import ProgramError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.moves import Moves

_ARRAYS = {"start_mm": 3, "end_mm": 3, "filament_mm": 0, "nozzle_c": 0, "speed_mm_s": 0, "time_s": 0, "tool": 0}


@dataclass(frozen=True)
class Program:
    """A G-code program as it goes to the printer, with what is known of it."""

    text: str
    layer_count: int
    time_s: float
    filament_mm: float
    filament_g: float
    bounds_mm: tuple[tuple[float, float, float], tuple[float, float, float]]  # of what is extruded
    profile: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default="the program", compare=False)  # what messages call it: the file that it was read from

    @cached_property
    def sha256(self) -> str:
        """Hash of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def line_count(self) -> int:
        """Lines of text."""
        return self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))

    @cached_property
    def moves(self) -> Moves:
        """Its moves, read once; they are not pickled."""
        from toughopt.gcode.moves import moves_of
        from toughopt.gcode.tokens import scan

        return moves_of(scan(self.text))

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "moves"}


@dataclass(frozen=True, slots=True)
class ExecutedPath:
    """What a machine did, segment by segment: the only thing that is known of a specimen when it is crushed.

    start_mm, end_mm : (n, 3) float, machine coordinates, mm
    filament_mm : (n,) float, filament that really left the nozzle in the segment, as length of feedstock, mm (>= 0)
    nozzle_c : (n,) float, nozzle temperature, deg C
    speed_mm_s : (n,) float, speed along the segment, mm/s
    time_s : (n,) float, machine time at the end of the segment, s
    tool : (n,) int, the extruder that was active
    """

    start_mm: NDArray[np.float64]
    end_mm: NDArray[np.float64]
    filament_mm: NDArray[np.float64]
    nozzle_c: NDArray[np.float64]
    speed_mm_s: NDArray[np.float64]
    time_s: NDArray[np.float64]
    tool: NDArray[np.int64]
    filament_diameter_mm: float = 1.75
    nozzle_diameter_mm: float = 0.4

    @property
    def count(self) -> int:
        """Number of segments."""
        return len(self.filament_mm)

    def to_npz(self) -> bytes:
        """The path as a compressed NumPy archive; the same path always gives the same bytes."""
        buffer = io.BytesIO()
        values = {name: getattr(self, name) for name in _ARRAYS}
        values["diameters_mm"] = np.array([self.filament_diameter_mm, self.nozzle_diameter_mm])
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name, value in values.items():
                member = io.BytesIO()
                np.lib.format.write_array(member, np.ascontiguousarray(value), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    @classmethod
    def from_npz(cls, data: bytes) -> Self:
        """The path that `to_npz` wrote.

        Raises
        ------
        ProgramError
            If `data` is no such archive, or its arrays do not fit together.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in _ARRAYS}
                filament, nozzle = (float(value) for value in archive["diameters_mm"])
        except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ProgramError(
                f"these {len(data)} bytes are no executed path: {error}; record the path again"
            ) from error
        count = len(arrays["filament_mm"])
        for name, columns in _ARRAYS.items():
            expected = (count, columns) if columns else (count,)
            if arrays[name].shape != expected:
                raise ProgramError(f"executed path: {name} has shape {arrays[name].shape}, expected {expected}")
        return cls(**arrays, filament_diameter_mm=filament, nozzle_diameter_mm=nozzle)
