"""A robot that fails, and what scale, press and camera then make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toughopt.compression import read_curves
from toughopt.errors import ConfigError, DeviceError
from toughopt.frames import FrameGuard, Handler, Question, TestLimits, WatchedHandler
from toughopt.gcode.base import ExecutedPath
from toughopt.gcode.deposit import deposit
from toughopt.virtual.exporter import VirtualPress
from toughopt.virtual.handler import Mishap, RobotFault, VirtualEye, VirtualRobot, on_its_side
from toughopt.virtual.lab import VirtualHandler


def tube(radius_mm: float = 6.0, layers: int = 40, layer_mm: float = 0.3) -> ExecutedPath:
    """A tube of one line, 0.5 mm wide."""
    angle = np.linspace(0.0, 2.0 * np.pi, 25)
    ring = np.column_stack([50.0 + radius_mm * np.cos(angle), 50.0 + radius_mm * np.sin(angle)])
    z = layer_mm * np.arange(1, layers + 1)
    start = np.concatenate([np.column_stack([ring[:-1], np.full(24, height)]) for height in z])
    end = np.concatenate([np.column_stack([ring[1:], np.full(24, height)]) for height in z])
    n = len(start)
    filament = np.linalg.norm(end - start, axis=1) * 0.5 * layer_mm / (np.pi * 1.75**2 / 4.0)
    return ExecutedPath(
        start_mm=start,
        end_mm=end,
        filament_mm=filament,
        nozzle_c=np.full(n, 210.0),
        speed_mm_s=np.full(n, 30.0),
        time_s=np.arange(1.0, n + 1.0),
        tool=np.zeros(n, dtype=np.int64),
    )


class Bed:
    """A printer on which a tube lies."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, path: Path) -> ExecutedPath:
        self.taken += 1
        made = tube()
        path.write_bytes(made.to_npz())
        return made


class Balance:
    """Weighs what is put on it."""

    def __init__(self) -> None:
        self.mass_g = 0.0

    def put(self, mass_g: float, seed: int) -> None:
        self.mass_g = mass_g

    def clear(self) -> None:
        self.mass_g = 0.0


@pytest.fixture
def make_robot(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    def make(*faults: str, seed: int = 1) -> Any:
        press, guard, bed, scale = VirtualPress(tmp_path), FrameGuard(confirm=None), Bed(), Balance()
        hands = VirtualHandler({"p1": bed}, scale, press, guard, tmp_path, seed)  # type: ignore[arg-type]
        robot = VirtualRobot(hands, press, seed, faults)
        robot.bed, robot.press, robot.scale = bed, press, scale  # type: ignore[attr-defined]
        return robot

    return make


def crushed(robot: Any, specimen: str = "S") -> tuple[float, float]:
    """Largest force, N, and the travel at which the force begins, mm."""
    robot.press.start(specimen, TestLimits(force_n=50_000.0, travel_mm=8.0))
    files = [path for path in robot.press.folder.iterdir() if path.suffix != ".npz"]
    curve = read_curves(max(files, key=lambda path: path.stat().st_mtime_ns))[0]
    return float(curve.force_n.max()), float(curve.displacement_mm[-1])


def test_without_faults_it_does_what_hands_do(make_robot) -> None:
    robot = make_robot()
    assert isinstance(robot, Handler)
    robot.clear_bed("p1", "S")
    robot.to_scale("S")
    assert robot.scale.mass_g > 0.2
    robot.to_frame("S")
    force_n, _ = crushed(robot)
    assert force_n > 500.0
    robot.discard("S")
    assert robot.truth.on_frame is None


def test_a_grab_that_fails_is_told_and_moves_nothing(make_robot) -> None:
    robot = make_robot("grab_fails=clear_bed:specimen:S")
    with pytest.raises(DeviceError, match="closed on nothing"):
        robot.clear_bed("p1", "S")
    assert robot.bed.taken == 0
    robot.clear_bed("p1", "S")  # the second try holds it
    assert robot.bed.taken == 1


def test_a_miss_at_the_bed_is_seen_by_the_camera_only(make_robot) -> None:
    robot = make_robot("misses=clear_bed:specimen:S")
    watched = WatchedHandler(robot, VirtualEye(robot), retries=1)
    watched.clear_bed("p1", "S")
    assert robot.bed.taken == 1
    other = make_robot("misses=clear_bed:1")
    other.clear_bed("p1", "S")  # it says that it is done
    assert other.bed.taken == 0
    with pytest.raises(DeviceError, match=r"bed_clear of p1.*a part lies on the bed"):
        WatchedHandler(other, VirtualEye(other)).clear_bed("p1", "S")


def test_a_part_that_is_not_there_gives_no_force(make_robot) -> None:
    robot = make_robot("misses=to_frame:specimen:S")
    robot.clear_bed("p1", "S")
    robot.to_frame("S")
    assert crushed(robot)[0] < 10.0


def test_a_part_on_its_side_is_another_part_to_the_press(make_robot) -> None:
    upright, fallen = make_robot(), make_robot("falls=specimen:S")
    forces = []
    for robot in (upright, fallen):
        robot.clear_bed("p1", "S")
        robot.to_frame("S")
        forces.append(crushed(robot)[0])
        robot.discard("S")
    assert abs(forces[1] / forces[0] - 1.0) > 0.2
    fallen = make_robot("falls=1")
    fallen.clear_bed("p1", "S")
    with pytest.raises(DeviceError, match=r"on_frame.*on its side"):
        WatchedHandler(fallen, VirtualEye(fallen)).to_frame("S")


def test_lying_down_keeps_the_material() -> None:
    part = deposit(tube())
    lying = on_its_side(part)
    assert lying.total_volume_mm3 == pytest.approx(part.total_volume_mm3)
    assert lying.height_of_part_mm == pytest.approx(12.0, abs=1.1)  # the tube's diameter
    assert np.ptp(lying.start_mm[:, 1]) == pytest.approx(11.7, abs=0.1)  # its height, less a layer
    assert np.bincount(lying.layer, lying.volume_mm3) == pytest.approx(lying.layers.volume_mm3)


def test_mishaps_depend_on_seed_specimen_and_attempt_only(make_robot) -> None:
    def mishaps(order: list[str], seed: int) -> dict[str, bool]:
        robot = make_robot("grab_fails=clear_bed:0.5", seed=seed)
        found = {}
        for specimen in order:
            try:
                robot.clear_bed("p1", specimen)
                found[specimen] = False
            except DeviceError:
                found[specimen] = True
        return found

    names = [f"{k:05d}" for k in range(40)]
    forth, back = mishaps(names, 1), mishaps(names[::-1], 1)
    assert forth == back
    assert mishaps(names, 2) != forth
    assert 8 < sum(forth.values()) < 32


def test_questions_are_answered_by_what_is_true(make_robot) -> None:
    robot = make_robot("misses=to_scale:1")
    eye = VirtualEye(robot)
    robot.clear_bed("p1", "S")
    assert eye.look(Question.BED_CLEAR, "S", "p1").yes
    robot.to_scale("S")
    assert not eye.look(Question.ON_SCALE, "S").yes
    robot.to_frame("S")
    assert eye.look(Question.ON_FRAME, "S").yes
    assert not eye.look(Question.FRAME_EMPTY, "S").yes
    robot.discard("S")
    assert eye.look(Question.FRAME_EMPTY, "S").yes


@pytest.mark.parametrize("text", ["falls", "falls=2", "trips=0.1", "falls=discard:0.1", "falls=often"])
def test_what_is_no_fault_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match=r"falls=0\.02"):
        RobotFault.parse(text)


def test_faults_are_written_as_text() -> None:
    assert RobotFault.parse("falls=0.02") == RobotFault(Mishap.FALLS, 0.02)
    assert RobotFault.parse("misses=specimen:00007") == RobotFault(Mishap.MISSES, specimen="00007")
    assert RobotFault.parse("grab_fails=to_scale:0.1") == RobotFault(Mishap.GRAB_FAILS, 0.1, action="to_scale")
