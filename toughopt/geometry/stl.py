"""Binary STL, read without a copy; and what is wrong with an STL file that nobody can read."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER = 84  # bytes, the number of triangles in the last four
_FACE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_BELIEVABLE = 1000  # times as many triangles as there is room for: more were never there, the number is noise


def binary_corners(data: bytes) -> NDArray[np.float64] | None:
    """(3 f, 3) float: the corners of all faces, or None where this is no binary STL that is as long as it says."""
    count = _count(data)
    if not count or len(data) != _size(count):
        return None
    faces = np.frombuffer(data, _FACE, count, _HEADER)
    return faces["corners"].reshape(-1, 3).astype(np.float64)


def what_is_wrong(data: bytes) -> str:
    """Why a file that is called .stl holds no readable triangle, ready to follow its name."""
    if not data:
        return "the file is empty"
    text = data.lower()
    if text.lstrip().startswith(b"solid") and b"facet" in text[:1024]:
        whole = text.count(b"endfacet")
        if b"endsolid" in text:
            return f"its text says what no STL says; {whole} triangles could be made out"
        return f"the file ends after {whole} triangles, without the 'endsolid' of a text STL"
    count, room = _count(data), max(len(data) - _HEADER, 0) // _FACE.itemsize
    if count is None or count > _BELIEVABLE * (room + 1):
        return "it is no STL: no text that begins with 'solid', and no binary file as long as its triangles would be"
    if not count:
        return "there is not one triangle in it"
    if len(data) < _size(count):
        return f"the file ends after {room} of {count} triangles"
    return f"the file is {len(data) - _size(count)} bytes longer than its {count} triangles"


def _count(data: bytes) -> int | None:
    """The triangles that a binary STL says it has; None where there is no room for the number."""
    return int(struct.unpack_from("<I", data, _HEADER - 4)[0]) if len(data) >= _HEADER else None


def _size(count: int) -> int:
    return _HEADER + count * _FACE.itemsize
