"""What a printer would stumble over in a solid: each finding with a place, a number and a limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from toughopt.geometry.intersections import self_intersections
from toughopt.geometry.thickness import thin_walls

if TYPE_CHECKING:
    from manifold3d import CrossSection
    from numpy.typing import NDArray

    from toughopt.geometry.solid import Solid
    from toughopt.profiles import PrinterProfile

    FloatArray = NDArray[np.float64]

Place = tuple[float, float, float]

#: Walls that lean more than this from the vertical need cooling and luck: the rule of thumb of FFF printing.
OVERHANG_LIMIT_DEG = 60.0
#: Overhanging area below this is a detail that sags unseen.
OVERHANG_AREA_MM2 = 1.0
#: Less contact than this comes off a bed of the usual materials.
CONTACT_AREA_MM2 = 25.0
#: A part this many times higher than its foot is wide is knocked over by the nozzle.
SLENDERNESS_LIMIT = 8.0
#: How many heights are looked at for thin walls.
_SECTIONS = 12
#: Flatter than this is the underside of a plate: a bridge, counted apart from leaning walls.
_CEILING_DEG = 89.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a solid that a printer would stumble over.

    code : what it is, in one word that stays the same between versions
    severity : "error" where the part cannot be printed, "warning" where it may fail or come out different
    message : the same for people, with the remedy
    value, limit, unit : what was measured and what it should keep to
    place_mm : where, in the coordinates of the solid; None where it concerns the whole of it
    """

    code: str
    severity: Literal["error", "warning"]
    message: str
    value: float
    limit: float
    unit: str
    place_mm: Place | None = None


def check_solid(solid: Solid, profile: PrinterProfile) -> tuple[Finding, ...]:
    """All findings about `solid` on the printer of `profile`, errors first; empty where nothing is wrong.

    Looked at: bodies, self-intersection, size against the bed, walls against the narrowest line of the nozzle (none
    for vase mode, which prints one line whatever the wall), overhang, contact with the bed and stability. Watertight
    a `Solid` always is.
    """
    found = [
        *_bodies(solid),
        *_intersections(solid),
        *_bed(solid, profile),
        *(_walls(solid, profile) if profile.slicing.mode == "solid" else ()),
        *_overhang(solid, profile),
        *_footing(solid, profile),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _bodies(solid: Solid) -> Iterator[Finding]:
    bodies = solid.bodies()
    if len(bodies) > 1:
        smallest = bodies[-1]
        place = _point(smallest.bounds_mm.mean(axis=0))
        yield Finding(
            "bodies", "error",
            f"the solid falls into {len(bodies)} separate bodies, the smallest ({smallest.volume_mm3:.3g} mm3) near "
            f"{_words(place)}; join them or print them one at a time",
            len(bodies), 1, "", place,
        )  # fmt: skip


def _intersections(solid: Solid) -> Iterator[Finding]:
    pairs, points = self_intersections(*solid.arrays())
    if len(pairs):
        place = _point(points[0])
        yield Finding(
            "self_intersection", "error",
            f"{len(pairs)} pairs of faces run through each other, first near {_words(place)}; "
            "unite the overlapping parts where they were drawn",
            len(pairs), 0, "", place,
        )  # fmt: skip


def _bed(solid: Solid, profile: PrinterProfile) -> Iterator[Finding]:
    low, high = solid.bounds_mm
    size = high - low
    bed = profile.bed
    if bed.shape == "circle":
        points, _ = solid.arrays()
        reach = float(np.linalg.norm(points[:, :2] - (low + high)[:2] / 2, axis=1).max())
        across = [("across", 2.0 * reach, min(bed.size_mm))]
    else:
        across = [(f"along {axis}", float(size[k]), bed.size_mm[k]) for k, axis in enumerate("xy")]
    for axis, extent, limit in (*across, ("high", float(size[2]), bed.height_mm)):
        if extent > limit:
            yield Finding(
                "bed", "error",
                f"the solid is {extent:.1f} mm {axis}, more than the {limit:g} mm that {profile.name} can print; "
                "make it smaller or choose a larger printer",
                extent, limit, "mm", _point(high),
            )  # fmt: skip


def _walls(solid: Solid, profile: PrinterProfile) -> Iterator[Finding]:
    (_, _, bottom), (_, _, top) = solid.bounds_mm
    narrowest = profile.nozzle.line_width_min_mm
    largest = 0.0
    width, place = 0.0, (0.0, 0.0, 0.0)
    for z in bottom + (np.arange(_SECTIONS) + 0.5) / _SECTIONS * (top - bottom):
        for thickness, (x, y), area in thin_walls(solid.cross_section(float(z)), narrowest):
            if area > largest:
                largest, width, place = area, thickness, (x, y, float(z))
    if largest > 0.0:
        yield Finding(
            "wall", "warning",
            f"a wall of {width:.2f} mm near {_words(place)} is thinner than the narrowest line of the "
            f"{profile.nozzle.diameter_mm:g} mm nozzle, {narrowest:g} mm, and may be left out; thicken it, or "
            "take a finer nozzle",
            width, narrowest, "mm", place,
        )  # fmt: skip


def _overhang(solid: Solid, profile: PrinterProfile) -> Iterator[Finding]:
    vertices, faces = solid.arrays()
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1) / 2.0
    down = np.divide(-normal[:, 2], 2.0 * area, out=np.zeros_like(area), where=area > 0)
    lean = np.degrees(np.arcsin(np.clip(down, -1.0, 1.0)))
    above = corners[:, :, 2].max(axis=1) > vertices[:, 2].min() + profile.slicing.first_layer_height_mm
    leaning = above & (lean > OVERHANG_LIMIT_DEG) & (lean < _CEILING_DEG)
    if (area_leaning := float(area[leaning].sum())) > OVERHANG_AREA_MM2:
        steepest = int(np.argmax(np.where(leaning, lean, -1.0)))
        place = _point(corners[steepest].mean(axis=0))
        yield Finding(
            "overhang", "warning",
            f"{area_leaning:.0f} mm2 of walls lean more than {OVERHANG_LIMIT_DEG:g} deg and may droop: up to "
            f"{lean[steepest]:.0f} deg near {_words(place)}",
            float(lean[steepest]), OVERHANG_LIMIT_DEG, "deg", place,
        )  # fmt: skip
    ceiling = above & (lean >= _CEILING_DEG)
    if (area_ceiling := float(area[ceiling].sum())) > OVERHANG_AREA_MM2:
        largest = int(np.argmax(np.where(ceiling, area, -1.0)))
        place = _point(corners[largest].mean(axis=0))
        yield Finding(
            "bridge", "warning",
            f"{area_ceiling:.0f} mm2 of level undersides are printed over air, the largest near {_words(place)}",
            area_ceiling, OVERHANG_AREA_MM2, "mm2", place,
        )  # fmt: skip


def _footing(solid: Solid, profile: PrinterProfile) -> Iterator[Finding]:
    (_, _, bottom), (_, _, top) = solid.bounds_mm
    foot = solid.cross_section(bottom + profile.slicing.first_layer_height_mm / 2.0)
    contact = float(foot.area())
    place = _point(np.append(_centre(foot), bottom))
    if contact < CONTACT_AREA_MM2:
        yield Finding(
            "contact", "warning",
            f"only {contact:.3g} mm2 touch the bed; add a brim or a foot",
            contact, CONTACT_AREA_MM2, "mm2", place,
        )  # fmt: skip
    if contact <= 0.0:
        return
    outside, width = _balance(foot, _centre_of_mass(solid)[:2])
    if outside > 0.0:
        yield Finding(
            "stability", "error",
            f"the centre of mass hangs {outside:.2g} mm outside the foot, so the part tips over; "
            "turn it, or add a foot",
            outside, 0.0, "mm", place,
        )  # fmt: skip
    slenderness = float(top - bottom) / width
    if slenderness > SLENDERNESS_LIMIT:
        yield Finding(
            "slender", "warning",
            f"the part is {slenderness:.1f} times as high as its foot is wide ({width:.3g} mm); "
            "add a brim, or print slowly",
            slenderness, SLENDERNESS_LIMIT, "", place,
        )  # fmt: skip


def _balance(foot: CrossSection, mass_xy: FloatArray) -> tuple[float, float]:
    """How far outside the foot's hull a point is (0 inside), and the hull's least width, mm."""
    (hull,) = foot.hull().to_polygons()
    side = np.roll(hull, -1, axis=0) - hull
    inward = np.column_stack([-side[:, 1], side[:, 0]]) / np.linalg.norm(side, axis=1, keepdims=True)
    width = float(((hull[None] - hull[:, None]) @ inward[:, :, None]).max(axis=(1, 2)).min())
    outside = float(-((mass_xy - hull) * inward).sum(axis=1).min())
    return max(outside, 0.0), width


def _centre_of_mass(solid: Solid) -> FloatArray:
    vertices, faces = solid.arrays()
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    six_volumes = np.einsum("ij,ij->i", a, np.cross(b, c))
    centre: FloatArray = (six_volumes[:, None] * (a + b + c)).sum(axis=0) / (4.0 * six_volumes.sum())
    return centre


def _centre(section: CrossSection) -> FloatArray:
    polygons = section.to_polygons()
    return np.concatenate(polygons).mean(axis=0) if polygons else np.zeros(2)


def _point(values: FloatArray) -> Place:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _words(place: Place) -> str:
    return "({:.1f}, {:.1f}, {:.1f}) mm".format(*place)
