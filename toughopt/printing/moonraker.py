"""Klipper behind Moonraker as the host of a printer: JSON-RPC over a websocket, and an upload over HTTP.

After https://moonraker.readthedocs.io (external API) and https://www.klipper3d.org/Status_Reference.html.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from threading import Event as Signal
from typing import Any

from toughopt._version import __version__
from toughopt.errors import DeviceError, FirmwareHalted, LinkLost
from toughopt.printing.hosts import Sign, Told, api_key, key_variables, plain_url
from toughopt.printing.networked import NetworkPrinter
from toughopt.printing.replies import Temperature
from toughopt.printing.rest import TIMEOUT_S, MessageSocket, RestClient
from toughopt.printing.safety import SafetyReport, off_commands
from toughopt.profiles import PrinterProfile

_READY_S = 45.0  # after a restart of the firmware
_SCRIPT_S = 120.0  # Klipper answers to a script when it has been carried out, after what it is at
_OFF_S = 10.0
_ASK_EVERY_S = 0.3
_ENDINGS = {"complete": Sign.DONE, "cancelled": Sign.CANCELLED, "error": Sign.FAILED}
_BEGUN = ("printing", "paused")


def moonraker_printer(name: str, url: str, profile: PrinterProfile, *, key: str | None = None) -> NetworkPrinter:
    """A printer behind Moonraker at ``http://host:7125``; the key, if one is needed, is looked for in the environment.

    Raises
    ------
    ConfigError
        If the URL is none, or holds a key, or what network printers need is not installed.
    """
    return NetworkPrinter(name, Moonraker(name, url, profile, key=key), profile)


class Moonraker:
    """One Moonraker server. See `PrintHost`."""

    def __init__(self, name: str, url: str, profile: PrinterProfile, *, key: str | None = None) -> None:
        self._url = plain_url(url, "Moonraker")
        self.where = f"Moonraker at {self._url}"
        self._key = api_key(name, key)
        hint = f"set the variable {' or '.join(key_variables(name))}, or make this PC a trusted client there"
        self._rest = RestClient(self.where, self._url, self._key, hint)
        self._off = off_commands(len(profile.nozzles), profile.fan_off_at_end)
        self._socket: MessageSocket | None = None
        self._numbers = count(1)
        self._heaters: list[str] = []
        self._readings: dict[str, dict[str, float]] = {}
        self._job = ""
        self._state = self._file = ""  # of the print, as last told
        self._words = ""  # the last error
        self._heard: deque[Told] = deque()

    def attach(self) -> None:
        """See `PrintHost.attach`."""
        if self._socket is not None:
            return
        self._socket = MessageSocket(self.where, f"ws{self._url.removeprefix('http')}/websocket", self._headers())
        try:
            who = {
                "client_name": "toughopt",
                "version": __version__,
                "type": "other",
                "url": "https://pypi.org/project/toughopt",
            }
            self._call("server.connection.identify", {**who, **({"api_key": self._key} if self._key else {})})
            if self._klippy() == "ready":
                self._subscribe()
        except DeviceError:
            self.detach()
            raise

    def ready(self) -> None:
        """See `PrintHost.ready`."""
        if self._klippy() != "ready":
            self._restart()
        at = self._status("print_stats").get("state", "")
        if at in _BEGUN:
            raise DeviceError(f"{self.where} is {at}; wait until that is over, or cancel it there")

    def upload(self, name: str, program: str) -> None:
        """See `PrintHost.upload`."""
        data = program.encode("utf-8")
        form = {"root": "gcodes", "print": "false", "checksum": hashlib.sha256(data).hexdigest()}
        self._rest.post("/server/files/upload", data=form, files={"file": (name, data)})

    def remove(self, name: str) -> None:
        """See `PrintHost.remove`."""
        self._rest.delete(f"/server/files/gcodes/{name}")

    def start(self, name: str) -> None:
        """See `PrintHost.start`."""
        self._job, self._state, self._words = name, "", ""
        self._heard.clear()
        self._call("printer.print.start", {"filename": name}, _SCRIPT_S)

    def hear(self, timeout_s: float) -> Told | None:
        """See `PrintHost.hear`."""
        if not self._heard:
            self._note(self._receive(timeout_s))
        return self._heard.popleft() if self._heard else None

    def look(self, name: str) -> Told:
        """See `PrintHost.look`."""
        state = self._klippy()
        if state in ("shutdown", "error"):
            return Told(Sign.FAILED, self._why_halted())
        if state != "ready":
            return Told(Sign.NOTE, f"Klipper is {state}")
        self._subscribe()
        stats = self._status("print_stats")
        at = str(stats.get("state", ""))
        if stats.get("filename") == name and at == "standby":
            return Told(Sign.NOTE, "it has not begun yet")
        if stats.get("filename") == name and at in (*_BEGUN, *_ENDINGS):
            self._state, self._file = at, name
            sign = {"printing": Sign.RESUMED, "paused": Sign.PAUSED, **_ENDINGS}[at]
            return Told(sign, str(stats.get("message", "")))
        return Told(Sign.UNKNOWN, f"it is {at or 'idle'}, and does not know what has become of the print")

    def pause(self) -> None:
        """See `PrintHost.pause`."""
        self._call("printer.print.pause", {}, _SCRIPT_S)

    def resume(self) -> None:
        """See `PrintHost.resume`."""
        self._call("printer.print.resume", {}, _SCRIPT_S)

    def cancel(self) -> None:
        """See `PrintHost.cancel`."""
        self._call("printer.print.cancel", {}, _SCRIPT_S)

    def turn_off(self) -> SafetyReport:
        """See `PrintHost.turn_off`: Klipper itself says what its heaters' targets are; a halted one is restarted."""
        halted = self._klippy() != "ready"
        if halted:
            self._restart()
        try:
            self._call("printer.gcode.script", {"script": "\n".join(self._off)}, _SCRIPT_S)
        except LinkLost:
            raise
        except DeviceError:  # it would not, or is at something that does not end
            self.emergency_stop()
            self._restart()
            halted = True
        how = "targets reported as 0"
        end = time.monotonic() + _OFF_S
        while time.monotonic() < end:
            targets = [self._status(heater).get("target") for heater in self._names()]
            if targets and not any(targets):
                return SafetyReport(True, f"{how} after a restart of the firmware" if halted else how)
            Signal().wait(_ASK_EVERY_S)
        return SafetyReport(False, f"{self.where} does not report targets of 0")

    def emergency_stop(self) -> None:
        """See `PrintHost.emergency_stop`."""
        self._call("printer.emergency_stop", {})

    def detach(self) -> None:
        """See `PrintHost.detach`."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with suppress(LinkLost, OSError):
                socket.close()
        self._rest.close()

    def _headers(self) -> dict[str, str]:
        return {"X-Api-Key": self._key} if self._key else {}

    def _receive(self, timeout_s: float) -> dict[str, Any] | None:
        if self._socket is None:
            raise LinkLost(f"{self.where} is not connected")
        return self._socket.receive(timeout_s)

    def _call(self, method: str, params: Mapping[str, Any], timeout_s: float = TIMEOUT_S) -> Any:
        """The result of a JSON-RPC call; what is told meanwhile is kept for `hear`."""
        if self._socket is None:
            raise LinkLost(f"{self.where} is not connected")
        number = next(self._numbers)
        self._socket.send({"jsonrpc": "2.0", "method": method, "params": dict(params), "id": number})
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            message = self._receive(left)
            if message is None:
                break
            if message.get("id") != number:
                self._note(message)
            elif "error" in message:
                raise DeviceError(
                    f"{self.where} refuses {method}: {message['error'].get('message', 'no reason given')}"
                )
            else:
                return message.get("result")
        raise LinkLost(f"{self.where} does not answer to {method} within {timeout_s:g} s")

    def _klippy(self) -> str:
        return str(self._call("server.info", {}).get("klippy_state", "disconnected"))

    def _why_halted(self) -> str:
        with suppress(DeviceError):
            return str(self._call("printer.info", {}).get("state_message", "")).strip() or "Klipper has halted"
        return self._words or "Klipper has halted"

    def _restart(self) -> None:
        """Restart a halted firmware, which turns its heaters off, and wait for it."""
        why = self._why_halted()
        with suppress(DeviceError):  # it may go away before it answers
            self._call("printer.firmware_restart", {}, _SCRIPT_S)
        end = time.monotonic() + _READY_S
        while (state := self._klippy()) != "ready":
            if time.monotonic() > end or state == "error":
                raise FirmwareHalted(f"{self.where}: Klipper is {state} ({why}); find the cause, then restart it there")
            self._note(self._receive(_ASK_EVERY_S))
        self._subscribe()

    def _names(self) -> list[str]:
        if not self._heaters:
            self._heaters = [str(name) for name in self._status("heaters").get("available_heaters", [])]
        return self._heaters

    def _status(self, name: str) -> dict[str, Any]:
        found = self._call("printer.objects.query", {"objects": {name: None}})
        return dict(found.get("status", {}).get(name, {}))

    def _subscribe(self) -> None:
        heaters = {name: ["temperature", "target"] for name in self._names()}
        wanted = {"print_stats": ["state", "filename", "message"], "virtual_sdcard": ["progress"], **heaters}
        found = self._call("printer.objects.subscribe", {"objects": wanted})
        self._on_status(found.get("status", {}))

    def _note(self, message: Mapping[str, Any] | None) -> None:
        params = list((message or {}).get("params") or ())
        match (message or {}).get("method"):
            case "notify_status_update" if params:
                self._on_status(params[0])
            case "notify_klippy_shutdown":
                self._heard.append(Told(Sign.FAILED, self._words or "Klipper has shut down"))
            case "notify_klippy_disconnected":
                self._heard.append(Told(Sign.FAILED, self._words or "Klipper is gone"))
            case "notify_gcode_response" if params and str(params[0]).startswith("!!"):
                self._words = str(params[0]).removeprefix("!!").strip()
                self._heard.append(Told(Sign.NOTE, self._words))
            case _:
                pass

    def _on_status(self, status: Mapping[str, Any]) -> None:
        stats = status.get("print_stats") or {}
        ours = self._job != "" and self._job in (self._file, stats.get("filename"))
        self._file = str(stats.get("filename", self._file))
        if ours and "state" in stats:
            self._on_state(str(stats["state"]), str(stats.get("message", "")))
        sdcard = status.get("virtual_sdcard") or {}
        if ours and "progress" in sdcard:
            self._heard.append(Told(Sign.PROGRESS, fraction=float(sdcard["progress"])))
        readings = {name: status[name] for name in self._heaters if name in status}
        for name, values in readings.items():
            self._readings.setdefault(name, {}).update(values)
        if readings:
            self._heard.append(Told(Sign.TEMPERATURE, temperatures=self._temperatures()))

    def _on_state(self, now: str, message: str) -> None:
        before, self._state = self._state, now
        if now == "paused":
            self._heard.append(Told(Sign.PAUSED, message or "Klipper says so"))
        elif now == "printing" and before == "paused":
            self._heard.append(Told(Sign.RESUMED, message or "Klipper says so"))
        elif now in _ENDINGS:
            self._heard.append(Told(_ENDINGS[now], message or self._words))
        elif now == "standby" and before in _BEGUN:  # its file was taken away; a print that is to begin stands by too
            self._heard.append(Told(Sign.CANCELLED, message or self._words))

    def _temperatures(self) -> dict[str, Temperature]:
        found = {}
        for name, values in self._readings.items():
            short = "B" if name == "heater_bed" else f"T{name.removeprefix('extruder') or 0}"
            if name.startswith(("extruder", "heater_bed")) and "temperature" in values:
                found[short] = Temperature(float(values["temperature"]), values.get("target"))
        return found
