"""What moves do, and what the record says of them."""

from __future__ import annotations

from math import hypot, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import FirmwareHalted
from toughopt.profiles import Bed
from toughopt.virtual.firmware import FaultPlan, VirtualFirmware

READY = "G28\nM109 S210\nG1 Z0.2 F600\n"


@pytest.fixture
def run(profile):
    def run(program: str, *faults: str, before: str = READY, **given):
        firmware = VirtualFirmware(given.pop("profile", profile), faults=FaultPlan.parse(faults), **given)
        firmware.run_program(before)
        return firmware.run_program(program)

    return run


def test_absolute_and_relative_moves_end_where_they_should(run):
    path = run("G1 X10 Y5 F3000\nG91\nG1 X5\nG1 Y-5\nG90\nG1 X1")
    assert path.end_mm[:, :2].tolist() == [[10, 5], [15, 5], [15, 0], [1, 0]]


def test_the_record_joins_up(run):
    path = run("\n".join(f"G1 X{10 + i % 7} Y{i} E{i * 0.1} F1800" for i in range(50)))
    assert np.array_equal(path.start_mm[1:], path.end_mm[:-1])
    assert np.all(np.diff(path.time_s) > 0)


def test_time_speed_and_length_agree(run):
    path = run("G1 X100 F3000\nG1 Y50 E1 F1200")
    before = np.concatenate([[path.time_s[0] - 100 / path.speed_mm_s[0]], path.time_s[:-1]])
    lengths = np.linalg.norm(path.end_mm - path.start_mm, axis=1)
    assert np.allclose(lengths / (path.time_s - before), path.speed_mm_s)
    assert path.speed_mm_s[1] == pytest.approx(20.0, rel=0.02)


@pytest.mark.parametrize(
    "program", ["M82\nG92 E0\nG1 X10 E1\nG1 X20 E2\nG92 E0\nG1 X30 E1", "M83\nG1 X10 E1\nG1 X20 E1\nG1 X30 E1"]
)
def test_absolute_and_relative_extrusion_feed_the_same(run, program):
    assert run(program).filament_mm.tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_what_was_retracted_comes_back_before_anything_leaves_the_nozzle(run):
    path = run("M83\nG1 X10 E1\nG1 E-0.8 F2400\nG1 X50\nG1 E0.8\nG1 X60 E1\nG1 E-1\nG1 X70 E1.5")
    assert path.filament_mm.tolist() == pytest.approx([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.5])


def test_flow_multiplies_the_filament_and_speed_the_speed(run):
    path = run("M221 S90\nM220 S50\nG1 X50 E2 F2400")
    assert path.filament_mm[0] == pytest.approx(1.8)
    assert path.speed_mm_s[0] == pytest.approx(20.0, rel=0.02)


def test_an_arc_keeps_its_radius_its_length_and_its_filament(run):
    path = run("G1 X60 Y50 F3000\nG3 X50 Y60 I-10 J0 E3 F1200")
    arc = slice(1, None)
    radii = np.hypot(path.end_mm[arc, 0] - 50, path.end_mm[arc, 1] - 50)
    assert np.allclose(radii, 10.0, atol=1e-9)
    chords = np.linalg.norm(path.end_mm[arc] - path.start_mm[arc], axis=1)
    assert chords.sum() == pytest.approx(5 * pi, rel=2e-3)
    assert np.all(chords <= 1.0)
    assert path.filament_mm.sum() == pytest.approx(3.0)


def test_arcs_turn_the_right_way_and_a_full_circle_comes_back(run):
    clockwise = run("G1 X60 Y50 F3000\nG2 X60 Y50 I-10 J0")
    assert clockwise.end_mm[-1, :2].tolist() == [60.0, 50.0]
    assert clockwise.end_mm[2, 1] < 50.0
    by_radius = run("G1 X60 Y50 F3000\nG3 X50 Y60 R10")
    assert np.allclose(np.hypot(by_radius.end_mm[1:, 0] - 50, by_radius.end_mm[1:, 1] - 50), 10.0)
    longer = run("G1 X60 Y50 F3000\nG3 X50 Y60 R-10")
    assert len(longer.time_s) > 2 * len(by_radius.time_s)


def test_the_head_starts_anywhere_and_homing_finds_it(profile):
    firmware = VirtualFirmware(profile, seed=5)
    real = firmware.status()["real_position_mm"]
    assert hypot(*real) > 1.0
    path = firmware.run_program("G28")
    assert path.start_mm[0].tolist() == pytest.approx(real)
    assert path.end_mm[-1].tolist() == [0.0, 0.0, 0.0]
    assert VirtualFirmware(profile, seed=6).status()["real_position_mm"] != real


def test_without_homing_the_record_tells_where_the_head_really_went(profile):
    firmware = VirtualFirmware(profile, seed=5)
    x, y, z = firmware.status()["real_position_mm"]
    path = firmware.run_program("G1 X10 F3000")
    assert path.end_mm[0].tolist() == pytest.approx([x + 10, y, z])


def test_the_frame_stops_a_head_that_is_lost(profile):
    firmware = VirtualFirmware(profile, seed=5)
    path = firmware.run_program("G1 X240 F3000\nG1 X0")
    assert path.end_mm[0, 0] == 252.0
    assert path.end_mm[1, 0] == 12.0


def test_soft_limits_clamp_homed_axes_only(run, profile):
    assert run("G1 X-5 Y400 F3000").end_mm[-1].tolist() == [0.0, 210.0, 0.2]
    assert run("M211 S0\nG1 X260 F3000").end_mm[-1, 0] == 260.0


def test_a_bed_may_have_its_origin_in_the_middle(run, profile):
    centred = profile.model_copy(update={"bed": Bed(origin="center")})
    path = run("G1 X-200 Y0 F3000", profile=centred)
    assert path.end_mm[-1, 0] == -125.0


def test_cold_extrusion_is_prevented_and_e_advances_anyway(sender):
    sender("G28")
    assert "echo: cold extrusion prevented\n" in sender("G1 X10 E5 F600")
    assert "E:5.00" in sender("M114")
    assert sender.firmware.take().filament_mm.sum() == 0.0
    sender("M302 P1")
    assert "cold" not in sender("G1 X20 E6")
    assert sender.firmware.take().filament_mm.sum() == 0.0  # nothing melts at room temperature


def test_too_long_an_extrusion_is_prevented(hot):
    assert "too long extrusion prevented" in hot("G1 X10 E500 F600")


def test_g92_moves_the_origin_and_not_the_head(hot):
    hot.all("G1 X10 Y10 F3000", "G92 X0 Y0", "G1 X5")
    assert "X:5.00 Y:0.00" in hot("M114")
    assert hot.firmware.take().end_mm[-1, 0] == 15.0


def test_inches_are_converted(run):
    assert run("G20\nG1 X1 F100").end_mm[-1, 0] == pytest.approx(25.4)


def test_unusual_spelling_means_the_same(run):
    assert np.array_equal(run("G1X10Y20E1F1800").end_mm, run("G1 F1800 X10 Y20 E1").end_mm)
    assert np.array_equal(run("g28\nN5 G1 Y20 X10 *33 ;there").end_mm, run("G1 X10 Y20").end_mm)
    assert run("G1 X1E5").filament_mm.tolist() == pytest.approx([5.0])


def test_dwell_and_acceleration_commands_count_in_time(run):
    slow = run("M204 T100\nG1 X100 F6000\nG4 P1500\nG1 X0")
    fast = run("G1 X100 F6000\nG1 X0")
    assert slow.time_s[-1] - slow.time_s[0] > fast.time_s[-1] - fast.time_s[0] + 1.5


def test_each_nozzle_has_its_own_record(run, profile):
    two = profile.model_copy(update={"nozzles": profile.nozzles * 2})
    path = run("M109 T1 S200\nG1 X10 E1 F1200\nT1\nG1 X20 E2\nT0\nG1 X30", profile=two)
    assert path.tool.tolist() == [0, 1, 0]
    assert path.nozzle_c.tolist() == pytest.approx([210.0, 200.0, 210.0])


def test_a_jam_a_runout_and_a_cold_nozzle_show_in_the_record(run):
    program = "M83\n" + "\n".join(f"G1 X{10 * i} E1 F1200" for i in range(1, 11))
    whole = run(program)
    assert run(program, "jam=line:7").filament_mm.tolist() == pytest.approx([1.0, 1.0] + [0.0] * 8)
    unseen = run(program, "runout_unseen=line:5,amount:3.5")
    assert unseen.filament_mm.sum() == pytest.approx(3.5)
    cold = run(program, "cold_nozzle=amount:55")
    assert cold.filament_mm.sum() < 0.5 * whole.filament_mm.sum()
    assert np.allclose(cold.nozzle_c, 155.0)


def test_a_layer_shift_shows_from_then_on_until_homed(run):
    program = "\n".join(f"G1 X{5 * i} F6000" for i in range(1, 30)) + "\nG28 X\nG1 X50"
    path = run(program, "layer_shift=line:25,amount:2.5,axis:x")
    off = path.end_mm[:29, 0] - 5.0 * np.arange(1, 30)
    assert off[0] == 0.0
    assert off[28] == 2.5
    assert np.all(np.diff(off) >= 0.0)
    assert set(off) == {0.0, 2.5}
    assert path.end_mm[-1, 0] == 50.0


def test_a_layer_shift_may_wait_for_a_height(run):
    path = run("G1 X10 F3000\nG4 S0\nG1 Z1\nG1 X20\nG1 X30\nG4 S1\nG1 X40", "layer_shift=z:0.9,amount:-3,axis:y")
    assert path.end_mm[0, 1] == 0.0
    assert path.end_mm[-1, 1] == -2.0  # the frame is in the way


def test_a_program_that_the_firmware_dies_of_says_so(profile):
    firmware = VirtualFirmware(profile, faults=FaultPlan.parse(["heating_failed"]))
    with pytest.raises(FirmwareHalted, match="Heating failed"):
        firmware.run_program("G28\nM109 S210\nG1 X10 E1")


PLACES = st.tuples(st.integers(0, 2500).map(lambda v: v / 10), st.integers(0, 2100).map(lambda v: v / 10))


@given(st.lists(st.tuples(PLACES, st.integers(0, 300).map(lambda v: v / 100)), min_size=1, max_size=30))
@settings(deadline=None, derandomize=True, max_examples=20)
def test_everything_commanded_is_recorded_once(moves):
    from toughopt.profiles import load_profile

    firmware = VirtualFirmware(load_profile("virtual"))
    firmware.run_program(READY)
    lines = [f"G1 X{x} Y{y} E{e} F1200" for (x, y), e in moves]
    path = firmware.run_program("M83\n" + "\n".join(lines))
    assert path.filament_mm.sum() == pytest.approx(sum(e for _, e in moves))
    assert path.end_mm[-1, :2].tolist() == pytest.approx(list(moves[-1][0])) if len(path.time_s) else True
    assert len(path.time_s) <= len(moves)


def test_without_a_part_there_is_an_empty_record(profile):
    firmware = VirtualFirmware(profile)
    path = firmware.take()
    assert path.start_mm.shape == (0, 3)
    assert not firmware.status()["bed_occupied"]
