from __future__ import annotations

from itertools import pairwise
from math import hypot, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.profiles import Motion, PrinterProfile
from toughopt.virtual.firmware import VirtualFirmware
from toughopt.virtual.firmware.planner import MotionLimits, Planner

MOTION = Motion()
A = MOTION.travel_acceleration_mm_s2


def duration(points: list[tuple[float, float]], speed: float, motion: Motion = MOTION, capacity: int = 16) -> float:
    """Time from rest to rest along points in the plane, without extrusion."""
    planner = Planner(MotionLimits(motion), capacity)
    now = 0.0

    def step() -> None:
        nonlocal now
        now = planner.next_event_s
        if planner.busy is not None:
            planner.finish()
        if planner.waiting:
            planner.start()

    for (x0, y0), (x1, y1) in pairwise(points):
        block = planner.limits.block((x0, y0, 0.0), (x1, y1, 0.0), 0.0, 0, speed)
        assert block is not None
        while planner.full:
            planner.release(now)
            step()
        planner.add(block)
    planner.release(now)
    while planner.count:
        step()
    return now


def test_a_long_move_is_a_trapezoid():
    assert duration([(0, 0), (100, 0)], 50.0) == pytest.approx(100 / 50 + 50 / A)


def test_a_short_move_never_reaches_its_speed():
    assert duration([(0, 0), (1, 0)], 200.0) == pytest.approx(2 * sqrt(1 / A))


def test_cutting_a_line_into_pieces_costs_nothing():
    pieces = [(i * 2.0, 0.0) for i in range(51)]
    assert duration(pieces, 100.0) == pytest.approx(duration([(0, 0), (100, 0)], 100.0))


def test_a_short_queue_limits_the_speed_of_tiny_pieces():
    pieces = [(i * 0.1, 0.0) for i in range(1001)]
    reach_mm = 0.1 * 15
    fastest = sqrt(2 * A * reach_mm)  # it must be able to stop within what is queued
    assert duration(pieces, 200.0) >= 100.0 / fastest
    assert duration(pieces, 200.0) < duration(pieces, 200.0, capacity=5)


def test_turning_back_stops_and_a_right_angle_slows_to_the_junction_speed():
    there = duration([(0, 0), (50, 0)], 50.0)
    assert duration([(0, 0), (50, 0), (0, 0)], 50.0) == pytest.approx(2 * there, rel=1e-3)
    sine_half = sqrt(0.5)
    # along the bisector both axes accelerate, so that the limit of one of them allows sqrt(2) times as much
    corner = sqrt(A * MOTION.junction_deviation_mm * sine_half / (1 - sine_half))
    v = 50.0
    expected = 2 * (50 / v + (v / (2 * A)) + (v - corner) ** 2 / (2 * A * v))
    assert duration([(0, 0), (50, 0), (50, 50)], v) == pytest.approx(expected, rel=1e-3)


def test_classic_jerk_takes_a_corner_at_the_jerk_of_its_axes():
    motion = Motion(jerk_mm_s=(8.0, 8.0, 0.4, 5.0))
    v, corner = 50.0, 8.0
    expected = 2 * (50 / v + (v / (2 * A)) + (v - corner) ** 2 / (2 * A * v))
    assert duration([(0, 0), (50, 0), (50, 50)], v, motion) == pytest.approx(expected, rel=1e-3)


def test_axes_keep_their_own_limits():
    limits = MotionLimits(MOTION)
    rise = limits.block((0, 0, 0), (0, 0, 10), 0.0, 0, 100.0)
    assert rise is not None
    assert sqrt(rise.nominal_sq) == pytest.approx(MOTION.max_speed_mm_s[2])
    assert rise.acceleration == pytest.approx(MOTION.max_acceleration_mm_s2[2])
    assert limits.block((0, 0, 0), (0, 0, 0), 0.0, 0, 100.0) is None


POINTS = st.lists(
    st.tuples(st.floats(0, 200).map(lambda v: round(v, 2)), st.floats(0, 200).map(lambda v: round(v, 2))),
    min_size=2,
    max_size=40,
)


@given(POINTS, st.floats(5.0, 200.0))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_time_lies_between_never_slowing_and_always_stopping(points, speed):
    path = [points[0]] + [b for a, b in pairwise(points) if hypot(a[0] - b[0], a[1] - b[1]) > 0.01]
    if len(path) < 2:
        return
    lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(path)]
    stopping = sum(duration([a, b], speed) for a, b in pairwise(path))
    taken = duration(path, speed)
    assert sum(lengths) / min(speed, 200.0 * sqrt(2)) <= taken + 1e-9
    assert taken <= stopping + 1e-6


def test_a_slow_clock_and_an_unbound_one_agree_on_the_print_time(profile: PrinterProfile):
    program = ["G28", "G1 F3000"] + [f"G1 X{10 + i % 40} Y{10 + (i * 7) % 40}" for i in range(60)] + ["M400"]
    unbound = VirtualFirmware(profile, seed=3)
    unbound.run_program("\n".join(program))
    bound = VirtualFirmware(profile, seed=3, clock=1.0)
    wall = 0.0
    bound.feed(b"", wall)
    for command in program:
        reply = bound.feed(f"{command}\n".encode(), wall)
        while b"ok" not in reply:
            wall = bound.due_s()
            reply += bound.poll(wall)
    assert bound.status()["clock_s"] == pytest.approx(unbound.status()["clock_s"], rel=0.01)
    assert wall == pytest.approx(bound.status()["clock_s"], abs=0.01)
