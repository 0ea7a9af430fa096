"""How fast lines go out, against Printrun's printcore: the same pseudo-terminal, the same responder, ratios printed.

    python benchmarks/streaming.py [--lines N] [--rounds N] [--json]

Printcore runs under the interpreter that TOUGHOPT_PRINTRUN_PYTHON names (a virtual environment with Printrun 2.2);
without it only our own figures are printed. POSIX only: the line is a pseudo-terminal.

Responders, each a process of its own: *immediate* says ok to every line; *paced* models a wire of so many baud with
1 ms of latency each way, and an ok of three bytes. Rates, latencies and bytes in flight are measured by the responder.
Hosts take turns for some rounds and the best of each counts, because other work on the machine can only slow them down.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LATENCY_S = 0.001
PEER = "TOUGHOPT_PRINTRUN_PYTHON"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=["compare", "respond", "toughopt", "printcore"], default="compare")
    parser.add_argument("--baud", type=int, default=0)
    parser.add_argument("--window", default="off")
    parser.add_argument("--port", default="")
    parser.add_argument("--program", default="")
    options = parser.parse_args()
    if options.role == "respond":
        return respond(options.baud)
    if options.role == "toughopt":
        return host_toughopt(options.port, Path(options.program), options.window)
    if options.role == "printcore":
        return host_printcore(options.port, Path(options.program))
    return compare(options.lines, options.rounds, options.json)


def compare(count: int, rounds: int, as_json: bool) -> int:
    peer = os.environ.get(PEER, "")
    rows = []
    for baud in (0, 115200, 250000):
        lines = count if baud == 0 else min(count, 2000)
        cases = [("toughopt, one in flight", sys.executable, "off"), ("toughopt, window", sys.executable, "on")]
        if peer:
            cases.append(("printcore", peer, ""))
        seen: dict[str, list[dict[str, float]]] = {name: [] for name, _, _ in cases}
        for _ in range(rounds):
            for name, python, window in cases:
                few = lines // 4 if name == "printcore" and baud == 0 else lines
                seen[name].append(measure(python, window, baud, few))
        rows += [{"baud": baud, "host": name} | best(results) for name, results in seen.items()]
    for row in rows:
        peers = [other for other in rows if other["baud"] == row["baud"] and other["host"] == "printcore"]
        row["ratio"] = row["lines_per_s"] / peers[0]["lines_per_s"] if peers else None
        row["cpu_ratio"] = row["cpu_us_per_line"] / peers[0]["cpu_us_per_line"] if peers else None
    if as_json:
        print(json.dumps(rows, indent=2))
        return 0
    if not peer:
        print(f"{PEER} is not set: no comparison with printcore")
    titles = ("responder", "host", "lines/s", "x peer", "of wire", "CPU us", "x peer", "p95 ms", "bytes")
    widths = (10, 24, 9, 8, 8, 8, 8, 8, 7)
    print("".join(f"{title:>{width}}" for title, width in zip(titles, widths, strict=True)))
    for row in rows:
        wire = row["baud"] / 10 / row["bytes_per_line"] if row["baud"] else None
        cells = (
            str(row["baud"] or "immediate"),
            row["host"],
            f"{row['lines_per_s']:.0f}",
            _ratio(row["ratio"]),
            _ratio(row["lines_per_s"] / wire if wire else None),
            f"{row['cpu_us_per_line']:.0f}",
            _ratio(row["cpu_ratio"]),
            f"{row['p95_ms']:.3f}",
            str(row["most_bytes"]),
        )
        print("".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))
    return 0


def best(results: list[dict[str, float]]) -> dict[str, float]:
    """The highest rate and the lowest cost of several runs; the most bytes that were ever in flight."""
    chosen = dict(max(results, key=lambda result: result["lines_per_s"]))
    for key in ("cpu_us_per_line", "p95_ms"):
        chosen[key] = min(result[key] for result in results)
    chosen["most_bytes"] = max(result["most_bytes"] for result in results)
    return chosen


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def measure(python: str, window: str, baud: int, count: int) -> dict[str, float]:
    """Print `count` lines with one host on one responder; what both of them saw."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.gcode"
        moves = (f"G1 X{50 + k % 97 / 3:.3f} Y{60 + k % 89 / 3:.3f} E{k * 0.0213:.4f}\n" for k in range(count))
        program.write_text("G28\nM109 S210\nG90\nM82\nG92 E0\n" + "".join(moves))
        responder = subprocess.Popen(
            [sys.executable, __file__, "--role", "respond", "--baud", str(baud)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert responder.stdout is not None and responder.stdin is not None
        port = responder.stdout.readline().strip()
        role = "toughopt" if window else "printcore"
        command = [
            python,
            __file__,
            "--role",
            role,
            "--port",
            port,
            "--program",
            str(program),
            "--window",
            window or "off",
        ]
        host = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
        seen, _ = responder.communicate("done\n", timeout=30)
    return json.loads(seen) | json.loads(host.stdout.strip().splitlines()[-1])


def host_toughopt(port: str, program: Path, window: str) -> int:
    from toughopt.printing import MarlinPrinter, StreamSettings
    from toughopt.profiles import PrinterProfile

    printer = MarlinPrinter(
        "bench", port, PrinterProfile(name="bench"), watchdog=False, stream=StreamSettings(window=window)
    )
    printer.connect()
    before = resource.getrusage(resource.RUSAGE_SELF)
    outcome = printer.print_file(program)
    after = resource.getrusage(resource.RUSAGE_SELF)
    printer.close()
    print(json.dumps({"cpu_us_per_line": _cpu_us(before, after) / outcome.lines_sent, "status": outcome.status}))
    return 0


def host_printcore(port: str, program: Path) -> int:
    from printrun import gcoder  # type: ignore[import-not-found]
    from printrun.printcore import printcore  # type: ignore[import-not-found]

    host = printcore(port, 115200)
    while not host.online:
        time.sleep(0.05)
    lines = [line.strip() for line in program.read_text().splitlines()]
    before = resource.getrusage(resource.RUSAGE_SELF)
    host.startprint(gcoder.LightGCode(lines))
    while host.printing:
        time.sleep(0.02)
    after = resource.getrusage(resource.RUSAGE_SELF)
    host.disconnect()
    print(json.dumps({"cpu_us_per_line": _cpu_us(before, after) / len(lines), "status": "printed"}))
    return 0


def _cpu_us(before: resource.struct_rusage, after: resource.struct_rusage) -> float:
    return 1e6 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def respond(baud: int) -> int:
    """A machine that executes nothing: ok to every line, at once or as late as the wire makes it."""
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    clock = time.perf_counter
    wire = Wire(baud)
    rest = b""
    moves = received = most = 0
    first = last = ok_at = 0.0
    latencies: list[float] = []
    due: list[tuple[float, bytes, int]] = []  # oks under way: when, what, bytes of the line
    flying = 0
    while True:
        timeout = max(0.0, due[0][0] - clock()) if due else None
        ready, _, _ = select.select([master, sys.stdin], [], [], timeout)
        now = clock()
        if sys.stdin in ready:
            break
        if master in ready:
            data = os.read(master, 4096)
            if ok_at:
                latencies.append(now - ok_at)
                ok_at = 0.0
            flying += len(data)
            most = max(most, flying) if moves else 0
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if b" G1 " in line:
                    first = first or now
                    moves += 1
                    received += len(line) + 1
                    last = now
                due.append((wire.answered(now, len(line) + 1), _answer(line), len(line) + 1))
        out = b""
        while due and due[0][0] <= clock():
            _, answer, size = due.pop(0)
            out += answer
            flying -= size
        if out:
            os.write(master, out)
            ok_at = clock()
    latencies.sort()
    result = {
        "lines_per_s": (moves - 1) / (last - first),
        "bytes_per_line": received / moves,
        "p95_ms": 1e3 * latencies[int(len(latencies) * 0.95)],
        "most_bytes": most,
    }
    print(json.dumps(result), flush=True)
    return 0


class Wire:
    """When a line that is written now has been answered: its bytes, the latency, the ok's bytes, the latency."""

    def __init__(self, baud: int) -> None:
        self._byte_s = 10.0 / baud if baud else 0.0
        self._latency_s = LATENCY_S if baud else 0.0
        self._out_free = self._in_free = 0.0

    def answered(self, now: float, size: int) -> float:
        self._out_free = max(now, self._out_free) + size * self._byte_s
        arrived = self._out_free + self._latency_s
        self._in_free = max(arrived, self._in_free) + 3 * self._byte_s
        return self._in_free + self._latency_s


def _answer(line: bytes) -> bytes:
    if not line.strip():
        return b""
    if b"M105" in line:
        return b"ok T:210.0 /0.0 B:60.0 /0.0 @:0 B@:0\n"
    if b"M115" in line:
        return b"FIRMWARE_NAME:Responder MACHINE_TYPE:None EXTRUDER_COUNT:1\nok\n"
    return b"ok\n"


if __name__ == "__main__":
    sys.exit(main())
