"""Printrun's printcore, which knows nothing of this project, prints on the virtual printer.

Over a pseudo-terminal, because over TCP it sends neither line numbers nor checksums.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from toughopt.virtual.firmware import VirtualFirmware, VirtualPrinterProcess

pytestmark = pytest.mark.full

HOST = """
import sys, time
from printrun import gcoder
from printrun.printcore import printcore

port, file = sys.argv[1:]
core = printcore()
core.connect(port, 115200)
limit = time.monotonic() + 90
while not core.online:
    assert time.monotonic() < limit, "never online"
    time.sleep(0.01)
core.startprint(gcoder.LightGCode([line.rstrip("\\n") for line in open(file)]))
while core.printing:
    assert time.monotonic() < limit, "never finished"
    time.sleep(0.01)
core.disconnect()
"""


@pytest.fixture
def python(need: Callable[[str, bool], None]) -> str:
    """The interpreter that has Printrun."""
    path = os.environ.get("TOUGHOPT_PRINTRUN_PYTHON", "")
    need("printrun", bool(path) and Path(path).is_file())
    return path


@pytest.fixture(scope="session")
def program() -> str:
    lines = ["; a test", "M140 S60", "M104 S210", "G28 ; home", "M190 S60", "M109 S210", "G92 E0", "M82", ""]
    e = 0.0
    for layer in range(1, 6):
        lines += [f"G1 Z{layer * 0.2:.2f} F600", f";LAYER_CHANGE {layer}", "M106 S128"]
        for i in range(60):
            e += 0.0333
            lines.append(f"G1 X{50 + i % 20:.3f} Y{60 + (i * 7) % 20:.3f} E{e:.5f}" + (" F1800" if i == 0 else ""))
        lines += [f"G2 X{70 + layer} Y60 I5 J5 E{e + 0.1:.5f}", f"G92 E{e:.5f}"]
    lines += ["M400", "M104 S0", "M140 S0", "M107", "M84"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("faults", [[], ["garble_in=0.02"], ["double_in=0.02"]])
@pytest.mark.parametrize("options", [[], ["--advanced-ok", "--no-reset-on-connect"]])
def test_what_arrives_equals_the_file(python, program, profile, tmp_path, faults, options):
    file = tmp_path / "part.gcode"
    file.write_text(program)
    expected = [command for line in program.splitlines() if (command := line.partition(";")[0].strip())]
    with VirtualPrinterProcess(
        profile, seed=7, faults=faults, pty=True, options=["--log", "100000", *options]
    ) as printer:
        host = subprocess.run(
            [python, "-c", HOST, printer.url, str(file)], capture_output=True, text=True, timeout=120, check=False
        )
        assert host.returncode == 0, host.stderr
        status = printer.status()
        path = printer.take(tmp_path / "part.npz")
        numbered = [text for line, text in printer.executed() if line is not None and not text.startswith("M110")]
        assert numbered == expected
        assert set(status["targets_c"].values()) == {0.0}
        assert bool(faults) == (status["rejected_lines"] > 0)
    alone = VirtualFirmware(profile, seed=7).run_program(program)
    if not faults:
        assert path.filament_mm.tolist() == pytest.approx(alone.filament_mm.tolist())
        assert path.end_mm[-300:].ravel().tolist() == pytest.approx(alone.end_mm[-300:].ravel().tolist())
