from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from toughopt.gcode import CheckReport, Program, Severity, check, on_bed, read_program
from toughopt.profiles import Bed, PrinterProfile
from toughopt.slicing.base import Toolpaths

HEAD = "G21\nG90\nM83\nM140 S60\nM190 S60\nM109 S210\nG28\n"
BODY = ";LAYER_CHANGE\n;Z:0.2\nG1 Z0.2 F600\nG1 X100 Y100 F6000\nG1 X110 Y100 E0.4 F1200\n"
TAIL = "M104 S0\nM140 S0\nM107\nM84\n"


def report_of(text: str, profile: PrinterProfile) -> CheckReport:
    return check(read_program(text), profile)


def codes(report: CheckReport) -> list[str]:
    return [finding.code for finding in report.findings]


def test_a_sound_program_has_no_finding(profile: PrinterProfile) -> None:
    report = report_of(HEAD + BODY + TAIL, profile)
    assert report.findings == ()
    assert report.ok
    assert report.layer_count == 1
    assert report.filament_mm == pytest.approx(0.4)
    assert report.max_nozzle_c == 210
    assert report.max_bed_c == 60


@pytest.mark.parametrize(
    ("change", "code", "line", "severity"),
    [
        (("X110 Y100 E", "X260 Y100 E"), "outside_volume", 12, "error"),
        (("X100 Y100 F", "X-1 Y100 F"), "outside_volume", 11, "error"),
        (("G1 Z0.2 F600", "G1 Z201 F600"), "outside_volume", 10, "error"),
        (("M109 S210", "M109 S270"), "too_hot", 6, "error"),
        (("M190 S60", "M190 S120"), "too_hot", 5, "error"),
        (("M109 S210", "M109 S150"), "cold_extrusion", 12, "error"),
        (("M109 S210\n", ""), "cold_extrusion", 11, "error"),
        (("M109 S210", "M104 S210"), "not_waited", 12, "warning"),
        (("G28\n", ""), "not_homed", 9, "error"),
        (("M104 S0\n", ""), "heater_on_at_end", 6, "error"),
        (("M140 S0\n", ""), "heater_on_at_end", 5, "error"),
        (("M84\n", ""), "motors_on_at_end", 12, "error"),
        (("M107\n", "M106 S255\n"), "fan_on_at_end", 15, "warning"),
        (("G1 X110 Y100 E0.4 F1200", "G1 X110 Y100 E0.4 F30000"), "too_fast", 12, "warning"),
        (("E0.4", ""), "nothing_extruded", 0, "error"),
        (("E0.4", "E"), "unreadable", 12, "error"),
        (("G1 X110 Y100 E0.4", "G2 X110 Y100 E0.4"), "lost_arc", 12, "error"),
        (("G1 X110 Y100 E0.4", "G2 X110 Y100 I0 J0 E0.4"), "lost_arc", 12, "error"),
        (("G1 X110 Y100 E0.4", "G2 X110 Y100 I3 J0 E0.4"), "lost_arc", 12, "error"),
        (("G1 X110 Y100 E0.4", "G3 X110 Y100 R2 E0.4"), "lost_arc", 12, "error"),
        (("G1 X110 Y100 E0.4", "G3 X100 Y100 R2 E0.4"), "lost_arc", 12, "error"),
        (("G1 X110 Y100 E0.4", "G3 X110 Y100 Inan E0.4"), "lost_arc", 12, "error"),
        (("E0.4", "Enan"), "unreadable", 12, "error"),
        (("G28\n", "G28\n?%!\n"), "unreadable", 8, "error"),
        (("G28\n", "G28\nBED_MESH_CALIBRATE\n"), "unknown_command", 8, "error"),
        (("G28\n", "G28\nM117 " + "long " * 20 + "\n"), "line_too_long", 8, "error"),
        (("G28\n", "G28\nG4 S4000\n"), "long_pause", 8, "error"),
        (("G28\n", "G28\nM112\n"), "stops_machine", 8, "error"),
        (("G28\n", "G28\nM600\n"), "waits_for_person", 8, "warning"),
        (("G28\n", "G28\nG53 G1 X300 Y300\n"), "not_followed", 8, "error"),
        (("G28\n", "G28\nG5 X400 Y0 I0 J3 P0 Q-3\n"), "not_followed", 8, "error"),
        (("G28\n", "G28\nM851 Z-9\n"), "not_followed", 8, "error"),
        (("G28\n", "G28\nM206 X100\n"), "not_followed", 8, "error"),
        (("G28\n", "G28\nM211 S0\n"), "not_followed", 8, "error"),
        (("E0.4", "E0.8"), "over_extrusion", 0, "warning"),
        (("E0.4", "E4"), "flooded", 0, "error"),
        (("E0.4", "E0.1"), "under_extrusion", 0, "warning"),
    ],
)
def test_each_fault_is_found_where_it_is(
    profile: PrinterProfile, change: tuple[str, str], code: str, line: int, severity: str
) -> None:
    text = HEAD + BODY + TAIL
    assert change[0] in text
    report = report_of(text.replace(change[0], change[1], 1), profile)
    found = [finding for finding in report.findings if finding.code == code]
    assert found, report.findings
    assert found[0].line == line
    assert found[0].severity == severity
    assert report.ok == (not report.errors)
    assert found[0].message
    if severity == "error":
        assert not report.ok


def test_what_is_harmless_of_a_kind_is_no_fault(profile: PrinterProfile) -> None:
    text = (HEAD + BODY + TAIL).replace("G28\n", "G28\nM211 S1\nM500\n")
    assert "not_followed" not in codes(report_of(text, profile))
    klipper = profile.model_copy(update={"firmware": "klipper"})
    shifted = (HEAD + BODY + TAIL).replace("G28\n", "G28\nset_gcode_offset Z=-3\n")
    assert "not_followed" in codes(report_of(shifted, klipper))
    assert "not_followed" not in codes(report_of(shifted.replace("offset Z=-3", "xyz A=1"), klipper))


def test_one_layer_with_too_much_is_no_flood(profile: PrinterProfile) -> None:
    more = "".join(f";LAYER_CHANGE\n;Z:{z}\nG1 Z{z} F600\nG1 X{x} E0.4\n" for z, x in ((0.4, 100), (0.6, 110)))
    report = report_of(HEAD + BODY.replace("E0.4", "E1.8") + more + TAIL, profile)
    assert "over_extrusion" in codes(report) and report.ok


def test_a_finding_tells_value_and_limit(profile: PrinterProfile) -> None:
    report = report_of((HEAD + BODY + TAIL).replace("S210", "S300"), profile)
    finding = report.errors[0]
    assert (finding.value, finding.limit, finding.unit, finding.place) == (300, 260, "°C", "nozzle 0")
    assert "300" in str(finding)


def test_faults_that_repeat_are_one_finding(profile: PrinterProfile) -> None:
    away = "".join(f"G1 X{300 + step} Y100 E0.4\n" for step in range(5))
    report = report_of(HEAD + BODY + away + TAIL, profile)
    (finding,) = [finding for finding in report.findings if finding.code == "outside_volume"]
    assert finding.count == 5
    assert "5 times" in str(finding)


def test_a_margin_and_a_round_bed(profile: PrinterProfile) -> None:
    text = (HEAD + BODY + TAIL).replace("X100 Y100 F", "X-3 Y100 F")
    wide = profile.model_copy(update={"bed": Bed(margin_mm=4.0)})
    assert report_of(text, wide).ok
    disc = profile.model_copy(update={"bed": Bed(shape="circle", size_mm=(200, 200), origin="center")})
    corner = (
        (HEAD + BODY + TAIL)
        .replace("X110 Y100 E", "X-90 Y-90 E")
        .replace("E0.4", "E5")
        .replace("X100 Y100 F", "X0 Y0 F")
    )
    assert codes(report_of(corner, disc)) == ["outside_volume"]


def test_klippers_macros_may_do_what_the_checker_cannot_see(profile: PrinterProfile) -> None:
    klipper = profile.model_copy(update={"firmware": "klipper"})
    report = report_of("START_PRINT BED=60 EXTRUDER=210\nM83\n" + BODY + "END_PRINT\n", klipper)
    assert report.ok
    assert {finding.code for finding in report.warnings} >= {"cold_extrusion", "not_homed"}
    assert codes(report_of(HEAD + BODY + "TURN_OFF_HEATERS\nM84\n", klipper)) == []


def test_an_altered_program_is_told(tube: Callable[..., Toolpaths], write: Callable[..., Program]) -> None:
    program = write(tube())
    machine = tube().profile
    assert check(program, machine).findings == ()
    remark = program.text.replace(";TYPE:Perimeter", ";TYPE:Perimeter ; a remark changes nothing")
    assert check(read_program(remark), machine).findings == ()
    altered = program.text.replace(" F2400\n", " F1200\n", 1)
    assert codes(check(read_program(altered), machine)) == ["altered"]


def test_layers_are_accounted_for(tube: Callable[..., Toolpaths], write: Callable[..., Program]) -> None:
    toolpaths = tube(layers=8)
    report = check(write(toolpaths), toolpaths.profile)
    assert report.layer_count == 8
    assert np.allclose(report.layers.z_mm, 0.2 * np.arange(1, 9))
    assert np.allclose(report.layers.height_mm, 0.2)
    assert np.allclose(report.layers.volume_mm3, toolpaths.volume_mm3 / 8, rtol=1e-4)
    assert np.allclose(report.layers.width_mm, 0.45, rtol=1e-4)
    assert report.layers.time_s.sum() < report.time_s


def test_the_report_is_plain_json(profile: PrinterProfile) -> None:
    report = report_of((HEAD + BODY + TAIL).replace("M84\n", ""), profile)
    plain = json.loads(json.dumps(report.as_dict()))
    assert plain["ok"] is False
    assert plain["findings"][0]["code"] == "motors_on_at_end"
    assert plain["findings"][0]["severity"] == Severity.ERROR


def test_extrusion_outside_the_outline_is_found(
    tube: Callable[..., Toolpaths], write: Callable[..., Program], square_tube: Callable[..., object]
) -> None:
    toolpaths = tube(skirt=True)
    solid = on_bed(square_tube(size=20.0, wall=0.9, height=2.0), toolpaths.profile)
    assert check(write(toolpaths), toolpaths.profile, solid=solid).findings == ()
    smaller = on_bed(square_tube(size=17.0, wall=0.3, height=2.0), toolpaths.profile)
    report = check(write(toolpaths), toolpaths.profile, solid=smaller)
    assert "outside_outline" in codes(report)
    assert not report.ok


def test_a_layer_with_too_little_is_found_against_the_design(
    tube: Callable[..., Toolpaths], write: Callable[..., Program], square_tube: Callable[..., object]
) -> None:
    toolpaths = tube()
    solid = on_bed(square_tube(size=20.0, wall=1.2, height=2.0), toolpaths.profile)
    report = check(write(toolpaths), toolpaths.profile, solid=solid)
    assert codes(report) == ["under_filled"]
    assert report.findings[0].count == 10
    assert report.findings[0].value == pytest.approx(68.76 / (20**2 - 17.6**2), rel=0.01)


@pytest.mark.parametrize("height", [5.02, 5.09, 5.18])
def test_a_spiral_around_its_solid_lies_within_it_and_one_around_a_larger_solid_does_not(
    profile: PrinterProfile, height: float
) -> None:
    from datetime import UTC, datetime

    from manifold3d import Manifold

    from toughopt.gcode import write_program
    from toughopt.geometry import Solid
    from toughopt.slicing import NativeSlicer

    vase = profile.model_copy(update={"slicing": profile.slicing.model_copy(update={"mode": "vase"})})
    cone, wider = (Solid(Manifold.cylinder(height, 8.0 + more, 12.0 + more, 96)) for more in (0.0, 1.5))
    programs = [
        write_program(NativeSlicer().slice(one, vase), vase, date=datetime(2024, 1, 1, tzinfo=UTC))
        for one in (cone, wider)
    ]
    assert check(programs[0], vase, solid=on_bed(cone, vase)).findings == ()
    assert codes(check(programs[1], vase, solid=on_bed(cone, vase))) == ["outside_outline"]


def test_the_turn_of_a_steep_spiral_begins_within_the_section_below(profile: PrinterProfile) -> None:
    from datetime import UTC, datetime

    from manifold3d import Manifold

    from toughopt.gcode import write_program
    from toughopt.geometry import Solid
    from toughopt.slicing import NativeSlicer

    vase = profile.model_copy(update={"slicing": profile.slicing.model_copy(update={"mode": "vase"})})
    steep, narrower = (Solid(Manifold.cylinder(2.0, 14.0 - less, 4.0 - less, 96)) for less in (0.0, 2.5))
    program = write_program(NativeSlicer().slice(steep, vase), vase, date=datetime(2024, 1, 1, tzinfo=UTC))
    assert "outside_outline" not in codes(check(program, vase, solid=on_bed(steep, vase)))
    assert "outside_outline" in codes(check(program, vase, solid=on_bed(narrower, vase)))
