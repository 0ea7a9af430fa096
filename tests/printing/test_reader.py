"""What a program may do on a machine, and how long the host gives each command."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import Manifold

from toughopt.errors import ProgramError
from toughopt.gcode import write_program
from toughopt.geometry import Solid
from toughopt.printing.reader import ProgramReader, check_lines
from toughopt.printing.text import lines_in, lines_of
from toughopt.profiles import Bed, Limits, Nozzle, PrinterProfile, load_profile
from toughopt.slicing import NativeSlicer

READY = ["G28", "M109 S210", "G90", "M82"]


def read(lines, **limits):
    profile = PrinterProfile(name="x", limits=Limits(**limits), nozzles=(Nozzle(), Nozzle()))
    reader = ProgramReader(profile, "part.gcode")
    return list(reader.commands(lines))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["M104 S261"], "above 260 C"),
        (["M104 S300 S200"], "above 260 C"),
        (["M104S300"], "above 260 C"),
        (["M109 R400"], "above 260 C"),
        (["M104 S200 B300"], "above 260 C"),
        (["M140 S111"], "above 110 C"),
        (["M190 R200"], "above 110 C"),
        (["M303 E0 S300 C8"], r"above 260 C \(limits\.max_nozzle_c"),
        (["M303 E-1 S120 C8"], r"above 110 C \(limits\.max_bed_c"),
        (["M141 S50"], "chamber"),
        (["M302 S0"], "cold extrusion"),
        (["M302 P1"], "cold extrusion"),
        (["M149 F"], "unit of temperatures"),
        (["M575 B9600"], "baud"),
        (["M28 x.gco"], "SD card"),
        (["M997"], "firmware"),
        (["M112"], "emergency stop"),
        (["G1 X1"], "before any G28"),
        (["G28", "M84", "G1 X1"], "before any G28"),
        (["G28", "M104 S100", "G1 X1 E1"], "below 170 C"),
        (["G28", "M83", "G1 E1"], "below 170 C"),
        ([*READY, "T1", "G1 X1 E1"], "below 170 C"),
        ([*READY, "M104 S0", "G1 X1 E1"], "below 170 C"),
        (["X1 Y2"], "no G-code command"),
        (["G28", "G1 X251"], "leaves the room"),
        (["G28", "G1 Y-0.1"], "leaves the room"),
        (["G28", "G0 Z200.1"], "leaves the room"),
        (["G28", "G1 X250", "G91", "G1 X0.1"], "leaves the room"),
        (["G28", "G20", "G1 X10"], "leaves the room"),
    ],
)
def test_refused(lines, reason):
    with pytest.raises(ProgramError, match=reason) as caught:
        read(lines)
    assert f"line {len(lines)}" in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        [*READY, "G1 X1 E1", "G1 X2 E0.5", "M84 E", "G1 X3 E1"],
        [*READY, "M302", "M104 T1 S200", "T1", "G1 E2"],
        ["G28 X", "G1 X1 F100"],
        ["G92 E0", "G1 E-1 F100"],
        ["M117 anything at all"],
        ["G28", "G92 X0", "G1 X-20"],
        ["G28", "G1 X250 Y210 Z200"],
    ],
)
def test_allowed(lines):
    assert len(read(lines)) == len(lines)


KLIPPER = PrinterProfile(name="k", firmware="klipper")


@pytest.mark.parametrize("profile", ["klipper_generic", "voron"])
@pytest.mark.parametrize("end", ["end", "end_cool_and_wait", "end_heat_and_release"])
def test_what_our_own_templates_for_klipper_say_is_sent(profile: str, end: str) -> None:
    machine = load_profile(profile).model_copy(update={"end": end})
    toolpaths = NativeSlicer().slice(Solid(Manifold.cube((8.0, 8.0, 2.0))), machine)
    text = write_program(toolpaths, machine, date=datetime(2026, 1, 1, tzinfo=UTC)).text
    assert check_lines(lines_of(text), machine, "part.gcode") > 100


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["SET_HEATER_TEMPERATURE HEATER=extruder TARGET=350"], r"asks for 350 C, above 260 C \(limits\.max_nozzle_c"),
        (["set_heater_temperature heater=extruder1 target=261"], "above 260 C"),
        (['SET_HEATER_TEMPERATURE HEATER="heater_bed" TARGET="111"'], r"above 110 C \(limits\.max_bed_c"),
        (["SET_HEATER_TEMPERATURE HEATER=chamber TARGET=60"], "no limit"),
        (["SET_HEATER_TEMPERATURE HEATER=extruder TARGET=hot"], "no number"),
        (["PID_CALIBRATE HEATER=extruder TARGET=300"], "above 260 C"),
        (["G28", "SET_HEATER_TEMPERATURE HEATER=extruder TARGET=100", "G1 E1"], "below 170 C"),
        (["G28", "M109 S210", "TURN_OFF_HEATERS", "G1 E1"], "below 170 C"),
        (["SET_VELOCITY_LIMIT ACCEL=2000", "G1 X1"], "before any G28"),
        (["#M104 S300"], "no G-code command"),
    ],
)
def test_klippers_own_commands_keep_the_limits(lines, reason):
    with pytest.raises(ProgramError, match=reason):
        list(ProgramReader(KLIPPER, "part.gcode").commands(lines))


def test_what_a_macro_of_the_machines_own_does_is_its_own_business_but_not_what_is_named():
    lines = ["PRINT_START BED=60 EXTRUDER=215", "G1 X1 E1", "SET_HEATER_TEMPERATURE HEATER=extruder TARGET=0", "G28"]
    sent = [command.body for command in ProgramReader(KLIPPER, "part.gcode").commands(lines)]
    assert sent == [line.encode() for line in lines]  # the case of heaters' names, too
    with pytest.raises(ProgramError, match="no G-code command"):
        read(["PRINT_START"])


def test_moves_before_homing_are_the_profiles_choice():
    assert len(read(["G1 X1"], home_first=False)) == 1


def test_what_is_the_hosts_business_is_left_out():
    assert read(["M110 N5", "M155 S3", "M999", "; nothing", ""]) == []


def test_durations_and_places():
    commands = read([*READY, "G1 X0 Y0 Z0 F600", "G1 X30 Y40", "G91", "G1 X10 F6000", "G90", "G20", "G1 X1"])
    assert commands[5].limit_s - commands[4].limit_s == pytest.approx(5.0)
    assert commands[5].position == (30.0, 40.0, 0.0, 0.0)
    assert commands[7].position[0] == 40.0
    assert commands[7].limit_s - commands[5].limit_s == pytest.approx(0.1)
    assert commands[-1].position[0] == pytest.approx(25.4)


def test_relative_moves_and_commands_that_block_go_alone():
    by_body = {
        command.body: command.solo for command in read([*READY, "G1 X1 E1", "M83", "G1 X2 E1", "G1 X3", "G4 S1"])
    }
    assert by_body[b"G1 X1 E1"] is False
    assert by_body[b"G1 X2 E1"] is True
    assert by_body[b"G1 X3"] is False
    assert by_body[b"G28"] and by_body[b"M109 S210"] and by_body[b"G4 S1"]


def test_only_commands_that_block_are_excused_by_reports_of_temperatures():
    """A relative move goes alone too, but temperatures that arrive meanwhile say nothing of it."""
    waits = {command.body: command.waits for command in read([*READY, "M83", "G1 X2 E1", "G4 S1"])}
    assert waits[b"G28"] and waits[b"M109 S210"]
    assert not waits[b"G1 X2 E1"] and not waits[b"M83"]


def test_homing_forgets_the_place():
    assert read([*READY, "G1 X5 Y5", "G28"])[-1].position[:3] == (None, None, None)


def test_a_long_command_is_given_time():
    by_code = {command.body.split()[0]: command for command in read([*READY, "G29", "M600", "G4 S90"])}
    assert by_code[b"M109"].patience_s == 900
    assert by_code[b"G29"].patience_s >= 60
    assert by_code[b"M600"].limit_s >= 3600
    assert by_code[b"G4"].patience_s > 90


def test_the_lines_of_a_text_and_of_a_file_are_the_same(tmp_path):
    text = "G28\nM104 S200\r\n\n; end"
    path = tmp_path / "part.gcode"
    path.write_bytes(text.encode())
    assert [line.rstrip("\r\n") for line in lines_in(path)] == [line.rstrip("\r") for line in lines_of(text)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "binary"),
        (b"GCDE\x01\0", "binary"),
        (b"G28\nG1 X" + b"1" * 100_000 + b"\n", "4096 characters"),
        (b"; nothing but a comment\n", "no G-code command"),
        (b"", "no G-code command"),
        (b"\xff\xfe\xfd junk", "not G-code"),
    ],
)
def test_what_is_no_program_is_refused_in_one_sentence(data, reason, tmp_path):
    path = tmp_path / "part.gcode"
    path.write_bytes(data)
    profile = PrinterProfile(name="x")
    with pytest.raises(ProgramError, match=reason):
        check_lines(lines_in(path), profile, path.name)


def test_a_comment_may_be_as_long_as_it_likes(tmp_path):
    path = tmp_path / "part.gcode"
    path.write_text("; thumbnail " + "x" * 100_000 + "\nG28\n")
    assert check_lines(lines_in(path), PrinterProfile(name="x"), "part.gcode") == 1


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ProgramError, match="cannot be read"):
        list(lines_in(tmp_path / "missing.gcode"))


WORD = st.tuples(st.sampled_from("XYZEF"), st.integers(-30, 2300).map(lambda tenths: f"{tenths / 10:g}"))
MOVE = st.lists(WORD, unique_by=lambda word: word[0], max_size=5).map(
    lambda words: " ".join(["G1", *(name + value for name, value in sorted(words, key=lambda w: "XYZEF".index(w[0])))])
)
LINES = st.lists(st.one_of(MOVE, st.sampled_from(["G28", "G90", "G91", "M82", "M83", "G92 E0", "G20", "G21"])))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(lines=LINES, round_bed=st.booleans())
def test_the_short_way_through_a_usual_move_leads_where_the_long_one_does(lines, round_bed):
    """A second blank keeps a move off the short way, and changes nothing else."""
    bed = Bed(shape="circle", size_mm=(200.0, 200.0), origin="center") if round_bed else Bed()
    profile = PrinterProfile(name="x", bed=bed)

    def follow(between):
        reader, seen = ProgramReader(profile, "x"), []
        for line in ["G28", "M109 S210", *lines]:
            try:
                command = reader.read(line.replace("G1 ", "G1" + between) if " " in line else line)
            except ProgramError as error:
                return [*seen, str(error).replace("G1  ", "G1 ")]
            seen.append(command._replace(body=command.body.replace(b"G1  ", b"G1 ")))
        return seen

    assert follow(" ") == follow("  ")


@pytest.mark.parametrize("line", ["G1 X5 ; across", "G1 X5\r\n", "G1 X5;\n", "  G1 X5", "g1 x5", "G1 X5 (so)"])
def test_what_surrounds_a_move_is_not_sent(line):
    assert [command.body for command in read(["G28", line])] == [b"G28", b"G1 X5"]


def test_a_move_that_is_too_long_is_refused_though_it_is_a_move():
    with pytest.raises(ProgramError, match="characters long"):
        read(["G28", f"G1 X1.{'0' * 90}"])


def test_digits_of_other_scripts_are_no_numbers():
    with pytest.raises(ProgramError, match="line 2"):
        read(["G28", "G1 X\u0665"])
