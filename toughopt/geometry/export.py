"""A solid to a file: binary STL, 3MF with units and metadata, OBJ, GLB; the file appears whole or not at all."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toughopt.errors import MeshError
from toughopt.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from toughopt.geometry.solid import Solid

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

#: The metadata names that the 3MF core specification knows; others need a namespace of their own.
_CORE_METADATA = ("Title", "Designer", "Description", "Copyright", "LicenseTerms", "Rating", "CreationDate")
_NAMESPACE = "urn:toughopt:metadata"
#: Edges shorter than this are collapsed before export; the next one is tried where the last left gaps.
_TIDY_MM = (1e-4, 1e-3, 5e-3)
_SAME_VOLUME = 0.01
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same solid gives the same bytes
_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>\n'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>\n'
)


def export(solid: Solid, path: str | Path) -> Path:
    """Write `solid` to `path`, in the format that its ending names: .stl, .3mf, .obj or .glb.

    STL and OBJ carry no units: they are in mm. 3MF says that it is. GLB is in metres with y up, as glTF demands.

    Returns
    -------
    Path
        Where it was written. The file is complete when it appears; on failure there is none.

    Raises
    ------
    MeshError
        If the ending is not one of these.
    OSError
        If the folder cannot be written to.
    """
    target = Path(path)
    encode = _ENCODERS.get(target.suffix.lower())
    if encode is None:
        raise MeshError(f"{target}: no mesh format {target.suffix!r} is known; choose {', '.join(_ENCODERS)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, encode(solid))
    return target


def _stl(solid: Solid) -> bytes:
    vertices, faces = _closed_in_single_precision(solid)
    corners = vertices[faces].astype(np.float32)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    record = np.zeros(len(faces), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    record["normal"] = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
    record["corners"] = corners
    # a binary file must not begin with the word "solid", which marks the text form
    title = ("toughopt " + solid.metadata.get("family", "")).encode("ascii", "replace")[:80].ljust(80)
    return b"".join((title, len(faces).to_bytes(4, "little"), record.tobytes()))


def _3mf(solid: Solid) -> bytes:
    vertices, faces = _closed_in_single_precision(solid)
    points = "".join(f'<vertex x="{x:.9g}" y="{y:.9g}" z="{z:.9g}"/>\n' for x, y, z in vertices.tolist())
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>\n' for a, b, c in faces.tolist())
    model = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<model unit="millimeter" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" '
        f'xmlns:toughopt="{_NAMESPACE}">\n{_metadata(solid.metadata)}'
        f'<resources><object id="1" type="model"><mesh>\n<vertices>\n{points}</vertices>\n'
        f"<triangles>\n{triangles}</triangles>\n</mesh></object></resources>\n"
        '<build><item objectid="1"/></build>\n</model>\n'
    )
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("[Content_Types].xml", _CONTENT_TYPES),
            ("_rels/.rels", _RELATIONS),
            ("3D/3dmodel.model", model),
        ):
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return buffer.getvalue()


def _obj(solid: Solid) -> bytes:
    vertices, faces = _closed_in_single_precision(solid)
    lines = ["# toughopt, lengths in mm"]
    lines += [f"# {_one_line(key)}: {_one_line(value)}" for key, value in solid.metadata.items()]
    lines += [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (faces + 1).tolist()]
    return ("\n".join(lines) + "\n").encode()


def _glb(solid: Solid) -> bytes:
    import trimesh

    vertices, faces = _closed_in_single_precision(solid, unit_mm=1e3)
    metres_y_up = vertices[:, [0, 2, 1]] * (1.0, 1.0, -1.0)
    mesh = trimesh.Trimesh(metres_y_up, faces, process=False, metadata=dict(solid.metadata))
    scene: Any = trimesh.Scene(mesh, metadata=dict(solid.metadata))
    return bytes(scene.export(file_type="glb"))


_ENCODERS: dict[str, Callable[[Solid], bytes]] = {".stl": _stl, ".3mf": _3mf, ".obj": _obj, ".glb": _glb}


def _closed_in_single_precision(solid: Solid, unit_mm: float = 1.0) -> tuple[FloatArray, IntArray]:
    """The surface as readers that keep float32 see it, in units of `unit_mm`, with slivers removed as far as it takes
    to be closed there as well."""
    for tidy_mm in _TIDY_MM:
        tidied = solid.manifold.simplify(tidy_mm)
        if tidied.is_empty():
            break
        vertices, faces = replace(solid, manifold=tidied).arrays()
        vertices, faces = in_single_precision(vertices / unit_mm, faces)
        same = abs(_volume(vertices, faces) * unit_mm**3 / solid.volume_mm3 - 1.0) < _SAME_VOLUME
        if same and _closed(faces, len(vertices)):
            return vertices, faces
    raise MeshError(
        "the solid has details finer than single precision can tell apart at its size; "
        "move it to the origin, or remove them"
    )


def _volume(vertices: FloatArray, faces: IntArray) -> float:
    a, b, c = (vertices[faces[:, i]] - vertices[0] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6.0


def _closed(faces: IntArray, vertex_count: int) -> bool:
    """Whether as many faces run along each edge in one sense as in the other: two where bodies do not touch there."""
    start, end = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    there, back = start * vertex_count + end, end * vertex_count + start
    return np.array_equal(np.sort(there), np.sort(back))


def in_single_precision(vertices: FloatArray, faces: IntArray) -> tuple[FloatArray, IntArray]:
    """The same surface with every coordinate a float32, vertices that fall together made one, and no sliver left
    whose corners fell together: what readers of STL see, closed as before."""
    rounded = np.ascontiguousarray(vertices.astype(np.float32) + np.float32(0.0))  # -0 and 0 are one number
    unique, index = np.unique(rounded, axis=0, return_inverse=True)
    merged = index.reshape(-1)[faces]
    a, b, c = merged.T
    return unique.astype(np.float64), merged[(a != b) & (b != c) & (c != a)]


def _metadata(entries: Mapping[str, str]) -> str:
    named = {"Application": "toughopt", **entries}
    return "".join(
        f'<metadata name="{escape(_qualified(key))}">{escape(value)}</metadata>\n' for key, value in named.items()
    )


def _qualified(key: str) -> str:
    return key if key in (*_CORE_METADATA, "Application") else f"toughopt:{key}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
