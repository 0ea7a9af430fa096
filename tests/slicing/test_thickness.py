"""The disc at each point of a boundary is the largest one inside, however it is found."""

from __future__ import annotations

import numpy as np
import pytest

from toughopt.slicing import thickness as module
from toughopt.slicing.outlines import sample
from toughopt.slicing.thickness import thickness


def ring(radius, count, clockwise=False):
    phi = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    points = radius * np.column_stack((np.cos(phi), np.sin(phi)))
    return points[::-1] if clockwise else points


@pytest.fixture
def tubes():
    """Two tubes of walls 1.0 and 0.6 mm in one place: they belong to different islands."""
    loops = [ring(6.0, 90), ring(5.0, 80, clockwise=True), ring(4.0, 70), ring(3.4, 60, clockwise=True)]
    return sample(loops, np.array([0, 0, 1, 1]), 0.5)


@pytest.mark.parametrize("pairs", [np.inf, 0.0], ids=["all with all", "tree"])
def test_the_wall_of_a_tube_is_as_thick_as_it_was_drawn_on_both_sides(tubes, monkeypatch, pairs):
    monkeypatch.setattr(module, "_PAIRS", pairs)
    found = thickness(tubes, 2.0)
    half = np.where(tubes.island[tubes.contour] == 0, 0.5, 0.3)
    assert found.radius_mm == pytest.approx(half, abs=0.01)
    assert np.all(found.facing > 0.9)
    assert np.array_equal(tubes.island[tubes.contour[found.partner]], tubes.island[tubes.contour])


def test_both_ways_of_looking_find_the_same_discs_in_a_shape_with_corners(monkeypatch):
    star = np.concatenate([ring(5.0, 7)[:, None], 2.2 * ring(1.0, 14)[1::2][:, None]], axis=1).reshape(-1, 2)
    samples = sample([star], np.array([0]), 0.3)
    found = []
    for pairs in (np.inf, 0.0):
        monkeypatch.setattr(module, "_PAIRS", pairs)
        found.append(thickness(samples, 3.0).radius_mm)
    assert found[0] == pytest.approx(found[1], abs=0.005)


def test_a_thick_part_is_capped(monkeypatch):
    samples = sample([ring(6.0, 90)], np.array([0]), 0.5)
    for pairs in (np.inf, 0.0):
        monkeypatch.setattr(module, "_PAIRS", pairs)
        found = thickness(samples, 2.0)
        assert np.all(found.radius_mm == 2.0)
        assert np.all(found.partner == -1)
