"""The slicer of toughopt: lines fitted to the walls, solid fill, everything per point in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toughopt.slicing.assemble import assembled, paced, with_travel
from toughopt.slicing.base import Toolpaths
from toughopt.slicing.fill import filled
from toughopt.slicing.overhang import bridged, unsupported
from toughopt.slicing.sections import bed_centre, cut

if TYPE_CHECKING:
    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile


@dataclass(frozen=True, slots=True)
class NativeSlicer:
    """Slices with lines whose number and spacing are fitted to the wall at each point."""

    name: str = "native"

    def slice(self, solid: Solid, profile: PrinterProfile) -> Toolpaths:
        """Toolpaths of `solid`, centred on the bed, its lowest point on the bed.

        Raises
        ------
        MeshError
            If the solid is empty, too large for the bed, or thinner than a line.
        """
        from toughopt import __version__

        body = solid.manifold
        sections = cut(body, profile)
        free = unsupported(body, sections, profile)
        filling = filled(sections, bridged(free, sections, profile), profile)
        centre = bed_centre(profile.bed)
        layers = assembled(filling, sections, free, profile, centre)
        layers = paced(with_travel(layers, profile, centre), profile)
        return Toolpaths(tuple(layers), profile, f"toughopt {__version__} native", sections.volume_mm3)
