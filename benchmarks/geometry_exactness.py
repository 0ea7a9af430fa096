"""How exact meshes are: every design's volume and box without its mesh, against the mesh.

    python benchmarks/geometry_exactness.py FILE     the figures of the rows in FILE, one line a family

`benchmarks/geometry.py --only exactness` measures the rows.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from toughopt.families import Family
from toughopt.families.lobes import shape, shape_slope
from toughopt.families.shell_mesh import ShellSurface
from toughopt.families.strut_lattice import lattice_segments
from toughopt.geometry import Solid
from toughopt.geometry.intersections import self_intersections

#: Each family, or the family and how it is made, by the name of its rows.
SUBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "crossed_barrel": ("crossed_barrel", {}),
    "cylindrical_shell": ("cylindrical_shell", {}),
    "cylindrical_shell wall=solid": ("cylindrical_shell", {"wall": "solid"}),
    "strut_lattice": ("strut_lattice", {}),
    "tpms_shell": ("tpms_shell", {}),
}
#: Faces are looked at for self-intersections in one of so many designs.
INTERSECTIONS_EVERY = 10


def examined(made: Family, design: dict[str, Any], place: int) -> dict[str, Any]:
    """One design's mesh: its faults, its volume's error, its cost."""
    start = time.process_time()
    solid = made.solid(design)
    volume = solid.volume_mm3  # forces the lazy boolean
    seconds = time.process_time() - start
    values = {**made.fixed, **design}
    box, tolerance = specified_box(values)
    row = {
        "place": place,
        "watertight": watertight(solid),
        "bodies": len(solid.bodies()),
        "left_out": len(solid.warnings),
        "box_error_mm": float(np.abs(solid.bounds_mm - box).max()),
        "box_right": bool(np.abs(solid.bounds_mm[:, 2] - box[:, 2]).max() < 1e-6)
        and bool(np.abs(solid.bounds_mm - box).max() <= tolerance),
        "error": abs(volume / estimate(made, design, values) - 1.0),
        "cpu_s": seconds,
        "triangles": solid.triangle_count,
    }
    if place % INTERSECTIONS_EVERY == 0:
        row["intersections"] = len(self_intersections(*solid.arrays())[0])
    return row


def digest(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Figures of one subject."""
    if not rows:
        return {"designs": 0}
    looked_at = [row["intersections"] for row in rows if "intersections" in row]
    return {
        "designs": len(rows),
        "not_watertight": sum(not row["watertight"] for row in rows),
        "not_one_body": sum(row["bodies"] != 1 for row in rows),
        "box_wrong": sum(not row["box_right"] for row in rows),
        "box_error_mm_max": max(row["box_error_mm"] for row in rows),
        "volume_error_max": max(row["error"] for row in rows),
        "volume_error_above_half_a_per_cent": sum(row["error"] > 5e-3 for row in rows),
        "volume_error_median": statistics.median(row["error"] for row in rows),
        "looked_at_for_self_intersections": len(looked_at),
        "self_intersecting": sum(count > 0 for count in looked_at),
        "with_pieces_left_out": sum(row["left_out"] > 0 for row in rows),
        "cpu_seconds_median": statistics.median(row["cpu_s"] for row in rows),
        "cpu_seconds_max": max(row["cpu_s"] for row in rows),
        "triangles_median": statistics.median(row["triangles"] for row in rows),
        "triangles_max": max(row["triangles"] for row in rows),
    }


def watertight(solid: Solid) -> bool:
    """Whether each edge joins exactly two faces of opposite sense, in the arrays that are exported."""
    vertices, faces = solid.arrays()
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    key = np.sort(edges[:, 0] * len(vertices) + edges[:, 1])
    back = np.sort(edges[:, 1] * len(vertices) + edges[:, 0])
    return bool((key[1:] != key[:-1]).all()) and np.array_equal(key, back)


def specified_box(values: dict[str, Any]) -> tuple[np.ndarray, float]:
    """(2, 3) corners of the box that a design asks for, and how far round sides may be from it, mm."""
    if "platform_radius" in values:
        side, tolerance = values["platform_radius"], values["chord_error"]
        return np.array([[-side, -side, 0.0], [side, side, values["height"]]]), tolerance
    if "width" in values:
        side = values["width"] / 2.0
        return np.array([[-side, -side, 0.0], [side, side, values["height"]]]), 1e-6
    surface = ShellSurface.of(values)
    phi = 2.0 * np.pi * np.arange(1000) / 1000
    radius = surface.radius(phi, np.linspace(0.0, 1.0, 601))
    across = [radius * np.cos(phi), radius * np.sin(phi)]
    low, high = [float(part.min()) for part in across], [float(part.max()) for part in across]
    return np.array([[*low, 0.0], [*high, values["height"]]]), values["chord_error"]


def estimate(made: Family, design: dict[str, Any], values: dict[str, Any]) -> float:
    """The volume of a design without its mesh."""
    if "platform_radius" in values or values.get("wall") == "vase":
        row = made.features({name: np.array([value]) for name, value in design.items()})[0]
        names = list(made.feature_names)
        return float(row[names.index("volume_mm3" if "volume_mm3" in names else "enclosed_volume_mm3")])
    if "wall" in values:
        return wall_volume(values)
    return sampled_wall(values) if "surface" in values else sampled(values)


def wall_volume(values: dict[str, Any]) -> float:
    """Volume of a shell's wall: what in each section lies within its thickness of the outer curve.

    From each point p of the curve the wall reaches inwards along the normal n by its thickness, or to where another
    point q of the curve is as near: |q - p|^2 / (2 n (q - p)). The integral of (e - k e^2 / 2) ds over the curve, with
    reach e and curvature k, is the area; Gauss-Legendre's rule over the height makes it a volume.
    """
    surface, thickness = ShellSurface.of(values), values["thickness"]
    nodes, weights = np.polynomial.legendre.leggauss(20)
    count = 400  # around half a lobe's two neighbours and itself
    psi = np.pi / 4.0 * (np.arange(-count, 2 * count) + 0.5) / count
    step = np.pi / 4.0 / count
    total = 0.0
    for node, weight in zip(nodes, weights, strict=True):
        r0, c4, c8 = (float(part[0]) for part in surface.lobes(np.array([0.5 * (node + 1.0)])))
        r, r1 = r0 * shape(psi, c4, c8), r0 * shape_slope(psi, c4, c8)
        r2 = r0 * (-16.0 * c4 * np.cos(4.0 * psi) - 64.0 * c8 * np.cos(8.0 * psi))
        speed = np.hypot(r, r1)
        bend = (r**2 + 2.0 * r1**2 - r * r2) / speed**3
        point = np.stack([r * np.cos(psi), r * np.sin(psi)], axis=-1)
        tangent = np.stack([r1 * np.cos(psi) - r * np.sin(psi), r1 * np.sin(psi) + r * np.cos(psi)], axis=-1)
        inward = np.stack([-tangent[:, 1], tangent[:, 0]], axis=-1) / speed[:, None]
        own = slice(count, 2 * count)
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = point[None, ::4] - point[own, None]
            towards = (apart * inward[own, None]).sum(axis=-1)
            other = np.where(towards > 1e-12, (apart**2).sum(axis=-1) / (2.0 * towards), np.inf)
            curved = np.where(bend[own] > 0.0, 1.0 / bend[own], np.inf)
        reach = np.minimum(np.minimum(other.min(axis=1), curved), thickness)
        area = 8.0 * step * float(((reach - 0.5 * bend[own] * reach**2) * speed[own]).sum())
        total += 0.5 * weight * area
    return total * float(values["height"])


def sampled_wall(values: dict[str, Any]) -> float:
    """Stratified sampling of a minimal surface's wall in a box: one column of its cells, which are all alike."""
    sin, cos = np.sin, np.cos
    size, core = values["width"] / values["cells"], values["height"] - 2.0 * values["plate"]
    wave = 2.0 * np.pi / size
    across, high = 140, int(140 * core / size)
    rng = np.random.default_rng(0)
    share = 0.0
    for level in range(high):
        # one point in each cell of the grid, in line along rows and columns: sines for each line, not each point
        x = wave * size * (np.arange(across) + rng.random(across))[:, None] / across
        y = wave * size * (np.arange(across) + rng.random(across)) / across
        height = (level + rng.random()) / high * core
        z = wave * height
        if values["surface"] == "gyroid":
            field = sin(x) * cos(y) + sin(y) * cos(z) + sin(z) * cos(x)
            slope = (
                cos(x) * cos(y) - sin(z) * sin(x),
                cos(y) * cos(z) - sin(x) * sin(y),
                cos(z) * cos(x) - sin(y) * sin(z),
            )
        elif values["surface"] == "schwarz_p":
            field, slope = cos(x) + cos(y) + cos(z), (sin(x), sin(y), sin(z))
        else:  # the diamond, as the sum of two products
            less, more = cos(x) * cos(y) + sin(x) * sin(y), cos(x) * cos(y) - sin(x) * sin(y)
            turned, turning = sin(x) * cos(y) - cos(x) * sin(y), sin(x) * cos(y) + cos(x) * sin(y)
            field = sin(z) * less + cos(z) * turning
            slope = (
                cos(z) * more - sin(z) * turned,
                cos(z) * more + sin(z) * turned,
                cos(z) * less - sin(z) * turning,
            )
        steepness = wave * np.sqrt(slope[0] ** 2 + slope[1] ** 2 + slope[2] ** 2)
        half = 0.5 * values["thickness"] * (1.0 + (values["grading"] - 1.0) * height / core)
        share += float((np.abs(field) <= half * np.maximum(steepness, 1e-3 * wave)).mean()) / high
    return (share * core + 2.0 * values["plate"]) * values["width"] ** 2


def sampled(values: dict[str, Any]) -> float:
    """Stratified sampling of the analytic inside of a lattice in a box."""
    low = np.array([-values["width"] / 2, -values["width"] / 2, values["plate"]])
    high = np.array([values["width"] / 2, values["width"] / 2, values["height"] - values["plate"]])
    cells = 80
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 3)
    points = low + (grid + rng.random(grid.shape)) / cells * (high - low)
    inside = np.zeros((cells,) * 3, dtype=bool)
    points = points.reshape(cells, cells, cells, 3)
    slope = (values["grading"] - 1.0) / (high[2] - low[2])
    for a, b in zip(*lattice_segments(values), strict=True):
        reach = 1.1 * values["radius"] * max(values["grading"], 1.0)
        first = np.clip(np.floor((np.minimum(a, b) - reach - low) / (high - low) * cells), 0, cells).astype(int)
        last = np.clip(np.ceil((np.maximum(a, b) + reach - low) / (high - low) * cells), 0, cells).astype(int)
        box = tuple(slice(*pair) for pair in zip(first, last, strict=True))
        some = points[box]
        share = np.clip((some - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
        nearest = a + share[..., None] * (b - a)
        radius = values["radius"] * (1.0 + slope * (nearest[..., 2] - low[2]))
        inside[box] |= ((some - nearest) ** 2).sum(axis=-1) <= radius**2
    core = float(inside.mean() * np.prod(high - low))
    return core + 2.0 * values["plate"] * values["width"] ** 2


def main() -> None:
    """Print the figures of a file of rows."""
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    for name in SUBJECTS:
        print(json.dumps({"family": name, **digest([row for row in rows if row["family"] == name])}))


if __name__ == "__main__":
    main()
