"""The stand moves only within limits that it read back, and stops whatever happens."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
import pytest

from toughopt.errors import DeviceError, FrameFault, LinkLost
from toughopt.frames import EsmCommands, EsmSettings, LoadFrame, Mark10Frame, TestLimits
from toughopt.virtual.stand import StandFaults, VirtualStand

LIMITS = TestLimits(force_n=1000.0, travel_mm=5.0, speed_mm_per_min=10.0)


def spring(travel_mm: float) -> float:
    """A part of 400 N/mm under 0.5 mm of slack."""
    return 400.0 * max(travel_mm - 0.5, 0.0)


@contextmanager
def stand_and_frame(tmp_path, guard, force=spring, faults=None, own_limit=2000.0, commands=None, hurry=30.0):
    settings = EsmSettings(own_limit, poll_s=0.01, silence_s=0.5, commands=commands or EsmCommands())
    with VirtualStand(force, hurry, faults) as stand:
        frame = Mark10Frame(stand.url, tmp_path, guard, settings)
        yield stand, frame
        frame.close()


def table(path) -> np.ndarray:
    text = path.read_text(encoding="utf-8")
    return np.loadtxt(text.splitlines()[text.splitlines().index("(s),(mm),(N)") + 1 :], delimiter=",")


def test_a_test_ends_at_the_force_limit_and_leaves_its_curve(tmp_path, guard):
    with stand_and_frame(tmp_path, guard) as (stand, frame):
        assert isinstance(frame, LoadFrame)
        rows = table(frame.crush("A", LIMITS, 20.0))
        assert stand.standing
    assert rows[-1, 2] >= 1000.0
    assert np.all(rows[:-1, 2] < 1000.0)
    np.testing.assert_allclose(rows[:, 2], [spring(x) for x in rows[:, 1]], atol=0.5)
    assert np.all(np.diff(rows[:, 0]) > 0)


def test_a_soft_part_ends_at_the_travel_limit(tmp_path, guard):
    with stand_and_frame(tmp_path, guard, force=lambda x: 10.0 * x) as (stand, frame):
        rows = table(frame.crush("A", LIMITS, 20.0))
        assert stand.furthest_mm <= 5.0 + 1e-9
    assert rows[-1, 1] == pytest.approx(5.0, abs=0.01)


def test_a_part_that_breaks_ends_the_test(tmp_path, guard):
    with stand_and_frame(tmp_path, guard, force=lambda x: spring(x) if x < 2.0 else 5.0) as (stand, frame):
        frame.crush("A", LIMITS, 20.0)
        assert stand.travel_mm < 4.0


def test_nothing_moves_when_the_stand_does_not_keep_its_limits(tmp_path, guard):
    with stand_and_frame(tmp_path, guard, faults=StandFaults(forgets_limits=True)) as (stand, frame):
        with pytest.raises(FrameFault, match="stand reads back 10 and -100"):
            frame.crush("A", TestLimits(1000.0, 5.0, 3.0), 20.0)
        assert not stand.moved.is_set()


def test_nothing_moves_beyond_the_stands_own_force_limit(tmp_path, guard):
    with stand_and_frame(tmp_path, guard, own_limit=900.0) as (stand, frame):
        with pytest.raises(FrameFault, match=r"1000 N is more than the 900 N"):
            frame.crush("A", LIMITS, 20.0)
        assert not stand.moved.is_set()


def test_nothing_moves_without_specimen_confirmation_or_while_kept_clear(tmp_path, guard):
    with stand_and_frame(tmp_path, guard) as (stand, frame):
        guard.keep_clear("cleaning")
        with pytest.raises(FrameFault, match="cleaning"):
            frame.crush("A", LIMITS, 20.0)
        guard.release()
        with pytest.raises(FrameFault, match="not B"):
            frame.crush("B", LIMITS, 20.0)
        guard.confirm = lambda question: False
        with pytest.raises(FrameFault, match="nobody confirmed"):
            frame.crush("A", LIMITS, 20.0)
        assert not stand.moved.is_set()


def test_a_timeout_stops_the_crosshead(tmp_path, guard, alarms):
    with stand_and_frame(tmp_path, guard, hurry=0.1) as (stand, frame):
        with pytest.raises(FrameFault, match="did not end within"):
            frame.crush("A", LIMITS, 0.2)
        assert stand.standing
    assert not alarms


def test_stop_from_another_thread_stops_and_sees_the_standstill(tmp_path, guard, in_background):
    with stand_and_frame(tmp_path, guard, hurry=0.1) as (stand, frame):
        seen: list[bool] = []
        stopping = in_background(lambda: stand.moved.wait(10.0) and seen.append(frame.stop()))
        with pytest.raises(FrameFault, match="stopped"):
            frame.crush("A", LIMITS, 30.0)
        assert stand.standing
        stopping.join(30.0)  # it still watches the travel; the line has to stay open for that
    assert seen == [True]


def test_a_stop_while_a_person_is_asked_keeps_the_crosshead_still(tmp_path, guard):
    with stand_and_frame(tmp_path, guard) as (stand, frame):
        guard.confirm = lambda question: frame.stop()  # somebody stops it; then whoever was asked says yes
        with pytest.raises(FrameFault, match="stopped before it moved"):
            frame.crush("A", LIMITS, 20.0)
        assert not stand.moved.is_set()


def test_keep_clear_in_mid_test_stops_the_crosshead(tmp_path, guard, in_background):
    with stand_and_frame(tmp_path, guard, hurry=0.1) as (stand, frame):
        in_background(lambda: stand.moved.wait(10.0) and guard.keep_clear("pause"))
        with pytest.raises(FrameFault, match="keep clear: pause"):
            frame.crush("A", LIMITS, 30.0)
        assert stand.standing


def test_ctrl_c_in_mid_test_stops_the_crosshead(tmp_path, guard):
    def force(travel_mm: float) -> float:
        return spring(travel_mm)

    with stand_and_frame(tmp_path, guard, hurry=1.0) as (stand, frame):

        class Interrupting:
            def add(self, travel_mm: float, force_n: float) -> None:
                raise KeyboardInterrupt

        frame._follow = lambda recording, timeout_s, follow=frame._follow: follow(Interrupting(), timeout_s)
        with pytest.raises(KeyboardInterrupt):
            frame.crush("A", LIMITS, 30.0)
        assert stand.moved.is_set()
        assert stand.standing


def test_a_lost_line_in_mid_test_is_said_loudly(tmp_path, guard, alarms):
    faults = StandFaults(silent_from_mm=0.5)
    with (
        stand_and_frame(tmp_path, guard, faults=faults) as (_, frame),
        pytest.raises(FrameFault, match="NOT known to stand still"),
    ):
        frame.crush("A", LIMITS, 20.0)
    assert "emergency stop" in alarms[0]


def test_a_stop_that_is_ignored_is_said_loudly(tmp_path, guard, alarms):
    with stand_and_frame(tmp_path, guard, faults=StandFaults(ignores_stop=True), hurry=0.3) as (stand, frame):
        with pytest.raises(FrameFault, match="NOT known to stand still"):
            frame.crush("A", LIMITS, 0.1)
        assert not stand.standing
    assert alarms


def test_a_stand_that_speaks_otherwise_is_not_moved(tmp_path, guard):
    with stand_and_frame(tmp_path, guard, commands=EsmCommands(read_speed="?")) as (stand, frame):
        with pytest.raises(LinkLost, match="does not answer"):
            frame.crush("A", LIMITS, 20.0)
        assert not stand.moved.is_set()


def test_the_lift_after_a_test_is_confirmed_on_its_own(tmp_path, guard):
    questions: list[str] = []
    guard.confirm = lambda question: bool(questions.append(question)) or True
    with VirtualStand(spring, 60.0) as stand:
        settings = EsmSettings(2000.0, poll_s=0.01, silence_s=0.5, lift_mm=2.0)
        frame = Mark10Frame(stand.url, tmp_path, guard, settings)
        frame.crush("A", LIMITS, 20.0)
        assert stand.travel_mm < 1.5
        frame.close()
    assert len(questions) == 2
    assert "raise the crosshead by 2 mm" in questions[1]


def test_files_of_one_specimen_never_overwrite_each_other(tmp_path, guard):
    with stand_and_frame(tmp_path, guard, hurry=60.0) as (_, frame):
        paths = {frame.crush("A", LIMITS, 20.0) for _ in range(2)}
    assert {path.name for path in paths} == {"A.csv", "A_2.csv"}


def test_a_stop_before_any_line_is_there_is_an_error(tmp_path, guard):
    stand = VirtualStand(spring)
    frame = Mark10Frame(stand.url, tmp_path, guard, EsmSettings(2000.0, silence_s=0.2))
    gone = threading.Thread(target=stand.close)
    gone.start()
    gone.join(timeout=10.0)
    with pytest.raises(DeviceError):
        frame.crush("A", LIMITS, 1.0)
    frame.close()
