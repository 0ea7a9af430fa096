from __future__ import annotations

from math import exp, inf, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.virtual.firmware.heaters import AMBIENT_C, BED, HOTEND, WINDOW_C, Heater, HeaterFault

TARGETS = st.floats(40.0, 260.0)
TIMES = st.floats(0.0, 2000.0)


def hotend() -> Heater:
    return Heater("0", HOTEND, 275.0)


def test_it_starts_at_room_temperature_and_stays_there():
    heater = hotend()
    assert heater.at(0.0) == AMBIENT_C
    assert heater.at(1e6) == AMBIENT_C
    assert heater.steady(0.0)


def test_it_heats_as_a_first_order_system_does():
    heater = hotend()
    heater.set_target(10.0, 200.0)
    expected = HOTEND.full_c + (AMBIENT_C - HOTEND.full_c) * exp(-30.0 / HOTEND.tau_s)
    assert heater.at(40.0) == pytest.approx(expected)
    reached = 10.0 + HOTEND.tau_s * log((HOTEND.full_c - AMBIENT_C) / (HOTEND.full_c - 200.0))
    assert heater.at(reached - 0.1) < 200.0
    assert heater.at(reached + 0.1) == 200.0


@given(TARGETS, TARGETS, TIMES)
@settings(deadline=None, derandomize=True, max_examples=50)
def test_it_is_within_the_window_when_it_says_so_and_not_before(first, second, after_s):
    heater = hotend()
    heater.set_target(0.0, first)
    heater.set_target(after_s, second)
    reached = heater.when_at(after_s, also_cooling=True)
    assert abs(heater.at(reached) - second) <= WINDOW_C + 1e-6
    if reached > after_s:
        assert abs(heater.at(reached - 1e-3) - second) >= WINDOW_C - 1e-3


@given(st.lists(st.tuples(st.floats(0.0, 300.0), st.one_of(st.just(0.0), TARGETS)), max_size=6), TIMES)
@settings(deadline=None, derandomize=True, max_examples=50)
def test_the_temperature_never_leaves_what_is_possible_nor_jumps(steps, then_s):
    heater = hotend()
    now = 0.0
    for wait, target in steps:
        now += wait
        before = heater.at(now)
        heater.set_target(now, target)
        assert heater.at(now) == pytest.approx(before, abs=1e-9)
    assert AMBIENT_C - 1e-9 <= heater.at(now + then_s) <= 260.0 + 1e-6


def test_waiting_only_for_heating_is_over_at_once_when_too_hot():
    heater = hotend()
    heater.set_target(0.0, 200.0)
    heater.set_target(500.0, 100.0)
    assert heater.when_at(500.0, also_cooling=False) == 500.0
    assert heater.when_at(500.0, also_cooling=True) > 520.0


def test_below_room_temperature_is_never_reached_and_cooling_stalls():
    heater = Heater("bed", BED, 125.0)
    heater.set_target(0.0, 60.0)
    heater.set_target(1000.0, 10.0)
    assert heater.when_at(1000.0, also_cooling=True) == inf
    stalls = heater.when_cooling_stalls(1000.0)
    assert heater.at(stalls - 60.0) - heater.at(stalls) == pytest.approx(1.5)


def test_a_sound_heater_never_trips():
    heater = hotend()
    assert heater.trip(0.0).at_s == inf
    heater.set_target(0.0, 210.0)
    assert heater.trip(5.0).at_s == inf


def test_without_power_heating_fails_after_the_watch_period():
    heater = hotend()
    heater.set_fault(0.0, HeaterFault.OPEN)
    heater.set_target(0.0, 210.0)
    trip = heater.trip(0.0)
    assert trip.message == "Heating failed"
    assert trip.at_s == HOTEND.watch_s


def test_power_lost_when_hot_is_a_runaway_after_falling_and_waiting():
    heater = hotend()
    heater.set_target(0.0, 210.0)
    heater.set_fault(300.0, HeaterFault.OPEN)
    trip = heater.trip(300.0)
    assert trip.message == "Thermal Runaway"
    fallen = trip.at_s - HOTEND.runaway_s
    assert heater.at(fallen) == pytest.approx(210.0 - HOTEND.runaway_c)


def test_a_stuck_switch_heats_on_whatever_the_target_until_the_sensor_limit():
    heater = hotend()
    heater.set_fault(0.0, HeaterFault.STUCK)
    heater.set_target(0.0, 0.0)
    trip = heater.trip(0.0)
    assert trip.message == "MAXTEMP triggered"
    assert heater.at(trip.at_s) == pytest.approx(275.0)
