"""Fewer points within a tolerance: where lines go, what they enclose, and which points must stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.slicing.chains import Chains
from toughopt.slicing.sections import enclosed_mm2
from toughopt.slicing.simplify import simplified


def chains(*lines, closed=True, spacing=0.4):
    sizes = [len(line) for line in lines]
    return Chains(
        np.concatenate([np.asarray(line, dtype=float) for line in lines]),
        np.broadcast_to(np.asarray(spacing, dtype=float), (sum(sizes),)).copy(),
        np.concatenate(([0], np.cumsum(sizes))),
        np.full(len(lines), closed),
        np.arange(len(lines)),
        np.zeros(len(lines), dtype=np.int64),
        np.ones(len(lines)),
    )


def ring(radius, count, phase=0.0):
    angle = phase + 2.0 * np.pi * np.arange(count) / count
    return radius * np.column_stack((np.cos(angle), np.sin(angle)))


def distance(points, line, closed):
    """(n,) float: of each point from a polyline."""
    ends = np.roll(line, -1, axis=0) if closed else line[1:]
    begins = line if closed else line[:-1]
    edge = ends - begins
    part = np.sum((points[:, None] - begins) * edge, axis=2) / np.maximum(np.sum(edge**2, axis=1), 1e-18)
    spot = begins + np.clip(part, 0.0, 1.0)[..., None] * edge
    return np.linalg.norm(points[:, None] - spot, axis=2).min(axis=1)


@pytest.mark.parametrize("tolerance", [0.005, 0.02, 0.05])
@pytest.mark.parametrize("radius", [0.8, 1.75, 9.0])
def test_a_circle_keeps_its_place_and_its_area_with_hardly_more_points_than_it_takes(radius, tolerance):
    fine = chains(ring(radius, 400))
    coarse = simplified(fine, tolerance)
    assert distance(fine.point_mm, coarse.point_mm, True).max() <= 1.1 * tolerance
    assert distance(coarse.point_mm, fine.point_mm, True).max() <= 1.1 * tolerance
    assert enclosed_mm2(coarse.point_mm) == pytest.approx(np.pi * radius**2, rel=0.01 * tolerance / radius + 2e-3)
    takes = np.pi / np.arccos(1.0 - 1.5 * tolerance / radius)
    assert len(coarse.point_mm) <= 1.1 * takes + 2


def test_facets_of_a_curve_do_not_hold_points_where_they_meet():
    facets = chains(ring(1.75, 25))
    coarse = simplified(facets, 0.02)
    assert len(coarse.point_mm) <= 18
    assert distance(facets.point_mm, coarse.point_mm, True).max() <= 0.03


def test_corners_stay_where_they_are_and_straight_lines_need_no_points():
    corners = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 6.0], [4.0, 6.0], [4.0, 3.0], [0.0, 3.0]])
    edges = [corners[k] + np.linspace(0.0, 1.0, 9)[:-1, None] * (corners[(k + 1) % 6] - corners[k]) for k in range(6)]
    coarse = simplified(chains(np.concatenate(edges)), 0.05)
    assert coarse.point_mm == pytest.approx(corners, abs=1e-9)


def test_a_hexagon_is_no_circle():
    coarse = simplified(chains(ring(5.0, 6)), 0.05)
    assert coarse.point_mm == pytest.approx(ring(5.0, 6), abs=1e-9)


def test_points_stay_where_the_width_changes():
    line = np.column_stack((np.linspace(0.0, 10.0, 21), np.zeros(21)))
    steady = simplified(chains(line, closed=False), 0.02)
    assert steady.point_mm == pytest.approx(line[[0, -1]])
    width = np.interp(line[:, 0], [0.0, 4.0, 6.0, 10.0], [0.4, 0.4, 0.6, 0.6])
    wider = simplified(chains(line, closed=False, spacing=width), 0.02)
    assert np.interp(line[:, 0], wider.point_mm[:, 0], wider.spacing_mm) == pytest.approx(width, abs=0.02 + 1e-9)
    assert len(wider.point_mm) <= 7


def test_the_width_of_a_long_wedge_is_followed_although_each_segment_has_but_one():
    line = np.column_stack((np.linspace(0.0, 30.0, 61), np.zeros(61)))
    width = np.linspace(0.3, 0.6, 61)
    taper = simplified(chains(line, closed=False, spacing=width), 0.02)
    middle = (taper.point_mm[1:, 0] + taper.point_mm[:-1, 0]) / 2.0
    assert taper.segment_mm[:-1] == pytest.approx(np.interp(middle, line[:, 0], width), abs=0.01)
    assert np.abs(np.diff(taper.spacing_mm)).max() <= 0.061  # each edge of the bead by a quarter of it at most
    assert taper.area_mm2 == pytest.approx(30.0 * 0.45, rel=1e-3)
    assert len(taper.point_mm) <= 8


def test_a_line_that_turns_back_keeps_its_tip():
    there = np.column_stack((np.linspace(0.0, 5.0, 11), np.zeros(11)))
    hairpin = np.concatenate((there, np.add(there[::-1][1:], (0.0, 1e-4))))
    coarse = simplified(chains(hairpin, closed=False), 0.05)
    assert coarse.point_mm[:, 0].max() == pytest.approx(5.0)
    assert coarse.point_mm[[0, -1]] == pytest.approx(hairpin[[0, -1]], abs=0.01)


def test_many_chains_at_once_are_each_treated_as_if_alone():
    lines = [ring(1.0, 60), np.add(ring(4.0, 200, 0.3), (20.0, 0.0)), np.add(ring(0.3, 12), (0.0, 9.0))]
    together = simplified(chains(*lines), 0.02)
    for index, line in enumerate(lines):
        alone = simplified(chains(line), 0.02)
        first, last = together.start[index : index + 2]
        assert together.point_mm[first:last] == pytest.approx(alone.point_mm, abs=1e-9)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(st.floats(-0.9, 0.9), min_size=4, max_size=60),
    st.lists(st.floats(0.02, 1.5), min_size=60, max_size=60),
    st.sampled_from([0.01, 0.05, 0.1]),
    st.booleans(),
)
def test_no_point_of_any_line_is_left_farther_away_than_twice_the_tolerance(turns, lengths, tolerance, closed):
    heading = np.cumsum(turns)
    step = np.array(lengths[: len(turns)])[:, None] * np.column_stack((np.cos(heading), np.sin(heading)))
    line = np.cumsum(step, axis=0)
    coarse = simplified(chains(line, closed=closed), tolerance)
    assert len(coarse.point_mm) <= len(line) + 8 * np.linalg.norm(step, axis=1).sum()
    assert distance(line, coarse.point_mm, closed).max() <= 2.0 * tolerance
    assert np.all(np.isfinite(coarse.point_mm))
