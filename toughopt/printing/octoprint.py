"""OctoPrint as the host of a printer: its REST interface, and its push socket.

After https://docs.octoprint.org/en/master/api/ (REST API and push updates).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from threading import Event as Signal
from typing import Any

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.hosts import Sign, Told, api_key, key_variables, plain_url
from toughopt.printing.networked import NetworkPrinter
from toughopt.printing.replies import Temperature
from toughopt.printing.rest import MessageSocket, RestClient
from toughopt.printing.safety import SafetyReport, off_commands
from toughopt.profiles import PrinterProfile

_CONNECT_S = 45.0  # a board that is reset by being connected needs some seconds
_OFF_S = 20.0  # OctoPrint asks for temperatures every few seconds
_ASK_EVERY_S = 0.5
_OPENING_S = 3.0  # until then it may still say that it is closed
_CLOSED = ("Closed", "Offline", "Error")
_BUSY = ("printing", "paused", "pausing", "resuming", "cancelling", "finishing")


def octoprint_printer(name: str, url: str, profile: PrinterProfile, *, key: str | None = None) -> NetworkPrinter:
    """A printer behind OctoPrint at ``http://host:port``; the key is looked for in the environment if not given.

    Raises
    ------
    ConfigError
        If the URL is none, or holds a key, or what network printers need is not installed.
    """
    return NetworkPrinter(name, OctoPrint(name, url, profile, key=key), profile)


class OctoPrint:
    """One OctoPrint server. See `PrintHost`."""

    def __init__(self, name: str, url: str, profile: PrinterProfile, *, key: str | None = None) -> None:
        self._url = plain_url(url, "OctoPrint")
        self.where = f"OctoPrint at {self._url}"
        variables = " or ".join(key_variables(name))
        hint = f"make one in OctoPrint's settings (Application Keys), and put it into the variable {variables}"
        self._rest = RestClient(self.where, self._url, api_key(name, key), hint)
        self._off = off_commands(len(profile.nozzles), profile.fan_off_at_end)
        self._socket: MessageSocket | None = None
        self._job = ""
        self._heard: deque[Told] = deque()
        self._errors: deque[str] = deque(maxlen=3)
        self._fraction = -1.0
        self._resume_due = False  # asked for while it was still pausing, when OctoPrint would drop it

    def attach(self) -> None:
        """See `PrintHost.attach`."""
        if self._socket is not None:
            return
        self._rest.get("/api/version")  # says what is wrong with a key, which a login does not
        user = self._rest.post("/api/login", json={"passive": True})
        if "session" not in user:
            raise DeviceError(f"{self.where} knows no user of this API key; make a new one there")
        self._socket = MessageSocket(self.where, f"ws{self._url.removeprefix('http')}/sockjs/websocket", {})
        try:
            self._socket.send({"auth": f"{user['name']}:{user['session']}"})
        except DeviceError:
            self.detach()
            raise

    def ready(self) -> None:
        """See `PrintHost.ready`."""
        state = self._rest.get("/api/connection")["current"]["state"]
        if state.startswith(_CLOSED):
            self._connect()
        at = self._rest.get("/api/printer", exclude="temperature,sd")["state"]
        if any(at["flags"].get(flag) for flag in _BUSY):
            raise DeviceError(f"{self.where} is {at['text'].lower()}; wait until that is over, or cancel it there")
        if not at["flags"].get("operational"):
            raise DeviceError(f"{self.where} says {at['text']!r} of its printer; connect it there")

    def upload(self, name: str, program: str) -> None:
        """See `PrintHost.upload`."""
        self._rest.post("/api/files/local", files={"file": (name, program.encode("utf-8"))})

    def remove(self, name: str) -> None:
        """See `PrintHost.remove`."""
        self._rest.delete(f"/api/files/local/{name}")

    def start(self, name: str) -> None:
        """See `PrintHost.start`."""
        self._job = name
        self._fraction = -1.0
        self._resume_due = False
        self._heard.clear()
        self._errors.clear()
        self._rest.post(f"/api/files/local/{name}", json={"command": "select", "print": True})

    def hear(self, timeout_s: float) -> Told | None:
        """See `PrintHost.hear`."""
        if not self._heard:
            if self._socket is None:
                raise LinkLost(f"{self.where} is not connected")
            message = self._socket.receive(timeout_s)
            if message and "current" in message:
                self._on_current(message["current"])
            elif message and "event" in message:
                self._on_event(message["event"]["type"], message["event"].get("payload") or {})
        return self._heard.popleft() if self._heard else None

    def look(self, name: str) -> Told:
        """See `PrintHost.look`."""
        job = self._rest.get("/api/job")
        at = str(job.get("state", ""))
        if job["job"]["file"].get("path") == name and at.startswith(("Printing", "Starting", "Resuming", "Finishing")):
            return Told(Sign.RESUMED)
        if job["job"]["file"].get("path") == name and at.startswith(("Paus", "Cancelling")):
            return Told(Sign.PAUSED if at.startswith("Paus") else Sign.NOTE, at)
        prints = self._rest.get(f"/api/files/local/{name}").get("prints") or {}
        if prints.get("success"):
            return Told(Sign.DONE)
        if prints.get("failure"):
            return Told(Sign.FAILED, f"the print failed; now it says {at!r}")
        return Told(Sign.UNKNOWN, f"it is {at!r}, and does not know what has become of the print")

    def pause(self) -> None:
        """See `PrintHost.pause`."""
        self._resume_due = False
        self._rest.post("/api/job", json={"command": "pause", "action": "pause"})

    def resume(self) -> None:
        """See `PrintHost.resume`."""
        # what it says of the job may lag behind; of the connection it does not
        pausing = str(self._rest.get("/api/connection")["current"]["state"]).startswith("Pausing")
        if not pausing:
            self._rest.post("/api/job", json={"command": "pause", "action": "resume"})
        self._resume_due = pausing

    def cancel(self) -> None:
        """See `PrintHost.cancel`."""
        self._resume_due = False
        self._rest.post("/api/job", json={"command": "cancel"})

    def turn_off(self) -> SafetyReport:
        """See `PrintHost.turn_off`: confirmed by two reports of the machine, at different seconds, after the commands.

        OctoPrint shows a target that it has sent as if it were reported, so one reading alone proves nothing.
        """
        self._operational()
        if self._commanded_off():
            return SafetyReport(True, "targets reported as 0")
        self.emergency_stop()
        self._operational()
        if self._commanded_off():
            return SafetyReport(True, "targets reported as 0 after an emergency stop")
        return SafetyReport(False, f"{self.where} does not report targets of 0")

    def emergency_stop(self) -> None:
        """See `PrintHost.emergency_stop`."""
        self._rest.post("/api/printer/command", json={"command": "M112"})

    def detach(self) -> None:
        """See `PrintHost.detach`."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with suppress(LinkLost, OSError):
                socket.close()
        self._rest.close()

    def _connect(self) -> None:
        self._rest.post("/api/connection", json={"command": "connect"})
        begun = time.monotonic()
        while True:
            state = str(self._rest.get("/api/connection")["current"]["state"])
            if state.startswith("Operational"):
                return
            waited = time.monotonic() - begun
            if waited > _CONNECT_S or (waited > _OPENING_S and state.startswith(_CLOSED)):
                raise DeviceError(
                    f"{self.where} does not reach its printer (it says {state!r}); connect it there, or look at its log"
                )
            Signal().wait(_ASK_EVERY_S)

    def _operational(self) -> None:
        if not self._rest.get("/api/connection")["current"]["state"].startswith("Operational"):
            with suppress(DeviceError):  # a print that is just ending lets go by itself
                self._await_idle()
                return
            self._connect()

    def _await_idle(self) -> None:
        end = time.monotonic() + _OFF_S
        while time.monotonic() < end:
            state = str(self._rest.get("/api/connection")["current"]["state"])
            if state.startswith("Operational"):
                return
            if state.startswith(_CLOSED):
                break
            Signal().wait(_ASK_EVERY_S)
        raise DeviceError(f"{self.where} does not come to rest")

    def _commanded_off(self) -> bool:
        mark = max((entry["time"] for entry in self._readings()), default=0)
        self._rest.post("/api/printer/command", json={"commands": self._off})
        end = time.monotonic() + _OFF_S
        while time.monotonic() < end:
            cold = [entry["time"] for entry in self._readings() if entry["time"] > mark and _is_off(entry)]
            newest = max((entry["time"] for entry in self._readings()), default=0)
            if len(set(cold)) >= 2 and newest in cold:
                return True
            Signal().wait(_ASK_EVERY_S)
        return False

    def _readings(self) -> list[dict[str, Any]]:
        temperature = self._rest.get("/api/printer", history="true", limit=4, exclude="state,sd").get("temperature", {})
        return list(temperature.get("history", []))

    def _on_current(self, current: Mapping[str, Any]) -> None:
        if (current.get("job") or {}).get("file", {}).get("path") == self._job:
            fraction = float((current.get("progress") or {}).get("completion") or 0.0) / 100.0
            resends = (current.get("resends") or {}).get("count")
            if fraction != self._fraction:
                self._fraction = fraction
                self._heard.append(Told(Sign.PROGRESS, fraction=fraction, resends=resends))
        if self._resume_due and (current.get("state") or {}).get("flags", {}).get("paused"):
            self.resume()
        for entry in current.get("temps") or ():
            self._heard.append(Told(Sign.TEMPERATURE, temperatures=_temperatures(entry)))

    def _on_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "Error":
            self._errors.append(str(payload.get("error") or payload.get("reason") or "an error"))
            self._heard.append(Told(Sign.NOTE, self._errors[-1]))
        elif kind == "Disconnected":
            words = "; ".join(self._errors) or "the connection to the printer is lost"
            self._heard.append(Told(Sign.FAILED, words))
        elif payload.get("path") == self._job:
            self._on_job(kind, payload)

    def _on_job(self, kind: str, payload: Mapping[str, Any]) -> None:
        match kind:
            case "PrintDone":
                self._heard.append(Told(Sign.DONE))
            case "PrintPaused":
                self._heard.append(Told(Sign.PAUSED, "OctoPrint says so"))
            case "PrintResumed":
                self._heard.append(Told(Sign.RESUMED, "OctoPrint says so"))
            case "PrintCancelled":
                self._heard.append(Told(Sign.CANCELLED))
            case "PrintFailed" if payload.get("reason") != "cancelled":
                words = "; ".join(self._errors) or str(payload.get("error") or payload.get("reason") or "")
                self._heard.append(Told(Sign.FAILED, words))
            case _:
                pass


def _temperatures(entry: Mapping[str, Any]) -> dict[str, Temperature]:
    found = {}
    for name, heater in entry.items():
        if isinstance(heater, Mapping) and heater.get("actual") is not None:
            short = {"bed": "B", "chamber": "C"}.get(name, f"T{name.removeprefix('tool')}")
            target = heater.get("target")
            found[short] = Temperature(float(heater["actual"]), None if target is None else float(target))
    return found


def _is_off(entry: Mapping[str, Any]) -> bool:
    """Whether a reading shows targets of 0, and is one of the machine: what was only sent has no temperature yet."""
    heaters = [heater for heater in entry.values() if isinstance(heater, Mapping)]
    known = [heater for heater in heaters if heater.get("target") is not None]
    return bool(known) and all(heater["target"] == 0 and heater.get("actual") is not None for heater in known)
