"""A virtual printer in a process of its own, launched and driven from here."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from toughopt.errors import DeviceError, LinkLost

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from toughopt.gcode.base import ExecutedPath
    from toughopt.profiles import PrinterProfile
    from toughopt.virtual.firmware.faults import Fault

START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 60.0
QUIT_TIMEOUT_S = 5.0


class VirtualPrinterProcess:
    """A virtual printer on a port of this machine. Use it as a context manager, or `close` it.

    Parameters
    ----------
    profile : a profile, its name, or the path of its TOML file
    seed : of everything that chance decides
    clock : "max", "real" or a factor
    faults : as `Fault.parse` takes them, e.g. ``["garble_in=1e-3", "jam=line:500"]``
    folder : where profiles are looked up first
    pty : serve on a pseudo-terminal instead of a TCP port
    options : further command-line options of `python -m toughopt.virtual.firmware`

    Attributes
    ----------
    url : pyserial URL at which it is reached
    pid : of the process

    Raises
    ------
    DeviceError
        If the process does not come up.
    """

    def __init__(
        self,
        profile: PrinterProfile | Path | str = "virtual",
        *,
        seed: int = 0,
        clock: str | float = "max",
        faults: Iterable[str] = (),
        folder: Path | None = None,
        pty: bool = False,
        options: Iterable[str] = (),
    ) -> None:
        command = [
            sys.executable,
            "-P",
            "-m",
            "toughopt.virtual.firmware",
            "--control",
            *(["--pty"] if pty else ["--tcp", "0"]),
        ]
        command += ["--seed", str(seed), "--clock", str(clock), *options]
        command += [f"--fault={fault}" for fault in faults]
        command += _profile_options(profile, folder)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            **_own_group(),
        )
        self._reader = threading.Thread(target=self._read_answers, name="virtual printer", daemon=True)
        self._reader.start()
        try:
            ready = self._next_answer(START_TIMEOUT_S)
        except DeviceError:
            self.close()
            raise
        self.url = str(ready["url"])
        self.pid = int(ready["pid"])

    def take(self, path: Path | str) -> ExecutedPath:
        """Take the part off the bed: writes the record to `path` and returns it.

        Raises
        ------
        LinkLost
            If the process is gone.
        DeviceError
            If the record cannot be written.
        """
        from toughopt.gcode.base import ExecutedPath

        target = Path(path).resolve()
        self.request({"do": "take", "to": str(target)})
        return ExecutedPath.from_npz(target.read_bytes())

    def status(self) -> dict[str, Any]:
        """Temperatures, targets and their history, position, queue, faults: see `status_of`."""
        return self.request({"do": "status"})

    def inject(self, fault: Fault | str) -> None:
        """A fault from now on; text as for `Fault.parse`."""
        if isinstance(fault, str):
            self.request({"do": "fault", "name": fault if "=" in fault else f"{fault}="})
            return
        named = {
            "line": fault.line,
            "time": fault.time_s,
            "z": fault.z_mm,
            "amount": fault.amount,
            "count": fault.count,
        }
        values = {key: value for key, value in named.items() if value is not None}
        place = {"rate": fault.rate, "tool": fault.tool, "axis": "xyz"[fault.axis]}
        self.request({"do": "fault", "name": str(fault.kind), **values, **place})

    def reset(self) -> None:
        """Power cycle."""
        self.request({"do": "reset"})

    def executed(self) -> list[tuple[int | None, str]]:
        """The commands that were executed, where it was started with `--log`."""
        return [(line, text) for line, text in self.request({"do": "log"})["log"]]

    def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one control line and wait for its answer; any thread may."""
        with self._lock:
            stdin = self._process.stdin
            assert stdin is not None
            try:
                stdin.write(json.dumps(message) + "\n")
                stdin.flush()
            except (OSError, ValueError) as error:
                raise LinkLost(f"the virtual printer's process is gone: {self._last_words()}") from error
            answer = self._next_answer(ANSWER_TIMEOUT_S)
        if not answer.get("ok"):
            raise DeviceError(f"the virtual printer refused {message.get('do')}: {answer.get('error')}")
        return answer

    def close(self) -> None:
        """End the process; nothing happens where it has ended."""
        process = self._process
        if process.poll() is None and process.stdin is not None:
            try:
                process.stdin.write('{"do": "quit"}\n')
                process.stdin.close()
            except OSError:
                process.kill()
            try:
                process.wait(QUIT_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._reader.join(QUIT_TIMEOUT_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_answers(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)

    def _next_answer(self, timeout_s: float) -> dict[str, Any]:
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise LinkLost(f"the virtual printer did not answer for {timeout_s:g} s") from None
        if answer is None:
            self._answers.put(None)
            raise LinkLost(f"the virtual printer's process ended: {self._last_words()}")
        return answer

    def _last_words(self) -> str:
        if self._errors.closed:
            return "it was closed"
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()[-500:] or "it left no message"


def _profile_options(profile: PrinterProfile | Path | str, folder: Path | None) -> list[str]:
    if isinstance(profile, (str, Path)):
        from toughopt.profiles import load_profile

        profile = load_profile(str(profile), folder)
    return ["--profile-json", profile.model_dump_json()]


def _own_group() -> dict[str, Any]:
    """Ctrl-C in the terminal is the parent's business: the heaters must still be reachable after it."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
    return {"start_new_session": True}
