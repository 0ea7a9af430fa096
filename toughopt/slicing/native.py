"""The slicer of toughopt: lines fitted to the walls, solid fill, everything per point in numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toughopt.errors import MeshError
from toughopt.slicing.assemble import assembled, paced, placed
from toughopt.slicing.base import Toolpaths
from toughopt.slicing.fill import Filling, filled, plainly_filled
from toughopt.slicing.overhang import bridged, unsupported
from toughopt.slicing.sections import bed_centre, cut
from toughopt.slicing.skirt import around
from toughopt.slicing.vase import spiral

if TYPE_CHECKING:
    from manifold3d import Manifold
    from numpy.typing import NDArray

    from toughopt.geometry import Solid
    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.base import Layer
    from toughopt.slicing.sections import Sections

_NECK = 1.3  # of the narrowest line: badly filled pieces are cut apart where they are thinner
_POOR = 0.93  # a layer of which the lines fill less is told of
_AT_FAULT = 0.035  # pieces of such a layer that miss their own area by less are left as they are


@dataclass(frozen=True, slots=True)
class NativeSlicer:
    """Slices with lines whose number and spacing are fitted to the wall at each point."""

    name: str = "native"

    def slice(self, solid: Solid, profile: PrinterProfile) -> Toolpaths:
        """Toolpaths of `solid`, centred on the bed, its lowest point on the bed.

        Raises
        ------
        MeshError
            If the solid is empty, too large for the bed, thinner than a line, or stands on an edge or a point.
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
        if not layers[0].lines:
            raise MeshError(
                "nothing of the part is laid on the bed: where it stands it is narrower than a line, and what follows "
                "would be printed over air; turn it so that it stands on a face"
            )
        ring = around(sections.sections[0], profile)
        if ring:
            layers[0] = replace(layers[0], lines=(*ring, *layers[0].lines))
        layers = paced(placed(layers, profile, bed_centre(profile.bed)), profile)
        return Toolpaths(tuple(layers), profile, f"toughopt {__version__} native", volume, warnings)


def _solid(body: Manifold, sections: Sections, profile: PrinterProfile) -> tuple[list[Layer], tuple[str, ...]]:
    """Layers around the origin, and warnings."""
    free = unsupported(body, sections, profile)
    bridges = bridged(free, sections, profile)
    filling = filled(sections, bridges, profile)
    if len(poor := _poor(filling, sections)):
        apart = sections.without_necks(poor, _NECK * profile.nozzle.line_width_min_mm)
        filling = _better(filling, filled(apart, bridges, profile), sections, poor)
    if len(poor := _poor(filling, sections)):
        filling = _better(filling, plainly_filled(sections, poor, profile), sections, poor)
    told = _poor_layers(filling, sections)
    return assembled(filling.simplified(profile.slicing.tolerance_mm), sections, free, profile), told


def _layer_shares(filling: Filling, sections: Sections) -> NDArray[np.float64]:
    """(layers,) float: the share of each section's area that lines fill."""
    printed = np.bincount(filling.lines.layer, filling.lines.area_mm2, len(sections.top_mm))
    return np.asarray(printed / sections.area_mm2)


def _shares(filling: Filling, sections: Sections) -> NDArray[np.float64]:
    """(islands,) float: the share of each piece's area that lines fill."""
    printed = np.bincount(filling.piece, filling.lines.area_mm2, len(sections.layer))
    return np.asarray(printed / sections.piece_mm2)


def _poor(filling: Filling, sections: Sections) -> NDArray[np.int64]:
    """The pieces at fault in layers of which lines fill far less, or far more, than there is."""
    off = np.abs(_layer_shares(filling, sections) - 1.0)
    pieces = np.abs(_shares(filling, sections) - 1.0)
    return np.flatnonzero((off > 1.0 - _POOR)[sections.layer] & (pieces > _AT_FAULT))


def _better(one: Filling, other: Filling, sections: Sections, pieces: NDArray[np.int64]) -> Filling:
    """The filling `one`, with those of `pieces` from `other` that are nearer to their area there."""
    gain = np.abs(_shares(other, sections) - 1.0) < np.abs(_shares(one, sections) - 1.0)
    taken = np.zeros(len(gain), dtype=bool)
    taken[pieces] = gain[pieces]
    return one.only(~taken[one.piece]) + other.only(taken[other.piece])


def _poor_layers(filling: Filling, sections: Sections) -> tuple[str, ...]:
    """A warning where lines fill far less of a section than there is."""
    share = _layer_shares(filling, sections)
    poor = np.flatnonzero(share < _POOR)
    if not len(poor):
        return ()
    worst = int(poor[np.argmin(share[poor])])
    return (
        f"{len(poor)} layers are filled to less than {_POOR:.0%}, at worst to {share[worst]:.0%} at "
        f"z = {sections.top_mm[worst]:.2f} mm: parts of the section are narrower than a line",
    )
