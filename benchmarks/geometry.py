"""Geometry: how fast, how large, how exact. Ratios are medians taken in one run on one machine.

    python benchmarks/geometry.py                      a few minutes
    python benchmarks/geometry.py --only exactness --designs 2000 --results FILE --seconds 280
                                                       every family, as many random designs each, in pieces
    python benchmarks/geometry.py --only union scaling --json

The peer of the union is trimesh with its default boolean calls, one strut at a time, on the same meshes of struts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from geometry_exactness import SUBJECTS, digest, examined

from toughopt.families import Family, family
from toughopt.geometry import Solid, leaning_tubes

DESIGN = {"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0}
#: The corners of a family's limits with the most triangles.
LARGEST = {
    "crossed_barrel": [{"n": 12, "theta": 200.0, "r": 2.5, "t": 0.7}],
    "strut_lattice": [
        {"cell": "octet", "cells": 5, "radius": 0.4, "grading": 0.5},
        {"cell": "kelvin", "cells": 5, "radius": 0.4, "grading": 2.0},
    ],
    "tpms_shell": [
        {"surface": "diamond", "cells": 4, "thickness": 1.25, "grading": 0.5},
        {"surface": "diamond", "cells": 4, "thickness": 0.625, "grading": 2.0},
    ],
}
PUBLISHED = ("crossed_barrel", "cylindrical_shell")


class Seconds(NamedTuple):
    """Wall time, and processor time, which other work on the machine disturbs less."""

    wall: float
    cpu: float


def clock() -> Seconds:
    """Both clocks now."""
    return Seconds(time.perf_counter(), time.process_time())


def since(start: Seconds) -> Seconds:
    """What both clocks have counted since `start`."""
    now = clock()
    return Seconds(now.wall - start.wall, now.cpu - start.cpu)


def median_seconds(work: Callable[[], Any], repeats: int) -> Seconds:
    """Median times of `work`, after one run to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(since(start))
    return Seconds(statistics.median(t.wall for t in times), statistics.median(t.cpu for t in times))


def drawn(made: Family, count: int, seed: int) -> dict[str, Any]:
    """`count` designs, uniform in the family's box."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for parameter in made.parameters:
        if parameter.kind == "categorical":
            columns[parameter.name] = rng.choice(np.array(parameter.categories), count)
            continue
        assert parameter.low is not None and parameter.high is not None
        if parameter.kind == "integer":
            steps = np.arange(int(parameter.low), int(parameter.high) + 1, parameter.step or 1)
            columns[parameter.name] = rng.choice(steps, count)
        else:
            columns[parameter.name] = rng.uniform(parameter.low, parameter.high, count)
    return columns


def union(repeats: int) -> dict[str, float]:
    """The crossed barrel against the same union by trimesh, one strut at a time."""
    import trimesh

    barrel = family("crossed_barrel")

    def ours() -> Solid:
        solid = barrel.solid(DESIGN)
        assert solid.volume_mm3 > 0  # forces the lazy boolean
        return solid

    def tube(phase: float, radius: float, sense: int, beyond: float) -> trimesh.Trimesh:
        manifold = leaning_tubes(
            [phase], radius, helix_radius_mm=10.0, turn_deg_per_mm=sense * 5.0,
            bottom_mm=beyond, top_mm=20.0 - beyond, chord_error_mm=0.02,
        )  # fmt: skip
        return Solid(manifold).to_trimesh()

    phases = 2 * np.pi * np.arange(8) / 8

    def plate(middle: float) -> trimesh.Trimesh:
        made = trimesh.creation.cylinder(13.0, 1.0, sections=64)
        made.apply_translation((0, 0, middle))
        return made

    def peer() -> trimesh.Trimesh:
        body = trimesh.boolean.union([plate(0.5), plate(19.5)])
        for i, phase in enumerate(phases):
            body = trimesh.boolean.union([body, tube(phase, 2.0, (-1) ** i, 0.5)])
        for i, phase in enumerate(phases):
            body = trimesh.boolean.difference([body, tube(phase, 1.0, (-1) ** i, -0.5)])
        return body

    ours_s, peer_s = median_seconds(ours, repeats), median_seconds(peer, max(3, repeats // 3))
    return {
        "ours_ms": 1e3 * ours_s.wall,
        "ours_cpu_ms": 1e3 * ours_s.cpu,
        "trimesh_ms": 1e3 * peer_s.wall,
        "trimesh_cpu_ms": 1e3 * peer_s.cpu,
        "ratio": peer_s.wall / ours_s.wall,
        "ratio_cpu": peer_s.cpu / ours_s.cpu,
        "volume_difference": abs(float(peer().volume) / ours().volume_mm3 - 1.0),
    }


def scaling() -> dict[str, dict[str, float]]:
    """Seconds of `is_valid` and `features` for 10^4, 10^5 and 10^6 random designs, and the peak memory."""
    result = {}
    for name in PUBLISHED:
        made = family(name)
        for count in (10**4, 10**5, 10**6):
            columns = drawn(made, count, 1)
            start = clock()
            share = float(made.is_valid(columns).mean())
            valid = since(start)
            start = clock()
            made.features(columns)
            known = since(start)
            result[f"{name} {count:.0e}"] = {
                "is_valid_s": valid.wall,
                "is_valid_cpu_s": valid.cpu,
                "features_s": known.wall,
                "features_cpu_s": known.cpu,
                "cpu_us_a_design": 1e6 * (valid.cpu + known.cpu) / count,
                "valid_share": share,
                "peak_mib_so_far": peak_mib(),
            }
    return result


def peak_mib() -> float:
    """Largest resident size of this process so far, MiB (0 where the system does not tell)."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def memory() -> dict[str, float]:
    """Peak memory, MiB, of processes that mesh a family's largest designs and some random ones after each other."""
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import geometry as g; from toughopt.families import family\n"
        "f = family('{name}', **{fixed}); c = g.drawn(f, 4000, 3); import numpy as np\n"
        "some = [{{k: v[i].item() for k, v in c.items()}} for i in np.flatnonzero(f.is_valid(c))[:{count}]]\n"
        "for design in [*{worst}, *some]:\n"
        "    f.solid(design).volume_mm3\n"
        "print(g.peak_mib())"
    )
    peaks = {}
    for subject, (name, fixed) in SUBJECTS.items():
        source = code.format(name=name, fixed=fixed, count=4, worst=LARGEST.get(name, []))
        out = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
        peaks[subject] = float(out.stdout)
    return peaks


def exactness(count: int, results: Path | None, seconds: float, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
    """Random valid designs: watertight, one body, box, and volume against quadrature (or sampling for cells).

    With a file of `results`, designs in it are not measured again: a run that was short of time is gone on with.
    """
    kept = results.read_text(encoding="utf-8").splitlines() if results and results.exists() else []
    rows = [json.loads(line) for line in kept]
    start = time.monotonic()
    for turn, name in enumerate(subjects, start=1):
        kind, fixed = SUBJECTS[name]
        made = family(kind, **fixed)
        columns = drawn(made, max(60 * count, 1000), 17)
        chosen = np.flatnonzero(made.is_valid(columns))[:count]
        for place in range(sum(row["family"] == name for row in rows), len(chosen)):
            if time.monotonic() > start + turn * seconds / len(subjects):
                break
            design = {key: column[chosen[place]].item() for key, column in columns.items()}
            rows.append({"family": name, **examined(made, design, place)})
            if results:
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    return {name: digest([row for row in rows if row["family"] == name]) for name in subjects}


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=60, help="random designs of each family to mesh")
    parser.add_argument(
        "--results", type=Path, help="file of lines to which meshed designs are added; call again to go on"
    )
    parser.add_argument("--seconds", type=float, default=1e9, help="stop meshing random designs after these")
    parser.add_argument("--subjects", nargs="*", default=list(SUBJECTS), choices=list(SUBJECTS))
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only", nargs="*", default=["union", "scaling", "memory", "exactness"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    parts: dict[str, Callable[[], Any]] = {
        "union": lambda: union(options.repeats),
        "scaling": scaling,
        "memory": memory,
        "exactness": lambda: exactness(options.designs, options.results, options.seconds, options.subjects),
    }
    result = {name: parts[name]() for name in options.only}
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for name, figures in result.items():
        print(name)
        for key, value in figures.items():
            if isinstance(value, dict):
                print(f"  {key:24s} " + "  ".join(f"{k} {v:.4g}" for k, v in value.items()))
            else:
                print(f"  {key:24s} {value:.4g}")


if __name__ == "__main__":
    main()
