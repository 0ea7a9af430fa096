"""The virtual clock against an estimator that others wrote."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trimesh

from toughopt.profiles import Motion, PrinterProfile
from toughopt.virtual.firmware import VirtualFirmware

JERK = (8.0, 8.0, 0.4, 5.0)


def machine_limits(motion: Motion) -> list[str]:
    options = ["--gcode-flavor", "marlin", "--machine-limits-usage", "time_estimate_only"]
    for axis, speed, acceleration, jerk in zip(
        "xyze", motion.max_speed_mm_s, motion.max_acceleration_mm_s2, JERK, strict=True
    ):
        options += [f"--machine-max-feedrate-{axis}", str(speed)]
        options += [f"--machine-max-acceleration-{axis}", str(acceleration), f"--machine-max-jerk-{axis}", str(jerk)]
    options += ["--machine-max-acceleration-extruding", str(motion.print_acceleration_mm_s2)]
    options += ["--machine-max-acceleration-travel", str(motion.travel_acceleration_mm_s2)]
    return [*options, "--machine-max-acceleration-retracting", str(motion.retract_acceleration_mm_s2)]


@pytest.mark.full
def test_the_print_time_is_what_prusaslicer_estimates(
    need: Callable[[str, bool], None], profile: PrinterProfile, tmp_path: Path
):
    slicer = shutil.which("prusa-slicer")
    need("prusa-slicer", slicer is not None)
    assert slicer is not None
    motion = profile.motion.model_copy(update={"jerk_mm_s": JERK})
    part, program = tmp_path / "part.stl", tmp_path / "part.gcode"
    trimesh.creation.cylinder(radius=12.0, height=4.0, sections=96).export(part)
    command = [slicer, "--export-gcode", "--output", str(program), *machine_limits(motion), "--start-gcode", "G28"]
    subprocess.run([*command, str(part)], check=True, capture_output=True, timeout=120)
    text = program.read_text()
    found = re.search(r"estimated printing time \(normal mode\) = (?:(\d+)m )?(\d+)s", text)
    assert found is not None
    estimate_s = 60 * int(found.group(1) or 0) + int(found.group(2))
    filament = re.search(r"filament used \[mm\] = ([\d.]+)", text)
    assert filament is not None

    firmware = VirtualFirmware(profile.model_copy(update={"motion": motion}))
    firmware.run_program("G28\nM109 S210")
    ready_s = firmware.status()["clock_s"]
    path = firmware.run_program(re.sub(r"^(?:M10[49]|M190|M140|G28).*$", "", text, flags=re.MULTILINE))
    assert firmware.status()["clock_s"] - ready_s == pytest.approx(estimate_s, rel=0.02)
    assert path.filament_mm.sum() == pytest.approx(float(filament.group(1)), rel=1e-3)
