"""Swept surfaces keep their section, and stay within their chord error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.geometry import (
    Solid,
    circle,
    circle_sides,
    from_arrays,
    leaning_tubes,
    lofts,
    rotation_minimising_frames,
    swept_tube,
)

quick = settings(deadline=None, derandomize=True, max_examples=30)


@quick
@given(st.floats(0.05, 200.0), st.floats(1e-3, 0.2))
def test_polygons_have_the_circles_area_and_stay_within_the_chord_error(radius, error):
    sides = circle_sides(radius, error, multiple_of=6)
    points = circle(radius, sides, 0.3)
    x, y = points.T
    area = 0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))
    assert sides % 6 == 0
    assert area == pytest.approx(np.pi * radius**2)
    if error < 0.3 * radius:
        middle = 0.5 * (points + np.roll(points, -1, axis=0))
        assert np.abs(np.hypot(x, y) - radius).max() <= error
        assert np.abs(np.hypot(*middle.T) - radius).max() <= error


@quick
@given(st.floats(-20.0, 20.0), st.floats(0.3, 2.0))
def test_a_leaning_tube_has_the_volume_of_a_cylinder(turn, radius):
    tubes = leaning_tubes(
        [0.0, 2.0], radius, helix_radius_mm=8.0, turn_deg_per_mm=turn, bottom_mm=1.0, top_mm=9.0, chord_error_mm=0.05
    )
    solid = Solid(tubes)
    assert solid.volume_mm3 == pytest.approx(2 * np.pi * radius**2 * 8.0)
    assert len(solid.bodies()) == 2
    section = solid.cross_section(3.3)
    assert section.area() == pytest.approx(2 * np.pi * radius**2)
    centre = np.mean([poly.mean(axis=0) for poly in section.to_polygons()], axis=0)
    angles = np.array([0.0, 2.0]) + np.radians(turn * 3.3)
    np.testing.assert_allclose(centre, 8.0 * np.array([np.cos(angles).mean(), np.sin(angles).mean()]), atol=0.05)


def test_frames_are_orthonormal_and_do_not_twist_on_a_plane_curve():
    angle = np.linspace(0, 3, 40)
    helix = np.column_stack([5 * np.cos(angle), 5 * np.sin(angle), 2 * angle])
    frames = np.stack(rotation_minimising_frames(helix), axis=1)
    np.testing.assert_allclose(frames @ frames.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (40, 3, 3)), atol=1e-12)
    arc = np.column_stack([5 * np.cos(angle), 5 * np.sin(angle), 0 * angle])
    _, normal, binormal = rotation_minimising_frames(arc)
    # in a plane curve the frame keeps its angle with the plane's normal
    assert np.ptp(normal[:, 2]) < 1e-12 and np.ptp(binormal[:, 2]) < 1e-12


def test_a_swept_tube_has_area_times_length():
    angle = np.linspace(0, 4, 200)
    helix = np.column_stack([6 * np.cos(angle), 6 * np.sin(angle), 3 * angle])
    solid = Solid(swept_tube(helix, 0.8, 0.005))
    assert solid.volume_mm3 == pytest.approx(np.pi * 0.64 * 4 * np.hypot(6, 3), rel=2e-3)
    bent = Solid(swept_tube([[0, 0, 0], [0, 0, 5], [4, 0, 5]], 0.5, 0.005))
    assert bent.volume_mm3 == pytest.approx(np.pi * 0.25 * 9, rel=2e-3)


def test_lofts_are_closed_and_outward():
    ring = np.column_stack([circle(2.0, 12), np.zeros(12)])
    rings = np.stack([ring, ring + np.array([0.5, 0, 3]), 0.5 * ring + np.array([0, 0, 6])])[None]
    solid = from_arrays(*lofts(rings))
    assert solid.volume_mm3 > 0 and solid.to_trimesh().is_watertight
