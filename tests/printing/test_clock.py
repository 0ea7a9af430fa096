"""Clocks."""

from __future__ import annotations

import pytest

from toughopt.printing.clock import LeapingClock, SystemClock


@pytest.mark.parametrize("clock", [SystemClock(), LeapingClock(0.01)])
def test_time_never_goes_back(clock):
    times = [clock.now()]
    for wait in (0.0, 5.0, 0.001):
        clock.nothing_came(wait)
        times.append(clock.now())
    assert times == sorted(times)


def test_only_one_of_them_leaps():
    leaping = LeapingClock(0.01)
    before = leaping.now()
    assert leaping.patience(100.0) == 0.01
    leaping.nothing_came(100.0)
    assert 99.0 < leaping.now() - before < 102.0
    real = SystemClock()
    before = real.now()
    real.nothing_came(100.0)
    assert real.now() - before < 50.0
    assert real.patience(100.0) <= 1.0
