"""A virtual balance behind a real serial URL: it speaks as a Sartorius does, wobbles, settles, weighs."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType

import numpy as np

WOBBLE_READINGS = 2  # readings without a unit before a new load has settled
REPEATABILITY_G = 0.0002
RESOLUTION_G = 0.0001


class VirtualScale:
    """Serves one balance on a TCP port; `url` is a pyserial URL. Use it as a context manager, or `close` it."""

    def __init__(self, seed: int = 0, wobble_readings: int = WOBBLE_READINGS) -> None:
        self._rng = np.random.default_rng(seed)
        self._wobble = wobble_readings
        self._load_g = 0.0
        self._noise_g = 0.0
        self._unsettled = 0
        self._fault: str | None = None
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Talk)
        self._server.scale = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="virtual-scale", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to open it."""
        return f"socket://127.0.0.1:{self._server.server_address[1]}"

    def put(self, mass_g: float, seed: int | None = None) -> None:
        """Lay something on the pan; `seed` decides the reading's own error, so that it depends on nothing else."""
        rng = self._rng if seed is None else np.random.default_rng(seed)
        with self._lock:
            self._load_g = mass_g
            self._noise_g = REPEATABILITY_G * float(rng.standard_normal())
            self._unsettled = self._wobble

    def clear(self) -> None:
        """Take it off."""
        with self._lock:
            self._load_g = self._noise_g = 0.0
            self._unsettled = self._wobble

    def break_down(self, message: str | None) -> None:
        """From now on answer `message`, such as `Err 54`; None repairs it."""
        with self._lock:
            self._fault = message

    def answer(self) -> bytes:
        """The reply to one request for a reading."""
        with self._lock:
            if self._fault is not None:
                return f"{self._fault:>12}\r\n".encode("ascii")
            shown, unit = self._load_g + self._noise_g, "g"
            if self._unsettled > 0:
                shown, unit = shown + 0.05 * self._unsettled, ""
                self._unsettled -= 1
        value = round(shown / RESOLUTION_G) * RESOLUTION_G
        return f"{'-' if value < 0 else '+'} {abs(value):8.4f} {unit:<3}\r\n".encode("ascii")

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5.0)

    def __enter__(self) -> VirtualScale:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    scale: VirtualScale


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            for line in self.rfile:
                if b"\x1bP" in line:
                    self.wfile.write(self.server.scale.answer())
        except OSError:  # the other side has gone: nothing is left to answer
            return
