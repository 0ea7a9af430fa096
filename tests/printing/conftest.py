"""A scripted machine on a socket or a pseudo-terminal, with Marlin's manners and whatever faults a test asks for."""

from __future__ import annotations

import os
import re
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from toughopt.printing import LeapingClock, MarlinPrinter, PrintEvent, StreamSettings
from toughopt.profiles import Limits, PrinterProfile, Serial

Script = Callable[["Machine", str, "int | None", str], "list[str] | None"]


def checksum(line: str) -> int:
    total = 0
    for char in line:
        total ^= ord(char)
    return total


@dataclass
class Machine:
    """Serves one connection after another, in a thread, until closed.

    `script` sees each line as it arrived (raw, its number or None, its bare command) and returns the lines to answer
    with, or None to let the machine do what Marlin would.
    """

    kind: str = "socket"
    script: Script | None = None
    banner: tuple[str, ...] = ("start", "echo:Marlin 2.1.2")
    capabilities: tuple[str, ...] = ("AUTOREPORT_TEMP:0", "EMERGENCY_PARSER:0")
    executed: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    last: int = 0
    nozzle: float = 0.0
    bed: float = 0.0
    fan: float = 0.0
    motors: bool = True
    killed: bool = False
    connections: int = 0
    accepting: bool = True

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self.changed = threading.Condition()
        self._conn: socket.socket | None = None
        self._master = self._slave = -1
        if self.kind == "socket":
            self._listener = socket.create_server(("127.0.0.1", 0))
            self._listener.settimeout(0.05)
            self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            import tty

            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            self.url = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self.drop()
        if self.kind == "socket":
            self._listener.close()
        self._thread.join(5)
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1

    def drop(self) -> None:
        """Break the line."""
        conn = self._conn
        if conn is not None:
            with suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)

    def say(self, *lines: str) -> None:
        self.say_bytes("".join(f"{line}\n" for line in lines).encode("latin-1"))

    def say_bytes(self, data: bytes) -> None:
        try:
            if self.kind != "socket":
                os.write(self._master, data)
            elif self._conn is not None:
                self._conn.sendall(data)
        except OSError:
            pass

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        with self.changed:
            return self.changed.wait_for(condition, timeout_s)

    def report(self) -> str:
        return f"T:{self.nozzle:.1f} /{self.nozzle:.1f} B:{self.bed:.1f} /{self.bed:.1f} @:0 B@:0"

    def _serve(self) -> None:
        if self.kind != "socket":
            self._talk(lambda: os.read(self._master, 4096) if self._ready(self._master) else None)
            return
        while not self._stop.is_set():
            try:
                conn, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with conn:
                self._conn = conn
                with self.changed:
                    self.connections += 1
                    self.changed.notify_all()
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._talk(lambda conn=conn: conn.recv(4096) if self._ready(conn) else None)
                self._conn = None

    def _ready(self, what: object) -> bool:
        return bool(select.select([what], [], [], 0.05)[0])

    def _talk(self, read: Callable[[], bytes | None]) -> None:
        rest = b""
        if self.kind == "socket":
            self.say(*self.banner)
        while not self._stop.is_set():
            try:
                data = read()
            except OSError:
                return
            if data is None:
                continue
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._take(line.decode("latin-1").strip())
            with self.changed:
                self.changed.notify_all()

    def _take(self, raw: str) -> None:
        if not raw or self.killed:
            return
        self.received.append(raw)
        match = re.match(r"N(\d+)\s*(.*?)\*(\d+)$", raw)
        number = int(match[1]) if match else None
        body = match[2].strip() if match else raw
        answer = self.script(self, raw, number, body) if self.script is not None else None
        if answer is None:
            answer = self.marlin(raw, number, body, int(match[3]) if match else None)
        self.say(*answer)

    def marlin(self, raw: str, number: int | None, body: str, given: int | None = None) -> list[str]:
        """What Marlin would do with the line."""
        if number is not None:
            if "M110" not in body and number != self.last + 1:
                return self.refuse("Line Number is not Last Line Number+1")
            if given is not None and given != checksum(raw[: raw.rindex("*")]):
                return self.refuse("checksum mismatch")
            self.last = number
        return self.run(body)

    def refuse(self, why: str) -> list[str]:
        return [f"Error:{why}, Last Line: {self.last}", f"Resend: {self.last + 1}", "ok"]

    def run(self, body: str) -> list[str]:
        code = body.split()[0] if body.split() else ""
        words = dict(re.findall(r"([A-Z])([-\d.]+)", body[len(code) :]))
        if code == "M112":
            self.killed = True
            self.nozzle = self.bed = 0.0
            return ["Error:Printer halted. kill() called!"]
        self.executed.append(body)
        if code in ("M104", "M109"):
            self.nozzle = float(words.get("S", words.get("R", 0)))
        elif code in ("M140", "M190"):
            self.bed = float(words.get("S", words.get("R", 0)))
        elif code == "M106":
            self.fan = float(words.get("S", 255))
        elif code == "M107":
            self.fan = 0.0
        elif code == "M84":
            self.motors = False
        elif code == "M105":
            return [f"ok {self.report()}"]
        elif code == "M114":
            return ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", "ok"]
        elif code == "M115":
            head = "FIRMWARE_NAME:Marlin 2.1.2 (Sep 1 2023) SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin "
            head += "PROTOCOL_VERSION:1.0 MACHINE_TYPE:Fake One EXTRUDER_COUNT:1 UUID:0-1"
            return [head, *(f"Cap:{name}" for name in self.capabilities), "ok"]
        return ["ok"]

    @property
    def is_safe(self) -> bool:
        return self.nozzle == 0 and self.bed == 0


@pytest.fixture
def make_machine() -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def make(**options: object) -> Machine:
        if options.get("kind") == "pty" and sys.platform == "win32":
            pytest.skip("pseudo-terminals need POSIX")
        made.append(Machine(**options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for machine in made:
        machine.close()


@pytest.fixture
def profile() -> PrinterProfile:
    return PrinterProfile(
        name="fake", serial=Serial(banner_timeout_s=3.0), limits=Limits(heating_timeout_s=15.0, longest_pause_s=20.0)
    )


@pytest.fixture
def events() -> list[PrintEvent]:
    return []


@pytest.fixture
def make_printer(profile: PrinterProfile) -> Iterator[Callable[..., MarlinPrinter]]:
    made: list[MarlinPrinter] = []

    def make(machine: Machine, **options: object) -> MarlinPrinter:
        options.setdefault("clock", LeapingClock())
        options.setdefault("watchdog", False)
        options.setdefault("rescue_s", 5.0)
        options.setdefault("stream", StreamSettings(window="off"))
        made.append(MarlinPrinter("fake", machine.url, profile, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for printer in made:
        printer.close()


@pytest.fixture
def program_text() -> str:
    moves = "\n".join(f"G1 X{10 + k % 50} Y{20 + k // 50} E{k / 10 + 1:.1f} F1800" for k in range(60))
    return f"; a small program\nG28\nM190 S60\nM109 S210\nG90\nM82\nG92 E0\n{moves}\nM400\n"


def _beside(name: str) -> ModuleType:
    """A module beside this file."""
    spec = spec_from_file_location(f"printing_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_moonraker() -> Iterator[Callable[..., Any]]:
    """Fake Moonraker servers; see moonraker_fake.py."""
    made: list[Any] = []

    def make(**options: object) -> Any:
        made.append(_beside("moonraker_fake").FakeMoonraker(**options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def start_octoprint(need: Callable[[str, bool], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Starts real OctoPrint servers; TOUGHOPT_OCTOPRINT_PYTHON names the interpreter that has it."""
    python = os.environ.get("TOUGHOPT_OCTOPRINT_PYTHON", "")
    need("octoprint", bool(python))
    module = _beside("octoprint_server")
    made: list[Any] = []

    def start() -> Any:
        made.append(module.OctoPrintServer(python, tmp_path_factory.mktemp("octoprint")))
        return made[-1]

    yield start
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def octoprint(start_octoprint: Callable[[], Any]) -> Any:
    """One OctoPrint for all tests that leave it running."""
    return start_octoprint()
