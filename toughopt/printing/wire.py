"""The line to a machine: any pyserial URL, opened exclusively, read and written in whole chunks."""

from __future__ import annotations

import errno
import os
import select
import socket
from contextlib import suppress
from math import inf
from threading import Event
from time import monotonic

import serial

from toughopt.errors import LinkLost
from toughopt.ports import PORT_ERRORS
from toughopt.printing.wirelog import WireLog

_CHUNK = 4096
_WRITE_TIMEOUT_S = 10.0
_FALLBACK_WAIT_S = 0.1  # between looks at a port that cannot be selected; by so much its reads may end late
BUSY_FOR_S = 5.0  # how long a port that is still let go by its last user is waited for
_DTR_PULSE_S = 0.1


class Port:
    """An open line to a machine.

    `url` is whatever pyserial understands: ``COM3``, ``/dev/ttyUSB0``, ``socket://host:port``, ``rfc2217://host:port``,
    ``loop://``, ``spy://…``. One thread reads and writes; any may call `wake` and `rouse`.

    Raises
    ------
    LinkLost
        If the port does not exist, is in use, or refuses.
    """

    def __init__(
        self,
        url: str,
        baud: int = 115200,
        *,
        reset: bool = True,
        log: WireLog | None = None,
        busy_for_s: float = BUSY_FOR_S,
    ) -> None:
        self.url = url
        self.baud = baud
        self.closed = False
        self._log = log
        self._serial = _open(url, baud, reset, busy_for_s)
        self._waiter = _Waiter(self._serial) if _selectable(self._serial) else None
        self._descriptor = self._serial.fileno() if _is_plain(self._serial) else -1
        self._roused = Event()
        self.has_dtr = _has_dtr(self._serial)
        if url.startswith("socket:"):
            _without_delay(self._serial)
        if log is not None:
            log.remark(f"opened {url} at {baud} baud")

    def read(self, timeout_s: float | None) -> bytes:
        """What has come in, at the latest after `timeout_s`; empty also when woken.

        Raises
        ------
        LinkLost
            If the port has gone.
        """
        try:
            if self._waiter is None:
                data = self._read_waiting(timeout_s)
            elif self._waiter.wait(timeout_s):
                data = self._read_now()
            else:
                return b""
        except PORT_ERRORS as error:
            raise LinkLost(f"{self.url} can no longer be read: {error}; check cable and power") from error
        if data and self._log is not None:
            self._log.received(data)
        return data

    def write(self, data: bytes) -> None:
        """Write all of `data`.

        Raises
        ------
        LinkLost
            If the port has gone, or does not take the bytes within 10 s.
        """
        if self._log is not None:
            self._log.sent(data)
        try:
            if self._descriptor >= 0:
                data = data[self._write_now(data) :]
            if data:
                self._serial.write(data)
        except PORT_ERRORS as error:
            raise LinkLost(f"{self.url} can no longer be written: {error}; check cable and power") from error

    def wake(self) -> None:
        """Make a waiting `read` return; from any thread."""
        with suppress(*PORT_ERRORS):  # nobody waits where it has been closed
            if self._waiter is not None:
                self._waiter.wake()
            else:
                getattr(self._serial, "cancel_read", lambda: None)()

    def rouse(self) -> None:
        """Tell whoever is listening to leave the port to somebody else."""
        self._roused.set()
        self.wake()

    def roused(self) -> bool:
        """Whether that has been told, once."""
        if not self._roused.is_set():
            return False
        self._roused.clear()
        return True

    def pulse_dtr(self) -> bool:
        """Reset the machine by its DTR line; False where there is no such line."""
        if not self.has_dtr:
            return False
        if self._log is not None:
            self._log.remark("DTR pulsed")
        try:
            self._serial.dtr = False
            Event().wait(_DTR_PULSE_S)
            self._serial.dtr = True
        except PORT_ERRORS:
            return False
        return True

    def close(self) -> None:
        """Let the port go."""
        if self.closed:
            return
        self.closed = True
        self._descriptor = -1
        with suppress(*PORT_ERRORS):  # where it has gone by itself
            self._serial.close()
        if self._waiter is not None:
            self._waiter.close()
        if self._log is not None:
            self._log.remark(f"closed {self.url}")

    def _write_now(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:  # it takes nothing just now; pyserial waits until it does
            return 0

    def _read_now(self) -> bytes:
        if self._descriptor < 0:
            return bytes(self._serial.read(_CHUNK))
        data = os.read(self._descriptor, _CHUNK)
        if not data:
            raise OSError("the other end has closed it")
        return data

    def _read_waiting(self, timeout_s: float | None) -> bytes:
        # the port keeps its own timeout: to change it sets a port on Windows up anew, and asks one on RFC 2217 to
        end = inf if timeout_s is None else monotonic() + timeout_s
        while True:
            waiting = min(self._serial.in_waiting, _CHUNK)
            if waiting or monotonic() < end:
                data = bytes(self._serial.read(waiting or 1))
                if data and not waiting:
                    data += bytes(self._serial.read(min(self._serial.in_waiting, _CHUNK)))
                if data:
                    return data
            if monotonic() >= end or self._roused.is_set():
                return b""


class _Waiter:
    """Waits for a readable port, or for being woken."""

    def __init__(self, port: serial.Serial) -> None:
        self._descriptor = int(port.fileno())
        self._woken, self._wakes = socket.socketpair()
        self._woken.setblocking(False)
        self._readable = [(self._descriptor, select.POLLIN)] if hasattr(select, "poll") else []
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(self._descriptor, select.POLLIN)
            self._poll.register(self._woken.fileno(), select.POLLIN)

    def wait(self, timeout_s: float | None) -> bool:
        """Whether the port can be read."""
        if self._poll is not None:
            ready = self._poll.poll(None if timeout_s is None else 1000.0 * timeout_s)
            if ready == self._readable:
                return True
            found = [entry[0] for entry in ready]
        else:
            found, _, _ = select.select([self._descriptor, self._woken.fileno()], [], [], timeout_s)
        if self._descriptor in found:
            return True
        if found:
            with suppress(BlockingIOError):
                self._woken.recv(64)
        return False

    def wake(self) -> None:
        self._wakes.send(b"x")

    def close(self) -> None:
        self._woken.close()
        self._wakes.close()


def _open(url: str, baud: int, reset: bool, busy_for_s: float) -> serial.Serial:
    end = monotonic() + busy_for_s
    while True:
        try:
            port = serial.serial_for_url(
                url, baudrate=baud, do_not_open=True, exclusive=True, write_timeout=_WRITE_TIMEOUT_S
            )
            port.dtr = reset
            port.timeout = 0 if _selectable_kind(port) else _FALLBACK_WAIT_S
            port.open()
        except PORT_ERRORS as error:
            if _is_busy(error) and monotonic() < end:
                Event().wait(0.25)
                continue
            raise LinkLost(_why(url, error)) from error
        return port


def _why(url: str, error: Exception) -> str:
    if _is_busy(error):
        return (
            f"{url} is in use by another program; close it there (a slicer, a host, a serial monitor), then try again"
        )
    if isinstance(error, ValueError):
        return (
            f"{url!r} is no port that can be opened: {error}; write e.g. COM3, /dev/ttyUSB0 or socket://127.0.0.1:5000"
        )
    if url.startswith(("socket://", "rfc2217://")):
        return f"{url} cannot be opened: {error}; is it served there? `toughopt virtual-printer --tcp PORT` serves one"
    port = url or "a port without a name"
    return f"{port} cannot be opened: {error}; `toughopt printers --scan` lists the ports that exist"


def _is_busy(error: Exception) -> bool:
    number = getattr(error, "errno", None)
    text = str(error)
    return (
        number in (errno.EBUSY, errno.EWOULDBLOCK, errno.EAGAIN)
        or "exclusively lock" in text
        or "PermissionError" in text
    )


def _selectable_kind(port: serial.Serial) -> bool:
    """Whether select() will work on it once it is open: sockets everywhere, ttys on POSIX."""
    module = type(port).__module__
    return module.endswith("protocol_socket") or (
        hasattr(select, "poll") and hasattr(port, "fileno") and "win32" not in module
    )


def _selectable(port: serial.Serial) -> bool:
    if not _selectable_kind(port):
        return False
    try:
        return int(port.fileno()) >= 0
    except (OSError, AttributeError):
        port.timeout = _FALLBACK_WAIT_S
        return False


def _is_plain(port: serial.Serial) -> bool:
    """Whether the descriptor can be read and written past pyserial, which takes three times as long about it."""
    return os.name == "posix" and type(port).__module__.endswith(("protocol_socket", "serialposix"))


def _has_dtr(port: serial.Serial) -> bool:
    """Whether the line can reset the machine: not on a network socket, nor on a pseudo-terminal."""
    if type(port).__module__.endswith(("protocol_socket", "protocol_loop")):
        return False
    try:
        port.dtr = port.dtr  # pseudo-terminals refuse
    except PORT_ERRORS:
        return False
    return True


def _without_delay(port: serial.Serial) -> None:
    """Send each line at once: Nagle's algorithm would hold back the second of two small packets."""
    twin = socket.fromfd(port.fileno(), socket.AF_INET, socket.SOCK_STREAM)
    with twin:
        twin.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
