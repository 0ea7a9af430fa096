"""What replicates share: the same for the same structure, near for near ones, standard normal over all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toughopt.virtual import Structure, structure
from toughopt.virtual.character import character


def test_the_same_structure_has_one_character_wherever_it_stands(barrel):
    here = character(structure(barrel(8, 100.0, 2.0, 1.0)))
    there = character(structure(barrel(8, 100.0, 2.0, 1.0, place=(60.0, 70.0), turned=1.1)))
    np.testing.assert_allclose(here, there, atol=0.15)


def test_near_structures_are_alike_and_far_ones_are_not(barrel):
    found = structure(barrel(8, 100.0, 2.0, 1.0))

    def moved(**by: float) -> np.ndarray:
        return character(Structure(found.sections, replace(found.struts, **by)))

    here = moved()
    assert np.max(np.abs(moved(wall_mm=found.struts.wall_mm + 0.02) - here)) < 0.3
    far = [moved(twist_rad=x, radius_mm=r) for x in (0.0, 0.6, 1.2, 2.4, 3.0) for r in (1.5, 1.9, 2.4)]
    assert np.std(far) == pytest.approx(1.0, abs=0.5)


def test_a_part_without_struts_has_a_character_too(tube):
    thin, thick = (character(structure(tube(8.0, wall))) for wall in (0.8, 1.2))
    assert thin.shape == (2,)
    assert not np.allclose(thin, thick)
