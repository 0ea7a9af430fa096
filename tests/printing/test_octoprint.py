"""The print host on a machine that others wrote: the virtual printer of OctoPrint, with its own faults switched on.

Needs an interpreter with OctoPrint; TOUGHOPT_OCTOPRINT_PYTHON names it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from toughopt.printing import MarlinPrinter, PrintStatus, StreamSettings
from toughopt.profiles import Limits, PrinterProfile, Serial

pytestmark = pytest.mark.full

MOVES = [f"G1 X{20 + k % 40}.{k % 10} Y{30 + k // 40} E{k / 20 + 1:.2f} F9000" for k in range(400)]
PROGRAM = "G28\nM109 S210\nG90\nM82\nG92 E0\n" + "\n".join(MOVES) + "\n"

# Serves OctoPrint's virtual printer on a TCP port. Lines are handed over one by one, as OctoPrint's own host does.
BRIDGE = r"""
import json, queue, socket, sys, threading
from types import SimpleNamespace
from octoprint.plugins.virtual_printer import VirtualPrinterPlugin, virtual

options = json.loads(sys.argv[1])
folder = sys.argv[2]
values = VirtualPrinterPlugin().get_settings_defaults() | options["settings"]


class Settings:
    def get(self, path, **_):
        found = values
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def get_int(self, path):
        return int(self.get(path))

    def get_float(self, path):
        return float(self.get(path))

    def get_boolean(self, path):
        return bool(self.get(path))

    def global_get_basefolder(self, name, **_):
        return folder


class Recorder(virtual.VirtualPrinter):
    executed = []

    def _gcode_G(self, code, data):
        self.executed.append(data)
        return False


virtual.plugin_manager = lambda: SimpleNamespace(get_hooks=lambda name: {})
machine = Recorder(Settings(), None, folder, read_timeout=0.05, write_timeout=10.0)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def talk():
    try:
        while machine.outgoing is not None:
            data = machine.readline()
            if data:
                conn.sendall(data if data.endswith(b"\n") else data + b"\n")
    except OSError:
        pass


threading.Thread(target=talk, daemon=True).start()
rest = b""
seen = 0
while data := conn.recv(4096):
    *lines, rest = (rest + data).split(b"\n")
    for line in lines:
        seen += line.startswith(b"N")
        if line.startswith(b"N") and seen in options["drop"]:
            continue
        while line := (line + b"\n" if not line.endswith(b"\n") else line):
            written = machine.write(line)
            line = line[written:]
            if not line:
                break
result = {
    "executed": machine.executed,
    "last": machine.lastN,
    "targets": [*machine.targetTemp, machine.bedTargetTemp],
}
print(json.dumps(result), flush=True)
machine.close()
"""


@pytest.fixture
def python(need):
    """The interpreter that has OctoPrint."""
    found = os.environ.get("TOUGHOPT_OCTOPRINT_PYTHON", "")
    need("octoprint", Path(found).is_file())
    return found


@pytest.fixture
def print_there(python, tmp_path):
    """Print the program on OctoPrint's virtual printer; (outcome, what the machine did)."""

    def go(settings, drop=(), window="off"):
        defaults = {"ambientTemperature": 207.0, "hasBed": True, "throttle": 0.0, "enable_eeprom": False}
        options = {"settings": {**defaults, "simulated_errors": [], **settings}, "drop": list(drop)}
        machine = subprocess.Popen(
            [python, "-c", BRIDGE, json.dumps(options), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        try:
            port = machine.stdout.readline().strip()
            program = tmp_path / "part.gcode"
            program.write_text(PROGRAM)
            profile = PrinterProfile(name="octoprint", serial=Serial(), limits=Limits(max_bed_c=250.0))
            stream = StreamSettings(window=window, window_bytes=60)
            printer = MarlinPrinter("o", f"socket://127.0.0.1:{port}", profile, watchdog=False, stream=stream)
            try:
                outcome = printer.print_file(program)
            finally:
                printer.close()
            return outcome, json.loads(machine.stdout.readline())
        finally:
            machine.kill()
            machine.wait()
            machine.stdout.close()

    return go


ERRORS = [
    *(f"{line}:resend" for line in range(50, 400, 50)),
    *(f"{line}:checksum_mismatch" for line in range(60, 400, 70)),
    *(f"{line}:missing_lineno" for line in range(75, 400, 90)),
]


@pytest.mark.parametrize(
    ("settings", "drop"),
    [
        ({}, []),
        ({"simulated_errors": ERRORS}, []),
        ({"simulated_errors": ERRORS, "brokenResend": True}, []),
        ({"preparedOks": ["ok"] * 60 + ["k", "ok", "ok", None, "ok", "o3", "ok", None]}, []),
        ({}, [40, 90, 91, 200]),
        ({"sendBusy": True, "sendWait": True, "okFormatString": "ok N{lastN} P15 B{buffer}"}, [77]),
        ({"okBeforeCommandOutput": True, "simulated_errors": ERRORS}, [111]),
    ],
    ids=["plain", "resends", "resends without ok", "missing oks", "dropped lines", "advanced ok", "ok before output"],
)
@pytest.mark.parametrize("window", ["off", "on"])
def test_every_line_arrives_once_and_in_order(settings, drop, window, print_there):
    outcome, machine = print_there(settings, drop, window)
    assert outcome.status is PrintStatus.PRINTED, outcome.reason
    assert outcome.heaters_off
    assert [line for line in machine["executed"] if line.startswith("G1")] == MOVES
    assert machine["targets"] == [0, 0]


def test_a_resend_that_swallows_the_next_line_is_survived(print_there):
    """The machine takes line 105 as read, asks for it all the same and then does not answer."""
    outcome, machine = print_there({"simulated_errors": ["105:resend_with_timeout"]})
    assert outcome.status is PrintStatus.PRINTED, outcome.reason
    moves = [line for line in machine["executed"] if line.startswith("G1")]
    assert moves == MOVES[:99] + MOVES[100:]  # it never carries that line out, and says that it has it


def test_locked(print_there):
    from toughopt.errors import DeviceError

    with pytest.raises(DeviceError):
        print_there({"locked": True})
