"""Random valid designs of each family, sliced, checked and laid down: does the mass agree with the solid's?

    python benchmarks/deposition.py --results FILE [--designs 300] [--families NAME ...] [--seconds 240] [--summary F]

What the deposition model reads from the program's text is compared with the volume of the design's mesh; for shells
printed as a spiral with that of the wall as a body of its own, as deep as the line is wide, which no slicer sees.

Results are kept line by line; a run that ends early, or was given few seconds, goes on where the last one stopped.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from geometry import drawn

from toughopt.errors import ToughoptError
from toughopt.families import family
from toughopt.gcode import check, deposit, on_bed, taken_at_its_word, write_program
from toughopt.profiles import load_profile
from toughopt.slicing import NativeSlicer
from toughopt.slicing.fill import spacings

FAMILIES = ("crossed_barrel", "cylindrical_shell", "strut_lattice", "tpms_shell")
DATE = datetime(2024, 1, 1, tzinfo=UTC)


def reference_mm3(made, design, solid, profile):
    """The solid's volume; of a shell, that of the wall which one line makes along the outside of the solid."""
    if made.print_mode != "vase":
        return solid.volume_mm3
    depth = spacings(profile, profile.slicing.layer_height_mm).nominal_mm
    wall = family(made.name, wall="solid", mass=(0.05, 100.0))  # the mass goes with the depth: the outline stays
    return wall.solid(design | {"thickness": depth, "mass": design["mass"] * depth / design["thickness"]}).volume_mm3


def measured(name, design, profile):
    """What slicing, checking and depositing one design gives; errors by their message."""
    row = {"family": name, "design": design}
    start = time.process_time()
    try:
        solid = family(name).solid(design)
        toolpaths = NativeSlicer().slice(solid, profile)
        program = write_program(toolpaths, profile, date=DATE)
        report = check(program, profile, solid=on_bed(solid, profile))
        laid = float(np.sum(deposit(taken_at_its_word(program, profile)).volume_mm3))
    except ToughoptError as error:
        return row | {"error": str(error)}
    seconds = time.process_time() - start
    wanted = reference_mm3(family(name), design, solid, profile)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    outside = [finding.value for finding in errors if finding.code == "outside_outline"]
    row |= {"ok": len(errors) == len(outside), "outside_mm": max(outside, default=0.0)}
    return row | {"error_percent": 100.0 * (laid / wanted - 1.0), "cpu_s": seconds}


def summary(rows):
    """Figures of one family."""
    errors = [abs(row["error_percent"]) for row in rows if "error_percent" in row]
    return {
        "designs": len(rows),
        "refused_or_failed": sum("error" in row or not row.get("ok", False) for row in rows),
        "with_a_line_outside": sum(row.get("outside_mm", 0.0) > 0.0 for row in rows),
        "above_1_percent": sum(error > 1.0 for error in errors),
        "error_percent_median": round(statistics.median(errors), 4) if errors else None,
        "error_percent_max": round(max(errors), 3) if errors else None,
        "cpu_s_median": round(statistics.median(row["cpu_s"] for row in rows if "cpu_s" in row), 2) if errors else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--designs", type=int, default=300)
    parser.add_argument("--families", nargs="+", default=FAMILIES)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after these; call again to go on")
    parser.add_argument("--summary", type=Path, help="JSON of every family's figures to write")
    options = parser.parse_args()
    kept = options.results.read_text(encoding="utf-8").splitlines() if options.results.exists() else []
    rows = [json.loads(line) for line in kept]
    end = time.monotonic() + options.seconds
    base = load_profile("virtual")
    found = {}
    for name in options.families:
        made = family(name)
        profile = base.model_copy(update={"slicing": base.slicing.model_copy(update={"mode": made.print_mode})})
        columns = drawn(made, 60 * options.designs, 29)
        chosen = np.flatnonzero(made.is_valid(columns))[: options.designs]
        done = sum(row["family"] == name for row in rows)
        for index in chosen[done:]:
            if time.monotonic() > end:
                break
            rows.append(measured(name, {key: column[index].item() for key, column in columns.items()}, profile))
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
        found[name] = summary([row for row in rows if row["family"] == name])
        print(name, json.dumps(found[name]), flush=True)
    if options.summary is not None:
        options.summary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
