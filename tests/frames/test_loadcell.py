"""A load cell that prints lines, and a trigger that moves."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest

from toughopt.errors import ConfigError, FrameFault
from toughopt.frames import (
    CellSettings,
    LoadCellFrame,
    LoadFrame,
    SerialTrigger,
    SerialTriggerCommands,
    TestLimits,
)
from toughopt.frames.loadcell import ANY_FORCE, UNITS
from toughopt.virtual.talk import Instrument

LIMITS = TestLimits(force_n=100.0, travel_mm=5.0, speed_mm_per_min=60.0)
COMMANDS = SerialTriggerCommands(
    set_limits=("SET F {force_n:.1f}", "SET D {travel_mm:.2f}", "SET V {speed_mm_per_min:.1f}"),
    read_limits="GET",
    limits_expression=r"F (?P<force_n>\S+) D (?P<travel_mm>\S+) V (?P<speed_mm_per_min>\S+)",
    start="GO",
    stop="HALT",
    status="?",
    standing_expression="idle",
)


class Rig:
    """A crosshead and a cell that share one part."""

    def __init__(self, line="L {force:.2f} N {travel:.3f}", deaf=False, stuck=False, mute=False) -> None:
        self.line, self.deaf, self.stuck, self.mute = line, deaf, stuck, mute
        self.limits = {"F": "0", "D": "0", "V": "0"}
        self.moving = False
        self.moved = threading.Event()
        self.travel = 0.0
        self.lock = threading.Lock()

    def move(self, command: bytes) -> bytes:
        text = command.decode()
        with self.lock:
            if text.startswith("SET ") and not self.deaf:
                self.limits[text[4]] = text[6:]
            elif text == "GET":
                return "F {F} D {D} V {V}\n".format(**self.limits).encode()
            elif text == "GO":
                self.moving = True
                self.moved.set()
            elif text == "HALT" and not self.stuck:
                self.moving = False
            elif text == "?":
                return b"moving\n" if self.moving else b"idle\n"
        return b""

    def weigh(self, command: bytes) -> bytes:
        with self.lock:
            if self.mute and self.moving:
                return b""
            self.travel += 0.05 * self.moving
            return (self.line.format(force=50.0 * self.travel, travel=self.travel) + "\r\n").encode()


@pytest.fixture
def build(tmp_path, guard):
    opened = []

    def make(rig: Rig, **settings) -> LoadCellFrame:
        cell, motor = Instrument(rig.weigh, "cell"), Instrument(rig.move, "motor")
        chosen = CellSettings(
            **({"expression": r"(?P<force>\S+) N (?P<travel>\S+)", "ask": "?", "silence_s": 0.5} | settings)
        )
        trigger = SerialTrigger(motor.url, COMMANDS, standstill_s=0.5)
        frame = LoadCellFrame(cell.url, tmp_path, guard, trigger, chosen)
        opened.extend([frame, cell, motor])
        return frame

    yield make
    for thing in opened:
        thing.close()


def rows_of(path) -> np.ndarray:
    lines = path.read_text(encoding="utf-8").splitlines()
    return np.loadtxt(lines[lines.index("(s),(mm),(N)") + 1 :], delimiter=",")


def test_a_test_ends_at_the_force_limit_with_the_crosshead_standing(build):
    rig = Rig()
    frame = build(rig)
    assert isinstance(frame, LoadFrame)
    rows = rows_of(frame.crush("A", LIMITS, 30.0))
    assert rows[-1, 2] >= 100.0 > rows[-2, 2]
    np.testing.assert_allclose(rows[:, 2], 50.0 * rows[:, 1], atol=0.05)
    assert not rig.moving


def test_numbers_without_a_unit_are_scaled(build):
    rig = Rig(line="{force:.3f}")
    frame = build(rig, expression=r"(?P<force>[-+.\d]+)", scale=2.0, offset=10.0)
    rows = rows_of(frame.crush("A", LIMITS, 30.0))
    steps = (rows[:, 2] / 2.0 + 10.0) / (0.05 * 50.0)  # the cell's numbers, in steps of the crosshead
    np.testing.assert_allclose(steps, np.round(steps), atol=0.01)
    assert rows[-1, 2] >= 100.0


def test_travel_without_a_sensor_is_speed_times_time(build):
    frame = build(Rig(line="{force:.3f} N"), expression=r"(?P<force>\S+) (?P<unit>N)")
    rows = rows_of(frame.crush("A", LIMITS, 30.0))
    np.testing.assert_allclose(np.diff(rows[:, 1]), np.diff(rows[:, 0]), atol=0.02)  # 60 mm/min is 1 mm/s


@pytest.mark.parametrize(
    ("line", "expression"),
    [("{force:.2f} stone", r"(?P<force>\S+) (?P<unit>\w+)"), ("F={force:.2f} N", r"(?P<force>\S+) (?P<unit>N)")],
)
def test_what_is_no_number_or_no_unit_of_force_is_no_reading(build, line, expression):
    rig = Rig(line=line)
    with pytest.raises(FrameFault, match=r"no reading within 0\.5 s; it sent '"):
        build(rig, expression=expression).crush("A", LIMITS, 30.0)
    assert not rig.moved.is_set()


@pytest.mark.parametrize("line", ["1,234 kN", "+1,2", "12,5,3.25"])
def test_a_decimal_comma_is_not_taken_for_the_end_of_a_number(build, line):
    rig = Rig(line=line)
    with pytest.raises(FrameFault, match=r"no reading within 0\.5 s; it sent '"):
        build(rig, expression=ANY_FORCE).crush("A", LIMITS, 30.0)
    assert not rig.moved.is_set()


@pytest.mark.parametrize(
    ("line", "force_n"),
    [("12.5", 12.5), ("-3 N", -3.0), ("F=+1.5 kN", 1500.0), ("12.5,3.25", 12.5), ("12.5, 3", 12.5), ("7.", 7.0)],
)
def test_numbers_of_cells_are_read_as_they_stand(line, force_n):
    found = re.search(ANY_FORCE, line)
    assert found is not None
    assert float(found["force"]) * UNITS[(found["unit"] or "N").lower()] == force_n


def test_a_silent_cell_starts_nothing(build):
    rig = Rig(line="no numbers here")
    with pytest.raises(FrameFault, match=r"no reading within 0\.5 s; it sent 'no numbers here'"):
        build(rig).crush("A", LIMITS, 30.0)
    assert not rig.moved.is_set()


def test_a_cell_that_falls_silent_stops_the_crosshead(build):
    rig = Rig(mute=True)
    with pytest.raises(FrameFault, match="no reading"):
        build(rig).crush("A", LIMITS, 30.0)
    assert rig.moved.is_set()
    assert not rig.moving


def test_limits_that_the_frame_does_not_take_start_nothing(build):
    rig = Rig(deaf=True)
    with pytest.raises(FrameFault, match="nothing was moved"):
        build(rig).crush("A", LIMITS, 30.0)
    assert not rig.moved.is_set()


def test_a_crosshead_that_does_not_stop_is_said_loudly(build, alarms):
    with pytest.raises(FrameFault, match="NOT known to stand still"):
        build(Rig(stuck=True)).crush("A", LIMITS, 30.0)
    assert alarms


def test_keep_clear_stops_it(build, guard):
    rig = Rig()
    frame = build(rig)
    threading.Thread(target=lambda: rig.moved.wait(10.0) and guard.keep_clear("pause"), daemon=True).start()
    with pytest.raises(FrameFault, match="keep clear: pause"):
        frame.crush("A", TestLimits(1e9, 1e9, 60.0), 30.0)
    assert not rig.moving


def test_expressions_must_name_what_is_read(build):
    with pytest.raises(ConfigError, match="'force'"):
        build(Rig(), expression=r"\d+")
