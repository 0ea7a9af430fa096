"""Where a layer hangs over air: regions to bridge, and outlines to print slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from manifold3d import CrossSection, JoinType, Manifold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.profiles import PrinterProfile
    from toughopt.slicing.sections import Sections

_SMALLEST_MM2 = 0.2  # smaller overhangs hold by themselves
_COARSE_MM = 0.02  # what is to be bridged need not be known more exactly
_ANCHOR_MM = 0.8  # bridges reach this far onto what carries them


def unsupported(body: Manifold, sections: Sections, profile: PrinterProfile) -> dict[int, CrossSection]:
    """Layer -> region that lies more than half a line beyond the layer below; only layers that have one.

    Layers are looked at only where the surface faces down more steeply than half a line a layer, which is known from
    its triangles.
    """
    half = profile.nozzle.line_width_mm / 2.0
    suspects = _steep_layers(body, sections, half)
    found = {}
    for index in suspects.tolist():
        region = sections.sections[index] - sections.sections[index - 1].offset(half, JoinType.Round)
        region = region.offset(-0.05, JoinType.Round).offset(0.05, JoinType.Round)
        if region.area() > _SMALLEST_MM2:
            found[index] = region
    return found


def bridged(free: dict[int, CrossSection], sections: Sections, profile: PrinterProfile) -> dict[int, CrossSection]:
    """Layer -> region to be filled with bridges: what is free over more than a line, with its anchors."""
    width = profile.nozzle.line_width_mm
    found = {}
    for index, region in free.items():
        core = region.simplify(_COARSE_MM).offset(-width, JoinType.Round)
        if core.area() > _SMALLEST_MM2:
            found[index] = core.offset(2.0 * width + _ANCHOR_MM, JoinType.Round) ^ sections.sections[index]
    return found


def edges_of(region: CrossSection) -> NDArray[np.float64]:
    """(e, 4) float: x and y of both ends of every edge around the region."""
    rims = [np.asarray(contour, dtype=np.float64) for contour in region.to_polygons()]
    if not rims:
        return np.empty((0, 4))
    return np.concatenate([np.column_stack((rim, np.concatenate((rim[1:], rim[:1])))) for rim in rims])


def inside(edges: NDArray[np.float64], points_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) bool: which points lie within these edges, (e, 4) float (even-odd rule)."""
    x, y = points_mm[:, 0], points_mm[:, 1]
    low, high = np.minimum(edges[:, 1], edges[:, 3]), np.maximum(edges[:, 1], edges[:, 3])
    level = (low <= y.max()) & (high >= y.min()) & (np.maximum(edges[:, 0], edges[:, 2]) >= x.min())
    ax, ay, bx, by = edges[level].T
    over = (ay <= y[:, None]) != (by <= y[:, None])
    rise = np.where(by == ay, 1.0, by - ay)
    at = ax + (y[:, None] - ay) / rise * (bx - ax)
    return np.asarray(np.sum(over & (at > x[:, None]), axis=1) % 2 == 1)


def _steep_layers(body: Manifold, sections: Sections, half_line_mm: float) -> NDArray[np.int64]:
    mesh = body.to_mesh64()
    vertex = np.asarray(mesh.vert_properties, dtype=np.float64)[:, :3]
    face = np.asarray(mesh.tri_verts, dtype=np.int64)
    a, b, c = vertex[face[:, 0]], vertex[face[:, 1]], vertex[face[:, 2]]
    u, v = b - a, c - a
    down = u[:, 1] * v[:, 0] - u[:, 0] * v[:, 1]  # twice the area of the shadow of faces that look down
    flat = down > 0.0
    a, b, c, u, v, down = a[flat], b[flat], c[flat], u[flat], v[flat], down[flat]
    side = np.hypot(u[:, 1] * v[:, 2] - u[:, 2] * v[:, 1], u[:, 2] * v[:, 0] - u[:, 0] * v[:, 2])
    floor = float(vertex[:, 2].min())
    steep = down * float(np.max(sections.height_mm)) > side * half_line_mm
    z = np.stack((a[steep, 2], b[steep, 2], c[steep, 2])) - floor
    low, high = z.min(axis=0), z.max(axis=0)
    middle = sections.top_mm - sections.height_mm / 2.0
    first, last = np.searchsorted(middle, low), np.searchsorted(middle, high)
    count = len(middle)
    change = np.zeros(count + 2)
    np.add.at(change, np.minimum(first, count), 1.0)
    np.add.at(change, np.minimum(last, count) + 1, -1.0)
    touched = np.flatnonzero(np.cumsum(change)[:count] > 0)
    return touched[touched > 0]
