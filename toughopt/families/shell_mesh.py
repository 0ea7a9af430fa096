"""Meshes of generalized cylindrical shells: the body inside the outer surface, and the wall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.families.lobes import enclosed_area, shape, shape_slope, unit_perimeter
from toughopt.geometry import Solid, combine, gathered, lofts, main_body, manifold_from

if TYPE_CHECKING:
    from manifold3d import CrossSection, Manifold
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_EXACT_NODES = 256
_PROBES = (192, 257)  # around a quarter, over the height
_STEP = 4.0  # chord errors that the inside of a wall may jump from slab to slab
_OVERLAP_MM = 0.001
_FINE = 0.1  # chord errors to which the inside is drawn before it is simplified
_SLIT = 8.0  # chord errors below which a hollow is narrow for the twist of its faces
_TURN_DEG, _SLIT_TURN_DEG = 6.0, 2.0  # twist from ring to ring of points


@dataclass(frozen=True, slots=True)
class ShellSurface:
    """The outer surface of one design, as functions of the share of the height, 0 to 1."""

    c4: tuple[float, float]
    c8: tuple[float, float]
    twist: tuple[float, float, float]  # linear rad, amplitude rad, cycles
    perimeter_mm: tuple[float, float]
    height_mm: float

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ShellSurface:
        """The surface of a design with all its values."""
        ratio = values["perimeter_ratio"]
        around = 1e-3 * values["density"] * values["height"] * values["thickness"] * (1.0 + ratio)
        base = 2.0 * values["mass"] / around
        return cls(
            (values["c4_base"], values["c4_top"]),
            (values["c8_base"], values["c8_top"]),
            (values["twist_linear"], values["twist_amplitude"], values["twist_cycles"]),
            (base, base * ratio),
            values["height"],
        )

    def turn(self, level: FloatArray) -> FloatArray:
        """Twist in rad at each level."""
        linear, amplitude, cycles = self.twist
        return linear * level + amplitude * np.sin(2.0 * np.pi * cycles * level)

    def lobes(self, level: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """r0 in mm, c4 and c8 at each level."""
        c4, c8, perimeter = (ends[0] + level * (ends[1] - ends[0]) for ends in (self.c4, self.c8, self.perimeter_mm))
        return perimeter / unit_perimeter(c4, c8, _EXACT_NODES), c4, c8

    def radius(self, phi: FloatArray, level: FloatArray) -> FloatArray:
        """(levels, angles) float: distance from the axis at each polar angle and level, mm."""
        r0, c4, c8 = (column[:, None] for column in self.lobes(level))
        radius: FloatArray = r0 * shape(phi[None] + self.turn(level)[:, None], c4, c8)
        return radius


def outer_body(values: Mapping[str, Any]) -> Solid:
    """Everything inside the outer surface: what a spiral line goes around."""
    return Solid(_outer(ShellSurface.of(values), values["chord_error"]))


def wall_body(values: Mapping[str, Any]) -> Solid:
    """The wall, `thickness` wide inwards from the outer surface in each horizontal section.

    The inside is a stack of slabs, each the section at half its height shrunk by the thickness, twisted and scaled
    like the outer surface; from slab to slab it jumps by no more than a few chord errors. Where lobes are too narrow
    to be hollow they are full.
    """
    surface, error = ShellSurface.of(values), values["chord_error"]
    outer = _outer(surface, error)
    slabs = _inner_slabs(surface, values["thickness"], error)
    if not slabs:
        return Solid(outer, warnings=("the wall is so thick that nothing of the shell is hollow",))
    # every second slab at once: they do not touch, so one boolean does for all
    hollow = [gathered(part) for part in (slabs[0::2], slabs[1::2]) if part]
    return main_body(Solid(combine([outer, *hollow], "subtract", 1e-3)), "the hollow")


def _outer(surface: ShellSurface, error: float) -> Manifold:
    angles, level = _grid(surface, 0.85 * error)  # the rest is for `_fullness`
    phi = 2.0 * np.pi * np.arange(angles) / angles
    radius = surface.radius(phi, level)
    radius *= _fullness(surface, radius, level)[:, None]
    rings = np.empty((1, len(level), angles, 3))
    rings[0, ..., 0] = radius * np.cos(phi)
    rings[0, ..., 1] = radius * np.sin(phi)
    rings[0, ..., 2] = surface.height_mm * level[:, None]
    return manifold_from(*lofts(rings))


def _fullness(surface: ShellSurface, radius: FloatArray, level: FloatArray) -> FloatArray:
    """(levels,) float: the factors by which polygons through points of the surface are too small.

    Chords cut off area around each section, and again between two of them; each level makes up for its own section
    and for its share of what the section halfway to its neighbours lacks, by Simpson's rule.
    """
    middle = 0.5 * (level[1:] + level[:-1])
    lacking = enclosed_area(*surface.lobes(middle)) - _polygon_area(0.5 * (radius[1:] + radius[:-1]))
    weight = np.diff(level)
    shared = np.zeros(len(level))
    shared[1:] += weight * lacking
    shared[:-1] += weight * lacking
    around = np.zeros(len(level))
    around[1:] += weight
    around[:-1] += weight
    own = enclosed_area(*surface.lobes(level))
    at_level = _polygon_area(radius)
    between = shared / around - (own - at_level)  # beyond what the section's own correction brings
    factor: FloatArray = np.sqrt((own + between * 2.0 / 3.0) / at_level)
    return factor


def _polygon_area(radius: FloatArray) -> FloatArray:
    wedge = 0.5 * np.sin(2.0 * np.pi / radius.shape[1])
    area: FloatArray = wedge * np.sum(radius * np.roll(radius, 1, axis=1), axis=1)
    return area


def _grid(surface: ShellSurface, error: float) -> tuple[int, FloatArray]:
    """Angles around (a multiple of 8) and levels between which triangles stay within `error` of the surface.

    A linear interpolant over a cell of da by dz is off by at most (|p_aa| da^2 + 2 |p_az| da dz + |p_zz| dz^2) / 8,
    where p are the second derivatives' parts along the surface's normal, here from differences on a fine grid. The
    angle takes half of the error at most, the levels what is left, closer together where the surface bends more.
    """
    phi = np.linspace(0.0, 0.5 * np.pi, _PROBES[0] + 1)
    z = np.linspace(0.0, surface.height_mm, _PROBES[1])
    r = surface.radius(phi, z / surface.height_mm)
    r_z, r_a = np.gradient(r, z[1], phi[1])
    stretch = np.sqrt(1.0 + (r_a / r) ** 2 + r_z**2)
    around = np.abs(np.gradient(r_a, phi[1], axis=1) - r - 2.0 * r_a**2 / r) / stretch
    across = np.abs(np.gradient(r_a, z[1], axis=0) - r_a * r_z / r) / stretch
    upwards = np.abs(np.gradient(r_z, z[1], axis=0)) / stretch
    angles = 8 * max(ceil(0.25 * np.pi / sqrt(4.0 * error / float(around.max()))), 4)
    step = 2.0 * np.pi / angles
    left, cross = 8.0 * error - around * step**2, 2.0 * across * step
    rise = 2.0 * left / (cross + np.sqrt(cross**2 + 4.0 * upwards * left) + 1e-12)
    per_mm = 1.0 / np.minimum(rise.min(axis=1), 0.1 * surface.height_mm)
    wanted = np.concatenate([[0.0], np.cumsum(0.5 * (per_mm[1:] + per_mm[:-1]) * z[1])])
    count = ceil(float(wanted[-1]))
    return angles, np.interp(np.linspace(0.0, wanted[-1], count + 1), wanted, z / surface.height_mm)


def _inner_slabs(surface: ShellSurface, thickness: float, error: float) -> list[Manifold]:
    from manifold3d import CrossSection, FillRule, JoinType, Manifold

    fine = _FINE * error  # chords shorten the way around, and few-sided arcs come too near: walls would be thin
    angles, _ = _grid(surface, fine)
    psi = 2.0 * np.pi * np.arange(angles) / angles
    count = _slab_count(surface, _STEP * error)
    edges = np.linspace(0.0, 1.0, count + 1)
    # slabs overlap a little, and stand out at both ends: where faces just met, skins of no thickness would be left
    lows, highs = edges[:-1] - _OVERLAP_MM / surface.height_mm, edges[1:] + _OVERLAP_MM / surface.height_mm
    middles = 0.5 * (edges[:-1] + edges[1:])
    turns = np.degrees([surface.turn(lows), surface.turn(highs)])
    around, c4, c8 = surface.lobes(np.concatenate([lows, middles, highs]))
    low_sizes, sizes, high_sizes = around.reshape(3, count)
    c4, c8 = c4[count : 2 * count], c8[count : 2 * count]
    areas = enclosed_area(sizes, c4, c8)
    radius = sizes[:, None] * shape(psi[None], c4[:, None], c8[:, None])
    outlines = np.stack([radius * np.cos(psi), radius * np.sin(psi)], axis=-1)
    outlines *= np.sqrt(areas / _polygon_area(radius))[:, None, None]
    sides = max(16, 4 * ceil(np.pi / np.arccos(1.0 - min(fine / thickness, 0.5)) / 4 + 1))
    slabs = []
    for k, outline in enumerate(outlines):
        inside = CrossSection([outline], FillRule.Positive).offset(-thickness, JoinType.Round, 2.0, sides)
        exact = _opened(inside, error, sides)
        # a slit is meshed finely: as the chords of its faces turn, they would run through each other
        slit = _opened(exact, _SLIT * error, sides).area() < 0.98 * exact.area()
        hollow = exact.simplify(fine if slit else 0.5 * error)
        if hollow.is_empty():
            continue
        bottom = hollow.scale((low_sizes[k] / sizes[k],) * 2).rotate(-turns[0][k])
        twist = turns[0][k] - turns[1][k]
        grow = (high_sizes[k] / low_sizes[k],) * 2
        low, high = lows[k] * surface.height_mm, highs[k] * surface.height_mm
        slab = Manifold.extrude(
            bottom, high - low, int(abs(twist) / (_SLIT_TURN_DEG if slit else _TURN_DEG)), twist, grow
        )
        # chords around hollows and along their twist cut off what would make walls too thick
        mean_square = (low_sizes[k] ** 2 + 4.0 * sizes[k] ** 2 + high_sizes[k] ** 2) / (6.0 * sizes[k] ** 2)
        full = sqrt(float(exact.area()) * mean_square * (high - low) / float(slab.volume()))
        slabs.append(slab.scale((full, full, 1.0)).translate((0.0, 0.0, low)))
    return slabs


def _opened(section: CrossSection, width: float, sides: int) -> CrossSection:
    """A section without those of its parts that are narrower than `width`, mm."""
    from manifold3d import JoinType

    return section.offset(-0.5 * width, JoinType.Round, 2.0, sides).offset(0.5 * width, JoinType.Round, 2.0, sides)


def _slab_count(surface: ShellSurface, step: float) -> int:
    """Slabs so thin that the section, twist and size taken out, changes by no more than `step` in each."""
    psi = np.linspace(0.0, 0.25 * np.pi, 33)
    level = np.linspace(0.0, 1.0, 33)
    r0, c4, c8 = (column[:, None] for column in surface.lobes(level))
    change = float(np.abs(np.diff(shape(psi[None], c4, c8), axis=0)).max()) * 32.0 * float(r0.max())
    slope = float(np.abs(r0 * shape_slope(psi[None], c4, c8)).max())
    # within a slab the twist is taken as linear in the height
    _, amplitude, cycles = surface.twist
    bend = slope * amplitude * (2.0 * np.pi * cycles) ** 2 / 8.0
    return max(ceil(change / step), ceil(sqrt(bend / step)), ceil(surface.height_mm / 2.0), 4)
