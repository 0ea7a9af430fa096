from __future__ import annotations

import numpy as np

from toughopt.compression.ending import end_of_loading, first_break, rebound_cut


def test_a_jump_back_of_more_than_the_rebound_is_where_the_test_ends():
    x = np.array([0.0, 3.0, 6.0, 9.0, 3.5, 9.0])
    assert rebound_cut(x, 5.0) == 4
    assert rebound_cut(x, 6.0) == 6


def test_loading_ends_at_the_largest_displacement_and_before_the_unloading():
    x = np.concatenate([np.linspace(0, 5, 100), np.linspace(5, 0, 50)])
    assert end_of_loading(x, 0.0) in (99, 100)


def test_noise_of_the_displacement_does_not_choose_the_end():
    rng = np.random.default_rng(3)
    x = np.linspace(0, 5, 2000) + rng.normal(0, 0.05, 2000)
    assert end_of_loading(x, 0.05) == 1999


def test_a_break_is_a_loss_of_the_given_share():
    force = np.array([0.0, 50.0, 100.0, 70.0, 60.0, 40.0, 90.0])
    assert first_break(force, 0.5) == 5
    assert first_break(force, 0.25) == 3
    assert first_break(force, 0.9) is None
