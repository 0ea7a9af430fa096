"""The crosshead moves only when everything says that it may."""

from __future__ import annotations

import pytest

from toughopt.errors import DeviceError, FrameFault
from toughopt.frames import FrameGuard, TestLimits
from toughopt.frames.guard import Motion, same_limits

LIMITS = TestLimits(force_n=4500.0, travel_mm=12.0, speed_mm_per_min=2.0)


class Crosshead:
    name = "crosshead"

    def __init__(self, stands: bool = True, fails: bool = False) -> None:
        self.stops = 0
        self._stands, self._fails = stands, fails

    def stop(self) -> bool:
        self.stops += 1
        if self._fails:
            raise DeviceError("the line is gone")
        return self._stands


def test_permit_asks_for_each_movement_and_names_the_limits(alarms):
    questions = []
    guard = FrameGuard(confirm=lambda question: bool(questions.append(question)) or True, alarm=alarms)
    guard.place("S7")
    guard.permit("S7", LIMITS, "frame 1")
    guard.permit("S7", LIMITS, "frame 1")
    assert len(questions) == 2
    for part in ("frame 1", "S7", "4500 N", "12 mm", "2 mm/min"):
        assert part in questions[0]


def test_permit_refuses_without_a_specimen_or_with_another(alarms):
    guard = FrameGuard(confirm=None, alarm=alarms)
    with pytest.raises(FrameFault, match="no specimen is recorded"):
        guard.permit("S7", LIMITS, "frame")
    guard.place("S8")
    with pytest.raises(FrameFault, match="S8 lies on the plate, not S7"):
        guard.permit("S7", LIMITS, "frame")


def test_permit_refuses_without_a_persons_word(alarms):
    guard = FrameGuard(confirm=lambda question: False, alarm=alarms)
    guard.place("S7")
    with pytest.raises(FrameFault, match="nobody confirmed"):
        guard.permit("S7", LIMITS, "frame")


def test_keep_clear_that_comes_while_the_person_thinks_still_holds(alarms):
    guard = FrameGuard(confirm=None, alarm=alarms)

    def answer(question: str) -> bool:
        guard.keep_clear("somebody reaches in")
        return True

    guard.confirm = answer
    guard.place("S7")
    with pytest.raises(FrameFault, match="somebody reaches in"):
        guard.permit("S7", LIMITS, "frame")


def test_every_reason_to_keep_clear_must_be_released(guard):
    guard.keep_clear("cleaning")
    guard.keep_clear("visitors")
    guard.release("cleaning")
    with pytest.raises(FrameFault, match="visitors"):
        guard.permit("A", LIMITS, "frame")
    guard.release()
    guard.permit("A", LIMITS, "frame")


def test_hands_that_fail_between_the_plates_leave_the_frame_blocked(guard):
    with pytest.raises(DeviceError), guard.reaching_in("the robot takes A away"):
        raise DeviceError("the gripper lost its part")
    with pytest.raises(FrameFault, match="the robot takes A away"):
        guard.permit("A", LIMITS, "frame")


def test_two_specimens_never_lie_on_one_plate(guard):
    with pytest.raises(FrameFault, match="A lies there"):
        guard.place("B")
    guard.remove("B")
    assert guard.on_plate == "A"
    guard.remove("A")
    guard.place("B")


def test_a_movement_that_ends_well_is_not_stopped(alarms):
    crosshead = Crosshead()
    with Motion(crosshead, alarms) as motion:
        motion.done()
    assert crosshead.stops == 0


def test_ctrl_c_in_mid_movement_sends_the_stop_and_goes_on(alarms):
    crosshead = Crosshead()
    with pytest.raises(KeyboardInterrupt), Motion(crosshead, alarms):
        raise KeyboardInterrupt
    assert crosshead.stops == 1
    assert not alarms


@pytest.mark.parametrize("crosshead", [Crosshead(stands=False), Crosshead(fails=True)], ids=["moves on", "unreachable"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), FrameFault("time-out")], ids=["ctrl-c", "fault"])
def test_a_standstill_that_was_not_seen_is_said_loudly(alarms, crosshead, error):
    with pytest.raises(type(error)) as caught, Motion(crosshead, alarms):
        raise error
    assert "NOT known to stand still" in alarms[0]
    told = str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
    assert "NOT known to stand still" in told


def test_limits_are_compared_to_within_what_a_display_shows():
    assert same_limits(LIMITS, TestLimits(4500.0, 12.04, 2.0))
    assert not same_limits(LIMITS, TestLimits(5000.0, 12.0, 2.0))
    assert not same_limits(LIMITS, TestLimits(4500.0, 12.0, 20.0))
