"""Where a host finds the virtual printer: a TCP port, or a pseudo-terminal where the system has them."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from toughopt.errors import InputError, LinkLost

if TYPE_CHECKING:
    from selectors import BaseSelector

CHUNK: Final = 65536
BACKLOG_LIMIT: Final = 1 << 20  # what a host does not read is kept up to this much, then lost, as on a real line
PTY_LOOK_S: Final = 0.02  # how often to look whether somebody has opened the pseudo-terminal


class Port(Protocol):
    """One host at a time."""

    url: str

    @property
    def connected(self) -> bool:
        """Whether a host is there, as far as is known."""
        ...

    def register(self, selector: BaseSelector) -> None:
        """Let `selector` wake on whatever happens here."""
        ...

    def look_s(self) -> float | None:
        """How long the port may be left alone at most; None for as long as nothing happens."""
        ...

    def opened(self) -> bool:
        """Whether a host has come since this was last asked."""
        ...

    def read(self) -> bytes:
        """What has arrived; never waits."""
        ...

    def write(self, data: bytes) -> None:
        """Send, or keep for later what does not go through at once; lost where nobody listens."""
        ...

    def hang_up(self) -> None:
        """Cut the line to the host."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


class TcpPort:
    """A port for pyserial's `socket://`; a second host waits until the first has left."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((host, port))
            self._listener.listen(8)
        except OSError as error:
            self._listener.close()
            raise LinkLost(f"cannot serve on TCP port {port} of {host}: {error.strerror}; choose another") from error
        self._listener.setblocking(False)
        self.url = f"socket://{host}:{self._listener.getsockname()[1]}"
        self._client: socket.socket | None = None
        self._backlog = bytearray()
        self._selector: BaseSelector | None = None

    @property
    def connected(self) -> bool:
        """See `Port.connected`."""
        return self._client is not None

    def register(self, selector: BaseSelector) -> None:
        """See `Port.register`."""
        self._selector = selector
        selector.register(self._listener, selectors.EVENT_READ)

    def look_s(self) -> float | None:
        """See `Port.look_s`."""
        return None

    def opened(self) -> bool:
        """See `Port.opened`."""
        if self._client is not None:
            return False
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return False
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        assert self._selector is not None
        self._selector.unregister(self._listener)
        self._selector.register(client, selectors.EVENT_READ)
        return True

    def read(self) -> bytes:
        """See `Port.read`."""
        if self._client is None:
            return b""
        if self._backlog:
            self._flush()
        try:
            data = self._client.recv(CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.hang_up()
        return data

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        if self._client is None:
            return
        if not self._backlog:
            try:
                sent = self._client.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.hang_up()
                return
            if sent == len(data):
                return
            data = data[sent:]
        if len(self._backlog) < BACKLOG_LIMIT:
            self._backlog += data
        self._watch(selectors.EVENT_READ | selectors.EVENT_WRITE)

    def hang_up(self) -> None:
        """See `Port.hang_up`."""
        if self._client is None:
            return
        assert self._selector is not None
        self._selector.unregister(self._client)
        self._client.close()
        self._client = None
        self._backlog.clear()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def close(self) -> None:
        """See `Port.close`."""
        self.hang_up()
        if self._selector is not None:
            self._selector.unregister(self._listener)
        self._listener.close()

    def _flush(self) -> None:
        if self._client is None:
            return
        try:
            del self._backlog[: self._client.send(self._backlog)]
        except BlockingIOError:
            return
        except OSError:
            self.hang_up()
            return
        if not self._backlog:
            self._watch(selectors.EVENT_READ)

    def _watch(self, events: int) -> None:
        assert self._selector is not None and self._client is not None
        self._selector.modify(self._client, events)


class PtyPort:
    """A pseudo-terminal, which a host opens like `/dev/ttyUSB0`; `link` is a name for it that stays.

    That a host opens or leaves it can be seen on Linux; elsewhere it counts as opened once, at the start.
    """

    def __init__(self, link: Path | None = None) -> None:
        if sys.platform == "win32":
            raise InputError("there are no pseudo-terminals on Windows; serve on a TCP port instead (--tcp 0)")
        self._link = link
        self._sees_hosts = sys.platform.startswith("linux")
        self._selector: BaseSelector | None = None
        self._backlog = bytearray()
        self._open_pair()

    def _open_pair(self) -> None:
        import tty

        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        path = os.ttyname(slave)
        self._connected = False
        self._slave: int | None = slave
        if self._sees_hosts:
            os.close(slave)
            self._slave = None
        self.url = path
        if self._link is not None:
            with contextlib.suppress(FileNotFoundError):
                self._link.unlink()
            self._link.symlink_to(path)
            self.url = str(self._link)

    @property
    def connected(self) -> bool:
        """See `Port.connected`; a host that leaves and comes back at once was never gone."""
        return self._connected

    def register(self, selector: BaseSelector) -> None:
        """See `Port.register`."""
        self._selector = selector
        if not self._sees_hosts:
            selector.register(self._master, selectors.EVENT_READ)

    def look_s(self) -> float | None:
        """See `Port.look_s`."""
        return PTY_LOOK_S if not self._connected else None

    def opened(self) -> bool:
        """See `Port.opened`."""
        if self._connected:
            return False
        if self._sees_hosts:
            poll = select.poll()
            poll.register(self._master, select.POLLIN)
            if any(events & select.POLLHUP for _, events in poll.poll(0)):
                return False
            assert self._selector is not None
            self._selector.register(self._master, selectors.EVENT_READ)
        self._connected = True
        return True

    def read(self) -> bytes:
        """See `Port.read`."""
        if not self._connected:
            return b""
        if self._backlog:
            self._flush()
        try:
            return os.read(self._master, CHUNK)
        except BlockingIOError:
            return b""
        except OSError:  # the last host has closed it
            self._left()
            return b""

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        if not self._connected:
            return
        if not self._backlog:
            try:
                sent = os.write(self._master, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._left()
                return
            if sent == len(data):
                return
            data = data[sent:]
        if len(self._backlog) < BACKLOG_LIMIT:
            self._backlog += data
        self._watch(selectors.EVENT_READ | selectors.EVENT_WRITE)

    def hang_up(self) -> None:
        """See `Port.hang_up`; as when the cable is pulled, the terminal comes back as a new one."""
        self._left()
        self._shut()
        self._open_pair()
        if self._selector is not None:
            self.register(self._selector)

    def close(self) -> None:
        """See `Port.close`."""
        self._left()
        self._shut()
        if self._link is not None:
            with contextlib.suppress(FileNotFoundError):
                self._link.unlink()

    def _shut(self) -> None:
        if not self._sees_hosts and self._selector is not None:
            self._selector.unregister(self._master)
        os.close(self._master)
        if self._slave is not None:
            os.close(self._slave)

    def _left(self) -> None:
        if self._connected and self._sees_hosts and self._selector is not None:
            self._selector.unregister(self._master)
        self._connected = False
        self._backlog.clear()

    def _flush(self) -> None:
        try:
            del self._backlog[: os.write(self._master, self._backlog)]
        except BlockingIOError:
            return
        except OSError:
            self._left()
            return
        if not self._backlog:
            self._watch(selectors.EVENT_READ)

    def _watch(self, events: int) -> None:
        assert self._selector is not None
        self._selector.modify(self._master, events)
