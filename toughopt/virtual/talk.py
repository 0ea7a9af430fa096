"""A TCP port on which one instrument answers, so that it has a real serial URL on every system."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Answer = Callable[[bytes], bytes]


class Instrument:
    """Serves `answer` on a port of this machine; `url` is a pyserial URL. A context manager.

    Each command ends with CR or LF, which `answer` does not see; what it returns is sent as it is.
    """

    def __init__(self, answer: Answer, name: str) -> None:
        self._server = _Server(("127.0.0.1", 0), _Line)
        self._server.answer = answer
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=name, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to open it."""
        return f"socket://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    answer: Answer


class _Line(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        buffer = b""
        try:
            while data := self.request.recv(4096):
                *commands, buffer = (buffer + data).replace(b"\n", b"\r").split(b"\r")
                for command in filter(None, commands):
                    reply = self.server.answer(command)
                    if reply:
                        self.request.sendall(reply)
        except OSError:  # the other side has gone: nothing is left to answer
            return
