"""What a host sees: acknowledgements, resends, busy messages, kill, reset."""

from __future__ import annotations

import re

import pytest

from toughopt.virtual.firmware import FirmwareOptions, VirtualFirmware


def test_after_a_reset_it_says_start(sender):
    assert sender.banner.startswith("start\n")


def test_every_command_is_acknowledged_once(sender):
    assert sender("M107") == "ok\n"
    assert sender("G28").endswith("\nok\n")
    assert sender.raw(b"M107\nM107\nM107\n") == "ok\nok\nok\n"


def test_advanced_ok_tells_line_planner_and_queue(make_sender):
    sender = make_sender(options={"advanced_ok": True})
    assert sender("M107") == "ok N1 P15 B3\n"
    assert sender.raw(b"M107\n") == "ok P15 B3\n"
    sender.all("G28", "G1 F600")
    assert [sender(f"G1 X{i}") for i in range(1, 4)] == ["ok N4 P14 B3\n", "ok N5 P13 B3\n", "ok N6 P12 B3\n"]
    for i in range(4, 40):
        reply = sender(f"G1 X{i}")
    assert reply.startswith("ok N42 P0 ")


def test_the_ok_after_a_resend_is_plain_and_acknowledges_nothing(make_sender, numbered):
    sender = make_sender(options={"advanced_ok": True})
    reply = sender.raw(numbered(1, "M107").replace(b"M107", b"M106"))
    assert reply == "Error:checksum mismatch, Last Line: 0\nResend: 1\nok\n"
    assert sender.firmware.executed == []


def test_a_line_sent_again_is_refused_and_not_executed_again(sender, numbered):
    sender("G92 E0")
    assert "Resend: 2\n" in sender.raw(numbered(1, "G92 E0"))
    assert len(sender.firmware.executed) == 1


def test_the_tail_of_a_flushed_line_runs_as_a_command_without_number(sender, numbered):
    bad, following = numbered(1, "G1 X1").replace(b"X1", b"X2"), numbered(2, "M106 S1 M107")
    cut = following.index(b"M107")
    sender.raw(bad + following[:cut])
    sender.raw(following[cut:])
    (stray,) = sender.firmware.executed
    assert (stray.line, stray.text) == (None, "M107")


def test_unknown_commands_are_named_and_acknowledged(sender):
    assert sender("M4711") == 'echo:Unknown command: "M4711"\nok\n'
    assert sender.raw(b"hello\n") == 'echo:Unknown command: "hello"\nok\n'
    assert sender.raw(b"\x00\n") == 'echo:Unknown command: ""\nok\n'


def test_questions_are_answered(sender):
    assert sender("M105") == "ok T:23.00 /0.00 B:23.00 /0.00 @:0 B@:0\n"
    assert sender("M114") == "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\nok\n"
    told = sender("M115")
    assert told.startswith("FIRMWARE_NAME:Marlin")
    assert "EXTRUDER_COUNT:1" in told
    assert "Cap:EMERGENCY_PARSER:1\n" in told
    assert "Cap:AUTOREPORT_TEMP:1\n" in told
    assert sender("M119").count("open") + sender.all("M119").count("TRIGGERED") >= 3


def test_two_nozzles_report_each(make_sender, profile):
    two = profile.model_copy(update={"nozzles": profile.nozzles * 2})
    sender = make_sender(profile=two)
    assert re.fullmatch(r"ok T:\S+ /\S+ B:\S+ /\S+ T0:\S+ /\S+ T1:\S+ /\S+ @:0 B@:0 @0:0 @1:0\n", sender("M105"))
    assert "Active Extruder: 1" in sender("T1")
    assert "Invalid extruder" in sender("T2")


def test_kill_turns_everything_off_and_then_there_is_silence(hot):
    reply = hot.raw(b"M112\n")
    assert "Error:Printer halted. kill() called!\n" in reply
    assert "//action:poweroff\n" in reply
    assert hot.raw(b"M105\nG28\n\n") == ""
    status = hot.firmware.status()
    assert status["halted"]
    assert set(status["targets_c"].values()) == {0.0}
    hot.firmware.reset()
    assert hot.raw(b"").startswith("start\n")


def test_a_reset_forgets_line_numbers_position_and_targets_but_not_the_part(hot, numbered):
    hot.all("G1 Z0.2 F600", "G1 X20 E1 F1200", "M400")
    hot.firmware.reset()
    assert "start\n" in hot.raw(b"")
    assert "X:0.00" in hot.raw(b"M114\n")
    assert "ok" in hot.raw(numbered(1, "M105"))
    status = hot.firmware.status()
    assert status["bed_occupied"]
    assert status["targets_c"]["0"] == 0.0
    assert status["temperatures_c"]["0"] == 210.0
    assert status["real_position_mm"] == pytest.approx([20.0, 0.0, 0.2])


def test_while_heating_it_reports_and_says_that_it_is_busy(sender):
    reply = sender("M109 S210")
    assert reply.count("echo:busy: processing\n") > 20
    assert re.search(r"^T:\d+\.\d\d /210\.00 B:23\.00 /0\.00 @:127 B@:0 W:\?$", reply, re.MULTILINE)
    assert reply.endswith("ok\n")
    assert sender.firmware.status()["temperatures_c"]["0"] == 210.0


def test_keepalive_can_be_switched_off(sender):
    sender("M113 S0")
    assert "busy" not in sender("M109 S210")


def test_reports_come_unasked_by_virtual_time(hot):
    hot("M155 S2")
    reply = hot("G4 S20")
    assert len(re.findall(r"^ T:210\.00", reply, re.MULTILINE)) == 10
    hot("M155 S0")
    assert "T:" not in hot("G4 S20")


def real_time(profile, **options) -> VirtualFirmware:
    firmware = VirtualFirmware(profile, clock="real", options=FirmwareOptions(log_commands=None, **options))
    firmware.feed(b"", 0.0)
    return firmware


def test_in_real_time_heating_takes_its_time_and_m108_ends_the_wait(profile):
    firmware = real_time(profile)
    assert firmware.feed(b"M109 S210\n", 0.0) == b""
    for second in range(1, 30):
        assert b"ok" not in firmware.poll(float(second))
    assert 60.0 < firmware.status()["temperatures_c"]["0"] < 200.0
    assert firmware.feed(b"M108\n", 30.0).count(b"ok\n") == 2


def test_without_emergency_parser_nothing_ends_the_wait(profile):
    firmware = real_time(profile, emergency_parser=False)
    firmware.feed(b"M109 S210\n", 0.0)
    firmware.feed(b"M108\nM112\n", 1.0)
    firmware.poll(20.0)
    assert not firmware.status()["halted"]
    assert firmware.status()["waiting"] == "processing"
    said = b"".join(firmware.poll(20.0 + second) for second in range(200))
    assert b"kill() called" in said


def test_in_real_time_the_ok_waits_for_room_in_the_planner(profile):
    firmware = real_time(profile)
    firmware.feed(b"G28\n", 0.0)
    firmware.poll(100.0)
    acknowledged = [firmware.feed(f"G1 X{i * 5} F300\n".encode(), 100.0).count(b"ok") for i in range(1, 17)]
    assert acknowledged == [1] * 15 + [0]
    assert firmware.status()["planned_moves"] == 15
    assert b"ok" not in firmware.poll(100.5)
    assert b"ok" in firmware.poll(101.5)


def test_in_real_time_a_blocked_machine_buffers_127_bytes_and_loses_the_rest(profile):
    firmware = real_time(profile)
    firmware.feed(b"G4 S10\n", 0.0)
    for _ in range(10):
        firmware.feed(b"M117 123456789abcd\n", 1.0)
    assert firmware.status()["dropped_bytes"] == 190 - 127
    assert b"".join(firmware.poll(second) for second in (11.0, 12.0)).count(b"ok\n") == 1 + 6


def test_m410_drops_moves_and_knows_where_it_is(profile):
    firmware = real_time(profile)
    firmware.feed(b"G28\n", 0.0)
    firmware.poll(100.0)
    firmware.feed(b"G1 X100 F600\n", 100.0)
    firmware.feed(b"G1 X0\n", 100.0)
    firmware.poll(105.0)
    firmware.feed(b"M410\n", 105.0)
    status = firmware.status()
    assert not status["moving"]
    assert 45.0 < status["position_mm"]["x"] < 52.0
    assert status["real_position_mm"][0] == pytest.approx(status["position_mm"]["x"])


def test_a_pause_for_a_person_lasts_until_m108(sender):
    assert "ok" not in sender("M0 Take a look")
    assert sender.firmware.status()["waiting"] == "paused for user"
    said = sender.firmware.poll(0.0) + sender.firmware.poll(5.0)
    assert b"echo:busy: paused for user\n" in said
    assert "ok\n" in sender.raw(b"M108\n")


def test_filament_change_pauses_and_resumes(sender):
    reply = sender("M600")
    assert "//action:paused\n" in reply
    assert "//action:prompt_begin" in reply
    assert "//action:resumed\n" in sender.raw(b"M108\n")


def test_a_stopped_machine_ignores_moves_until_m999(hot):
    hot.firmware.inject("stop")
    assert "Printer stopped due to errors" in hot("G1 X10")
    assert hot.firmware.status()["position_mm"]["x"] == 0.0
    hot("M999")
    assert hot("G1 X10") == "ok\n"


def test_a_locked_machine_does_nothing_until_unlocked(make_sender):
    sender = make_sender(options={"locked": True})
    assert sender("G28") == "echo:Printer locked! (Unlock with M511 or LCD)\nok\n"
    assert not any(sender.firmware.status()["homed"])
    assert "Incorrect" in sender("M511 P1")
    sender("M511 P0000")
    sender("G28")
    assert all(sender.firmware.status()["homed"])


def test_host_messages_are_echoed(sender):
    assert sender("M118 hello there") == "hello there\nok\n"
    assert sender("M118 E1 hello") == "echo:hello\nok\n"
    assert sender("M118 A1 action:cancel") == "//action:cancel\nok\n"


def test_left_alone_an_unbound_clock_lets_the_bed_cool_quickly_and_stands_still_once_all_is_steady(sender):
    sender.firmware.poll(0.0)
    sender.firmware.feed(b"M190 S60\n", 0.0)
    sender.firmware.feed(b"M140 S0\n", 0.0)
    before = sender.firmware.status()["clock_s"]
    wall = 0.0
    while sender.firmware.due_s() < 60.0:
        wall = max(sender.firmware.due_s(), wall + 0.01)
        sender.firmware.poll(wall)
    status = sender.firmware.status()
    assert status["temperatures_c"]["bed"] < 24.0
    assert status["clock_s"] - before > 500.0
    assert wall < 5.0
    sender.firmware.poll(wall + 100.0)
    assert sender.firmware.status()["clock_s"] == status["clock_s"]


@pytest.mark.parametrize("options", [{}, {"advanced_ok": True}])
def test_the_short_way_and_the_long_way_do_the_same(make_sender, numbered, options):
    commands = ["G28", "M109 S210", "M155 S1", "G1 Z0.2 F600", "M83"]
    commands += [f"G1 X{i % 30} Y{(i * i) % 40} E0.{i % 10}" for i in range(200)] + ["G92 E0", "G1 F900 X3", "M400"]
    whole, pieces = make_sender(options=options), make_sender(options=options)
    for number, command in enumerate(commands, start=1):
        message = numbered(number, command)
        long_way = pieces.raw(message[:7]) + pieces.raw(message[7:])
        assert whole.raw(message) == long_way
    assert whole.firmware.executed == pieces.firmware.executed
    assert whole.firmware.take().to_npz() == pieces.firmware.take().to_npz()
    assert whole.firmware.status() == pieces.firmware.status()
