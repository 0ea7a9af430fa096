"""A Moonraker for tests: its HTTP upload and its JSON-RPC, over a Klipper that carries programs out line by line.

Written from the published description of Moonraker's external API and Klipper's status reference.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import threading
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

_PUSH_S = 0.02
_LINE_S = 0.001  # what a line takes


class Klipper:
    """The firmware behind it. `hold_at` stops before that line of the program until `go` is called."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.klippy = "ready"
        self.message = "Printer is ready"
        self.state = "standby"
        self.filename = ""
        self.words = ""
        self.progress = 0.0
        self.targets = {"extruder": 0.0, "heater_bed": 0.0}
        self.executed: list[str] = []
        self.responses: list[str] = []
        self.restarts = 0
        self.hold_at: int | None = None
        self.deaf = False  # does not carry out scripts that turn heaters off
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    def go(self) -> None:
        with self.changed:
            self.hold_at = None
            self.changed.notify_all()

    def shutdown(self, why: str) -> None:
        with self.changed:
            self.klippy, self.message = "shutdown", why
            self.responses.append(f"!! {why}")
            self.targets = dict.fromkeys(self.targets, 0.0)
            self.changed.notify_all()

    def restart(self) -> None:
        self._cancelled.set()  # a print that had not begun yet is gone as well
        with self.changed:
            self.restarts += 1
            self.klippy, self.message, self.state = "ready", "Printer is ready", "standby"
            self.targets = dict.fromkeys(self.targets, 0.0)
            self.changed.notify_all()

    def start(self, name: str, lines: list[str]) -> None:
        self._cancelled.clear()
        with self.changed:
            self.filename, self.state, self.words, self.progress = name, "standby", "", 0.0
        self._thread = threading.Thread(target=self._print, args=(lines,), daemon=True)
        self._thread.start()

    def set_state(self, state: str) -> None:
        with self.changed:
            self.state = state
            if state == "cancelled":
                self._cancelled.set()
            self.changed.notify_all()

    def run(self, line: str) -> None:
        with self.changed:
            self.executed.append(line)
            if found := re.match(r"(M10[49]|M1[49]0)\b.*?S(\d+)", line):
                if self.deaf and found[2] == "0":
                    return
                self.targets["extruder" if found[1] in ("M104", "M109") else "heater_bed"] = float(found[2])

    def _print(self, lines: list[str]) -> None:
        self._cancelled.wait(2.5 * _PUSH_S)  # the file is set first; the print begins with Klipper's next timer
        with self.changed:
            if self.state == "standby":
                self.state = "printing"
                self.changed.notify_all()
        for number, line in enumerate(lines):
            with self.changed:
                self.changed.wait_for(
                    lambda number=number: (
                        self._cancelled.is_set()
                        or self.klippy != "ready"
                        or (self.state == "printing" and (self.hold_at is None or number < self.hold_at))
                    ),
                    20.0,
                )
                if self._cancelled.is_set() or self.klippy != "ready":
                    if self.klippy != "ready":
                        self.state = "error"
                    return
            self._cancelled.wait(_LINE_S)
            self.run(line)
            self.progress = (number + 1) / len(lines)
        self.set_state("complete")

    def status(self) -> dict[str, dict[str, Any]]:
        with self.changed:
            heaters = {
                name: {"temperature": target or 25.0, "target": target, "power": 0.0}
                for name, target in self.targets.items()
            }
            return {
                "print_stats": {"state": self.state, "filename": self.filename, "message": self.words},
                "virtual_sdcard": {"progress": self.progress, "is_active": self.state == "printing"},
                "heaters": {"available_heaters": list(self.targets), "available_sensors": list(self.targets)},
                "webhooks": {"state": self.klippy, "state_message": self.message},
                **heaters,
            }


class RpcError(Exception):
    """What a call is refused with."""


class FakeMoonraker:
    """Serves one Klipper on loopback until closed; `key` makes it ask for an API key."""

    def __init__(self, key: str | None = None) -> None:
        self.klipper = Klipper()
        self.files: dict[str, bytes] = {}
        self.uploads: list[bytes] = []
        self.calls: list[str] = []
        self.key = key
        routes = [
            Route("/server/files/upload", self._upload, methods=["POST"]),
            Route("/server/files/gcodes/{name}", self._delete, methods=["DELETE"]),
            Route("/server/info", self._info),
            WebSocketRoute("/websocket", self._ws),
        ]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(Starlette(routes=routes), log_level="critical", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()

    async def _info(self, request: Request) -> JSONResponse:
        return JSONResponse({"result": self._answer("server.info", {}, {})})

    async def _upload(self, request: Request) -> JSONResponse:
        if self.key is not None and request.headers.get("x-api-key") != self.key:
            return JSONResponse({"error": {"code": 401, "message": "Unauthorized"}}, 401)
        async with request.form() as form:
            data = await form["file"].read()
            if form["checksum"] != hashlib.sha256(data).hexdigest():
                return JSONResponse({"error": {"code": 422, "message": "File checksum mismatch"}}, 422)
            self.files[form["file"].filename] = data
            self.uploads.append(data)
        return JSONResponse({"item": {"path": form["file"].filename, "root": "gcodes"}, "action": "create_file"}, 201)

    async def _delete(self, request: Request) -> JSONResponse:
        name = request.path_params["name"]
        if name not in self.files or (name == self.klipper.filename and self.klipper.state in ("printing", "paused")):
            return JSONResponse({"error": {"code": 403, "message": "File currently in use"}}, 403)
        del self.files[name]
        return JSONResponse({"result": {"item": {"path": name, "root": "gcodes"}, "action": "delete_file"}})

    async def _ws(self, socket: WebSocket) -> None:
        if self.key is not None and socket.headers.get("x-api-key") != self.key:
            await socket.close()
            return
        await socket.accept()
        wanted: dict[str, Any] = {}
        pusher = asyncio.create_task(self._push(socket, wanted))
        try:
            while True:
                asked = json.loads(await socket.receive_text())
                self.calls.append(asked["method"])
                try:
                    result = self._answer(asked["method"], asked.get("params") or {}, wanted)
                    answer = {"result": result}
                except RpcError as error:
                    answer = {"error": {"code": 400, "message": str(error)}}
                await socket.send_json({"jsonrpc": "2.0", "id": asked["id"], **answer})
        except WebSocketDisconnect:
            pass
        finally:
            pusher.cancel()

    def _answer(self, method: str, params: dict[str, Any], wanted: dict[str, Any]) -> Any:
        klipper = self.klipper
        if method.startswith(("printer.print.", "printer.gcode.")) and klipper.klippy != "ready":
            raise RpcError(klipper.message)
        match method:
            case "server.connection.identify":
                if self.key is not None and params.get("api_key") != self.key:
                    raise RpcError("Unauthorized")
                return {"connection_id": 1}
            case "server.info":
                return {"klippy_connected": True, "klippy_state": klipper.klippy, "moonraker_version": "v0.9.3"}
            case "printer.info":
                return {"state": klipper.klippy, "state_message": klipper.message, "hostname": "fake"}
            case "printer.objects.query" | "printer.objects.subscribe":
                status = klipper.status()
                if method.endswith("subscribe"):
                    wanted.update(params["objects"])
                return {
                    "eventtime": 1.0,
                    "status": {name: status[name] for name in params["objects"] if name in status},
                }
            case "printer.print.start":
                if params["filename"] not in self.files:
                    raise RpcError(f"Unable to open file {params['filename']}")
                if klipper.state in ("printing", "paused"):
                    raise RpcError("SD busy")
                lines = self.files[params["filename"]].decode().splitlines()
                klipper.start(params["filename"], [line for line in lines if line and not line.startswith(";")])
            case "printer.print.pause":
                klipper.set_state("paused")
            case "printer.print.resume":
                klipper.set_state("printing")
            case "printer.print.cancel":
                klipper.set_state("cancelled")
            case "printer.gcode.script":
                for line in params["script"].splitlines():
                    klipper.run(line)
            case "printer.emergency_stop":
                klipper.shutdown("Shutdown due to webhooks request")
            case "printer.firmware_restart":
                klipper.restart()
            case _:
                raise RpcError(f"Method not found: {method}")
        return "ok"

    async def _push(self, socket: WebSocket, wanted: dict[str, Any]) -> None:
        """Tell what has changed, as Moonraker does four times a second."""
        before: dict[str, Any] = {}
        klippy, told = self.klipper.klippy, len(self.klipper.responses)
        while True:
            await asyncio.sleep(_PUSH_S)
            while told < len(self.klipper.responses):
                await self._notify(socket, "notify_gcode_response", [self.klipper.responses[told]])
                told += 1
            if self.klipper.klippy != klippy:
                klippy = self.klipper.klippy
                await self._notify(socket, f"notify_klippy_{klippy}", [])
            status = self.klipper.status()
            changed = {}
            for name, fields in wanted.items():
                now = {key: value for key, value in status[name].items() if fields is None or key in fields}
                if different := {k: v for k, v in now.items() if before.get(name, {}).get(k) != v}:
                    changed[name] = different
                before[name] = now
            if changed:
                await self._notify(socket, "notify_status_update", [changed, 1.0])

    async def _notify(self, socket: WebSocket, method: str, params: list[Any]) -> None:
        await socket.send_json({"jsonrpc": "2.0", "method": method, "params": params})
