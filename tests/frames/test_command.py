"""Other programs as hands and triggers: what they answer decides, and what they fail to answer stops."""

from __future__ import annotations

import sys

import pytest

from toughopt.errors import ConfigError, DeviceError, FrameFault
from toughopt.frames import (
    CommandHandler,
    CommandTimeout,
    CommandTrigger,
    FolderWatch,
    Handler,
    JsonCommand,
    TestLimits,
    WatchedFolderFrame,
)

LIMITS = TestLimits()


def test_the_request_arrives_and_the_answer_comes_back(program):
    command = JsonCommand(program("answer['echo'] = request"), 30.0)
    assert command.ask({"action": "weigh", "name": "ü"})["echo"] == {"action": "weigh", "name": "ü"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sys.exit('gripper jammed')", "exit code 1: gripper jammed"),
        ("print('hello')", "which is not JSON"),
        ("answer = [1]", "a JSON object was expected"),
        ("answer = {'ok': False, 'reason': 'no part seen'}", "refused: no part seen"),
        ("answer = {}", "refused: it gave no reason"),
    ],
)
def test_anything_but_a_yes_is_an_error_that_says_why(program, body, why):
    with pytest.raises(DeviceError, match=why):
        JsonCommand(program(body), 30.0).ask({"action": "clear_bed"})


def test_a_program_that_hangs_is_ended(program, tmp_path):
    command = program("time.sleep(60)")
    with pytest.raises(CommandTimeout, match="is not done after 1 s"):
        JsonCommand(command, 1.0).ask({"action": "clear_bed"})


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(DeviceError, match="no-such-program"):
        JsonCommand(("no-such-program",)).ask({})
    with pytest.raises(ConfigError):
        JsonCommand(())


def test_hands_try_again_and_then_give_up(program, tmp_path):
    count = tmp_path / "count"
    body = f"""
        seen = pathlib.Path({str(count)!r})
        tries = int(seen.read_text()) + 1 if seen.exists() else 1
        seen.write_text(str(tries))
        if tries < 3: sys.exit('slipped')
    """
    CommandHandler(JsonCommand(program(body), 30.0), retries=2).to_scale("A")
    assert count.read_text() == "3"
    count.unlink()
    with pytest.raises(DeviceError, match=r"slipped.*after 2 tries"):
        CommandHandler(JsonCommand(program(body), 30.0), retries=1).to_scale("A")


def test_a_timeout_of_the_hands_is_never_tried_again(program, tmp_path):
    count = tmp_path / "count"
    body = f"open({str(count)!r}, 'a').write('x'); time.sleep(60)"
    with pytest.raises(CommandTimeout):
        CommandHandler(JsonCommand(program(body), 1.5), retries=5).to_scale("A")
    assert count.read_text() == "x"


def test_a_bed_is_clear_only_when_the_program_says_so(program):
    CommandHandler(JsonCommand(program("answer['clear'] = True"), 30.0)).clear_bed("p1", "A")
    with pytest.raises(DeviceError, match="bed of p1 is clear"):
        CommandHandler(JsonCommand(program("pass"), 30.0)).clear_bed("p1", "A")


def test_hands_record_what_lies_on_the_plate(program, guard):
    hands = CommandHandler(JsonCommand(program("pass"), 30.0), guard=guard)
    assert isinstance(hands, Handler)
    hands.discard("A")
    assert guard.on_plate is None
    hands.to_frame("B")
    assert guard.on_plate == "B"
    assert guard.keep_clear_reason is None


def test_hands_that_fail_at_the_frame_leave_it_blocked(program, guard):
    hands = CommandHandler(JsonCommand(program("sys.exit('dropped')"), 30.0), retries=0, guard=guard)
    with pytest.raises(DeviceError, match="dropped"):
        hands.discard("A")
    assert "takes A away" in (guard.keep_clear_reason or "")


LOG = """
    import os
    log = open({log!r}, 'a'); log.write(request['action'] + ' '); log.close()
    if request['action'] == 'limits':
        answer['limits'] = request['limits'] | {told!r}
    if request['action'] == 'start':
        open({out!r}, 'w').write('Time,Extension,Load\\n0,0,0\\n')
    if request['action'] == 'stop':
        answer['standing'] = {standing!r}
"""


def body(tmp_path, told=None, standing=True):
    return LOG.format(
        log=str(tmp_path / "log"), told=told or {}, out=str(tmp_path / "Specimen_RawData_1.csv"), standing=standing
    )


def test_a_commanded_frame_reads_its_limits_back_then_starts(program, tmp_path, guard):
    trigger = CommandTrigger(JsonCommand(program(body(tmp_path)), 30.0))
    frame = WatchedFolderFrame(FolderWatch(tmp_path, settle_s=0.05, poll_s=0.01), guard, trigger)
    assert frame.crush("A", LIMITS, 30.0).name == "Specimen_RawData_1.csv"
    assert (tmp_path / "log").read_text() == "limits start "


@pytest.mark.parametrize("told", [{"force_n": 50000.0}, {"speed_mm_per_min": "fast"}])
def test_limits_that_do_not_come_back_start_nothing(program, tmp_path, guard, told):
    trigger = CommandTrigger(JsonCommand(program(body(tmp_path, told)), 30.0))
    frame = WatchedFolderFrame(FolderWatch(tmp_path), guard, trigger)
    with pytest.raises(FrameFault, match="nothing was moved"):
        frame.crush("A", LIMITS, 30.0)
    assert "start" not in (tmp_path / "log").read_text()


def test_a_stop_without_a_standstill_is_not_taken_for_one(program, tmp_path):
    assert CommandTrigger(JsonCommand(program(body(tmp_path)), 30.0)).stop()
    assert not CommandTrigger(JsonCommand(program(body(tmp_path, standing=False)), 30.0)).stop()
    with pytest.raises(FrameFault, match="could not be told to stop"):
        CommandTrigger(JsonCommand((sys.executable, "-c", "raise SystemExit(2)"), 30.0)).stop()
