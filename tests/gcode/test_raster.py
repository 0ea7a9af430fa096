from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.gcode.raster import Grid, layer_counts, polygon_mask

GRID = Grid((-10.0, -10.0), (400, 400), 0.05)


def counts(points: list[tuple[float, float]], width: float = 0.5, run: list[int] | None = None) -> np.ndarray:
    place = np.array(points, dtype=float)
    number = len(place) - 1
    runs = np.zeros(number, dtype=np.int64) if run is None else np.array(run)
    return layer_counts(place[:-1], place[1:], np.full(number, width), runs, GRID)


def brute_force(points: list[tuple[float, float]], width: float) -> np.ndarray:
    """Pixel centres in any of the rectangles, cut at the bisectors of their joints."""
    y, x = np.mgrid[0:400, 0:400] * 0.05 - 10 + 0.025
    place = np.array(points)
    unit = np.diff(place, axis=0) / np.linalg.norm(np.diff(place, axis=0), axis=1)[:, None]
    covered = np.zeros((400, 400), dtype=bool)
    for index, (a, b) in enumerate(pairwise(place)):
        one = unit[index] + (unit[index - 1] if index else 0)
        two = unit[index] + (unit[index + 1] if index + 1 < len(unit) else 0)
        across = (y - a[1]) * unit[index, 0] - (x - a[0]) * unit[index, 1]
        after = (x - a[0]) * one[0] + (y - a[1]) * one[1] >= 0
        before = (x - b[0]) * two[0] + (y - b[1]) * two[1] <= 0
        covered |= after & before & (np.abs(across) <= width / 2)
    return covered


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    turns=st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=6),
    heading=st.floats(0, 6.3),
    step=st.floats(0.1, 3.0),
    width=st.floats(0.2, 1.5),
)
def test_exactly_the_pixels_whose_centre_is_under_a_bead(
    turns: list[float], heading: float, step: float, width: float
) -> None:
    angle = 0.123 + heading + np.cumsum(turns)
    place = np.cumsum(step * np.column_stack([np.cos(angle), np.sin(angle)]), axis=0)
    points = [(0.0123, 0.0171), *map(tuple, place.tolist())]
    covered = counts(points, width) > 0
    assert np.count_nonzero(covered != brute_force(points, width)) <= 2  # centres on an edge


@pytest.mark.parametrize("angle", np.linspace(0, np.pi, 9))
def test_on_a_grid_that_lies_askew_a_bead_has_its_area(angle: float) -> None:
    end = 6 * np.array([np.cos(angle), np.sin(angle)])
    grid = Grid.around(np.array([[-9.0, -9], [9, 9]]), 0.05, askew=True)
    covered = layer_counts(-end[None] / 2, end[None] / 2, np.array([0.5]), np.zeros(1, dtype=np.int64), grid)
    assert np.count_nonzero(covered) * 0.05**2 == pytest.approx(6 * 0.5, rel=0.02)


def test_corners_are_not_doubled_but_two_lines_are() -> None:
    corner = counts([(-5, 0), (0, 0), (0, 5), (0.1, 6)])
    assert corner.max() == 1
    crossing = layer_counts(
        np.array([[-5.0, 0], [0, -5]]), np.array([[5.0, 0], [0, 5]]), np.full(2, 0.5), np.array([0, 1]), GRID
    )
    assert crossing.max() == 2
    assert np.count_nonzero(crossing == 2) * 0.05**2 == pytest.approx(0.25, rel=0.1)


def test_a_fine_curve_is_covered_once() -> None:
    angle = np.linspace(0, 2 * np.pi, 2001)
    ring = counts([(5 * np.cos(a), 5 * np.sin(a)) for a in angle])
    assert ring.max() == 1
    assert np.count_nonzero(ring) * 0.05**2 == pytest.approx(2 * np.pi * 5 * 0.5, rel=0.01)


def test_a_hairpin_has_a_round_end() -> None:
    there_and_back = counts([(-5, 0), (0, 0), (-5, 0.5)])
    beyond = there_and_back[:, 200:]
    assert np.count_nonzero(beyond) * 0.05**2 == pytest.approx(np.pi * 0.25**2 / 2, rel=0.15)


def test_a_run_that_crosses_itself_is_doubled_there() -> None:
    loop = counts([(-5, 0), (5, 0), (5, 5), (0, 5), (0, -5)])
    assert loop.max() == 2


def test_beads_outside_the_grid_are_cut() -> None:
    area = np.count_nonzero(counts([(-20, 0), (20, 0)])) * 0.05**2
    assert area == pytest.approx(20 * 0.5, rel=0.02)
    assert not counts([(30, 30), (40, 40)]).any()


@settings(deadline=None, derandomize=True, max_examples=30)
@given(radius=st.floats(1, 8), sides=st.integers(3, 40), turn=st.floats(0, 6))
def test_a_polygon_has_its_area_whichever_way_it_turns(radius: float, sides: int, turn: float) -> None:
    angle = turn + 2 * np.pi * np.arange(sides) / sides
    corners = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    mask = polygon_mask([corners], GRID)
    area = sides / 2 * radius**2 * np.sin(2 * np.pi / sides)
    assert np.count_nonzero(mask) * 0.05**2 == pytest.approx(area, rel=0.02, abs=0.05)
    assert np.count_nonzero(mask != polygon_mask([corners[::-1]], GRID)) <= 2


def test_a_hole_stays_empty() -> None:
    outer = np.array([[-5, -5], [5, -5], [5, 5], [-5, 5]], dtype=float)
    mask = polygon_mask([outer, outer[::-1] / 2], GRID)
    assert np.count_nonzero(mask) * 0.05**2 == pytest.approx(75, rel=0.01)
    assert not mask[200, 200]


def test_an_empty_layer() -> None:
    nothing = np.zeros((0, 2))
    assert not layer_counts(nothing, nothing, np.zeros(0), np.zeros(0, dtype=np.int64), GRID).any()
    assert not polygon_mask([], GRID).any()
