"""Walls along triply periodic minimal surfaces: gyroid, Schwarz P and diamond."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import cos, hypot, pi, sin, sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toughopt.families.base import Parameter
from toughopt.families.envelope import ENVELOPE, core_height, cross_area, enclosed
from toughopt.families.parametric import Fault, ParametricFamily

if TYPE_CHECKING:
    from toughopt.geometry import Solid

    Field = Callable[[float, float, float], tuple[float, float, float, float]]

#: Area of the surface in one cubic cell of unit size (Schoen, NASA TN D-5541, 1970, and later tables).
CELL_AREA: Mapping[str, float] = MappingProxyType({"gyroid": 3.0915, "schwarz_p": 2.3451, "diamond": 3.8377})
_MARGIN_MM = 0.5


class TpmsShell(ParametricFamily):
    """A wall of given thickness on both sides of a minimal surface, in a box or cylinder between two plates.

    The wall is where |f| / |grad f| is at most half the thickness: the distance from the surface f = 0 to first order.
    The thickness runs linearly from `thickness` at the bottom to `thickness` times `grading` at the top.
    """

    name = "tpms_shell"
    version = "1"

    chosen: ClassVar[tuple[Parameter, ...]] = (
        Parameter("surface", "categorical", None, None, None, "gyroid", "", "which surface", tuple(CELL_AREA)),
        Parameter("cells", "integer", 1, 4, 1, 2, "", "cells side by side"),
        Parameter("thickness", "real", 0.6, 2.0, None, 1.0, "mm", "of the wall at the bottom"),
        Parameter("grading", "real", 0.5, 2.0, None, 1.0, "", "thickness at the top over thickness at the bottom"),
    )
    settled: ClassVar[tuple[Parameter, ...]] = (
        *ENVELOPE,
        Parameter("chord_error", "real", 0.002, 0.5, None, 0.05, "mm", "how far the mesh may be from the surface"),
    )
    possible: ClassVar[Mapping[str, tuple[float, float]]] = MappingProxyType(
        {"cells": (1, 20), "thickness": (0.1, 20.0), "grading": (0.1, 10.0)}
    )
    feature_names = (
        "mass_g",
        "wall_area_mm2",
        "slenderness",
        "minimum_feature_mm",
        "overhang_deg",
        "relative_density",
        "log_slenderness",
    )
    model_feature_names = ("relative_density", "log_slenderness")

    def faults(self, columns: Mapping[str, Any]) -> Iterable[Fault]:
        """Plates that leave no room; walls that fill their cells."""
        size = columns["width"] / columns["cells"]
        thickest = columns["thickness"] * np.maximum(columns["grading"], 1.0)
        yield Fault(
            core_height(columns) <= 0.0,
            lambda d: f"two plates of plate = {d['plate']:g} mm leave no room in a height of {d['height']:g} mm",
        )
        yield Fault(
            thickest > 0.25 * size,
            lambda d: (
                f"walls up to {d['thickness'] * max(d['grading'], 1.0):.3g} mm thick close cells of "
                f"{d['width'] / d['cells']:.3g} mm; choose a thickness up to "
                f"{0.25 * d['width'] / d['cells'] / max(d['grading'], 1.0):.3g} mm, or fewer cells"
            ),
        )

    def describe(self, columns: Mapping[str, Any]) -> Iterator[Any]:
        """Volumes from the surfaces' known areas times the thickness, good to a few per cent."""
        size, core = columns["width"] / columns["cells"], core_height(columns)
        kind = np.asarray(columns["surface"])
        area = sum(np.where(kind == name, value, 0.0) for name, value in CELL_AREA.items())
        mean = columns["thickness"] * 0.5 * (1.0 + columns["grading"])
        density = np.minimum(area * mean / size, 1.0)
        volume = cross_area(columns) * (core * density + 2.0 * columns["plate"])
        slenderness = 0.5 * size / mean
        yield volume * columns["density"] * 1e-3
        yield cross_area(columns) * density
        yield slenderness
        yield columns["thickness"] * np.minimum(columns["grading"], 1.0)
        yield 90.0 + 0.0 * mean  # every such surface is level somewhere
        yield density
        yield np.log(slenderness)

    def build(self, values: Mapping[str, Any]) -> Solid:
        """The wall by marching tetrahedra, corners on the true surface, cut to the envelope."""
        from manifold3d import Manifold

        size, core, plate = values["width"] / values["cells"], core_height(values), values["plate"]
        reach = values["width"] / 2.0 + _MARGIN_MM
        overlap = min(_MARGIN_MM, 0.5 * plate) if plate > 0.0 else _MARGIN_MM
        bounds = (-reach, -reach, plate - overlap, reach, reach, plate + core + overlap)
        thinnest = values["thickness"] * min(values["grading"], 1.0)
        # chords across the surface's sharpest bends, of radius about size / 7, must stay within the chord error and
        # within little of the wall, whose volume they would change; two cells at least go across the thinnest wall
        off = min(values["chord_error"], 0.012 * thinnest)
        edge = min(sqrt(8.0 * off * size / 7.0), 0.5 * thinnest, 0.1 * size)
        wall = wall_distance(values)
        mesh = Manifold.level_set(wall, bounds, edge, 0.0, 0.02 * values["chord_error"])
        return enclosed(mesh, values)


def wall_distance(values: Mapping[str, Any]) -> Callable[[float, float, float], float]:
    """Distance into the wall at (x, y, z) mm, to first order; negative outside of it."""
    wave = 2.0 * pi * float(values["cells"]) / float(values["width"])
    plate, core = float(values["plate"]), float(core_height(values))
    half = 0.5 * float(values["thickness"])
    slope = half * (float(values["grading"]) - 1.0) / core
    field = _FIELDS[values["surface"]]

    def inside(x: float, y: float, z: float) -> float:
        height = min(max(z - plate, 0.0), core)
        f, fx, fy, fz = field(wave * x, wave * y, wave * (z - plate))
        steepness = wave * hypot(fx, fy, fz)
        return half + slope * height - abs(f) / max(steepness, 1e-3 * wave)

    return inside


def _gyroid(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    sx, cx, sy, cy, sz, cz = sin(x), cos(x), sin(y), cos(y), sin(z), cos(z)
    return sx * cy + sy * cz + sz * cx, cx * cy - sz * sx, cy * cz - sx * sy, cz * cx - sy * sz


def _schwarz_p(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    return cos(x) + cos(y) + cos(z), -sin(x), -sin(y), -sin(z)


def _diamond(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    sx, cx, sy, cy, sz, cz = sin(x), cos(x), sin(y), cos(y), sin(z), cos(z)
    f = sx * sy * sz + sx * cy * cz + cx * sy * cz + cx * cy * sz
    fx = cx * sy * sz + cx * cy * cz - sx * sy * cz - sx * cy * sz
    fy = sx * cy * sz - sx * sy * cz + cx * cy * cz - cx * sy * sz
    fz = sx * sy * cz - sx * cy * sz - cx * sy * sz + cx * cy * cz
    return f, fx, fy, fz


_FIELDS: Mapping[str, Field] = MappingProxyType({"gyroid": _gyroid, "schwarz_p": _schwarz_p, "diamond": _diamond})
