"""Control by JSON lines: take the part off, status, faults, reset, quit."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from time import time
from typing import IO, TYPE_CHECKING, Any

from toughopt.errors import InputError, ToughoptError
from toughopt.virtual.firmware.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from toughopt.virtual.firmware.emulator import VirtualFirmware


class Control:
    """Reads requests on a thread of its own; the serving thread answers them between two lines of G-code."""

    def __init__(self, requests: int, answers: IO[str]) -> None:
        self._requests = requests  # a file descriptor: a buffered reader would hold a lock when the process ends
        self._answers = answers
        self._lines: deque[str] = deque()
        self.ended = False  # the requests have ended: whoever wrote them is gone
        self.quits = False

    def read_all(self, wake: Callable[[], None]) -> None:
        """Run on a thread: take requests in until there are no more."""
        rest = b""
        while chunk := os.read(self._requests, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                self._lines.extend(line.decode("utf-8", "replace") for line in lines)
                wake()
        self.ended = True
        wake()

    def say(self, answer: dict[str, Any]) -> None:
        """Write one line."""
        try:
            self._answers.write(json.dumps(answer) + "\n")
            self._answers.flush()
        except (OSError, ValueError):  # nobody is there to read it
            self.ended = True

    def answer_all(self, firmware: VirtualFirmware, wall_s: float) -> None:
        """Answer every request that has come in."""
        firmware.tick(wall_s)
        while self._lines:
            line = self._lines.popleft()
            if not line.strip():
                continue
            try:
                answer = {"ok": True, **self._answer(firmware, _request(line), wall_s)}
            except (ToughoptError, OSError) as error:
                answer = {"ok": False, "error": str(error)}
            self.say(answer)

    def _answer(self, firmware: VirtualFirmware, request: dict[str, Any], wall_s: float) -> dict[str, Any]:
        match request.get("do"):
            case "take":
                return take_to(firmware, Path(str(request.get("to", ""))))
            case "status":
                return {**firmware.status(), "unix_minus_wall_s": time() - wall_s}
            case "fault":
                firmware.inject(_fault(request))
                return {}
            case "reset":
                firmware.reset()
                return {}
            case "log":
                return {"log": [[entry.line, entry.text] for entry in firmware.executed]}
            case "quit":
                self.quits = True
                return {}
            case other:
                raise InputError(f"cannot do {other!r}; known: take, status, fault, reset, log, quit")


def take_to(firmware: VirtualFirmware, target: Path) -> dict[str, Any]:
    """Take the part off and write its record, whole or not at all."""
    if target.name == "":
        raise InputError("take needs a file to write the record to, as in {'do': 'take', 'to': 'part.npz'}")
    firmware.settle()
    print_s = firmware.machine.print_s
    extruded = firmware.machine.body.record.extruded_mm
    data = firmware.recorded().to_npz()
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)
    path = firmware.take()
    return {"segments": len(path.time_s), "filament_mm": extruded, "print_s": print_s, "to": str(target)}


def _request(line: str) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"not a JSON line: {line.strip()[:80]!r}: {error}") from error
    if not isinstance(request, dict):
        raise InputError(f"a request is a JSON object with the key 'do', not {line.strip()[:80]!r}")
    return request


def _fault(request: dict[str, Any]) -> Fault:
    values = {key: value for key, value in request.items() if key not in ("do", "name", "fault")}
    name = str(request.get("name", request.get("fault", "")))
    return Fault.parse(name) if "=" in name else Fault.from_mapping(name, values)
