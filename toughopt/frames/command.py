"""Other programs as hands and triggers: JSON in on standard input, JSON out on standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toughopt.errors import ConfigError, DeviceError, FrameFault
from toughopt.frames.base import TestLimits
from toughopt.frames.guard import FrameGuard, same_limits

SHOWN = 300  # characters of a program's output that a message quotes


@dataclass(frozen=True, slots=True)
class JsonCommand:
    """A program that is started for each request, with the request on its standard input.

    It answers with one JSON object on standard output and exit code 0. `{"ok": false, "reason": "..."}` is a refusal.
    """

    argv: tuple[str, ...]
    timeout_s: float = 120.0

    def __post_init__(self) -> None:
        if not self.argv:
            raise ConfigError("command = [] names no program; give the program and its arguments as a list")

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to `request`.

        Raises
        ------
        CommandTimeout
            If it is not done in time; the program and what it started are ended.
        DeviceError
            If it cannot be started, fails, refuses, or answers with anything but a JSON object.
        """
        what = f"{self.argv[0]} ({request.get('action', 'request')})"
        try:
            process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=os.name == "posix",
            )
        except OSError as error:
            raise DeviceError(f"{self.argv[0]} does not start: {error}; check the path in the configuration") from error
        with process:
            try:
                out, told = process.communicate(json.dumps(dict(request)), timeout=self.timeout_s)
            except subprocess.TimeoutExpired as error:
                _end(process)
                raise CommandTimeout(
                    f"{what} is not done after {self.timeout_s:g} s and was ended; look what it was doing"
                ) from error
            except BaseException:
                _end(process)
                raise
        if process.returncode != 0:
            raise DeviceError(f"{what} failed with exit code {process.returncode}: {(told or out).strip()[-SHOWN:]}")
        try:
            answer = json.loads(out)
        except json.JSONDecodeError as error:
            raise DeviceError(f"{what} answered {out.strip()[:SHOWN]!r}, which is not JSON: {error}") from error
        if not isinstance(answer, dict):
            raise DeviceError(f"{what} answered {out.strip()[:SHOWN]!r}; a JSON object was expected")
        if answer.get("ok") is not True:
            raise DeviceError(f"{what} refused: {answer.get('reason', 'it gave no reason')}")
        return answer


class CommandTimeout(DeviceError):
    """An external program was not done in time: what it moves may be anywhere."""


def _end(process: subprocess.Popen[str]) -> None:
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
    else:
        process.kill()


class CommandHandler:
    """Hands that are another program, such as a robot's.

    Requests: `{"action": "clear_bed", "printer": P, "specimen": S}` and `to_scale`, `to_frame`, `discard` with the
    specimen. The answer to `clear_bed` must say `"clear": true`. A refusal or failure is tried again `retries` times; a
    time-out never is, because nobody knows where the hands then are.
    """

    def __init__(
        self, command: JsonCommand, retries: int = 2, guard: FrameGuard | None = None, name: str = "command"
    ) -> None:
        self.name = name
        self._command = command
        self._retries = retries
        self._guard = guard

    def clear_bed(self, printer: str, specimen: str) -> None:
        """See `Handler.clear_bed`."""
        answer = self._do({"action": "clear_bed", "printer": printer, "specimen": specimen})
        if answer.get("clear") is not True:
            raise DeviceError(
                f'{self.name} does not say that the bed of {printer} is clear; its answer must hold "clear": true'
            )

    def to_scale(self, specimen: str) -> None:
        """See `Handler.to_scale`."""
        self._do({"action": "to_scale", "specimen": specimen})

    def to_frame(self, specimen: str) -> None:
        """See `Handler.to_frame`; the frame is kept clear while the hands are in it."""
        if self._guard is None:
            self._do({"action": "to_frame", "specimen": specimen})
            return
        with self._guard.reaching_in(f"{self.name} puts {specimen} on the plate"):
            self._do({"action": "to_frame", "specimen": specimen})
            self._guard.place(specimen)

    def discard(self, specimen: str) -> None:
        """See `Handler.discard`."""
        if self._guard is None:
            self._do({"action": "discard", "specimen": specimen})
            return
        with self._guard.reaching_in(f"{self.name} takes {specimen} away"):
            self._do({"action": "discard", "specimen": specimen})
            self._guard.remove(specimen)

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        for left in range(self._retries, -1, -1):
            try:
                return self._command.ask(request)
            except CommandTimeout:
                raise
            except DeviceError as error:
                if left == 0:
                    tries = self._retries + 1
                    raise DeviceError(
                        f"{self.name}: {error} (after {tries} {'try' if tries == 1 else 'tries'})"
                    ) from error
        raise AssertionError("unreachable: the last try returns or raises")


class CommandTrigger:
    """A load frame's own software, started and stopped by another program.

    Requests: `{"action": "limits", "limits": {"force_n": F, "travel_mm": D, "speed_mm_per_min": V}}`, to be answered
    with the limits that the frame then has; `{"action": "start", "specimen": S}`; `{"action": "stop"}`, to be answered
    with `"standing": true` once the crosshead was seen to stand still. Nothing is tried twice.
    """

    def __init__(self, command: JsonCommand, name: str = "command") -> None:
        self.name = name
        self._command = command

    def start(self, specimen: str, limits: TestLimits) -> None:
        """See `Trigger.start`."""
        asked = {
            "force_n": limits.force_n,
            "travel_mm": limits.travel_mm,
            "speed_mm_per_min": limits.speed_mm_per_min,
        }
        told = self._command.ask({"action": "limits", "limits": asked}).get("limits")
        try:
            read_back = TestLimits(**{key: float(told[key]) for key in asked})  # type: ignore[index]
        except (TypeError, KeyError, ValueError) as error:
            raise FrameFault(f"{self.name} did not read the limits back: {told!r}; nothing was moved") from error
        if not same_limits(limits, read_back):
            raise FrameFault(f"{self.name}: asked for {limits}, the frame has {read_back}; nothing was moved")
        self._command.ask({"action": "start", "specimen": specimen})

    def stop(self) -> bool:
        """See `Trigger.stop`."""
        try:
            return self._command.ask({"action": "stop"}).get("standing") is True
        except DeviceError as error:
            raise FrameFault(f"{self.name} could not be told to stop: {error}") from error

    def close(self) -> None:
        """Nothing to let go."""
