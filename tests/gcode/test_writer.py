from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import ProgramError
from toughopt.gcode import Program, check, deposit, read_program, taken_at_its_word, with_flow, write_program
from toughopt.profiles import PrinterProfile
from toughopt.slicing.base import Layer, Line, Role, Toolpaths

GOLDEN = Path(__file__).parent / "golden"
AREA = np.pi * 1.75**2 / 4
Make = Callable[..., Toolpaths]
Write = Callable[..., Program]


def commands(program: Program, progress: bool = False) -> list[str]:
    """What is sent; M73, which may stand anywhere, only with `progress`."""
    sent = (line.partition(";")[0].strip() for line in program.text.splitlines())
    return [text for text in sent if text and (progress or not text.startswith("M73"))]


def filament_of_part(program: Program) -> float:
    """Filament of all that comes after the priming line, mm."""
    fed = program.moves.extruded_mm
    return float(np.sum(fed) - fed[np.flatnonzero(fed)[0]])


def test_the_same_toolpaths_give_the_same_program(tube: Make, write: Write) -> None:
    assert write(tube()).text == write(tube()).text


def test_the_filament_is_that_of_the_lines(tube: Make, write: Write) -> None:
    toolpaths = tube(skirt=True)
    drawn = sum(line.volume_mm3 for layer in toolpaths.layers for line in layer.lines)
    assert filament_of_part(write(toolpaths)) * AREA == pytest.approx(drawn, rel=1e-6)


def test_rounding_never_adds_up(profile: PrinterProfile, write: Write) -> None:
    angle = np.linspace(0, 2 * np.pi, 20_001)
    points = np.column_stack([125 + 20 * np.cos(angle), 105 + 20 * np.sin(angle), np.full(20_001, 0.2)])
    line = Line(points, Role.PERIMETER, 0.45, 0.2, 0.0837, 40.0)
    program = write(Toolpaths((Layer(0.2, 0.2, (line,)),), profile, "by hand", 1.0))
    assert filament_of_part(program) == pytest.approx(line.volume_mm3 / AREA, abs=1e-5)


@settings(deadline=None, derandomize=True, max_examples=15)
@given(dx=st.integers(-60_000, 60_000), dy=st.integers(-60_000, 60_000))
def test_moving_the_part_moves_the_program(dx: int, dy: int) -> None:
    from toughopt.profiles import load_profile

    profile = load_profile("virtual")
    made = {}
    for name, shift in (("here", np.zeros(3)), ("there", np.array([dx, dy, 0]) / 1000)):
        points = np.array([[115, 95, 0.2], [135, 95, 0.2], [135, 115, 0.2], [115, 95, 0.2]]) + shift
        line = Line(points, Role.PERIMETER, 0.45, 0.2, 0.09, 40.0)
        toolpaths = Toolpaths((Layer(0.2, 0.2, (line,)),), profile, "by hand", 1.0)
        program = write_program(toolpaths, profile, date=datetime(2026, 1, 1))
        made[name] = deposit(taken_at_its_word(program, profile))
    shift = np.array([dx, dy, 0]) / 1000
    assert np.allclose(made["here"].end_mm + shift, made["there"].end_mm, atol=1e-9)
    assert np.array_equal(made["here"].volume_mm3, made["there"].volume_mm3)


def test_every_move_starts_where_the_last_one_ended(tube: Make, write: Write, profile: PrinterProfile) -> None:
    path = taken_at_its_word(write(tube(skirt=True)), profile)
    assert np.allclose(path.start_mm[1:], path.end_mm[:-1])


def test_travels_follow_their_route_and_draw_back_where_asked(profile: PrinterProfile, write: Write) -> None:
    def line(x: float, retract: bool) -> Line:
        points = np.array([[x, 100, 0.2], [x, 110, 0.2]])
        route = np.array([[x, 120.0]])
        return Line(points, Role.PERIMETER, 0.45, 0.2, 0.09, 40.0, route, retract)

    program = write(Toolpaths((Layer(0.2, 0.2, (line(100, True), line(110, False))),), profile, "by hand", 1.0))
    sent = commands(program)
    second = sent.index("G1 X110.000 Y120.000 F9000")
    assert sent[second + 1] == "G1 X110.000 Y100.000"
    assert not any("E-" in text or "E0.8" in text for text in sent[sent.index("G1 X100.000 Y100.000") + 2 : second])
    between = sent[: sent.index("G1 X100.000 Y100.000") + 2]
    assert between[-1] == "G1 E0.80000 F2400"


def test_a_line_that_begins_where_the_last_one_ended_needs_no_travel(profile: PrinterProfile, write: Write) -> None:
    first = Line(np.array([[100, 100, 0.2], [110, 100, 0.2]]), Role.PERIMETER, 0.45, 0.2, 0.09, 40.0)
    second = Line(np.array([[110, 100, 0.2], [110, 110, 0.2]]), Role.PERIMETER, 0.45, 0.2, 0.09, 40.0)
    sent = commands(write(Toolpaths((Layer(0.2, 0.2, (first, second)),), profile, "by hand", 1.0)))
    at = sent.index(next(text for text in sent if text.startswith("G1 X110.000 Y100.000 E")))
    assert sent[at + 1].startswith("G1 X110.000 Y110.000 E")


def test_viewers_find_layers_kinds_and_widths(tube: Make, write: Write) -> None:
    lines = write(tube(skirt=True)).text.splitlines()
    assert lines.count(";LAYER_CHANGE") == 10
    at = lines.index(";LAYER_CHANGE")
    assert lines[at + 1 : at + 3] == [";Z:0.2", ";HEIGHT:0.2"]
    kinds = [line for line in lines if line.startswith(";TYPE:")]
    assert kinds[:4] == [";TYPE:Custom", ";TYPE:Skirt/Brim", ";TYPE:External perimeter", ";TYPE:Perimeter"]
    assert ";WIDTH:0.45" in lines
    assert lines.index(";TYPE:Custom") < at


def test_head_footer_and_own_block(tube: Make, write: Write) -> None:
    program = write(
        tube(), design={"n": 8, "theta": 100.0}, family="crossed_barrel", seed=7, metadata={"campaign": "a\nb"}
    )
    lines = program.text.splitlines()
    assert lines[0].startswith("; generated by toughopt ")
    assert lines[0].endswith(" on 2026-03-01 at 12:30:00 UTC")
    footer = dict(line[2:].split(" = ", 1) for line in lines if line.startswith("; ") and " = " in line)
    assert float(footer["filament used [mm]"]) == pytest.approx(program.filament_mm, abs=0.01)
    assert float(footer["filament used [g]"]) == pytest.approx(program.filament_g, abs=0.001)
    assert footer["total layers count"] == "10"
    assert footer["filament_diameter"] == "1.75"
    assert "estimated printing time (normal mode)" in footer
    assert footer["toughopt.design"] == '{"n": 8, "theta": 100.0}'
    assert footer["toughopt.seed"] == "7"
    assert footer["toughopt.campaign"] == "a b"
    assert program.metadata["family"] == "crossed_barrel"
    assert len(program.metadata["content_sha256"]) == 64


def test_a_host_that_knows_prusaslicer_finds_its_figures(tube: Make, spiral: Make, write: Write) -> None:
    """The patterns with which Moonraker reads the metadata of PrusaSlicer's programs."""
    for toolpaths in (tube(), spiral(turns=9)):
        program = write(toolpaths)
        assert re.search(r"PrusaSlicer\s(.*)\son", program.text[:1000])
        heights = re.findall(r";BEFORE_LAYER_CHANGE\n(?:.*\n)?;(\d+\.?\d*)", program.text)
        assert max(map(float, heights)) == pytest.approx(2.0)
        assert re.search(r";\sestimated\sprinting\stime.*(\d+)s", program.text)
        weight = re.search(r"total\sfilament\sused\s\[g\]\s=\s([0-9]*\.?[0-9]+)", program.text)
        assert weight
        assert float(weight.group(1)) == pytest.approx(program.filament_g, abs=0.001)
        assert re.search(r"; total layers count = (\d+)", program.text)


def test_progress_runs_from_0_to_100(tube: Make, write: Write) -> None:
    program = write(tube(layers=40))
    told = [text for text in commands(program, progress=True) if text.startswith("M73")]
    percent = [int(text.split()[1][1:]) for text in told]
    minutes = [int(text.split()[2][1:]) for text in told]
    assert percent[0] == 0
    assert percent[-1] == 100
    assert percent == sorted(percent)
    assert minutes == sorted(minutes, reverse=True)
    assert minutes[-1] == 0
    assert minutes[0] == -(-program.time_s // 60)


def test_no_command_is_too_long_to_be_sent(tube: Make, write: Write) -> None:
    assert max(map(len, commands(write(tube(skirt=True))))) <= 82


def test_flow_multiplies_the_filament(tube: Make, profile: PrinterProfile, date: datetime) -> None:
    toolpaths = tube()
    more = with_flow(profile, 1.1)
    usual = deposit(taken_at_its_word(write_program(toolpaths, profile, date=date), profile))
    rich = deposit(taken_at_its_word(write_program(toolpaths, more, date=date), more))
    assert rich.total_volume_mm3 == pytest.approx(1.1 * usual.total_volume_mm3, rel=1e-6)


def test_a_spiral_climbs_without_a_travel(spiral: Make, write: Write, profile: PrinterProfile) -> None:
    path = taken_at_its_word(write(spiral(turns=5)), profile)
    laid = np.flatnonzero(path.filament_mm > 0)[1:]  # without the priming line
    assert np.all(np.diff(laid) == 1)
    assert path.end_mm[laid[-1], 2] == pytest.approx(1.2)


@pytest.mark.parametrize("end", ["end", "end_heat_and_release", "end_cool_and_wait"])
def test_every_end_leaves_the_machine_safe(tube: Make, profile: PrinterProfile, date: datetime, end: str) -> None:
    machine = profile.model_copy(update={"end": end})
    report = check(write_program(tube(), machine, date=date), machine)
    assert report.findings == ()


@pytest.mark.parametrize("firmware", ["marlin", "klipper", "reprapfirmware"])
@pytest.mark.parametrize("tool", [0, 1])
def test_programs_for_every_firmware_pass_the_checker(
    tube: Make, profile: PrinterProfile, date: datetime, firmware: str, tool: int
) -> None:
    values = profile.model_dump() | {"firmware": firmware, "templates": firmware, "nozzles": [{}, {}], "tool": tool}
    machine = PrinterProfile.model_validate(values)
    program = write_program(tube(), machine, date=date)
    assert check(program, machine).findings == ()
    assert set(program.moves.tool.tolist()) == {tool}


@pytest.mark.parametrize("firmware", ["marlin", "klipper", "reprapfirmware"])
def test_golden_programs(tube: Make, profile: PrinterProfile, date: datetime, firmware: str) -> None:
    machine = PrinterProfile.model_validate(profile.model_dump() | {"firmware": firmware, "templates": firmware})
    program = write_program(
        tube(layers=3, skirt=True), machine, date=date, family="tube", seed=1, design={"size": 20.0}
    )
    text = (GOLDEN / f"tube_{firmware}.gcode").read_text(encoding="utf-8")

    def comparable(whole: str) -> list[str]:
        moving = ("; generated by", "; toughopt.version", "; toughopt.numpy", "; toughopt.profile_sha256")
        return [line for line in whole.splitlines() if not line.startswith(moving)]

    assert comparable(program.text) == comparable(text)


def test_what_is_written_is_read_back(tube: Make, write: Write) -> None:
    program = write(tube(skirt=True), design={"a": 1})
    again = read_program(program.text)
    assert again.layer_count == program.layer_count
    assert again.filament_mm == pytest.approx(program.filament_mm)
    assert again.filament_g == pytest.approx(program.filament_g)
    assert again.bounds_mm == program.bounds_mm
    assert again.time_s == pytest.approx(program.time_s, abs=1)
    assert again.metadata == program.metadata
    assert again.profile == "virtual"
    assert again.sha256 == program.sha256


def test_toolpaths_that_are_none(profile: PrinterProfile, write: Write, tube: Make) -> None:
    with pytest.raises(ProgramError, match="nothing to print"):
        write(Toolpaths((), profile, "by hand", 0.0))
    first = tube(layers=1).layers[0]
    bad = replace(first.lines[0], points_mm=np.full((5, 3), np.nan))
    with pytest.raises(ProgramError, match="not finite"):
        write(Toolpaths((replace(first, lines=(bad,)),), profile, "by hand", 0.0))


def test_a_thumbnail_must_be_a_png(tube: Make, write: Write) -> None:
    with pytest.raises(ProgramError, match="PNG"):
        write(tube(), thumbnail=b"GIF89a")
