"""Any mesh file to a solid in mm: STL, 3MF, OBJ, PLY, OFF or GLB; repaired where that is safe."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import MeshError
from toughopt.geometry.repair import Surface, repaired
from toughopt.geometry.solid import Solid, gathered, manifold_from
from toughopt.geometry.stl import binary_corners, what_is_wrong

if TYPE_CHECKING:
    from manifold3d import Manifold
    from numpy.typing import NDArray

#: What the readers raise on files that are not what their name says.
_UNREADABLE = (
    ImportError,  # what a reader needs only for files that are not what they say
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NotImplementedError,
    SyntaxError,
    EOFError,
    struct.error,
    zipfile.BadZipFile,
)
_KNOWN = {".stl": "STL", ".3mf": "3MF", ".obj": "OBJ", ".ply": "PLY", ".off": "OFF", ".glb": "GLB", ".gltf": "glTF"}
_IN_METRES_Y_UP = (".glb", ".gltf")
_MM = {
    "micron": 1e-3,
    "micrometers": 1e-3,
    "millimeter": 1.0,
    "millimeters": 1.0,
    "mm": 1.0,
    "centimeter": 10.0,
    "centimeters": 10.0,
    "cm": 10.0,
    "meter": 1e3,
    "meters": 1e3,
    "m": 1e3,
    "inch": 25.4,
    "inches": 25.4,
    "in": 25.4,
    "foot": 304.8,
    "feet": 304.8,
}


def load_mesh(path: str | Path, *, scale: float = 1.0) -> Solid:
    """The closed body that a mesh file describes, in mm.

    STL, OBJ, PLY and OFF are taken to be in mm; the units of 3MF are honoured; glTF is in metres with y up. Bodies
    that overlap are united. What had to be repaired is told in ``.warnings``.

    Parameters
    ----------
    scale : factor on all lengths, for files in another unit than mm: 25.4 for inches, 1000 for metres

    Raises
    ------
    MeshError
        If the file is missing, is no mesh, or is open in more than small holes: the message says where.
    """
    source = Path(path)
    if not (np.isfinite(scale) and scale > 0.0):
        raise MeshError(f"{source}: scale = {scale} is no factor for lengths; give a positive one, 25.4 for inches")
    if not source.is_file():
        raise MeshError(f"{source}: there is no such file")
    parts = _read(source)
    vertices, faces = _joined(parts)
    if source.suffix.lower() in _IN_METRES_Y_UP:
        vertices = vertices[:, [0, 2, 1]] * (1e3, -1e3, 1e3)
    surface = repaired(vertices * scale, faces, str(source))
    manifold = manifold_from(surface.vertices, surface.faces)
    if manifold.status().name != "NoError":
        raise MeshError(f"{source}: its faces do not close into a body ({manifold.status().name}); export it again")
    manifold, turned = _outside_out(manifold)
    manifold, united = _united(manifold)
    notes = (*surface.notes, *turned, *united, *_doubtful_size(surface))
    return Solid(manifold, {"file": source.name}, tuple(f"{source.name}: {note}" for note in notes))


def _read(source: Path) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    suffix = source.suffix.lower()
    if suffix not in _KNOWN:
        raise MeshError(
            f"{source}: {source.suffix or 'a name without an ending'} is no mesh format that can be read; export it as "
            "STL, 3MF, OBJ, PLY, OFF or GLB"
        )
    if suffix == ".stl" and (corners := binary_corners(source.read_bytes())) is not None:
        return [(corners, np.arange(len(corners)).reshape(-1, 3))]
    import trimesh

    loader: Any = trimesh.load
    meshes, reason = [], "there is not one triangle in it"
    try:
        loaded = loader(str(source), process=False)
        meshes = _flattened(loaded, units=suffix not in _IN_METRES_Y_UP)
    except MeshError as error:
        raise MeshError(f"{source}: {error}") from error
    except _UNREADABLE as error:
        told = "" if isinstance(error, ImportError) else f" ({type(error).__name__}: {error})"
        reason = f"it is damaged, or no {_KNOWN[suffix]} file{told}"
    if not meshes:
        if suffix == ".stl":
            reason = what_is_wrong(source.read_bytes())
        raise MeshError(f"{source}: {reason}; copy or export it again")
    return meshes


def _flattened(loaded: Any, units: bool) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    if not hasattr(loaded, "geometry"):
        return [_arrays(loaded, loaded.units if units else None)] if len(getattr(loaded, "faces", ())) else []
    parts = []
    for node in loaded.graph.nodes_geometry:
        transform, name = loaded.graph[node]
        mesh = loaded.geometry[name]
        if not len(getattr(mesh, "faces", ())):
            continue
        vertices, faces = _arrays(mesh, None)
        vertices = vertices @ transform[:3, :3].T + transform[:3, 3]
        scale = _factor(loaded.units or mesh.units) if units else 1.0
        mirrored = np.linalg.det(transform[:3, :3]) < 0
        parts.append((vertices * scale, faces[:, ::-1] if mirrored else faces))
    return parts


def _arrays(mesh: Any, units: str | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return np.array(mesh.vertices, dtype=np.float64) * _factor(units), np.array(mesh.faces, dtype=np.int64)


def _factor(units: str | None) -> float:
    """To mm; a file that names no unit is in mm."""
    if units is None:
        return 1.0
    if units.lower() not in _MM:
        raise MeshError(f"its unit {units!r} is none that is known; export the mesh again in millimetres")
    return _MM[units.lower()]


def _joined(
    parts: list[tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    faces = [part_faces + start for (_, part_faces), start in zip(parts, starts[:-1], strict=True)]
    return np.concatenate([vertices for vertices, _ in parts]), np.concatenate(faces)


def _outside_out(manifold: Manifold) -> tuple[Manifold, tuple[str, ...]]:
    """Bodies whose faces all look inwards, turned; a surface that lies in another body is its cavity, and stays."""
    parts = manifold.decompose()
    notes: tuple[str, ...] = ()
    if parts and max(parts, key=lambda part: abs(part.volume())).volume() < 0.0:
        parts, notes = [_turned(part) for part in parts], ("the surface was inside out, and was turned",)
    bodies = [part for part in parts if part.volume() > 0.0]
    cavities: list[Manifold] = []
    lost: list[Manifold] = []
    for part in parts:
        if part.volume() < 0.0:
            inside = any(_holds(body, _turned(part)) for body in bodies)
            (cavities if inside else lost).append(part)
    if lost:
        notes = (*notes, f"{len(lost)} of {len(parts)} bodies were inside out, and were turned")
    if not notes:
        return manifold, ()
    return gathered([*bodies, *(_turned(part) for part in lost), *cavities]), notes


def _turned(body: Manifold) -> Manifold:
    mesh = body.to_mesh64()
    return manifold_from(np.array(mesh.vert_properties)[:, :3], np.array(mesh.tri_verts)[:, ::-1])


def _holds(body: Manifold, other: Manifold) -> bool:
    volume = float(other.volume())
    return float((body ^ other).volume()) >= volume * (1.0 - 1e-6)


def _united(manifold: Manifold) -> tuple[Manifold, tuple[str, ...]]:
    """Bodies that overlap, made one; those that lie apart, and cavities, stay as they are."""
    from toughopt.geometry.solid import combine

    bodies = [body.manifold for body in Solid(manifold).bodies()]
    if len(bodies) == 1:
        return manifold, ()
    whole = combine(bodies, "add")
    shared = float(manifold.volume()) - float(whole.volume())
    if shared <= 1e-6 * float(manifold.volume()):
        return manifold, (f"it holds {len(bodies)} separate bodies",)
    return whole, (f"{len(bodies)} bodies that share {shared:.3g} mm3 were united",)


def _doubtful_size(surface: Surface) -> tuple[str, ...]:
    size = np.ptp(surface.vertices, axis=0)
    if size.max() < 1.0:
        return (f"it is only {size.max():.3g} mm large; was it drawn in metres (scale it by 1000) or inches (25.4)?",)
    return ()
