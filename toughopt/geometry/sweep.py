"""Closed surfaces swept along paths: stacks of rings, leaning tubes on a helix, tubes along any curve."""

from __future__ import annotations

from math import ceil, radians, sqrt
from typing import TYPE_CHECKING

import numpy as np

from toughopt.geometry.polygons import circle, circle_sides
from toughopt.geometry.solid import manifold_from

if TYPE_CHECKING:
    from manifold3d import Manifold
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]


def lofts(rings: FloatArray) -> tuple[FloatArray, IntArray]:
    """Surfaces through stacks of rings, closed at both ends by a fan about the ring's centre.

    Parameters
    ----------
    rings : (m, levels, sides, 3) float, mm
        m separate stacks; rings counter-clockwise seen from the end of the stack, the first one at its start;
        each ring must be star-shaped about its mean.

    Returns
    -------
    vertices : (v, 3) float, mm
    faces : (f, 3) int
    """
    stacks, levels, sides, _ = rings.shape
    ends = rings[:, [0, -1]].mean(axis=2)
    vertices = np.concatenate([rings.reshape(stacks, levels * sides, 3), ends], axis=1)
    faces = _loft_faces(levels, sides)
    per_stack = levels * sides + 2
    every = faces[None] + per_stack * np.arange(stacks)[:, None, None]
    return vertices.reshape(-1, 3), every.reshape(-1, 3)


def leaning_tubes(
    phases_rad: ArrayLike,
    radius_mm: float,
    *,
    helix_radius_mm: float,
    turn_deg_per_mm: float,
    bottom_mm: float,
    top_mm: float,
    chord_error_mm: float,
) -> Manifold:
    """Tubes whose every horizontal section is the same circle, with its centre on a helix about the z axis.

    Parameters
    ----------
    phases_rad : (m,) float, rad
        Where each helix is at z = 0. The tubes must not touch each other.
    radius_mm : radius of the circle, mm
    helix_radius_mm : distance of its centre from the axis, mm
    turn_deg_per_mm : how fast the helix turns, counter-clockwise positive, degrees per mm of height
    bottom_mm, top_mm : where the tubes begin and end, mm
    chord_error_mm : how far, at most, the surface may be from the true one, measured horizontally, mm

    Notes
    -----
    The polygon moves along the helix without turning, so that its sides sweep plane parallelograms: each piece is an
    oblique prism, and the volume is that of the circle times the height whatever the mesh. The chord error is shared
    between the polygon and the helix, whose chords are centred on the true curve, as it takes the fewest faces.
    """
    phases = np.atleast_1d(np.asarray(phases_rad, dtype=float))
    turn = radians(turn_deg_per_mm) * (top_mm - bottom_mm)
    sides, steps = _tube_grid(radius_mm, abs(turn), helix_radius_mm, chord_error_mm)
    z = np.linspace(bottom_mm, top_mm, steps + 1)
    distance = helix_radius_mm * (1.0 + (turn / steps) ** 2 / 16.0)
    angle = phases[:, None] + radians(turn_deg_per_mm) * z
    centres = distance * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    polygons = np.stack([circle(radius_mm, sides, phase) for phase in phases])
    rings = np.empty((len(phases), len(z), sides, 3))
    rings[..., :2] = centres[:, :, None] + polygons[:, None]
    rings[..., 2] = z[:, None]
    return manifold_from(*lofts(rings))


def _tube_grid(radius: float, turn: float, helix_radius: float, error: float) -> tuple[int, int]:
    """Sides and steps of a leaning tube with the fewest faces whose two errors add up to no more than `error`.

    The corners of a polygon of the circle's area lie outside by two thirds of its chord error; the chords of a helix
    centred on it are off by a sixteenth of its radius times the step squared.
    """
    grids = [
        (
            circle_sides(radius, 1.45 * share * error),
            max(1, ceil(turn / sqrt(16.0 * (1.0 - share) * error / helix_radius))),
        )
        for share in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.999)
    ]
    return min(grids, key=lambda grid: grid[0] * grid[1])


def swept_tube(path_mm: ArrayLike, radius_mm: ArrayLike, chord_error_mm: float) -> Manifold:
    """A tube of circular section perpendicular to a path, in rotation-minimising frames.

    Parameters
    ----------
    path_mm : (n, 3) float, mm, n >= 2, no two neighbours equal
    radius_mm : float or (n,) float, mm; smaller than the path's radius of curvature
    chord_error_mm : bound on the polygon's distance from the circle, mm
    """
    path = np.asarray(path_mm, dtype=float)
    radius = np.broadcast_to(np.asarray(radius_mm, dtype=float), len(path))
    tangent, first, second = rotation_minimising_frames(path)
    unit = circle(1.0, circle_sides(float(radius.max()), chord_error_mm, multiple_of=2))
    offsets = unit[:, 0, None] * first[:, None] + unit[:, 1, None] * second[:, None]
    # at a bend the section lies in the bisecting plane: stretched so that both straight parts keep their radius
    rings = path[:, None] + radius[:, None, None] * _mitred(offsets, path, tangent)
    return manifold_from(*lofts(rings[None]))


def rotation_minimising_frames(path_mm: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Tangent, normal and binormal along a path, turning about the tangent as little as can be.

    Returns
    -------
    three (n, 3) float arrays of unit vectors

    Notes
    -----
    The double reflection method: Wang, Juettler, Zheng and Liu, ACM Transactions on Graphics 27, 2 (2008).
    """
    path = np.asarray(path_mm, dtype=float)
    step = np.diff(path, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    tangent = np.vstack([step[:1], step[:-1] + step[1:], step[-1:]])
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    axis = np.eye(3)[np.argmin(np.abs(tangent[0]))]
    normal = np.empty_like(tangent)
    normal[0] = np.cross(tangent[0], axis)
    normal[0] /= np.linalg.norm(normal[0])
    for i, chord in enumerate(np.diff(path, axis=0)):
        length2 = chord @ chord
        carried = normal[i] - 2.0 * (chord @ normal[i]) / length2 * chord
        turned = tangent[i] - 2.0 * (chord @ tangent[i]) / length2 * chord
        rest = tangent[i + 1] - turned
        size2 = rest @ rest
        normal[i + 1] = carried if size2 < 1e-24 else carried - 2.0 * (rest @ carried) / size2 * rest
    return tangent, normal, np.cross(tangent, normal)


def _mitred(offsets: FloatArray, path: FloatArray, tangent: FloatArray) -> FloatArray:
    step = np.diff(path, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    along = np.vstack([step, step[-1:]])
    cosine = np.einsum("ij,ij->i", along, tangent)
    in_plane = along - cosine[:, None] * tangent
    size = np.linalg.norm(in_plane, axis=1, keepdims=True)
    bend = np.divide(in_plane, size, out=np.zeros_like(in_plane), where=size > 1e-12)
    towards = np.einsum("ijk,ik->ij", offsets, bend)
    stretched: FloatArray = offsets + ((1.0 / cosine - 1.0)[:, None] * towards)[..., None] * bend[:, None]
    return stretched


def _loft_faces(levels: int, sides: int) -> IntArray:
    """Faces of one stack. Diagonals alternate: twisted cells are then, on average, neither too full nor too empty."""
    index = np.arange(levels * sides).reshape(levels, sides)
    low, high = index[:-1], index[1:]
    low_next, high_next = np.roll(low, -1, axis=1), np.roll(high, -1, axis=1)
    odd = ((np.arange(levels - 1)[:, None] + np.arange(sides)) % 2).astype(bool)
    first = np.stack([low, low_next, np.where(odd, high, high_next)], axis=-1)
    second = np.stack([np.where(odd, low_next, low), high_next, high], axis=-1)
    bottom, top = levels * sides, levels * sides + 1
    start, end = index[0], index[-1]
    pieces = [
        first.reshape(-1, 3),
        second.reshape(-1, 3),
        np.column_stack([np.full(sides, bottom), np.roll(start, -1), start]),
        np.column_stack([np.full(sides, top), end, np.roll(end, -1)]),
    ]
    return np.concatenate(pieces)
