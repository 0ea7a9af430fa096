"""The server: binds the socket first, so that the page knows under which address it is asked for."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from toughopt.errors import InputError
from toughopt.monitor.access import access_for, host_of
from toughopt.monitor.app import create_app


def serve(
    folder: Path,
    *,
    port: int = 8765,
    bind: str = "127.0.0.1",
    compare: Sequence[Path] = (),
    operator_token: str | None = None,
    reader_token: str | None = None,
    names: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> None:
    """Serve a campaign's page until it is interrupted.

    Parameters
    ----------
    port : 0 for any that is free
    bind : address of the interface; anything but loopback makes reading need a token too
    compare : other campaigns, only to be read
    operator_token, reader_token : made anew where not given
    names : further host names under which the server is reached
    say : is told the address and the tokens, once

    Raises
    ------
    InputError
        If the port is taken, or the address is not one of this machine.
    """
    listening = listen(bind, port)
    taken = int(listening.getsockname()[1])
    access = access_for(bind, taken, operator_token=operator_token, reader_token=reader_token, names=names)
    try:
        app = create_app(folder, compare=compare, access=access)
        shown = "127.0.0.1" if bind in ("0.0.0.0", "::") else bind
        address = f"http://{host_of(shown, taken)}"
        say(f"reading:  {address}/")
        say(f"steering: {address}/sign-in#{access.operator_token}")
        if access.reader_token is not None:
            say(f"readers:  {address}/sign-in#{access.reader_token}")
        config = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=1, server_header=False, proxy_headers=False,
            h11_max_incomplete_event_size=32768,
        )  # fmt: skip
        logging.getLogger("uvicorn.error").addFilter(_of_interest)
        _Server(config, app.state.stream.end).run(sockets=[listening])
    finally:
        listening.close()


def _of_interest(record: logging.LogRecord) -> bool:
    """False for what is only a figure that nobody waits for any more when the server ends."""
    cut_short = record.exc_info is not None and record.exc_info[0] is asyncio.CancelledError
    return not cut_short and not str(record.msg).startswith("Cancel %s running task")


class _Server(uvicorn.Server):
    """Lets the pages that listen go before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


def listen(bind: str, port: int) -> socket.socket:
    """A bound socket; port 0 for any that is free. Raises InputError."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it lets two servers share one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((bind, port))
        listening.listen(128)  # who comes before the server is ready waits, and is not refused
    except OSError as error:
        listening.close()
        raise InputError(
            f"{host_of(bind, port)} cannot be served: {error.strerror or error}; choose another --port or --host"
        ) from error
    return listening
