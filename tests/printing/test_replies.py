"""What the machine says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.printing.replies import Kind, Temperature, capabilities, heaters, is_bare_error, parse, position


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("ok", Kind.OK),
        ("ok N12 P15 B3", Kind.OK),
        ("ok T:21.5 /0.0 B:20.0 /0.0 @:0 B@:0", Kind.OK),
        ("ok 12", Kind.OK),
        ("okay", Kind.NOISE),
        ("o3", Kind.NOISE),
        ("okok", Kind.NOISE),
        ("Resend: 5", Kind.RESEND),
        ("Resend:5", Kind.RESEND),
        ("rs N5", Kind.RESEND),
        ("resend N:5", Kind.RESEND),
        ("Error:checksum mismatch, Last Line: 3", Kind.LINE_ERROR),
        ("Error: expected line 4 got 7", Kind.LINE_ERROR),
        ("Error:Printer halted. kill() called!", Kind.FATAL),
        ("Error:Heating failed, system stopped! Heater_ID: 0", Kind.FATAL),
        ("!! Lost communication with MCU 'mcu'", Kind.FATAL),
        ("Error:SD init fail", Kind.NOTE),
        ("Error:who knows", Kind.ERROR),
        ("echo:busy: processing", Kind.BUSY),
        ("busy: processing", Kind.BUSY),
        ("echo:busy: paused for input", Kind.PAUSED),
        ("wait", Kind.WAIT),
        ("start", Kind.RESET),
        ("echo: Watchdog Reset", Kind.RESET),
        ("echo:start", Kind.RESET),
        ("start of layer 5", Kind.NOTE),
        ("echo:Home XYZ First", Kind.ERROR),
        ("echo:T5 Invalid extruder", Kind.ERROR),
        ("echo:M104 Invalid extruder 5", Kind.ERROR),
        ("Error: checksum mismatch, Last Line: 3", Kind.LINE_ERROR),
        ("Error:Line Number is not Last Line Number+1, Last Line: 3", Kind.LINE_ERROR),
        ("Error:MINTEMP triggered, system stopped! Heater_ID: 0", Kind.FATAL),
        ("echo:DEBUG:INFO,ERRORS", Kind.NOTE),
        ("NORMAL MODE: Percent done: 5; print time remaining in mins: 18", Kind.NOTE),
        ("Not SD printing", Kind.NOTE),
        ("//action:notification Hotend heating...", Kind.ACTION),
        ("//action:prompt_begin Filament Runout T0", Kind.ACTION),
        ("area:{full:{min:{x:0.0000,y:0.0000,z:0.0000},max:{x:250.0000,y:210.0000,z:200.0000}}}", Kind.NOTE),
        ("Bilinear Leveling Grid:", Kind.NOTE),
        ("Bed X: 50.000 Y: 50.000 Z: 0.013", Kind.NOTE),
        ("echo:  M301 P22.20 I1.08 D114.00", Kind.NOTE),
        ("bias: 92 d: 92 min: 196.56 max: 203.75", Kind.NOTE),
        ("echo:Print time: 1h 2m 3s", Kind.NOTE),
        ("//action:pause", Kind.ACTION),
        ("// action:pause", Kind.ACTION),
        ("// cancel the print if the bed is cold", Kind.NOTE),
        ('// Unknown command:"M155"', Kind.NOTE),
        (" T:21.0 /0.0 B:20.0 /0.0".strip(), Kind.TEMPERATURE),
        ("T0:21.0/0.0 T1:22/100", Kind.TEMPERATURE),
        ("X:0.00 Y:1.00 Z:2.00 E:3.00 Count X:0 Y:0 Z:0", Kind.POSITION),
        ("FIRMWARE_NAME:Marlin 2 MACHINE_TYPE:X", Kind.FIRMWARE),
        ("Cap:AUTOREPORT_TEMP:1", Kind.CAPABILITY),
        ('echo:Unknown command: "G12"', Kind.UNKNOWN_COMMAND),
        ("echo: cold extrusion prevented", Kind.COLD),
        ("echo:Printer locked! (Unlock with M511 or LCD)", Kind.LOCKED),
        ("echo:Settings Stored (500 bytes)", Kind.NOTE),
        ("\xff\xfe", Kind.NOISE),
    ],
)
def test_kinds(line, kind):
    assert parse(line).kind is kind


def test_numbers():
    assert parse("ok N12 P15 B3")[2:5] == (12, 15, 3)
    assert parse("ok P15 B3")[2:5] == (None, 15, 3)
    assert parse("ok T:20 /0 B:25 /0")[2:5] == (None, None, None)
    assert parse("rs N7 Expected checksum 67").number == 7
    assert parse("Error:Line Number is not Last Line Number+1, Last Line: 41").last_line == 41


def test_temperatures():
    assert heaters("ok T:210.5 /210.0 B:60.0 /60.0 @:0 B@:0") == {
        "T": Temperature(210.5, 210.0),
        "B": Temperature(60.0, 60.0),
    }
    assert heaters("T:21.30/ 0.00 B:20.1/ 0.00 @:64")["T"] == Temperature(21.3, 0.0)
    assert heaters("T:20 E:0 W:?") == {"T": Temperature(20.0, None)}
    assert heaters("T:-15.0 /0.0")["T"].actual_c == -15.0
    assert heaters("Count X:0 Y:0") == {}


def test_positions_and_capabilities():
    assert position("X:1.50 Y:-2.00 Z:0.20 E:10.00 Count X:150") == (1.5, -2.0, 0.2, 10.0)
    assert position("ok") is None
    assert capabilities("Cap:AUTOREPORT_TEMP:1") == {"AUTOREPORT_TEMP": True}
    assert is_bare_error("Error:0") and is_bare_error("Error:") and not is_bare_error("Error:0 C")


@settings(deadline=None, derandomize=True, max_examples=300)
@given(line=st.text(st.characters(max_codepoint=255), max_size=60))
def test_nothing_that_comes_in_is_too_much(line):
    assert parse(line).kind in Kind
