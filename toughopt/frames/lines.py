"""A serial line to a scale, a gauge or a frame: commands out, lines of text back."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from toughopt.errors import LinkLost
from toughopt.ports import PORT_ERRORS

if TYPE_CHECKING:
    import serial

POLL_S = 0.05  # a read returns at least this often, so that a stop is seen


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How a line is set up; the defaults are those of most laboratory instruments."""

    baud: int = 9600
    bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    hardware_flow: bool = False
    ending: str = "\r\n"  # of what is sent; what comes back may end in CR, LF or both


class LineLink:
    """One open line. Every method may be called from any thread; a question and its answer stay together.

    Sending never waits for somebody who reads, so that a stop goes out at once.

    Raises
    ------
    LinkLost
        From every method, when the port does not open, is gone, or is silent for longer than allowed.
    """

    def __init__(self, url: str, settings: LineSettings | None = None) -> None:
        self.url = url
        self._settings = settings or LineSettings()
        self._buffer = b""
        self._reading = threading.RLock()
        self._writing = threading.Lock()
        self._port = self._open()

    def _open(self) -> serial.Serial:
        import serial

        settings = self._settings
        try:
            port = serial.serial_for_url(
                self.url,
                baudrate=settings.baud,
                bytesize=settings.bits,
                parity=settings.parity,
                stopbits=settings.stop_bits,
                rtscts=settings.hardware_flow,
                timeout=POLL_S,
                write_timeout=2.0,
            )
        except PORT_ERRORS as error:
            raise LinkLost(
                f"{self.url} does not open: {error}; check the cable, the name and who else uses it"
            ) from error
        return port

    def send(self, text: str) -> None:
        """Send `text` and the line ending."""
        self.send_bytes((text + self._settings.ending).encode("latin-1"))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        with self._writing:
            try:
                self._port.write(data)
                self._port.flush()
            except PORT_ERRORS as error:
                raise LinkLost(f"{self.url} is gone while {data!r} was sent: {error}") from error

    def read(self, timeout_s: float) -> str | None:
        """The next line that is not empty, stripped; None where none came within `timeout_s`."""
        end = time.monotonic() + timeout_s
        with self._reading:
            while True:
                line = self._take_line()
                if line is not None:
                    return line
                if time.monotonic() >= end:
                    return None
                try:
                    waiting = self._port.in_waiting
                    self._buffer += self._port.read(max(waiting, 1))
                except PORT_ERRORS as error:
                    raise LinkLost(f"{self.url} is gone: {error}") from error

    def ask(self, text: str, timeout_s: float = 2.0) -> str:
        """Send a command and return the first line that answers it; older lines are dropped before."""
        with self._reading:
            self.drop()
            self.send(text)
            answer = self.read(timeout_s)
        if answer is None:
            raise LinkLost(f"{self.url} does not answer {text!r} within {timeout_s:g} s")
        return answer

    def drop(self) -> None:
        """Forget everything that has come in so far."""
        with self._reading:
            self._buffer = b""
            try:
                self._port.reset_input_buffer()
            except PORT_ERRORS as error:
                raise LinkLost(f"{self.url} is gone: {error}") from error

    def close(self) -> None:
        """Let the port go."""
        with self._writing, suppress(*PORT_ERRORS):
            self._port.close()

    def _take_line(self) -> str | None:
        while True:
            cuts = [i for i in (self._buffer.find(b"\r"), self._buffer.find(b"\n")) if i >= 0]
            if not cuts:
                return None
            cut = min(cuts)
            raw, self._buffer = self._buffer[:cut], self._buffer[cut + 1 :]
            text = raw.decode("latin-1").replace("\x00", "").strip()
            if text:
                return text
