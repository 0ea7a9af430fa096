"""The slicer of toughopt: lines fitted to the walls, solid fill, everything per point in numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toughopt.slicing.assemble import assembled, paced, placed
from toughopt.slicing.base import Toolpaths
from toughopt.slicing.fill import filled
from toughopt.slicing.overhang import bridged, unsupported
from toughopt.slicing.sections import bed_centre, cut
from toughopt.slicing.skirt import around
from toughopt.slicing.vase import spiral

if TYPE_CHECKING:
    from manifold3d import Manifold

    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.base import Layer
    from toughopt.slicing.fill import Filling
    from toughopt.slicing.sections import Sections

_POOR = 0.93  # a layer of which the lines fill less is told of


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
        warnings: tuple[str, ...] = ()
        volume = sections.volume_mm3
        if profile.slicing.mode == "vase":
            layers, volume, warnings = spiral(sections, profile)
            bottom = profile.slicing.vase_bottom_layers
            if bottom:
                base, more = _solid(body, sections.until(bottom), profile)
                warnings += more
                layers = [*base, *layers]
                volume += float(np.sum((sections.area_mm2 * sections.height_mm)[:bottom]))
        else:
            layers, warnings = _solid(body, sections, profile)
        ring = around(sections.sections[0], profile)
        if ring:
            layers[0] = replace(layers[0], lines=(*ring, *layers[0].lines))
        layers = paced(placed(layers, profile, bed_centre(profile.bed)), profile)
        return Toolpaths(tuple(layers), profile, f"toughopt {__version__} native", volume, warnings)


def _solid(body: Manifold, sections: Sections, profile: PrinterProfile) -> tuple[list[Layer], tuple[str, ...]]:
    """Layers around the origin, and warnings."""
    free = unsupported(body, sections, profile)
    filling = filled(sections, bridged(free, sections, profile), profile)
    return assembled(filling, sections, free, profile), _poor_layers(filling, sections)


def _poor_layers(filling: Filling, sections: Sections) -> tuple[str, ...]:
    """A warning where lines fill far less of a section than there is."""
    lines = filling.lines
    share = np.bincount(lines.layer, lines.area_mm2, len(sections.top_mm)) / sections.area_mm2
    poor = np.flatnonzero(share < _POOR)
    if not len(poor):
        return ()
    worst = int(poor[np.argmin(share[poor])])
    return (
        f"{len(poor)} layers are filled to less than {_POOR:.0%}, at worst to {share[worst]:.0%} at "
        f"z = {sections.top_mm[worst]:.2f} mm: parts of the section are narrower than a line",
    )
