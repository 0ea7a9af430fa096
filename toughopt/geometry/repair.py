"""Triangles as people export them, made into a closed surface where that is safe, with a word on each repair."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import MeshError
from toughopt.geometry.solid import distinct_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

#: Corners closer than this are one corner: below the resolution of any printer, above the rounding of text formats.
WELD_MM = 1e-3
#: A hole whose rim fits into a ball of this diameter can be filled in only one sensible way.
SMALL_HOLE_MM = 0.5


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles and what was done to them.

    vertices : (v, 3) float, mm
    faces : (f, 3) int
    notes : one sentence a repair
    """

    vertices: FloatArray
    faces: IntArray
    notes: tuple[str, ...] = ()

    def noted(self, faces: IntArray, note: str) -> Surface:
        """The same surface with other faces, and why."""
        return replace(self, faces=faces, notes=(*self.notes, note))


def repaired(vertices: FloatArray, faces: IntArray, what: str) -> Surface:
    """A closed surface with consistent faces; which of its sides is the outside is not asked here.

    Corners that coincide are welded, faces without area or given twice dropped, small holes filled, faces turned that
    disagree with their neighbours. Each repair but the welding of equal corners is noted.

    Parameters
    ----------
    vertices : (v, 3) float, mm
    faces : (f, 3) int
    what : how to call the mesh in messages

    Raises
    ------
    MeshError
        If the surface stays open (the message says where), or is no surface at all.
    """
    if not len(faces):
        raise MeshError(f"{what}: there is not one triangle in it")
    if not np.isfinite(vertices).all():
        row = int(np.argmin(np.isfinite(vertices).all(axis=1)))
        raise MeshError(f"{what}: corner {row} is {vertices[row].tolist()}; export the mesh again")
    surface = _cleaned(_welded(Surface(vertices, faces), 0.0))
    if len(_open_edges(surface.faces)):
        closer = _cleaned(_welded(surface, WELD_MM))
        if len(_open_edges(closer.faces)) < len(_open_edges(surface.faces)):
            surface = closer.noted(closer.faces, f"corners up to {WELD_MM:g} mm apart were welded")
    surface = _holes_filled(_consistent(surface, what), what)
    if not _paired(surface.faces):
        crowded = _crowded_place(surface)
        raise MeshError(
            f"{what}: more than two faces meet at one edge near {_place(crowded)}; "
            "unite its bodies where it was drawn, and export again"
        )
    return surface


def open_loops(faces: IntArray) -> list[IntArray]:
    """The rims of the holes: chains of corners, each along edges that have a face on one side only."""
    edges = _open_edges(faces)
    following: dict[int, list[int]] = {}
    for a, b in edges.tolist():
        following.setdefault(b, []).append(a)  # against the face's own sense: the sense of the missing one
    loops = []
    while following:
        start = next(iter(following))
        loop, corner = [], start
        while corner in following:
            loop.append(corner)
            nexts = following[corner]
            corner_next = nexts.pop()
            if not nexts:
                del following[corner]
            corner = corner_next
            if corner == start:
                break
        loops.append(np.array(loop))
    return loops


def _welded(surface: Surface, tolerance: float) -> Surface:
    keys = surface.vertices + 0.0 if tolerance == 0.0 else np.round(surface.vertices / tolerance) + 0.0
    first, index = distinct_rows(keys)
    return replace(surface, vertices=surface.vertices[first], faces=index[surface.faces])


def _cleaned(surface: Surface) -> Surface:
    a, b, c = surface.faces.T
    kept = surface.faces[(a != b) & (b != c) & (c != a)]
    dropped = len(surface.faces) - len(kept)
    if dropped:
        surface = surface.noted(kept, f"{_count(dropped, 'face')} without area dropped")
    first, _ = distinct_rows(np.sort(kept, axis=1).astype(np.float64))
    if len(first) < len(kept):
        extra = len(kept) - len(first)
        surface = surface.noted(kept[first], f"{_count(extra, 'face')} given more than once dropped")
    return surface


def _consistent(surface: Surface, what: str) -> Surface:
    """Neighbouring faces run in opposite senses along their common edge."""
    if _sense_clashes(surface.faces):
        import trimesh

        mesh: Any = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
        fix_winding: Any = trimesh.repair.fix_winding
        fix_winding(mesh)
        faces = np.array(mesh.faces, dtype=np.int64)
        if _sense_clashes(faces):
            raise MeshError(f"{what}: its faces cannot be given one outside; it may be a Moebius strip")
        turned = int((faces != surface.faces).any(axis=1).sum())
        surface = surface.noted(faces, f"{_count(turned, 'face')} turned to agree with the others")
    return surface


def _holes_filled(surface: Surface, what: str) -> Surface:
    loops = open_loops(surface.faces)
    if not loops:
        return surface
    sizes = [float(np.ptp(surface.vertices[loop], axis=0).max()) for loop in loops]
    worst = int(np.argmax(sizes))
    if sizes[worst] > SMALL_HOLE_MM:
        centre = surface.vertices[loops[worst]].mean(axis=0)
        others = f", and {_count(len(loops) - 1, 'more hole')}" if len(loops) > 1 else ""
        raise MeshError(
            f"{what}: the surface is open near {_place(centre)}: a hole {sizes[worst]:.3g} mm wide with "
            f"{len(loops[worst])} edges{others}; close it where it was drawn, and export again"
        )
    fans = [np.column_stack([np.full(len(loop) - 2, loop[0]), loop[1:-1], loop[2:]]) for loop in loops if len(loop) > 2]
    faces = np.concatenate([surface.faces, *fans])
    return surface.noted(faces, f"{_count(len(loops), 'hole')} of up to {max(sizes):.2g} mm filled")


def _directed(faces: IntArray) -> IntArray:
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def _keys(edges: IntArray) -> IntArray:
    """(e,) int: one number an edge."""
    keys: IntArray = edges[:, 0] * (int(edges.max(initial=0)) + 1) + edges[:, 1]
    return keys


def _open_edges(faces: IntArray) -> IntArray:
    edges = _directed(faces)
    _, inverse, times = np.unique(_keys(np.sort(edges, axis=1)), return_inverse=True, return_counts=True)
    lonely: IntArray = edges[times[inverse] == 1]
    return lonely


def _sense_clashes(faces: IntArray) -> bool:
    edges = _directed(faces)
    _, times = np.unique(_keys(edges), return_counts=True)
    _, both = np.unique(_keys(np.sort(edges, axis=1)), return_counts=True)
    return bool((both <= 2).all() and (times > 1).any())


def _paired(faces: IntArray) -> bool:
    edges = _directed(faces)
    return np.array_equal(np.sort(_keys(edges)), np.sort(_keys(edges[:, ::-1])))


def _crowded_place(surface: Surface) -> FloatArray:
    edges = np.sort(_directed(surface.faces), axis=1)
    _, first, times = np.unique(_keys(edges), return_index=True, return_counts=True)
    place: FloatArray = surface.vertices[edges[first[np.argmax(times)]]].mean(axis=0)
    return place


def _place(point: FloatArray) -> str:
    return "({:.2f}, {:.2f}, {:.2f}) mm".format(*point)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
