from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.gcode import estimate_time_s, parse, plan
from toughopt.profiles import Motion, PrinterProfile

FAST = Motion(
    max_speed_mm_s=(500, 500, 500, 500),
    max_acceleration_mm_s2=(5000, 5000, 5000, 5000),
    print_acceleration_mm_s2=1000,
    travel_acceleration_mm_s2=1000,
    retract_acceleration_mm_s2=1000,
)


def machine(**motion: object) -> PrinterProfile:
    return PrinterProfile(name="test", motion=FAST.model_copy(update=motion))


def test_one_long_move_is_a_trapezoid() -> None:
    # 100 mm/s at 1000 mm/s2: 0.1 s and 5 mm up, the same down, 90 mm between
    time = estimate_time_s(parse("G28\nG1 X100 F6000\n"), machine())
    assert time == pytest.approx(0.1 + 0.1 + 0.9, rel=2e-3)


def test_one_short_move_is_a_triangle() -> None:
    time = estimate_time_s(parse("G28\nG1 X2 F6000\n"), machine())  # v = sqrt(a d)
    assert time == pytest.approx(2 * np.sqrt(1000 * 2) / 1000, rel=5e-3)


def test_a_straight_way_cut_in_pieces_takes_as_long_as_whole() -> None:
    pieces = "G28\nG1 F6000\n" + "\n".join(f"G1 X{x / 10}" for x in range(1, 1001))
    whole = estimate_time_s(parse("G28\nG1 X100 F6000\n"), machine())
    assert estimate_time_s(parse(pieces), machine()) == pytest.approx(whole, rel=1e-3)


def test_turning_back_stops_the_head() -> None:
    there_and_back = estimate_time_s(parse("G28\nG1 X50 F6000\nG1 X0\n"), machine())
    assert there_and_back == pytest.approx(2 * (0.1 + 0.1 + 0.4), rel=3e-3)


def test_a_corner_is_taken_at_the_speed_of_junction_deviation() -> None:
    deviation = 0.02
    planned = plan(parse("G28\nG1 X50 F6000\nG1 X50 Y50\n"), machine(junction_deviation_mm=deviation))
    half = np.sin(np.pi / 4)
    corner = np.sqrt(1000 * deviation * half / (1 - half))
    ramp = (100**2 - corner**2) / 2000
    expected = 2 * (0.1 + (100 - corner) / 1000 + (50 - 5 - ramp) / 100)
    assert planned.total_s == pytest.approx(expected, rel=2e-3)


def test_a_corner_is_taken_at_the_speed_that_the_jerk_allows() -> None:
    planned = plan(parse("G28\nG1 X50 F6000\nG1 X50 Y50\n"), machine(jerk_mm_s=(10, 10, 0.4, 5)))
    # each axis changes by v at a right angle: v = 10; and the ends are at 10 mm/s as well
    ramp_s, ramp_mm = 90 / 1000, (100**2 - 10**2) / 2000
    assert planned.total_s == pytest.approx(2 * (2 * ramp_s + (50 - 2 * ramp_mm) / 100), rel=1e-3)


def test_what_the_program_sets_counts_from_there_on() -> None:
    slow = estimate_time_s(parse("G28\nM204 P100 T100\nG1 X100 F6000\n"), machine())
    assert slow == pytest.approx(1 + 1 + 0, rel=5e-3)  # 100 mm are just enough to reach 100 mm/s
    limited = estimate_time_s(parse("G28\nM203 X20\nG1 X100 F6000\n"), machine())
    assert limited == pytest.approx(5.02, rel=2e-3)
    klipper = estimate_time_s(parse("G28\nSET_VELOCITY_LIMIT ACCEL=100\nG1 X100 F6000\n"), machine())
    assert klipper == pytest.approx(slow)


def test_reprapfirmware_tells_speeds_by_the_minute() -> None:
    duet = PrinterProfile(name="duet", firmware="reprapfirmware", motion=FAST)
    time = estimate_time_s(parse("G28\nM203 X1200\nG1 X100 F6000\n"), duet)
    assert time == pytest.approx(5.02, rel=2e-3)


def test_pauses_count_and_stop_the_head() -> None:
    text = "G28\nG1 X50 F6000\n{}G1 X100\n"
    without = estimate_time_s(parse(text.format("")), machine())
    with_pause = estimate_time_s(parse(text.format("G4 P1500\nG4 S1\n")), machine())
    assert with_pause == pytest.approx(without + 2.5 + 0.1, rel=5e-3)


def test_an_empty_program_takes_no_time() -> None:
    assert estimate_time_s(parse("G28\n"), machine()) == 0
    assert estimate_time_s(parse("G4 S3\n"), machine()) == 3


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seed=st.integers(0, 10_000), jerk=st.booleans(), feed=st.integers(600, 12_000), step=st.floats(0.05, 20.0))
def test_no_move_breaks_its_limits(seed: int, jerk: bool, feed: int, step: float) -> None:
    rng = np.random.default_rng(seed)
    places = np.cumsum(rng.normal(scale=step, size=(60, 2)), axis=0)
    text = f"G28\nM83\nG1 F{feed}\n" + "\n".join(f"G1 X{x:.3f} Y{y:.3f} E0.1" for x, y in places)
    moves = parse(text)
    profile = machine(jerk_mm_s=(8, 8, 0.4, 5) if jerk else None)
    planned = plan(moves, profile)
    length = np.linalg.norm(moves.end_mm - moves.start_mm, axis=1)
    assert np.all(planned.peak_mm_s <= moves.feed_mm_s + 1e-9)
    assert np.all(planned.move_s >= length / moves.feed_mm_s - 1e-9)
    assert np.all(np.diff(planned.end_s) > 0)
    # the head never gains more than its acceleration allows
    assert planned.total_s >= 2 * np.sqrt(length.max() / 1000) / 2
    slower = plan(moves, machine(jerk_mm_s=profile.motion.jerk_mm_s, print_acceleration_mm_s2=200))
    assert slower.total_s >= planned.total_s - 1e-9
