"""How fast the virtual printer answers a trivial sender with one line in flight, and how fast it runs a program alone.

The sender writes a line with number and checksum to a pseudo-terminal and waits for its ok; the printer, a process of
its own, checks, plans, times and records it as in normal use. Beside it, a responder that does nothing but answer, over
the same kind of terminal: what the machine at hand allows at best. Run on POSIX:

    python benchmarks/virtual_printer.py [--lines 20000] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from functools import reduce
from operator import xor

RESPONDER = """
import os, sys, tty
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
while True:
    data = os.read(master, 4096)
    os.write(master, b"ok\\n" * data.count(b"\\n"))
"""


def program(lines: int) -> list[str]:
    """Perimeters of a round part: short lines with filament, every so often a travel, as slicers write them."""
    commands = ["G28", "M104 S210", "M109 S210", "G92 E0", "M83", "G1 Z0.2 F600"]
    for i in range(lines - len(commands)):
        if i % 200 == 199:
            commands.append(f"G1 Z{0.2 * (i // 200 + 1):.3f} F600")
            continue
        angle, radius = i * 2 * math.pi / 100, 20 + (i // 100) % 2
        feed = " F1800" if i % 100 == 0 else ""
        x, y = 125 + radius * math.cos(angle), 105 + radius * math.sin(angle)
        commands.append(f"G1 X{x:.3f} Y{y:.3f} E{0.04181:.5f}{feed}")
    return commands


def numbered(commands: list[str]) -> list[bytes]:
    """The commands as they go over the line."""
    messages = []
    for number, command in enumerate(["M110 N0", *commands]):
        line = f"N{number} {command}"
        messages.append(f"{line}*{reduce(xor, line.encode(), 0)}\n".encode())
    return messages


def send(path: str, messages: list[bytes]) -> float:
    """Seconds that a sender with one line in flight needs."""
    import tty

    line = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    try:
        began = time.perf_counter()
        for message in messages:
            os.write(line, message)
            reply = os.read(line, 4096)
            while not (reply.startswith(b"ok") or b"\nok" in reply):
                reply = reply[-64:] + os.read(line, 4096)
        return time.perf_counter() - began
    finally:
        os.close(line)


def over_pty(messages: list[bytes], options: list[str]) -> tuple[float, float]:
    """Lines a second to the virtual printer, and its processor time a line in microseconds."""
    command = [sys.executable, "-m", "toughopt.virtual.firmware", "--pty", "--no-reset-on-connect", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        before = _processor_s(process.pid)
        seconds = send(url, messages)
        used = _processor_s(process.pid) - before
    finally:
        process.terminate()
        process.wait()
    return len(messages) / seconds, used / len(messages) * 1e6


def to_nothing(messages: list[bytes]) -> float:
    """Lines a second to the responder that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", RESPONDER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        return len(messages) / send(process.stdout.readline().strip(), messages)
    finally:
        process.terminate()
        process.wait()


def in_process(commands: list[str]) -> float:
    """Lines a second for `run_program`."""
    from toughopt.profiles import load_profile
    from toughopt.virtual.firmware import VirtualFirmware

    firmware = VirtualFirmware(load_profile("virtual"))
    began = time.perf_counter()
    firmware.run_program("\n".join(commands))
    return len(commands) / (time.perf_counter() - began)


def _processor_s(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print a table; the best of the repeats, because others use the machine too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    commands = program(given.lines)
    messages = numbered(commands)
    nothing = max(to_nothing(messages) for _ in range(given.repeat))
    plain = [over_pty(messages, []) for _ in range(given.repeat)]
    advanced = [over_pty(messages, ["--advanced-ok"]) for _ in range(given.repeat)]
    alone = [in_process(commands) for _ in range(given.repeat)]
    print(f"{given.lines} lines, one in flight, over a pseudo-terminal, best of {given.repeat}")
    print(f"  responder that does nothing          {nothing:8.0f} lines/s")
    for name, results in (("virtual printer", plain), ("virtual printer, ADVANCED_OK", advanced)):
        best, used = max(results)[0], min(used for _, used in results)
        print(f"  {name:36s} {best:8.0f} lines/s  ({best / nothing:.2f} of it; {used:.0f} us of processor a line)")
    print(f"run_program, without a line            {max(alone):8.0f} lines/s")


if __name__ == "__main__":
    main()
