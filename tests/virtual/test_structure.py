"""The press finds the struts, their twist and their walls by itself, and what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.virtual import structure

DESIGNS = [
    (6, 0.0, 1.5, 0.7),
    (6, 25.0, 1.5, 0.7),
    (8, 100.0, 2.0, 1.0),
    (10, 150.0, 2.1, 1.05),
    (12, 75.0, 1.7, 1.4),
    (12, 200.0, 1.5, 0.7),
    (6, 200.0, 2.5, 1.4),
    (9, 0.0, 2.0, 1.0),
]


@pytest.mark.parametrize("design", DESIGNS, ids=str)
@pytest.mark.parametrize("small", [False, True], ids=["20 mm", "6 mm"])
def test_struts_are_found_by_number_twist_radius_and_wall(barrel, design, small):
    n, theta, r, t = design
    size = {"height": 6.0, "layer": 0.3, "platform": 0.6} if small else {}
    found = structure(barrel(n, theta, r, t, **size)).struts
    assert found is not None
    assert found.count == n
    free = found.length_mm / (6.0 if small else 20.0)
    assert np.degrees(found.twist_rad) == pytest.approx(theta * free, abs=4.0)
    assert found.radius_mm == pytest.approx(r, rel=0.04)
    assert found.ring_mm == pytest.approx(10.0, rel=0.01)
    if theta == 0.0 or n < 12:  # where the circles of this simple part do not overlap
        assert found.wall_mm == pytest.approx(min(t, r), abs=0.15)
    assert found.gap_mm == 0.0


def test_struts_of_one_sense_are_told_from_crossed_ones(barrel):
    one = structure(barrel(8, 60.0, 2.0, 1.0, senses=1)).struts
    two = structure(barrel(8, 60.0, 2.0, 1.0)).struts
    assert (one.count, one.senses, one.crossings) == (8, 1, 0.0)
    assert (two.count, two.senses) == (8, 2)
    assert two.crossings == pytest.approx(8 * 54.0 / 360.0, abs=0.1)


@settings(deadline=None, derandomize=True, max_examples=6)
@given(turned=st.floats(0.0, 6.2), x=st.floats(30.0, 200.0), y=st.floats(30.0, 150.0))
def test_where_the_part_stands_and_how_it_is_turned_does_not_matter(barrel, turned, x, y):
    here = structure(barrel(8, 100.0, 2.0, 1.0, height=6.0, layer=0.3, platform=0.6)).struts
    there = structure(
        barrel(8, 100.0, 2.0, 1.0, height=6.0, layer=0.3, platform=0.6, turned=turned, place=(x, y))
    ).struts
    assert there.count == here.count
    assert there.twist_rad == pytest.approx(here.twist_rad, rel=0.03)
    assert there.wall_mm == pytest.approx(here.wall_mm, abs=0.05)


def test_under_extrusion_shows_as_a_lost_wall(barrel):
    full = structure(barrel(8, 100.0, 2.0, 1.0)).struts
    poor = structure(barrel(8, 100.0, 2.0, 1.0, flow=0.8)).struts
    assert poor.area_mm2 == pytest.approx(0.8 * full.area_mm2, rel=0.01)
    assert poor.count == full.count


@pytest.mark.parametrize("theta", [0.0, 100.0])
def test_struts_that_hold_more_material_than_others_count_alike(barrel, theta):
    part = barrel(8, theta, 2.0, 1.0)
    middle = part.start_mm[:, :2].mean(axis=0)
    x, y = (part.start_mm[:, :2] - middle).T
    more = np.where(np.abs(x) < np.abs(y), 1.5, 1.0) * np.where(y > 0.0, 1.4, 1.0)
    volume = part.volume_mm3 * more
    layers = replace(part.layers, volume_mm3=np.bincount(part.layer, volume, part.layers.count))
    found = structure(replace(part, volume_mm3=volume, layers=layers)).struts
    even = structure(part).struts
    assert (found.count, found.senses) == (even.count, even.senses)
    assert found.ring_mm == pytest.approx(even.ring_mm, rel=0.01)
    assert found.radius_mm == pytest.approx(even.radius_mm, rel=0.02)
    assert found.twist_rad == pytest.approx(even.twist_rad, abs=0.05)


def test_missing_layers_show_as_a_gap_at_its_height(barrel):
    found = structure(barrel(8, 100.0, 2.0, 1.0, missing=range(48, 53))).struts
    assert found.count == 8
    assert found.gap_mm == pytest.approx(1.0, abs=0.01)
    assert found.gap_at == pytest.approx(0.5, abs=0.03)


def test_a_tube_has_no_struts_but_a_wall(tube):
    found = structure(tube(8.0, 0.9))
    assert found.struts is None
    assert np.median(found.sections.wall_mm) == pytest.approx(0.9, rel=0.35)
    assert found.sections.volume_mm3 == pytest.approx(np.pi * (8.0**2 - 7.1**2) * 12.0, rel=0.02)


def test_a_solid_block_has_no_struts(tube):
    assert structure(tube(4.0, 4.0)).struts is None
