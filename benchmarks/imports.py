"""How fast it starts, and how much it installs.

    python benchmarks/imports.py [--repeats 9] [--json FILE] [--install]

Processor seconds, medians: `import toughopt` against 0.4 s, and `toughopt --help` against `import click` plus 0.15 s,
measured in turn. With --install, `pip install` of this checkout into a fresh environment: packages and megabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import venv
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
IMPORT_LIMIT_S = 0.4
HELP_LIMIT_S = 0.15
PACKAGES_LIMIT = 40
MEGABYTES_LIMIT = 400.0


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--install", action="store_true", help="also install into a fresh environment")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "click": metadata.version("click"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        **starts(options.repeats),
    }
    if options.install:
        result |= installed()
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


def starts(repeats: int) -> dict[str, float]:
    """Median processor seconds of each start, taken in turn."""
    commands = {
        "click_s": [sys.executable, "-c", "import click"],
        "import_s": [sys.executable, "-c", "import toughopt"],
        "help_s": [sys.executable, "-m", "toughopt", "--help"],
        "everything_s": [
            sys.executable,
            "-c",
            "from toughopt import Campaign, Curve, Optimizer, Space, analyze, family",
        ],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats + 1):
        for name, command in commands.items():
            times[name].append(_processor_s(command))
    medians = {name: round(statistics.median(found[1:]), 4) for name, found in times.items()}  # the first fills caches
    return medians | {"help_over_click_s": round(medians["help_s"] - medians["click_s"], 4)}


def installed() -> dict[str, float]:
    """How many packages and megabytes `pip install .` brings into a fresh environment, pip itself left out."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "fresh"
        venv.create(folder, with_pip=True)
        python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        before = _size_mb(folder)
        has = len(json.loads(subprocess.run([*pip, "list", "--format=json"], capture_output=True, check=True).stdout))
        subprocess.run([*pip, "install", "--quiet", "--no-compile", str(ROOT)], check=True)
        now = len(json.loads(subprocess.run([*pip, "list", "--format=json"], capture_output=True, check=True).stdout))
        return {"packages": now - has, "megabytes": round(_size_mb(folder) - before, 1)}


def _processor_s(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _size_mb(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
