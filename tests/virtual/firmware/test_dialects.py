"""What other hosts send, and what a real Marlin would print back."""

from __future__ import annotations

import re

import pytest

from toughopt.printing.replies import Kind, parse

T = r"T:[-\d.]+ /[\d.]+ B:[-\d.]+ /[\d.]+ @:\d+ B@:\d+"
UNKNOWN = 'echo:Unknown command: "{}"\n'

# name: (bytes as sent, what the whole answer looks like)
ASKED = {
    "a one-liner of the shell": (b"M105\n", rf"ok {T}\n"),
    "with a carriage return": (b"M105\r\n", rf"ok {T}\n"),
    "without number, but blanks": (b"   M105  \n", rf"ok {T}\n"),
    "with a comment": (b"M105 ; how warm?\n", rf"ok {T}\n"),
    "two lines, one of them a comment": (b"; hello\nM105\n", rf"ok {T}\n"),
    "nothing but a comment": (b"; hello\n", ""),
    "an empty line": (b"\n\r\n\n", ""),
    "no blanks at all": (b"M104S0\n", "ok\n"),
    "zeros ahead": (b"M0105\n", rf"ok {T}\n"),
    "lower case": (b"m105\n", re.escape(UNKNOWN.format("m105")) + "ok\n"),
    "no command": (b"hello\n", re.escape(UNKNOWN.format("hello")) + "ok\n"),
    "not built in": (b"M81\n", re.escape(UNKNOWN.format("M81")) + "ok\n"),
    "printcore's first line": (b"N-1 M110*15\n", "ok\n"),
    "OctoPrint's first line": (b"N0 M110 N0*125\n", "ok\n"),
    "Repetier-Host's first lines": (b"N1 M110*34\nM111 S6\n", "ok\necho:DEBUG:INFO,ERRORS\nok\n"),
    "debugging off": (b"M111 S0\n", "echo:DEBUG:Off\nok\n"),
    "number without checksum": (b"N1 M105\n", "Error:No Checksum with line number, Last Line: 0\nResend: 1\nok\n"),
    "wrong checksum": (b"N1 M105*1\n", "Error:checksum mismatch, Last Line: 0\nResend: 1\nok\n"),
    "wrong number": (b"N9 M105*46\n", r"Error:Line Number is not Last Line Number\+1, Last Line: 0\nResend: 1\nok\n"),
    "progress for the display": (b"M73 P10 R5\n", "ok\n"),
    "text with an asterisk": (b"M117 5 * 3\n", "ok\n"),
    "text with a semicolon": (b"M117 a;b\n", "ok\n"),
    "said back": (b"M118 E1 hello\n", "echo:hello\nok\n"),
    "an action said back": (b"M118 A1 action:notify done\n", "//action:notify done\nok\n"),
    "speed and flow": (b"M220\nM221\n", "FR:100%\nok\necho:E0 Flow: 100%\nok\n"),
    "SD card": (b"M27\n", "Not SD printing\nok\n"),
    "print time": (b"M31\n", r"echo:Print time: \d+s\nok\n"),
    "position": (b"M114\n", r"X:0\.00 Y:0\.00 Z:0\.00 E:0\.00 Count X:0 Y:0 Z:0\nok\n"),
    "position, in detail": (b"M114 D\nM114 R\n", r"(X:0\.00 Y:0\.00 Z:0\.00 E:0\.00 Count X:0 Y:0 Z:0\nok\n){2}"),
    "a tool that is not there": (b"T5\n", "echo:T5 Invalid extruder\nok\n"),
    "its heater": (b"M104 T5 S200\n", ".*Invalid extruder.*\nok\n"),
    "cold extrusion": (b"G1 E5\n", "echo: cold extrusion prevented\nok\n"),
    "modes": (b"M82\nM83\nG90\nG21\nG92 E0\n", "(ok\n){5}"),
    "a beep, a pin, endstops, volumes": (b"M300 S440 P1\nM42 P4 S0\nM120\nM121\nM200 D0\nM85 S0\n", "(ok\n){6}"),
    "go on after an error": (b"M999\n", "Resend: 1\nok\nok\n"),
    "go on, and forget nothing": (b"M999 S1\n", "ok\n"),
    "settings": (b"M503\n", r"(echo:.*\n)+ok\n"),
    "endstops": (b"M119\n", r"Reporting endstop status\n(\w+: \w+\n)+ok\n"),
    "keepalive": (b"M113 S2\n", "ok\n"),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_is_answered_as_marlin_does(name, sender):
    sent, answer = ASKED[name]
    said = sender.raw(sent)
    assert re.fullmatch(answer, said), said


@pytest.mark.parametrize("name", ASKED)
def test_our_own_host_takes_each_answer_for_what_it_is(name, sender):
    kinds = {parse(line.strip()).kind for line in sender.raw(ASKED[name][0]).splitlines()}
    assert Kind.FATAL not in kinds
    assert Kind.RESET not in kinds


def test_reports_that_were_asked_for_come_by_themselves_in_marlins_form(sender):
    sender.raw(b"M155 S2\n")
    said = sender.raw(b"G4 S5\n")
    reports = [line for line in said.splitlines() if not line.startswith(("ok", "echo:busy"))]
    assert len(reports) == 2
    assert all(re.fullmatch(f" {T}", line) for line in reports), reports


def test_while_it_heats_each_report_says_how_long_it_still_waits(sender):
    sender("G28")
    said = sender("M109 S210").splitlines()
    waits = [line for line in said if line.lstrip().startswith("T:")]
    assert all(re.fullmatch(rf" ?{T} W:(\?|\d+)", line) for line in waits), waits[:3]
    assert waits[0].endswith("W:?")
    assert any(line == "echo:busy: processing" for line in said)
    assert said[-1] == "ok"


def test_temperatures_asked_for_while_it_heats_are_answered_in_turn(sender):
    sender("G28")
    said = sender.raw(b"M109 S100\nM105\nM105\nM105\n").splitlines()
    first = said.index("ok")
    assert [bool(re.fullmatch(f"ok {T}", line)) for line in said[first + 1 :]] == [True] * 3


def test_an_ok_that_says_what_room_is_left(make_sender):
    sender = make_sender(options={"advanced_ok": True})
    assert re.fullmatch(r"ok N1 P\d+ B\d+\n", sender("M117 x"))
    assert re.fullmatch(r"ok P\d+ B\d+\n", sender.raw(b"M117 x\n"))


def test_the_banner_comes_in_lines_of_which_the_first_is_start(sender):
    first, *others = sender.banner.splitlines()
    assert first == "start"
    assert all(line.startswith("echo:") for line in others)
    assert {parse(line).kind for line in others} == {Kind.NOTE}
