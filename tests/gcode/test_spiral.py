from __future__ import annotations

import numpy as np
import pytest

from toughopt.gcode.levels import levels_of
from toughopt.gcode.spiral import in_spiral, pitch_of


def climb(
    turns: float, pitch: float, lobes: float = 0.0, twist: float = 0.0, steps: int = 300, digits: int = 4
) -> np.ndarray:
    """Points of a spiral whose outline may have four lobes that turn by `twist` rad a turn."""
    angle = np.linspace(0, 2 * np.pi * turns, int(steps * turns) + 1)
    around = 15 * (1 + lobes * np.cos(4 * (angle - twist * angle / (2 * np.pi))))
    z = 0.2 + pitch * angle / (2 * np.pi)
    return np.round(np.column_stack([around * np.cos(angle), around * np.sin(angle), z]), digits)


@pytest.mark.parametrize("pitch", [0.1, 0.2, 0.3])
@pytest.mark.parametrize(("lobes", "twist"), [(0.0, 0.0), (0.4, 0.0), (0.6, 0.02), (0.9, 0.05)])
def test_the_pitch_is_found_whatever_the_outline(pitch: float, lobes: float, twist: float) -> None:
    points = climb(40, pitch, lobes, twist)
    assert pitch_of(points[:-1], points[1:], 0.4) == pytest.approx(pitch, rel=1e-3)


def test_the_pitch_of_a_spiral_that_is_not_round_its_middle() -> None:
    points = climb(30.4, 0.2) + np.array([1.0, 0, 0]) * np.linspace(0, 60, int(300 * 30.4) + 1)[:, None]
    assert pitch_of(points[:-1], points[1:], 0.4) == pytest.approx(0.2, rel=0.03)  # a strut that leans


def test_less_than_a_turn_is_one_layer() -> None:
    points = climb(0.7, 0.2)
    levels = levels_of(points[:-1], points[1:], 0.4)
    assert len(np.unique(levels)) == 1


def test_heights_that_a_program_cannot_write_do_not_break_a_spiral() -> None:
    points = climb(10, 0.2, steps=900, digits=3)  # most pieces do not rise by a thousandth
    spiral = in_spiral(points[:-1], points[1:])
    assert np.mean(spiral) > 0.99
    # the first pieces, too low to rise by a thousandth, are still on the layer below
    assert len(np.unique(levels_of(points[:-1], points[1:], 0.4))) == 11


def test_flat_layers_are_no_spiral() -> None:
    flat = climb(5, 0.0)
    above = flat + np.array([0, 0, 0.2])
    points = np.concatenate([flat, above])
    assert not in_spiral(points[:-1], points[1:])[: len(flat) - 1].any()
    level = levels_of(flat[:-1], flat[1:], 0.4)
    assert np.unique(level).tolist() == [0.2]
