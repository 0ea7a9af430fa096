"""A process that outlives its host: when the host has died, it turns the printer's heaters off.

It follows the host's process id and start time, not a heartbeat: a suspended host is alive. It opens the port only
when the host is dead, and only when nobody else has it; it ends when released, or once the machine says that all its
targets are 0.
Started by `toughopt.printing.guardian`; of other packages it loads pyserial alone.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import time
from pathlib import Path
from threading import Event, Thread

import serial

from toughopt.ports import PORT_ERRORS
from toughopt.printing.processes import is_alive

_LOOK_EVERY_S = 0.25
_TRY_EVERY_S = 0.5
_ROUND_S = 2.0
_GENTLE_ROUNDS = 2
_BOOT_S = 1.0
_GIVE_UP_S = 3600.0
_VANISHED_S = 30.0  # nobody listens on this PC any more: the process that was the printer has ended
_LOOPBACK = ("socket://127.", "socket://localhost:", "socket://[::1]:")
_TARGET = re.compile(rb"([TB]\d*):\s*-?[\d.]+\s*/\s*(-?[\d.]+)")


def main(arguments: list[str] | None = None) -> int:
    """Watch; 0 when released or when the heaters are verified off, 1 when given up."""
    parser = argparse.ArgumentParser(prog="toughopt.printing.watchdog")
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--started", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--baud", type=int, default=115200)
    parser.add_argument("--tools", type=int, default=1)
    parser.add_argument("--fan-off", action="store_true")
    parser.add_argument("--give-up-s", type=float, default=_GIVE_UP_S)
    options = parser.parse_args(arguments)
    _ignore_signals()
    birth = _birth(options.url)
    released, orphaned = Event(), Event()
    Thread(target=_listen, args=(released, orphaned), daemon=True).start()
    print("ready", flush=True)
    while is_alive(options.pid, options.started):
        if released.wait(_LOOK_EVERY_S):
            return 0
        if orphaned.is_set():
            released.wait(_LOOK_EVERY_S)  # the pipe breaks a moment before the process is gone
    if released.is_set():
        return 0
    commands = _commands(options.tools, options.fan_off)
    return 0 if _cool(options.url, options.baud, commands, birth, options.give_up_s) else 1


def _commands(tools: int, fan_off: bool) -> bytes:
    lines = ["", "M108", "M104 S0", *(f"M104 T{tool} S0" for tool in range(tools) if tools > 1), "M140 S0"]
    lines += ["M107"] if fan_off else []
    return "\n".join([*lines, "M84", "M105", ""]).encode("ascii")


def _listen(released: Event, orphaned: Event) -> None:
    line = sys.stdin.readline()
    (released if line.strip() == "release" else orphaned).set()


def _ignore_signals() -> None:
    for name in ("SIGINT", "SIGHUP", "SIGTERM", "SIGBREAK", "SIGTSTP"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_IGN)


def _birth(url: str) -> float | None:
    """When a pseudo-terminal was made: its name is given to the next one as soon as it is free."""
    if not url.startswith("/dev/pts/"):
        return None
    try:
        return Path(url).stat().st_ctime
    except OSError:
        return 0.0


def _cool(url: str, baud: int, commands: bytes, birth: float | None, give_up_s: float) -> bool:
    end = time.monotonic() + give_up_s
    heard_of = time.monotonic()
    rounds = 0
    while time.monotonic() < end:
        if url.startswith(_LOOPBACK) and time.monotonic() > heard_of + _VANISHED_S:
            return False
        if birth is not None and _birth(url) != birth:
            return False  # that pseudo-terminal is gone, and what now has its name is another
        try:
            with serial.serial_for_url(url, baudrate=baud, exclusive=True, timeout=0.1, write_timeout=_ROUND_S) as port:
                _wait_for_boot(port)
                while time.monotonic() < end:
                    rounds += 1
                    if _round(port, commands, rounds):
                        return True
                    heard_of = time.monotonic()
        except PORT_ERRORS:
            time.sleep(_TRY_EVERY_S)  # in use, or gone: it may come back
    return False


def _wait_for_boot(port: serial.Serial) -> None:
    """A board that opening the port has reset is deaf for a moment; another one is not kept waiting."""
    end = time.monotonic() + _BOOT_S
    while time.monotonic() < end:
        if b"start" in _read(port):
            return
        if _BOOT_S - (end - time.monotonic()) > 0.2 and not _can_reset(port):
            return


def _can_reset(port: serial.Serial) -> bool:
    if type(port).__module__.endswith("protocol_socket"):
        return False
    try:
        port.dtr = port.dtr
    except PORT_ERRORS:
        return False
    return True


def _round(port: serial.Serial, commands: bytes, number: int) -> bool:
    """Send the commands, escalating from the third round on; whether the machine says that it is off."""
    if number == _GENTLE_ROUNDS + 1:
        commands = b"\nM108\nM410\n" + commands
    elif number > _GENTLE_ROUNDS + 1:
        commands = b"\nM112\n"
    port.write(commands)
    end = time.monotonic() + _ROUND_S
    heard = b""
    zeros = 0
    while time.monotonic() < end:
        heard += _read(port)
        *lines, heard = heard.split(b"\n")
        for line in lines:
            if b"kill() called" in line:
                return True
            targets = _TARGET.findall(line) if line.startswith(b"ok") else []
            if not any(name.startswith(b"T") for name, _ in targets):
                continue
            zeros = zeros + 1 if all(float(target) == 0 for _, target in targets) else 0
            if zeros == 2:
                return True
            port.write(b"M105\n")
    return False


def _read(port: serial.Serial) -> bytes:
    first: bytes = port.read(1)
    waiting = port.in_waiting
    while waiting:
        more = port.read(waiting)
        first += more
        waiting = port.in_waiting if more and len(first) < 65536 else 0
    return first


if __name__ == "__main__":
    sys.exit(main())
