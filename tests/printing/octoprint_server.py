"""A real OctoPrint with its virtual printer, started on loopback from a configuration folder made for it."""

from __future__ import annotations

import re
import socket
import subprocess
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

import yaml

KEY = "0123456789ABCDEF0123456789ABCDEF"
_UNNEEDED = [
    *("announcements", "softwareupdate", "tracking", "pluginmanager", "discovery", "backup", "errortracking"),
    *("pi_support", "firmware_check", "file_check", "health_check", "action_command_notification", "gcodeviewer"),
    *("logging", "achievements", "eventmanager"),
]


class OctoPrintServer:
    """One server. Its virtual printer logs every line, which is how a test sees what was carried out."""

    def __init__(self, python: str, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        config: dict[str, Any] = {
            "api": {"key": KEY},
            "accessControl": {"salt": "abcdefgh"},
            "server": {"firstRun": False, "onlineCheck": {"enabled": False}, "pluginBlacklist": {"enabled": False}},
            "serial": {"port": "VIRTUAL", "baudrate": 250000, "autoconnect": False},
            "plugins": {
                "_disabled": _UNNEEDED,
                "virtual_printer": {
                    "enabled": True,
                    "ambientTemperature": 207.0,  # so that heating takes no time
                    "throttle": 0.0,
                    "simulated_errors": [],
                    "enable_eeprom": False,
                },
            },
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        command = [python, "-m", "octoprint", "serve", "--iknowwhatimdoing", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--basedir", str(folder)]
        with (folder / "out.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._await()
        except BaseException:
            self.kill()
            raise

    def _await(self) -> None:
        end = time.monotonic() + 90
        while True:
            try:
                self.get("/api/version")
                return
            except (OSError, HTTPException):  # while it starts, a stand-in answers
                assert self.process.poll() is None, (self.folder / "out.log").read_text()[-2000:]
                assert time.monotonic() < end, "OctoPrint does not come up"
                time.sleep(0.2)

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(f"{self.url}{path}", headers={"X-Api-Key": KEY})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read()

    def lines(self) -> list[str]:
        """Every line that its virtual printer received, without numbers and checksums.

        Each reconnection adds another handler to the log, so that numbered lines then come twice.
        """
        log = self.folder / "logs" / "plugin_virtual_printer_serial.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        received = re.findall(r"<<< (.*)", text)
        received = [line for before, line in zip(["", *received], received, strict=False) if line != before]
        return [re.sub(r"^N\d+\s*|\*\d+\s*$", "", line).strip() for line in received]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
