"""Our programs in other people's readers, and other people's programs in ours."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toughopt.families import available_families, family
from toughopt.gcode import Program, check, deposit, estimate_time_s, read_program, taken_at_its_word, write_program
from toughopt.gcode.comments import entries_of
from toughopt.profiles import Motion, PrinterProfile, load_profile

Need = Callable[[str, bool], None]
FAMILIES = available_families()
QUICK = ("crossed_barrel", "cylindrical_shell")  # those that are sliced in a second or two
_GCODER = """
import json, sys
from printrun import gcoder
code = gcoder.GCode(open(sys.argv[1], encoding="utf-8"))
print(json.dumps({"layers": code.layers_count, "filament": code.filament_length,
                  "low": [code.xmin, code.ymin, code.zmin], "high": [code.xmax, code.ymax, code.zmax]}))
"""


def designs(name: str, count: int = 3) -> list[dict[str, Any]]:
    """The default design and random ones."""
    made = family(name)
    rng = np.random.default_rng(7)
    found: list[dict[str, Any]] = [made.complete({}, fill=True)]
    while len(found) < count:
        design = {}
        for parameter in made.parameters:
            if parameter.kind == "categorical":
                design[parameter.name] = str(rng.choice(parameter.categories))
            elif parameter.kind == "integer":
                design[parameter.name] = int(
                    rng.choice(np.arange(parameter.low, parameter.high + 1, parameter.step or 1))
                )
            else:
                design[parameter.name] = float(rng.uniform(parameter.low, parameter.high))
        if bool(made.is_valid({key: np.array([value]) for key, value in design.items()})[0]):
            found.append(design)
    return found


@functools.cache
def program_of(name: str, index: int) -> tuple[Program, PrinterProfile, float]:
    """A program of the family, and the volume of its lines."""
    from toughopt.slicing import slicer

    made = family(name)
    profile = load_profile("virtual")
    if made.print_mode == "vase":
        profile = profile.model_copy(update={"slicing": profile.slicing.model_copy(update={"mode": "vase"})})
    design = designs(name)[index]
    known = {parameter.name for parameter in made.parameters}
    toolpaths = slicer("native").slice(made.solid({key: design[key] for key in known}), profile)
    program = write_program(
        toolpaths, profile, family=name, design=design, seed=1, date=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return program, profile, toolpaths.volume_mm3


def python_of(variable: str, module: str) -> str | None:
    """The interpreter that the environment variable names, if `module` is there."""
    python = os.environ.get(variable)
    if not python or not shutil.which(python):
        return None
    done = subprocess.run([python, "-c", f"import {module}"], capture_output=True, timeout=120)
    return python if done.returncode == 0 else None


def assert_same_box(program: Program, low: list[float], high: list[float]) -> None:
    for axis in range(3):
        ours = program.bounds_mm[1][axis] - program.bounds_mm[0][axis]
        assert high[axis] - low[axis] == pytest.approx(ours, rel=0.005)
        assert high[axis] == pytest.approx(program.bounds_mm[1][axis], rel=0.005)


@pytest.mark.full
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("index", range(3))
def test_printruns_gcoder_sees_the_same_part(need: Need, tmp_path: Path, name: str, index: int) -> None:
    python = python_of("TOUGHOPT_PRINTRUN_PYTHON", "printrun.gcoder")
    need("printrun", python is not None)
    assert python is not None
    program, profile, _ = program_of(name, index)
    file = tmp_path / "part.gcode"
    file.write_text(program.text, encoding="utf-8")
    done = subprocess.run([python, "-c", _GCODER, str(file)], capture_output=True, text=True, timeout=300, check=True)
    seen = json.loads(done.stdout)
    assert seen["filament"] == pytest.approx(program.filament_mm, rel=0.005)
    assert_same_box(program, seen["low"], seen["high"])
    if profile.slicing.mode == "solid":  # in a spiral every height is a layer to it
        assert seen["layers"] == program.layer_count


@pytest.mark.full
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("index", range(3))
def test_octoprints_analysis_sees_the_same_part(need: Need, tmp_path: Path, name: str, index: int) -> None:
    python = python_of("TOUGHOPT_OCTOPRINT_PYTHON", "octoprint")
    need("octoprint", python is not None)
    assert python is not None
    program, profile, _ = program_of(name, index)
    file = tmp_path / "part.gcode"
    file.write_text(program.text, encoding="utf-8")
    command = [python, "-m", "octoprint", "analysis", "gcode", "--layers", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    results = done.stdout.partition("RESULTS:")[2]
    length = re.search(r"extrusion_length:\s*-\s*([\d.]+)", results)
    area = dict(
        re.findall(r"(m\w\w[XYZ]): ([-\d.]+)", results.partition("printing_area:")[2].partition("total_time")[0])
    )
    layers = [int(number) for number in re.findall(r"^  num: (\d+)", results, re.MULTILINE)]
    assert length
    assert float(length.group(1)) == pytest.approx(program.filament_mm, rel=0.005)
    assert_same_box(
        program, [float(area[f"min{axis}"]) for axis in "XYZ"], [float(area[f"max{axis}"]) for axis in "XYZ"]
    )
    if profile.slicing.mode == "solid":
        assert layers[-1] == program.layer_count


@pytest.mark.parametrize(
    ("name", "index"),
    [
        pytest.param(name, index, marks=() if name in QUICK and index == 0 else pytest.mark.full)
        for name in FAMILIES
        for index in range(3)
    ],
)
def test_the_checker_and_the_deposit_see_the_same_part(name: str, index: int) -> None:
    program, profile, volume = program_of(name, index)
    report = check(program, profile)
    assert report.ok, report.errors
    assert report.layer_count == program.layer_count
    assert report.filament_mm == pytest.approx(program.filament_mm)
    assert report.bounds_mm == program.bounds_mm
    laid = deposit(taken_at_its_word(program, profile))
    assert laid.total_volume_mm3 == pytest.approx(volume, rel=1e-4)
    assert not laid.layers.missing.any()


def prusa_profile(text: str) -> PrinterProfile:
    """The machine limits that PrusaSlicer estimated with, from the settings at the end of its program."""
    entries = entries_of(text)

    def of(name: str) -> float:
        return float(entries[f"machine_max_{name}"].split(",")[0])

    def each(name: str) -> tuple[float, float, float, float]:
        x, y, z, e = (of(f"{name}_{axis}") for axis in "xyze")
        return x, y, z, e

    motion = Motion(
        max_speed_mm_s=each("feedrate"),
        max_acceleration_mm_s2=each("acceleration"),
        print_acceleration_mm_s2=of("acceleration_extruding"),
        travel_acceleration_mm_s2=of("acceleration_travel"),
        retract_acceleration_mm_s2=of("acceleration_retracting"),
        jerk_mm_s=each("jerk"),
    )
    return PrinterProfile(name="prusa", motion=motion)


@pytest.mark.full
@pytest.mark.parametrize(
    "options",
    [
        ["--fill-density", "100%", "--fill-pattern", "rectilinear", "--seam-position", "rear"],
        ["--fill-density", "20%", "--fill-pattern", "gyroid", "--gcode-flavor", "marlin", "--use-relative-e-distances",
         "--layer-gcode", "G92 E0", "--machine-limits-usage", "emit_to_gcode"],
        ["--fill-density", "15%", "--gcode-flavor", "marlin2", "--perimeter-acceleration", "500",
         "--default-acceleration", "800", "--machine-max-jerk-x", "4", "--retract-lift", "0.3"],
    ],
)  # fmt: skip
def test_our_time_for_prusaslicers_programs_is_within_10_percent_of_its_own(
    need: Need, tmp_path: Path, options: list[str]
) -> None:
    tool = shutil.which("prusa-slicer")
    need("prusa-slicer", tool is not None)
    assert tool is not None
    mesh, file = tmp_path / "part.stl", tmp_path / "part.gcode"
    solid = family("crossed_barrel").solid({"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0})
    solid.to_trimesh().export(mesh)
    command = [tool, "--export-gcode", "--layer-height", "0.2", *options, "-o", str(file), str(mesh)]
    subprocess.run(command, capture_output=True, timeout=300, check=True)
    program = read_program(file)
    profile = prusa_profile(program.text)
    assert estimate_time_s(program.moves, profile) == pytest.approx(program.time_s, rel=0.10)
    entries = entries_of(program.text)
    assert program.filament_mm == pytest.approx(float(entries["filament used [mm]"]), rel=0.005)
    assert check(program, profile).layer_count == program.layer_count
