"""How fast lines go out, against Printrun's printcore: the same pseudo-terminal, the same responder, ratios printed.

    python benchmarks/streaming.py [--lines N] [--rounds N] [--json]

Printcore runs under the interpreter that TOUGHOPT_PRINTRUN_PYTHON names (a virtual environment with Printrun 2.2);
without it only our own figures are printed. POSIX only: the line is a pseudo-terminal.

Responders, each a process of its own: *immediate* says ok to every line; *paced* models a wire of so many baud with
1 ms of latency each way, and an ok of three bytes. Rates, latencies and bytes in flight are measured by the responder.
The *bare* sender does nothing but write ready-made lines and read: it shows what the responder itself can do at most.
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
from collections import deque
from pathlib import Path

LATENCY_S = 0.001
WINDOW_BYTES, WINDOW_LINES = 120, 4
WINDOWS = {"one in flight": "off", "window": "on", "": "off"}
PEER = "TOUGHOPT_PRINTRUN_PYTHON"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=["compare", "respond", "toughopt", "printcore", "bare"], default="compare")
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
    if options.role == "bare":
        return host_bare(options.port, Path(options.program), options.window)
    return compare(options.lines, options.rounds, options.json)


def compare(count: int, rounds: int, as_json: bool) -> int:
    peer = os.environ.get(PEER, "")
    rows = []
    for baud in (0, 115200, 250000):
        lines = count if baud == 0 else min(count, 2000)
        cases = [("toughopt", "one in flight", sys.executable), ("toughopt", "window", sys.executable)]
        if peer:
            cases.append(("printcore", "", peer))
        if baud == 0:
            cases += [("bare", "one in flight", sys.executable), ("bare", "window", sys.executable)]
        seen: dict[str, list[dict[str, float]]] = {_title(role, how): [] for role, how, _ in cases}
        for _ in range(rounds):
            for role, how, python in cases:
                few = lines // 4 if role == "printcore" and baud == 0 else lines
                seen[_title(role, how)].append(measure(python, role, WINDOWS[how], baud, few))
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


def _title(role: str, how: str) -> str:
    return f"{role}, {how}" if how else role


def best(results: list[dict[str, float]]) -> dict[str, float]:
    """The highest rate and the lowest cost of several runs; the most bytes that were ever in flight."""
    chosen = dict(max(results, key=lambda result: result["lines_per_s"]))
    for key in ("cpu_us_per_line", "p95_ms"):
        chosen[key] = min(result[key] for result in results)
    chosen["most_bytes"] = max(result["most_bytes"] for result in results)
    return chosen


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def measure(python: str, role: str, window: str, baud: int, count: int) -> dict[str, float]:
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
        asked = ["--role", role, "--port", port, "--program", str(program), "--window", window]
        command = [python, __file__, *asked]
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


def host_bare(port: str, program: Path, window: str) -> int:
    """No host at all: ready-made lines, one in flight or a window of them, and no look at what comes back."""
    import tty

    line = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    bodies = [line.encode("ascii") for line in program.read_text().splitlines()]
    ready = deque(b"N%d %s*%d\n" % (number, body, number % 256) for number, body in enumerate(bodies, 1))
    sizes: deque[int] = deque()
    before = resource.getrusage(resource.RUSAGE_SELF)
    while ready or sizes:
        out = b""
        while ready and (not sizes or (window == "on" and _fits(sizes, len(ready[0])))):
            out += ready[0]
            sizes.append(len(ready.popleft()))
        if out:
            os.write(line, out)
        for _ in range(os.read(line, 4096).count(b"\n")):
            sizes.popleft()
    after = resource.getrusage(resource.RUSAGE_SELF)
    os.close(line)
    print(json.dumps({"cpu_us_per_line": _cpu_us(before, after) / len(bodies), "status": "printed"}))
    return 0


def _fits(sizes: deque[int], size: int) -> bool:
    return len(sizes) < WINDOW_LINES and sum(sizes) + size <= WINDOW_BYTES


def _cpu_us(before: resource.struct_rusage, after: resource.struct_rusage) -> float:
    return 1e6 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def respond(baud: int) -> int:
    """A machine that executes nothing: ok to every line, at once or as late as the wire makes it."""
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    seen = respond_late(master, Wire(baud)) if baud else respond_at_once(master)
    print(json.dumps(seen.figures()), flush=True)
    return 0


def respond_at_once(master: int) -> Seen:
    """Answer what has come in one go, and count only then, while the host is at it."""
    seen = Seen()
    events = select.poll()
    events.register(master, select.POLLIN)
    events.register(sys.stdin.fileno(), select.POLLIN)
    rest = b""
    while True:
        if events.poll()[-1][0] != master:
            return seen
        now = seen.clock()
        data = os.read(master, 4096)
        *lines, rest = (rest + data).split(b"\n")
        os.write(master, b"".join(map(answer, lines)))
        ok_at = seen.clock()
        seen.read(len(data), now)
        for line in lines:
            seen.line(line, now)
        seen.answered(sum(map(len, lines)) + len(lines), ok_at)


def respond_late(master: int, wire: Wire) -> Seen:
    """Answer each line when the wire has brought it and its ok."""
    seen = Seen()
    rest = b""
    due: deque[tuple[float, bytes, int]] = deque()  # oks under way: when, what, bytes of the line
    while True:
        timeout = max(0.0, due[0][0] - seen.clock()) if due else None
        ready, _, _ = select.select([master, sys.stdin], [], [], timeout)
        now = seen.clock()
        if sys.stdin in ready:
            return seen
        if master in ready:
            data = os.read(master, 4096)
            seen.read(len(data), now)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                seen.line(line, now)
                due.append((wire.answered(now, len(line) + 1), answer(line), len(line) + 1))
        out, size = b"", 0
        while due and due[0][0] <= seen.clock():
            _, said, one = due.popleft()
            out += said
            size += one
        if out:
            os.write(master, out)
            seen.answered(size, seen.clock())


class Seen:
    """What a responder saw of its host."""

    clock = staticmethod(time.perf_counter)

    def __init__(self) -> None:
        self._moves = self._received = self._most = self._flying = 0
        self._first = self._last = self._ok_at = 0.0
        self._latencies: list[float] = []

    def read(self, size: int, now: float) -> None:
        """Bytes have come."""
        if self._ok_at:
            self._latencies.append(now - self._ok_at)
            self._ok_at = 0.0
        self._flying += size
        if self._moves and self._flying > self._most:
            self._most = self._flying

    def line(self, line: bytes, now: float) -> None:
        """One of the lines among them."""
        if b" G1 " in line:
            self._first = self._first or now
            self._moves += 1
            self._received += len(line) + 1
            self._last = now

    def answered(self, size: int, now: float) -> None:
        """Lines of so many bytes in all were answered."""
        self._flying -= size
        self._ok_at = now

    def figures(self) -> dict[str, float]:
        """Rate, latency from an ok to the next byte, bytes in flight."""
        ordered = sorted(self._latencies)
        return {
            "lines_per_s": (self._moves - 1) / (self._last - self._first),
            "bytes_per_line": self._received / self._moves,
            "p95_ms": 1e3 * ordered[int(len(ordered) * 0.95)],
            "most_bytes": self._most,
        }


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


def answer(line: bytes) -> bytes:
    """What the machine says to a line."""
    if b" G1 " in line:
        return b"ok\n"
    if not line.strip():
        return b""
    if b"M105" in line:
        return b"ok T:210.0 /0.0 B:60.0 /0.0 @:0 B@:0\n"
    if b"M115" in line:
        return b"FIRMWARE_NAME:Responder MACHINE_TYPE:None EXTRUDER_COUNT:1\nok\n"
    return b"ok\n"


if __name__ == "__main__":
    sys.exit(main())
