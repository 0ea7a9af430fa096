"""How fast crossed barrels are sliced, and how exactly, beside PrusaSlicer.

In process: a solid in memory becomes the text of a program. As a command: `toughopt slice part.stl -o part.gcode`.
PrusaSlicer is run as a command on the same STL file with the same layer height, widths, perimeters, seam at the rear
and solid fill; its program goes through the same deposition model. Times are the best of several alternating rounds.

    python benchmarks/slicing.py [--walls 0.7 1.0 1.05 1.4] [--repeat 3] [--no-command] [--no-quality]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from toughopt.families import family
from toughopt.gcode import deposit, on_bed, reconstruct, taken_at_its_word, write_program
from toughopt.profiles import load_profile
from toughopt.slicing import NativeSlicer, PrusaSlicer
from toughopt.slicing.prusaslicer import stl_of, translated

DATE = datetime(2024, 1, 1, tzinfo=UTC)


def best_of(actions, repeat):
    """Shortest wall time of each action, s; the actions take turns, so that all see the same machine."""
    shortest = [float("inf")] * len(actions)
    for _ in range(repeat):
        for index, action in enumerate(actions):
            begin = time.perf_counter()
            action()
            shortest[index] = min(shortest[index], time.perf_counter() - begin)
    return shortest


def compiling_once(folder):
    """An environment in which Python keeps compiled modules, as those of an installed package are kept."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def quality(toolpaths, solid, profile):
    """Volume against the solid's, and what the deposition model finds."""
    program = write_program(toolpaths, profile, date=DATE)
    found = reconstruct(deposit(taken_at_its_word(program, profile)), on_bed(solid, profile))
    return {
        "volume_error_percent": round(100.0 * (toolpaths.volume_mm3 / solid.volume_mm3 - 1.0), 3),
        "covered": round(found.covered, 4),
        "outside": round(found.outside, 4),
        "doubled": round(found.doubled, 4),
        "lines_of_text": program.line_count,
    }


def measure(wall, arguments, profile, folder):
    solid = family("crossed_barrel").solid({"n": 8, "theta": 100.0, "r": 2.0, "t": wall})
    native = NativeSlicer()
    mesh, settings = folder / "part.stl", folder / "profile.ini"
    mesh.write_bytes(stl_of(solid.manifold))
    settings.write_text("".join(f"{key} = {value}\n" for key, value in translated(profile).items()), encoding="utf-8")
    peer = shutil.which("prusa-slicer")
    actions = [lambda: write_program(native.slice(solid, profile), profile, date=DATE)]
    actions[0]()
    if not arguments.no_command:
        ours = [sys.executable, "-m", "toughopt", "slice", str(mesh), "-o", str(folder / "ours.gcode")]
        compiled = compiling_once(folder)
        actions.append(lambda: subprocess.run(ours, check=True, capture_output=True, env=compiled))
        actions[-1]()
    if peer:
        theirs = [peer, "--export-gcode", "--load", str(settings), "--output", str(folder / "theirs.gcode"), str(mesh)]
        actions.append(lambda: subprocess.run(theirs, check=True, capture_output=True))
    seconds = best_of(actions, arguments.repeat)
    row = {"wall_mm": wall, "in_process_s": round(seconds[0], 3)}
    if not arguments.no_command:
        row["command_s"] = round(seconds[1], 3)
    if peer:
        row["prusaslicer_s"] = round(seconds[-1], 3)
        row["in_process_ratio"] = round(seconds[0] / seconds[-1], 3)
        if not arguments.no_command:
            row["command_ratio"] = round(seconds[1] / seconds[-1], 3)
    if not arguments.no_quality:
        row["native"] = quality(native.slice(solid, profile), solid, profile)
        if peer:
            row["prusaslicer"] = quality(PrusaSlicer().slice(solid, profile), solid, profile)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--walls", type=float, nargs="+", default=[0.7, 1.0, 1.05, 1.4])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-command", action="store_true", help="leave out the command line of toughopt")
    parser.add_argument("--no-quality", action="store_true", help="leave out volume and coverage")
    arguments = parser.parse_args()
    base = load_profile("virtual")
    profile = base.model_copy(update={"slicing": base.slicing.model_copy(update={"seam": "rear"})})
    with tempfile.TemporaryDirectory() as folder:
        for wall in arguments.walls:
            print(json.dumps(measure(wall, arguments, profile, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
