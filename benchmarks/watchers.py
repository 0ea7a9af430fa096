"""Does watching slow the lab? A virtual campaign at full speed, with and without three watchers.

    python benchmarks/watchers.py --experiments 8 --rounds 3

The watchers are what three people would have open: the painter of a live window, and the web monitor with two pages
that fetch themselves and their pictures again at every change. Each is a process of its own that has stepped back, as
`toughopt watch` and `toughopt monitor` do. Rounds with and without take turns; the ratio is that of the best of each.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from toughopt.virtual import small_campaign

_PAINTER = """\
import sys, threading
from pathlib import Path
from toughopt.plots import Painter, step_back
step_back()
painter = Painter(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    painter.take()
    threading.Event().wait(0.3)
"""
_READER = """\
import http.client, re, sys
port = int(sys.argv[1])
def get(path):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("GET", path)
    return line.getresponse().read()
stream = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
stream.request("GET", "/events")
answer = stream.getresponse()
seen = set()
while line := answer.readline():
    if line.startswith(b"data: {\\"seq"):
        for picture in re.findall(rb'img src="(/figures/[^"]+)"', get(sys.argv[2])):
            if picture not in seen:
                seen.add(picture)
                get(picture.decode())
"""


def run(experiments: int, watched: bool) -> float:
    """Experiments a second of one campaign, from the first proposal to the last result."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name) / "campaign"
        folder.mkdir()
        (folder / "campaign.toml").write_text(small_campaign(budget=experiments, policy="random"), encoding="utf-8")
        watchers = _watchers(folder) if watched else []
        try:
            subprocess.run([sys.executable, "-m", "toughopt", "run", str(folder), "-q"], check=True)
        finally:
            for watcher in watchers:
                watcher.kill()
                watcher.wait()
        return experiments / _took(folder)


def _took(folder: Path) -> float:
    from datetime import datetime

    from toughopt import Campaign

    with Campaign.open(folder) as campaign:
        experiments = campaign.state.experiments.values()
        begun = min(datetime.fromisoformat(e.times["proposed"]) for e in experiments)
        ended = max(datetime.fromisoformat(e.times["complete"]) for e in experiments if "complete" in e.times)
    return (ended - begun).total_seconds()


def _watchers(folder: Path) -> list[subprocess.Popen[str]]:
    python = sys.executable
    painter = subprocess.Popen([python, "-c", _PAINTER, str(folder)], stdout=subprocess.PIPE, text=True)
    monitor = subprocess.Popen(
        [python, "-m", "toughopt", "monitor", str(folder), "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    assert painter.stdout is not None and monitor.stderr is not None
    painter.stdout.readline()
    found = re.search(r":(\d+)/", monitor.stderr.readline())
    assert found is not None
    threading.Thread(target=monitor.stderr.read, daemon=True).start()
    port = found[1]
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/status.json", timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    readers = [subprocess.Popen([python, "-c", _READER, port, page], text=True) for page in ("/", "/lab")]
    return [*readers, painter, monitor]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    alone, watched = [], []
    for _ in range(options.rounds):
        alone.append(run(options.experiments, watched=False))
        watched.append(run(options.experiments, watched=True))
        print(f"alone {alone[-1]:.3f}, watched {watched[-1]:.3f} experiments/s", file=sys.stderr, flush=True)
    ratios = [w / a for w, a in zip(watched, alone, strict=True)]
    told = {
        "experiments_per_second_alone": alone,
        "experiments_per_second_watched": watched,
        "ratio_of_best": max(watched) / max(alone),
        "ratio_median": statistics.median(ratios),
    }
    if options.json:
        print(json.dumps(told))
        return
    print(f"alone:   {max(alone):.3f} experiments/s (best of {options.rounds})")
    print(f"watched: {max(watched):.3f} experiments/s, three watchers")
    print(f"ratio:   {told['ratio_of_best']:.3f} of the best, {told['ratio_median']:.3f} in the median (wanted: 0.9)")


if __name__ == "__main__":
    main()
