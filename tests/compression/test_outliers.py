from __future__ import annotations

import numpy as np
import pytest

from toughopt.compression.outliers import noise_level, spikes


def curve(n: int = 600) -> np.ndarray:
    x = np.linspace(0, 10, n)
    return np.where(x < 6, 300 * np.sin(x / 4), 40.0)


@pytest.mark.parametrize("sigma", [0.5, 3.0, 10.0])
def test_noise_is_estimated_in_spite_of_slopes_and_breaks(sigma):
    rng = np.random.default_rng(1)
    values = curve(20_000) + rng.normal(0, sigma, 20_000)
    assert noise_level(values) == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize(
    ("at", "off"),
    [
        (at, off)
        for at in (0, 1, 2, 150, 300, 597, 598)
        for off in (60.0, -60.0, 1e6)
        if (at, off) != (0, 60.0)  # at the very end, and within the range of the others: it could be true
    ],
)
def test_a_spike_anywhere_is_found_and_its_neighbours_are_not(at, off):
    values = curve()
    values[at] += off
    assert spikes(values, 2.0).tolist() == [at]


def test_kinks_breaks_and_smooth_falls_are_no_spikes():
    assert spikes(curve(), 2.0).size == 0
    assert spikes(np.abs(np.linspace(-1, 1, 41)) * 100, 0.5).size == 0
    assert spikes(90 - np.linspace(0, 1, 60) ** 12 * 40, 0.2).size == 0


def test_white_noise_holds_no_spikes():
    rng = np.random.default_rng(2)
    assert spikes(rng.normal(0, 1, 200_000), 0.1).size <= 2
