"""A lattice of round struts: BCC, FCC, octet or Kelvin cells, thicker or thinner towards the top."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toughopt.families.base import Parameter
from toughopt.families.envelope import ENVELOPE, core_height, cross_area, in_envelope
from toughopt.families.parametric import Fault, ParametricFamily

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.geometry import Solid

    FloatArray = NDArray[np.float64]

_CORNERS = np.array(list(product((0.0, 1.0), repeat=3)))
_CENTRE = np.array([[0.5, 0.5, 0.5]])
_FACES = np.array([np.where(np.arange(3) == axis, side, 0.5) for axis in range(3) for side in (0.0, 1.0)])
_KELVIN = np.array([p for p in product((-2, -1, 0, 1, 2), repeat=3) if sorted(map(abs, p)) == [0, 1, 2]]) / 4.0 + 0.5


def _struts(first: FloatArray, second: FloatArray, length: float) -> FloatArray:
    """(m, 2, 3) float: every pair of points that far apart, once."""
    pairs = [(a, b) for a in first for b in second if abs(np.linalg.norm(a - b) - length) < 1e-9]
    return np.array([pair for pair in pairs if first is not second or tuple(pair[0]) < tuple(pair[1])])


_HALF_DIAGONAL = sqrt(0.5)
_FCC = _struts(_FACES, _CORNERS, _HALF_DIAGONAL)

#: (m, 2, 3) float: struts of one cell, in units of its size.
CELLS: Mapping[str, FloatArray] = MappingProxyType(
    {
        "bcc": _struts(_CENTRE, _CORNERS, sqrt(0.75)),
        "fcc": _FCC,
        "octet": np.concatenate([_FCC, _struts(_FACES, _FACES, _HALF_DIAGONAL)]),
        "kelvin": _struts(_KELVIN, _KELVIN, sqrt(0.125)),
    }
)


_OFF = 0.04  # of the thinnest strut's radius, by which facets may be off
_SPARE = 0.03  # of a quarter's width


class StrutLattice(ParametricFamily):
    """Cells of struts, tiled in a box or cylinder between two plates.

    `cells` of them lie side by side; as many lie on top of each other as come closest to cubes. A strut's radius
    runs linearly from `radius` at the bottom to `radius` times `grading` at the top; joints are balls.
    """

    name = "strut_lattice"
    version = "1"

    chosen: ClassVar[tuple[Parameter, ...]] = (
        Parameter("cell", "categorical", None, None, None, "octet", "", "which cell", tuple(CELLS)),
        Parameter("cells", "integer", 2, 5, 1, 3, "", "cells side by side"),
        Parameter("radius", "real", 0.4, 1.2, None, 0.7, "mm", "of the struts at the bottom"),
        Parameter("grading", "real", 0.5, 2.0, None, 1.0, "", "radius at the top over radius at the bottom"),
    )
    settled: ClassVar[tuple[Parameter, ...]] = (
        *ENVELOPE,
        Parameter("chord_error", "real", 0.001, 0.5, None, 0.05, "mm", "how far the mesh may be from round struts"),
    )
    possible: ClassVar[Mapping[str, tuple[float, float]]] = MappingProxyType(
        {"cells": (1, 20), "radius": (0.1, 20.0), "grading": (0.1, 10.0)}
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
        """Plates that leave no room; struts so thick that they fill their cells."""
        size = columns["width"] / columns["cells"]
        thickest = columns["radius"] * np.maximum(columns["grading"], 1.0)
        yield Fault(
            core_height(columns) <= 0.0,
            lambda d: f"two plates of plate = {d['plate']:g} mm leave no room in a height of {d['height']:g} mm",
        )
        yield Fault(
            2.0 * thickest > 0.5 * size,
            lambda d: (
                f"struts up to {2 * d['radius'] * max(d['grading'], 1.0):.3g} mm thick close cells of "
                f"{d['width'] / d['cells']:.3g} mm; choose a radius up to "
                f"{0.25 * d['width'] / d['cells'] / max(d['grading'], 1.0):.3g} mm, or fewer cells"
            ),
        )

    def describe(self, columns: Mapping[str, Any]) -> Iterator[Any]:
        """Estimates: struts are counted whole, less what they share at the joints (a fifth of their volume at most)."""
        size, core = columns["width"] / columns["cells"], core_height(columns)
        kind = np.asarray(columns["cell"])
        total, longest, lean = np.zeros(kind.shape), np.zeros(kind.shape), np.zeros(kind.shape)
        for name, struts in CELLS.items():
            vectors = struts[:, 1] - struts[:, 0]
            lengths = np.linalg.norm(vectors, axis=1)
            here = kind == name
            total = np.where(here, float((lengths * _share(struts)).sum()), total)
            longest = np.where(here, float(lengths.max()), longest)
            flattest = float(np.degrees(np.arccos(np.clip(np.abs(vectors[:, 2]) / lengths, 0.0, 1.0))).max())
            lean = np.where(here, flattest, lean)
        mean2 = columns["radius"] ** 2 * (1.0 + columns["grading"] + columns["grading"] ** 2) / 3.0
        solidity = np.pi * mean2 * total / size**2
        density = 1.0 - np.exp(-solidity)  # overlaps at joints, as if struts lay at random
        volume = cross_area(columns) * (core * density + 2.0 * columns["plate"])
        slenderness = longest * size / np.sqrt(mean2)
        yield volume * columns["density"] * 1e-3
        yield cross_area(columns) * density
        yield slenderness
        yield 2.0 * columns["radius"] * np.minimum(columns["grading"], 1.0)
        yield lean
        yield density
        yield np.log(slenderness)

    def build(self, values: Mapping[str, Any]) -> Solid:
        """A quarter of one column of cells, with its plates, mirrored into all the others.

        All cells have mirror planes across x and y through their middles, so a quarter meets its image corner for
        corner: the struts and balls of one quarter alone have to be united.
        """
        from manifold3d import Manifold

        from toughopt.geometry import circle_sides, combine, mirrored_tiles, swept_tube

        across, bottom, core = int(values["cells"]), values["plate"], core_height(values)
        half = values["width"] / across / 2.0
        slope = (values["grading"] - 1.0) / core
        starts, ends = _column(values)
        nodes, index = np.unique(np.round(np.concatenate([starts, ends]), 9), axis=0, return_inverse=True)
        index = index.reshape(2, -1)
        radii = values["radius"] * (1.0 + slope * np.clip(nodes[:, 2] - bottom, 0.0, core))
        # joints are a good part of thin struts' volume: their facets may be off by little of the radius
        off = min(values["chord_error"], _OFF * float(radii.min()))
        # chords of a ball err in two directions at once
        unit = Manifold.sphere(1.0, circle_sides(float(radii.max()), 0.5 * off, multiple_of=4))
        grow = float(np.cbrt(4.0 / 3.0 * np.pi / unit.volume()))
        balls = [unit.scale((radius * grow,) * 3).translate(tuple(at)) for radius, at in zip(radii, nodes, strict=True)]
        struts = [swept_tube(nodes[pair], radii[pair], off) for pair in index.T]
        slab = Manifold.cube((half + 2.0, half + 2.0, bottom)).translate((-1.0, -1.0, 0.0))
        plates = [slab, slab.translate((0.0, 0.0, values["height"] - bottom))] if bottom > 0.0 else []
        room = Manifold.cube((half, half, values["height"]))
        # what lies outside is cut off before the union, which then has less to do; a little wider than the room, so
        # that no two parts end in one plane of it
        spare = _SPARE * half
        near = Manifold.cube((half + 2.0 * spare, half + 2.0 * spare, values["height"] + 2.0))
        near = near.translate((-spare, -spare, -1.0))
        parts = [combine([part, near], "intersect") for part in (*balls, *struts)]
        united = combine([*(part for part in parts if not part.is_empty()), *plates], "add")
        quarter = combine([united, room], "intersect")
        return in_envelope(mirrored_tiles(quarter, half, 2 * across), values)


def _column(values: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
    """(m, 3) float each: the struts that reach into the quarter of the first cell, which lies at x, y = 0."""
    size = values["width"] / values["cells"]
    starts, ends = lattice_segments({**values, "cells": 3, "width": 3.0 * size})
    # three cells side by side are as high as all: the number on top of each other goes by their size
    shift = np.array([0.5 * size, 0.5 * size, 0.0])
    starts, ends = starts + shift, ends + shift
    reach = values["radius"] * max(values["grading"], 1.0)
    near = (np.maximum(starts, ends)[:, :2] > -reach).all(axis=1)
    near &= (np.minimum(starts, ends)[:, :2] < size / 2.0 + reach).all(axis=1)
    return starts[near], ends[near]


def lattice_segments(values: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
    """(m, 3) float each: where the struts of the whole lattice begin and end, mm; each strut once."""
    across = int(values["cells"])
    size, core = values["width"] / across, core_height(values)
    high = max(1, round(core / size))
    corners = np.array(list(product(range(across), range(across), range(high))), dtype=float)
    points = (corners[:, None, None] + CELLS[values["cell"]]).reshape(-1, 3)
    # joints lie on a grid of quarter cells, on which those of neighbours are recognised
    nodes, index = np.unique(np.round(4.0 * points).astype(np.int64), axis=0, return_inverse=True)
    pairs = np.unique(np.sort(index.reshape(-1, 2), axis=1), axis=0)
    place = nodes / 4.0 * (size, size, core / high)
    place -= (values["width"] / 2.0, values["width"] / 2.0, -values["plate"])
    return place[pairs[:, 0]], place[pairs[:, 1]]


def _share(struts: FloatArray) -> FloatArray:
    """(m,) float: how much of each strut is one cell's own, where neighbours have the same one on a face or edge."""
    on_side = (struts[:, 0] == struts[:, 1]) & ((struts[:, 0] == 0.0) | (struts[:, 0] == 1.0))
    share: FloatArray = 0.5 ** on_side.sum(axis=1)
    return share
