"""Speed of reading and checking G-code, against Printrun's `gcoder` where it is installed, and of writing it.

    python benchmarks/gcode.py [--lines 1000000] [--printrun PYTHON]

Prints seconds, the largest memory of the process, and the ratio to the peer, all from one run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

_PEER = """
import sys, time
from printrun import gcoder
began = time.perf_counter()
code = gcoder.GCode(open(sys.argv[1], encoding="utf-8"))
print(time.perf_counter() - began)
"""
CHECK = """
import json, sys, time
began = time.perf_counter()
from pathlib import Path
from toughopt.gcode import check, read_program
from toughopt.profiles import load_profile
imported, before = time.perf_counter(), time.process_time()
program = read_program(Path(sys.argv[1]))
read = time.perf_counter()
report = check(program, load_profile("virtual"))
done, after = time.perf_counter(), time.process_time()
try:
    import resource
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
except ImportError:  # Windows
    peak = 0
print(json.dumps({"import_s": imported - began, "read_s": read - imported, "check_s": done - read,
                  "processor_s": after - before,
                  "peak_mib": peak / 2**20, "lines": report.line_count, "ok": report.ok, "layers": report.layer_count}))
"""


def rings(lines: int) -> str:
    """A program of about `lines` lines: layers of rings of short pieces, as a curved part has."""
    per_layer = 5000
    angle = np.linspace(0, 2 * np.pi, 1000)
    parts = ["G21\nG90\nM83\nM140 S60\nM190 S60\nM109 S210\nG28\n"]
    for layer in range(max(1, lines // per_layer)):
        z = 0.2 * (layer % 900 + 1)
        parts.append(f";LAYER_CHANGE\n;Z:{z:.1f}\nG1 Z{z:.1f} F600\n;TYPE:Perimeter\n")
        for ring in range(5):
            radius = 20 + ring * 0.45
            x, y = 125 + radius * np.cos(angle), 105 + radius * np.sin(angle)
            fed = np.full(len(angle), 0.45 * 0.2 * radius * angle[1] / 2.405)
            parts.append(f"G1 X{x[0]:.3f} Y{y[0]:.3f} F9000\nG1 F2400\n")
            values = np.column_stack([x, y, fed])[1:].ravel().tolist()
            parts.append("G1 X%.3f Y%.3f E%.5f\n" * (len(angle) - 1) % tuple(values))
    parts.append("M104 S0\nM140 S0\nM107\nM84\n")
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--printrun", help="a Python interpreter that has printrun, for the ratio")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.gcode"
        file.write_text(rings(options.lines), encoding="utf-8")
        done = subprocess.run([sys.executable, "-c", CHECK, str(file)], capture_output=True, text=True, check=True)
        ours = json.loads(done.stdout)
        together = ours["read_s"] + ours["check_s"]
        print(
            f"{ours['lines']:,} lines, {file.stat().st_size / 1e6:.0f} MB: read {ours['read_s']:.2f} s, check "
            f"{ours['check_s']:.2f} s, together {together:.2f} s ({ours['processor_s']:.2f} s of processor time); "
            f"peak {ours['peak_mib']:.0f} MiB"
        )
        if options.printrun:
            peer = subprocess.run(
                [options.printrun, "-c", _PEER, str(file)], capture_output=True, text=True, check=True
            )
            seconds = float(peer.stdout)
            print(f"printrun gcoder: {seconds:.2f} s to read; ratio {ours['read_s'] / seconds:.3f}")
    _writing()


def _writing() -> None:
    from toughopt.families import family
    from toughopt.gcode import check, deposit, on_bed, reconstruct, taken_at_its_word, write_program
    from toughopt.profiles import load_profile
    from toughopt.slicing import slicer

    profile = load_profile("virtual")
    solid = family("crossed_barrel").solid({"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0})
    toolpaths = slicer("native").slice(solid, profile)
    date = datetime(2026, 1, 1, tzinfo=UTC)
    write_program(toolpaths, profile, date=date)  # imports Jinja2
    times = [time.perf_counter()]
    program = write_program(toolpaths, profile, date=date)
    times.append(time.perf_counter())
    check(program, profile)
    times.append(time.perf_counter())
    laid = deposit(taken_at_its_word(program, profile))
    times.append(time.perf_counter())
    found = reconstruct(laid, on_bed(solid, profile))
    times.append(time.perf_counter())
    names = ("write", "check", "deposit", "reconstruct")
    spent = ", ".join(
        f"{name} {after - before:.2f} s" for name, before, after in zip(names, times, times[1:], strict=False)
    )
    print(f"crossed barrel, {program.line_count:,} lines: {spent}")
    print(
        f"volume {found.volume_error:+.4%}, covered {found.covered:.2%}, outside {found.outside:.2%}, "
        f"doubled {found.doubled:.2%}"
    )


if __name__ == "__main__":
    main()
