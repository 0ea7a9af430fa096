"""Walls along triply periodic minimal surfaces: gyroid, Schwarz P and diamond."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil, pi, sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toughopt.families.base import Parameter
from toughopt.families.envelope import ENVELOPE, core_height, cross_area, enclosed
from toughopt.families.parametric import Fault, ParametricFamily

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry import Solid

    FloatArray = NDArray[np.float64]
    Waves = tuple[FloatArray, FloatArray]  # sine and cosine along one axis
    Sloped = tuple[FloatArray, FloatArray, FloatArray, FloatArray]  # a field and its slopes, for a wave number of 1

#: Area of the surface in one cubic cell of unit size (Schoen, NASA TN D-5541, 1970, and later tables).
CELL_AREA: Mapping[str, float] = MappingProxyType({"gyroid": 3.0915, "schwarz_p": 2.3451, "diamond": 3.8377})
#: Radius of the sharpest bend of each surface, as a share of the cell's size; found by trial.
_SHARPEST_BEND: Mapping[str, float] = MappingProxyType({"gyroid": 0.15, "schwarz_p": 0.09, "diamond": 0.074})


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
        Parameter(
            "chord_error", "real", 0.002, 0.5, None, 0.12, "mm",
            "how far the mesh may be from the surface at its sharpest bends; a tenth of that on average",
        ),
    )  # fmt: skip
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
        """The wall by marching tetrahedra, corners on the true surface, in the box or cut to the cylinder."""
        from toughopt.geometry import Grid, Solid, box_layer, main_body, manifold_from

        across, width, core = int(values["cells"]), float(values["width"]), core_height(values)
        size, plate = width / across, values["plate"]
        thinnest = values["thickness"] * min(values["grading"], 1.0)
        error = min(values["chord_error"], 0.2 * thinnest)
        # diagonals of cubes of that size are chords across the sharpest bends that stay within the chord error
        edge = min(sqrt(8.0 / 3.0 * error * _SHARPEST_BEND[values["surface"]] * size), 0.1 * size)
        cubes = (ceil(size / edge), ceil(size / edge), ceil(core / edge))
        grid = Grid((-width / 2.0, -width / 2.0, plate), (size, size, core), cubes, (across, across))
        mesh = manifold_from(*box_layer(wall_depths(values), grid, error, plate))
        if values["envelope"] == "cylinder":
            return enclosed(mesh, values)
        return main_body(Solid(mesh), "the envelope")


def wall_depths(values: Mapping[str, Any]) -> Callable[[Any, Any, Any], tuple[FloatArray, FloatArray]]:
    """Depths below the wall's two faces at x, y, z mm, arrays that broadcast, to first order; negative outside."""
    wave = 2.0 * pi * float(values["cells"]) / float(values["width"])
    plate, core = float(values["plate"]), float(core_height(values))
    half = 0.5 * float(values["thickness"])
    slope = half * (float(values["grading"]) - 1.0) / core
    field = _FIELDS[values["surface"]]

    def depths(x: Any, y: Any, z: Any) -> tuple[FloatArray, FloatArray]:
        height = np.subtract(z, plate)
        f, fx, fy, fz = field(_waves(wave * x), _waves(wave * y), _waves(wave * height))
        steepness = wave * np.sqrt(fx * fx + fy * fy + fz * fz)
        distance = f / np.maximum(steepness, 1e-3 * wave)
        reach = half + slope * np.clip(height, 0.0, core)
        return reach + distance, reach - distance

    return depths


def _waves(angle: Any) -> Waves:
    return np.sin(angle), np.cos(angle)


def _gyroid(x: Waves, y: Waves, z: Waves) -> Sloped:
    (sx, cx), (sy, cy), (sz, cz) = x, y, z
    return sx * cy + sy * cz + sz * cx, cx * cy - sz * sx, cy * cz - sx * sy, cz * cx - sy * sz


def _schwarz_p(x: Waves, y: Waves, z: Waves) -> Sloped:
    (sx, cx), (sy, cy), (sz, cz) = x, y, z
    return cx + cy + cz, -sx, -sy, -sz


def _diamond(x: Waves, y: Waves, z: Waves) -> Sloped:
    (sx, cx), (sy, cy), (sz, cz) = x, y, z
    ss, cc, sc, cs = sx * sy, cx * cy, sx * cy, cx * sy
    f = (ss + cc) * sz + (sc + cs) * cz
    fx = (cs - sc) * sz + (cc - ss) * cz
    fy = (sc - cs) * sz + (cc - ss) * cz
    fz = (ss + cc) * cz - (sc + cs) * sz
    return f, fx, fy, fz


_FIELDS: Mapping[str, Callable[[Waves, Waves, Waves], Sloped]] = MappingProxyType(
    {"gyroid": _gyroid, "schwarz_p": _schwarz_p, "diamond": _diamond}
)
