"""What a slicer hands on: lines with a place, a width and a flow, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile


class Role(StrEnum):
    """What a line is for; the values are the names that G-code viewers know after `;TYPE:`."""

    EXTERNAL_PERIMETER = "External perimeter"
    PERIMETER = "Perimeter"
    OVERHANG_PERIMETER = "Overhang perimeter"
    SOLID_INFILL = "Solid infill"
    BRIDGE = "Bridge infill"
    GAP_FILL = "Gap fill"
    SKIRT = "Skirt/Brim"


@dataclass(frozen=True, slots=True)
class Line:
    """One unbroken extrusion.

    points_mm : (n, 3) float, machine coordinates, mm; a closed loop ends on its first point; n >= 2
    flow_mm2 : cross-section area of the bead, mm2: a float, or (n - 1,) float, one a segment
    route_mm : (k, 2) float, points to travel through on the way to the first point (k may be 0)
    """

    points_mm: NDArray[np.float64]
    role: Role
    width_mm: float
    height_mm: float
    flow_mm2: float | NDArray[np.float64]
    speed_mm_s: float
    route_mm: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    retract: bool = True  # whether the travel to it is long or exposed enough to retract for

    @property
    def lengths_mm(self) -> NDArray[np.float64]:
        """(n - 1,) float: length of each segment, mm."""
        return np.asarray(np.linalg.norm(np.diff(self.points_mm, axis=0), axis=1), dtype=np.float64)

    @property
    def volume_mm3(self) -> float:
        """Volume of the bead, mm3."""
        return float(np.sum(self.lengths_mm * self.flow_mm2))


@dataclass(frozen=True, slots=True)
class Layer:
    """All lines of one layer, in the order in which they are printed."""

    top_mm: float  # z at which the nozzle prints, above the bed
    height_mm: float
    lines: tuple[Line, ...]
    fan: float = 0.0  # 0..1


@dataclass(frozen=True, slots=True)
class Toolpaths:
    """What the printer shall lay down, without a word of G-code."""

    layers: tuple[Layer, ...]
    profile: PrinterProfile
    slicer: str  # name and version of what made it
    part_volume_mm3: float  # of the solid that was sliced
    warnings: tuple[str, ...] = ()

    @property
    def volume_mm3(self) -> float:
        """Volume of all lines but skirt and brim, mm3."""
        return sum(line.volume_mm3 for layer in self.layers for line in layer.lines if line.role is not Role.SKIRT)


@runtime_checkable
class Slicer(Protocol):
    """Turns a solid into toolpaths for one printer."""

    @property
    def name(self) -> str:
        """What campaigns and programs call it."""
        ...

    def slice(self, solid: Solid, profile: PrinterProfile) -> Toolpaths:
        """Toolpaths of `solid`, centred on the profile's bed, with its lowest point on the bed.

        Raises
        ------
        MeshError
            If the solid is open, empty, too large for the bed, or thinner than a line.
        """
        ...
