"""Lines along walls stay within the pieces that they fill, however splintered these are."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.slicing.outlines import inside, sample
from toughopt.slicing.walls import Spacing, chains, plan

SPACING = Spacing(0.257, 0.407, 0.557)

# what is left of sections of a strut lattice and of a minimal surface where they are cut at their necks, mm
HOOK = [(-0.09, 0.07), (-0.09, 0.38), (0.1, 0.56), (0.16, 0.6), (0.13, 0.59), (-0.15, 0.32), (-0.24, 0), (0.07, 0)]
NEEDLE = [(0, 0.282), (-0.264, 0.334), (-0.251, 0.3315), (-0.197, 0.321), (-0.178, 0.317), (0, 0.101)]
BLADE = [(0, 0), (3, 0), (0.05, 0.2)]


def away(point, loop):
    """Distance of a point to the nearest edge of a closed loop."""
    start, way = loop, np.roll(loop, -1, axis=0) - loop
    part = np.clip(np.sum((point - start) * way, axis=1) / np.sum(way * way, axis=1), 0, 1)
    return np.hypot(*(start + part[:, None] * way - point).T).min()


@pytest.mark.parametrize("loop", [HOOK, NEEDLE, BLADE])
@pytest.mark.parametrize("step", [0.6, 0.15])
def test_no_line_leaves_a_splinter_by_more_than_half_its_width(loop, step):
    contour = np.array(loop, dtype=float)
    samples = sample([contour], np.zeros(1, dtype=int), step)
    lines = chains(samples, plan(samples, SPACING, 2), SPACING.least_mm)
    segments = np.flatnonzero(lines.ahead_mm > 0)
    ends = np.concatenate(
        (segments, np.where(np.isin(segments + 1, lines.start), lines.start[lines.chain[segments]], segments + 1))
    )
    width = np.tile(lines.segment_mm[segments], 2)
    point = lines.point_mm[ends]
    for k in np.flatnonzero(~inside(samples, np.zeros(len(ends), dtype=int), point)):
        assert away(point[k], contour) <= width[k] / 2 + 0.01


def test_corners_of_a_square_keep_their_points_on_every_line():
    square = np.array([(0, 0), (9, 0), (9, 9), (0, 9)], dtype=float)
    samples = sample([square], np.zeros(1, dtype=int), 0.6)
    lines = chains(samples, plan(samples, SPACING, 3), SPACING.least_mm)
    assert lines.closed.tolist() == [True] * 3
    for depth in range(3):
        own = lines.point_mm[lines.start[depth] : lines.start[depth + 1]]
        assert np.hypot(*(own - (depth + 0.5) * SPACING.nominal_mm).T).min() < 1e-9


def test_inside_knows_holes_and_islands():
    big = np.array([(0, 0), (9, 0), (9, 9), (0, 9)], dtype=float)
    hole = (big / 3 + 3)[::-1]
    samples = sample([big, hole, big + 20], np.array([0, 0, 1]), 1.0)
    first, last = 0, len(samples.point_mm) - 1
    point = np.array([(1, 1), (4, 4), (-1, 4), (21, 21), (21, 21)], dtype=float)
    owner = np.array([first, first, first, first, last])
    assert inside(samples, owner, point).tolist() == [True, False, False, False, True]
    assert inside(samples, owner[:0], point[:0]).tolist() == []


def test_half_the_width_of_a_long_wall_is_its_area_over_its_boundary():
    wall = np.array([(100, 100), (150, 100), (150, 101), (100, 101)], dtype=float)
    ring = np.array([(0, 0), (8, 0), (8, 8), (0, 8)], dtype=float)
    samples = sample([wall, ring, (ring / 2 + 2)[::-1]], np.array([0, 1, 1]), 0.6)
    half = samples.half_width_mm
    assert half[0] == pytest.approx(50 / 102)
    assert half[-1] == pytest.approx((64 - 16) / (32 + 16))
