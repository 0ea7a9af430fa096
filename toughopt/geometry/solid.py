"""A closed body in mm: a frozen value around `manifold3d.Manifold`, with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from toughopt.errors import MeshError

if TYPE_CHECKING:
    from manifold3d import CrossSection, Manifold
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

#: Less than this share of a body is the dust of cuts along its own faces.
_DUST = 1e-9
#: What the status words of manifold3d mean, in words that help.
_STATUS = {
    "NotManifold": "its faces do not close: some edge does not join exactly two faces that run in opposite senses",
    "NonFiniteVertex": "a vertex is NaN or infinite",
    "VertexOutOfBounds": "a face names a vertex that is not there",
}


@dataclass(frozen=True, slots=True)
class Solid:
    """A closed body; lengths in mm.

    manifold : manifold3d.Manifold, closed and orientated by construction
    metadata : what made it, as text (family, design, version, file, ...)
    warnings : what was repaired or supposed on the way here, one sentence each
    """

    manifold: Manifold
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        status = self.manifold.status().name
        if status != "NoError":
            raise MeshError(f"this is no solid: {_STATUS.get(status, status)}")
        if self.manifold.is_empty():
            raise MeshError("the solid is empty: nothing is left of it")
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    @property
    def volume_mm3(self) -> float:
        """Volume of the material, mm3."""
        return float(self.manifold.volume())

    @property
    def area_mm2(self) -> float:
        """Area of the whole surface, mm2."""
        return float(self.manifold.surface_area())

    @property
    def bounds_mm(self) -> FloatArray:
        """(2, 3) float: lowest and highest corner of the bounding box, mm."""
        return np.array(self.manifold.bounding_box(), dtype=float).reshape(2, 3)

    @property
    def triangle_count(self) -> int:
        """How many triangles bound it."""
        return int(self.manifold.num_tri())

    def cross_section(self, z_mm: float) -> CrossSection:
        """The section by the plane z = `z_mm`; empty above and below the body."""
        return self.manifold.slice(float(z_mm))

    def arrays(self) -> tuple[FloatArray, IntArray]:
        """``vertices : (v, 3) float, mm`` and ``faces : (f, 3) int``, counter-clockwise seen from outside."""
        mesh = self.manifold.to_mesh64()
        vertices = np.array(mesh.vert_properties, dtype=np.float64)[:, :3]
        return vertices, np.array(mesh.tri_verts, dtype=np.int64)

    def bodies(self) -> tuple[Solid, ...]:
        """The separate bodies, largest first; a cavity stays with the body around it."""
        parts = self.manifold.decompose()
        if len(parts) == 1:
            return (self,)
        return tuple(replace(self, manifold=part) for part in _with_their_cavities(parts))

    def translated(self, x_mm: float = 0.0, y_mm: float = 0.0, z_mm: float = 0.0) -> Solid:
        """The same body, moved."""
        return replace(self, manifold=self.manifold.translate((x_mm, y_mm, z_mm)))

    def rotated(self, x_deg: float = 0.0, y_deg: float = 0.0, z_deg: float = 0.0) -> Solid:
        """The same body, turned about the x, then the y, then the z axis, in degrees."""
        return replace(self, manifold=self.manifold.rotate((x_deg, y_deg, z_deg)))

    def mirrored(self, normal: tuple[float, float, float]) -> Solid:
        """Its image in the plane through the origin with that normal."""
        return replace(self, manifold=self.manifold.mirror(normal))

    def on_bed(self) -> Solid:
        """The same body, centred over the origin, with its lowest point at z = 0."""
        (x0, y0, z0), (x1, y1, _) = self.bounds_mm
        return self.translated(-(x0 + x1) / 2, -(y0 + y1) / 2, -z0)

    def with_metadata(self, **more: str) -> Solid:
        """The same body, with these entries added to its metadata."""
        return replace(self, metadata={**self.metadata, **more})

    def to_trimesh(self) -> Any:
        """The same surface as a `trimesh.Trimesh`, vertex for vertex (nothing merged or processed)."""
        import trimesh

        vertices, faces = self.arrays()
        return trimesh.Trimesh(vertices=vertices, faces=faces, process=False, metadata=dict(self.metadata))

    def __reduce__(self) -> tuple[Any, ...]:
        vertices, faces = self.arrays()
        return from_arrays, (vertices, faces, dict(self.metadata), self.warnings)


def from_arrays(
    vertices: ArrayLike, faces: ArrayLike, metadata: Mapping[str, str] | None = None, warnings: tuple[str, ...] = ()
) -> Solid:
    """A solid from the triangles of its surface.

    Parameters
    ----------
    vertices : (v, 3) float, mm
    faces : (f, 3) int, counter-clockwise seen from outside

    Raises
    ------
    MeshError
        If the surface is not closed, holds NaN, or encloses nothing.
    """
    return Solid(manifold_from(vertices, faces), metadata or {}, warnings)


def manifold_from(vertices: ArrayLike, faces: ArrayLike) -> Manifold:
    """The bare manifold3d object of these triangles, in double precision."""
    from manifold3d import Manifold, Mesh64

    points = np.ascontiguousarray(vertices, dtype=np.float64)
    triangles = np.ascontiguousarray(faces, dtype=np.uint64)
    if not np.isfinite(points).all():
        raise MeshError(f"vertex {int(np.argmin(np.isfinite(points).all(axis=1)))} of the mesh is NaN or infinite")
    mesh = Mesh64(points, triangles)
    del points, triangles  # large meshes are held twice as it is
    return Manifold(mesh)


def distinct_rows(rows: FloatArray) -> tuple[IntArray, IntArray]:
    """(k,) int: the first of each set of equal rows, in their order; and (n,) int: to which set each row belongs."""
    order = np.lexsort(rows.T)
    ordered = rows[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = order[new]  # the sort is stable
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    index = np.empty(len(rows), dtype=np.int64)
    index[order] = rank[np.cumsum(new) - 1]
    return np.sort(first), index


def combine(
    solids: Sequence[Manifold], operation: Literal["add", "subtract", "intersect"], tidy_mm: float = 0.0
) -> Manifold:
    """All of `solids` united or intersected at once, or all the others taken from the first.

    `tidy_mm` > 0 removes edges and slivers shorter than that afterwards; no surface moves by more.
    """
    from manifold3d import Manifold, OpType

    kind = {"add": OpType.Add, "subtract": OpType.Subtract, "intersect": OpType.Intersect}[operation]
    result = Manifold.batch_boolean(list(solids), kind)
    return result.simplify(tidy_mm) if tidy_mm > 0.0 else result


def main_body(solid: Solid, cause: str) -> Solid:
    """The largest body of a solid; the others are dropped, with a warning that names what cut them off."""
    main, *crumbs = solid.bodies()
    if not crumbs:
        return solid
    lost = sum(crumb.volume_mm3 for crumb in crumbs)
    if lost < _DUST * main.volume_mm3:
        return main
    pieces = "1 piece" if len(crumbs) == 1 else f"{len(crumbs)} pieces"
    note = f"{pieces} ({lost:.3g} mm3 in all) that {cause} cut off the rest left out"
    return replace(main, warnings=(*solid.warnings, note))


def gathered(parts: Sequence[Manifold]) -> Manifold:
    """Surfaces that do not touch, as one object: no boolean is done. Cavities keep their inward surface."""
    meshes = [part.to_mesh64() for part in parts]
    vertices = [np.array(mesh.vert_properties, dtype=np.float64)[:, :3] for mesh in meshes]
    starts = np.cumsum([0, *(len(points) for points in vertices)])
    faces = [np.array(mesh.tri_verts, dtype=np.int64) + start for mesh, start in zip(meshes, starts[:-1], strict=True)]
    return manifold_from(np.concatenate(vertices), np.concatenate(faces))


def _with_their_cavities(parts: Sequence[Manifold]) -> list[Manifold]:
    solid = sorted((part for part in parts if part.volume() > 0), key=lambda part: -float(part.volume()))
    owned: list[list[Manifold]] = [[part] for part in solid]
    for cavity in (part for part in parts if part.volume() <= 0):
        # the smallest body whose box holds the cavity's box: shells nest, so boxes nest
        inner = np.array(cavity.bounding_box())
        for group in reversed(owned):
            outer = np.array(group[0].bounding_box())
            if (outer[:3] <= inner[:3]).all() and (outer[3:] >= inner[3:]).all():
                group.append(cavity)
                break
    return [group[0] if len(group) == 1 else gathered(group) for group in owned]
