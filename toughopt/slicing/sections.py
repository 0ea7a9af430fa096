"""Cross-sections of a solid, layer by layer, around the middle of the part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType, Manifold

from toughopt.errors import MeshError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toughopt.profiles import Bed, PrinterProfile

_CRUMB_MM = 0.005  # edges and needles that cutting leaves, of no width: their normals would point anywhere
_SMALLEST_MM2 = 0.01  # a section or a hole below this cannot be printed
_ABSURD = 3.0  # times the build volume: rather a wrong unit than a large part
_JUMP = 0.15  # of the area, from one layer to the next
_WITHIN = (-0.375, -0.125, 0.125, 0.375)  # of a layer's height from its middle: where its mean area is taken


@dataclass(frozen=True, slots=True)
class Sections:
    """One cross-section a layer.

    top_mm, height_mm : (layers,) float; z of the top of each layer and its height
    area_mm2 : (layers,) float
    held_mm3 : (layers,) float, how much of the solid lies in each layer
    islands : connected pieces, each its contours, (k, 2) float, solid on the left, the outer one first
    layer : (islands,) int, the layer of each piece
    piece_mm2 : (islands,) float, area of each piece
    parent : (islands,) int, the piece of other sections that each was cut from; None where they are whole
    """

    top_mm: NDArray[np.float64]
    height_mm: NDArray[np.float64]
    area_mm2: NDArray[np.float64]
    held_mm3: NDArray[np.float64]
    sections: tuple[CrossSection, ...]
    islands: tuple[tuple[NDArray[np.float64], ...], ...]
    layer: NDArray[np.int64]
    piece_mm2: NDArray[np.float64]
    volume_mm3: float
    parent: NDArray[np.int64] | None = None

    def until(self, count: int) -> Sections:
        """The lowest `count` layers."""
        low = self.layer < count
        return Sections(
            self.top_mm[:count],
            self.height_mm[:count],
            self.area_mm2[:count],
            self.held_mm3[:count],
            self.sections[:count],
            tuple(island for island, keep in zip(self.islands, low.tolist(), strict=True) if keep),
            self.layer[low],
            self.piece_mm2[low],
            self.volume_mm3,
        )

    def without_necks(self, pieces: NDArray[np.int64], width_mm: float) -> Sections:
        """These pieces alone, cut where they are narrower than `width_mm`."""
        found: list[tuple[int, list[NDArray[np.float64]]]] = []
        for index in pieces.tolist():
            whole = self.piece(index)
            broad = whole.offset(-width_mm / 2.0, JoinType.Round).offset(width_mm / 2.0, JoinType.Round) ^ whole
            for part in (*broad.decompose(), *(whole - broad).decompose()):
                if loops := contours(part.simplify(_CRUMB_MM)):
                    found.append((index, loops))
        parent = np.array([index for index, _ in found], dtype=np.int64)
        return replace(
            self,
            islands=tuple(tuple(loops) for _, loops in found),
            layer=self.layer[parent],
            piece_mm2=_areas([loops for _, loops in found]),
            parent=parent,
        )

    def piece(self, index: int) -> CrossSection:
        """One connected piece."""
        return CrossSection(list(self.islands[index]), FillRule.Positive)


def bed_centre(bed: Bed) -> NDArray[np.float64]:
    """(2,) float: the middle of the bed in machine coordinates."""
    return np.zeros(2) if bed.origin == "center" else np.asarray(bed.size_mm, dtype=np.float64) / 2.0


def cut(body: Manifold, profile: PrinterProfile) -> Sections:
    """Sections of `body` in the middle of each layer, centred on the origin, simplified to a quarter of the tolerance.

    Raises
    ------
    MeshError
        If the body is empty, broken, lower than half a layer or larger than the build volume.
    """
    volume = float(body.volume())
    if body.is_empty() or not np.isfinite(volume) or volume <= 0.0:
        raise MeshError(f"the solid has no volume ({body.status()}); nothing can be sliced")
    box = np.asarray(body.bounding_box(), dtype=np.float64).reshape(2, 3)
    if not np.all(np.isfinite(box)):
        raise MeshError("the solid has vertices that are not numbers; export the mesh again")
    within_bed(box, profile)
    settings = profile.slicing
    height = float(box[1, 2] - box[0, 2])
    if height < settings.first_layer_height_mm / 2.0:
        raise MeshError(
            f"the solid is {height:.3g} mm high, less than half of the first layer of "
            f"{settings.first_layer_height_mm:g} mm; if it was drawn in metres, scale it by 1000, if in inches, by 25.4"
        )
    more = max(round((height - settings.first_layer_height_mm) / settings.layer_height_mm + 1e-6), 0)
    each = settings.layer_height_mm
    if settings.mode == "vase" and more:  # a spiral ends where the part does: its turns share the rest of a layer
        each = (height - settings.first_layer_height_mm) / more
    heights = np.array([settings.first_layer_height_mm] + [each] * more)
    tops = np.round(np.cumsum(heights), 6)
    shift = -(box[0, :2] + box[1, :2]) / 2.0
    middles = np.minimum(tops - heights / 2.0 + 1e-6, height * (1.0 - 1e-9)) + box[0, 2]
    found = tuple(
        body.slice(float(z)).simplify(settings.tolerance_mm / 4.0).translate((float(shift[0]), float(shift[1])))
        for z in middles
    )
    area = np.array([section.area() for section in found])
    if len(area) > 1 and area[-1] < _SMALLEST_MM2:  # a tip that ends within its layer, below the middle of it
        heights, tops, middles, found, area = heights[:-1], tops[:-1], middles[:-1], found[:-1], area[:-1]
    empty = np.flatnonzero(area < _SMALLEST_MM2)
    if len(empty):
        raise MeshError(
            f"at z = {tops[empty[0]]:.2f} mm the solid has a cross-section of no area; it would fall apart there"
        )
    held = area * heights
    if settings.mode != "vase":
        uneven = _jumps(area)
        held[uneven] = [_mean_area_mm2(body, middles[index], heights[index]) * heights[index] for index in uneven]
    pieces = [(index, contours(piece)) for index, section in enumerate(found) for piece in section.decompose()]
    pieces = [(index, loops) for index, loops in pieces if loops]
    return Sections(
        tops,
        heights,
        area,
        held,
        found,
        tuple(tuple(loops) for _, loops in pieces),
        np.array([index for index, _ in pieces], dtype=np.int64),
        _areas([loops for _, loops in pieces]),
        volume,
    )


def _jumps(area_mm2: NDArray[np.float64]) -> list[int]:
    """Layers beside which the area is another one: plates that end or bars that begin may do so inside them."""
    change = np.abs(np.diff(area_mm2)) > _JUMP * np.maximum(area_mm2[1:], area_mm2[:-1])
    found: list[int] = np.flatnonzero(np.append(change, False) | np.append(False, change)).tolist()
    return found


def _mean_area_mm2(body: Manifold, middle_mm: float, height_mm: float) -> float:
    """Of the sections between the bottom and the top of a layer."""
    return float(np.mean([body.slice(middle_mm + part * height_mm).area() for part in _WITHIN]))


def contours(section: CrossSection) -> list[NDArray[np.float64]]:
    """Contours of a section, each (k, 2) float, solid on the left, without the tiny ones."""
    found = [np.asarray(contour, dtype=np.float64) for contour in section.to_polygons()]
    return [contour for contour in found if abs(enclosed_mm2(contour)) > _SMALLEST_MM2]


def _areas(islands: Sequence[Sequence[NDArray[np.float64]]]) -> NDArray[np.float64]:
    return np.array([sum(enclosed_mm2(loop) for loop in loops) for loops in islands])


def enclosed_mm2(contour: NDArray[np.float64]) -> float:
    """Signed area inside a closed contour, (k, 2) float; positive where it runs counter-clockwise."""
    x, y = contour[:, 0], contour[:, 1]
    return float(np.dot(x[:-1], y[1:]) - np.dot(y[:-1], x[1:]) + x[-1] * y[0] - y[-1] * x[0]) / 2.0


def within_bed(box: NDArray[np.float64], profile: PrinterProfile) -> None:
    """Refuse a part whose bounding box, (2, 3) float, is larger than the build volume; raises MeshError."""
    size = box[1] - box[0]
    bed = profile.bed
    remedy = "scale or turn it"
    if max(size[0] / bed.size_mm[0], size[1] / bed.size_mm[1], size[2] / bed.height_mm) > _ABSURD:
        remedy += ", or look at its units: what a mesh file says without a unit is taken for mm"
    if bed.shape == "circle":
        across, limit = float(np.hypot(size[0], size[1])), min(bed.size_mm)
        fits = across <= limit
        what = f"{across:.1f} mm across its diagonal, the round bed {limit:g} mm"
    else:
        fits = bool(size[0] <= bed.size_mm[0] and size[1] <= bed.size_mm[1])
        what = f"{size[0]:.1f} x {size[1]:.1f} mm, the bed {bed.size_mm[0]:g} x {bed.size_mm[1]:g} mm"
    if not fits:
        raise MeshError(f"the part does not fit on the bed of {profile.name}: it measures {what}; {remedy}")
    if size[2] > bed.height_mm:
        raise MeshError(
            f"the part is {size[2]:.1f} mm high, {profile.name} prints up to {bed.height_mm:g} mm; {remedy}"
        )
