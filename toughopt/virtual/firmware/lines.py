"""The receiving side: a small buffer that drops, lines, line numbers, checksums, urgent commands.

On an error the buffer is flushed wherever the next line happens to be cut, as Marlin does (`queue.cpp`,
`gcode_line_error`): the rest of that line then arrives as a line of its own, without number and checksum.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from toughopt.virtual.firmware.words import command_part

_SPECIAL = re.compile(rb"[;\\\x08\x00]")
_INTEGER = re.compile(r"\s*([-+]?\d+)")
_PLAIN = re.compile(rb"(N(\d{1,9}) ([GMT][^*]*[^* ]))\*(\d{1,3})")  # what hosts send; all else takes the longer way
_MOVE_LINE = re.compile(
    rb"(N(\d{1,9}) G[01](?: F(\d+\.?\d*))?(?: X(-?\d*\.?\d+))?(?: Y(-?\d*\.?\d+))?(?: Z(-?\d*\.?\d+))?"
    rb"(?: E(-?\d*\.?\d+))?(?: F(\d+\.?\d*))?)\*(\d{1,3})\n"
)
_URGENT = re.compile(rb" *(?:N[-0-9 ]*)?M *(108|112|410|876)")
_RAW_LIMIT = 4096  # of a line that never ends, no more is kept

LONGEST_NUMBER: Final = 2**31 - 1


def checksum(data: bytes) -> int:
    """All bytes combined by exclusive or, folded in halves instead of one by one."""
    bits = int.from_bytes(data, "little")
    while bits > 0xFFFFFFFFFFFFFFFF:
        half = (bits.bit_length() + 127) // 128 * 64
        bits = (bits >> half) ^ (bits & ((1 << half) - 1))
    bits ^= bits >> 32
    bits ^= bits >> 16
    return (bits ^ bits >> 8) & 0xFF


class Reading(Enum):
    """What came of asking for a line, other than a line."""

    NOTHING = "nothing"
    REJECTED = "rejected"


class LineReader:
    """Bytes in, accepted lines out; `complaint` is what to tell the host after a rejection."""

    __slots__ = (
        "_emergency",
        "_numbered_checksums",
        "_partial",
        "_rx",
        "_skip_repeated",
        "_urgent_partial",
        "capacity",
        "complaint",
        "dropped_bytes",
        "last_number",
        "line_chars",
        "rejected_lines",
    )

    def __init__(
        self,
        rx_buffer_bytes: int,
        line_chars: int,
        *,
        emergency_parser: bool,
        number_with_checksum: bool,
        skip_repeated: bool = False,
    ) -> None:
        self.capacity = rx_buffer_bytes - 1  # a ring of 128 holds 127
        self.line_chars = line_chars - 1
        self.last_number = 0
        self.dropped_bytes = 0
        self.rejected_lines = 0
        self.complaint = ""
        self._emergency = emergency_parser
        self._numbered_checksums = number_with_checksum
        self._skip_repeated = skip_repeated
        self._rx = bytearray()
        self._partial = b""
        self._urgent_partial = b""

    @property
    def pending_bytes(self) -> int:
        """Bytes received and not read yet."""
        return len(self._rx)

    def restart(self) -> None:
        """As after a reset."""
        self._rx.clear()
        self._partial = self._urgent_partial = b""
        self.last_number = 0
        self.complaint = ""

    def receive(self, data: bytes, *, reading: bool = True) -> list[str]:
        """Take bytes that arrive at once; what the buffer cannot hold is lost. Returns urgent commands seen on the way.

        `reading` says that the firmware has time to read: then the first line, however long, needs no buffer.
        """
        if b"\r" in data:
            data = data.replace(b"\r", b"\n")
        urgent = self._scan(data) if self._emergency else []
        room = self.capacity - len(self._rx)
        if len(data) > room:
            if reading and not self._rx:
                room = max(room, data.find(b"\n") + 1 or len(data))
            self.dropped_bytes += len(data) - room
            data = data[:room]
        self._rx += data
        return urgent

    def next_move(self, data: bytes) -> re.Match[bytes] | None:
        """`data` read at once where it is nothing but one sound line with a straight move, as nearly all are.

        Then the groups are number, F, X, Y, Z, E and a later F; otherwise nothing has happened.
        """
        if self._rx or self._partial or self._urgent_partial:
            return None
        found = _MOVE_LINE.fullmatch(data)
        if found is None:
            return None
        number = int(found[2])
        if number != self.last_number + 1 or checksum(found[1]) != int(found[9]) or len(data) > self.line_chars:
            return None
        self.last_number = number
        return found

    def next(self) -> tuple[int | None, str] | Reading:
        """The next accepted line as number (if it had one) and command, or what came instead."""
        rx = self._rx
        while rx:
            end = rx.find(b"\n")
            if end < 0:
                self._partial = (self._partial + bytes(rx))[:_RAW_LIMIT]
                rx.clear()
                break
            raw = self._partial + bytes(rx[:end]) if self._partial else bytes(rx[:end])
            self._partial = b""
            del rx[: end + 1]
            if len(raw) > self.line_chars or _SPECIAL.search(raw):
                raw = self._filtered(raw)
                if not raw:
                    continue
                raw = raw.split(b"\0", 1)[0]
            elif not raw:
                continue
            plain = _PLAIN.fullmatch(raw)
            if plain is not None:
                number = int(plain.group(2))
                if number == self.last_number + 1 and checksum(plain.group(1)) == int(plain.group(4)):
                    self.last_number = number
                    return number, plain.group(3).decode("latin-1")
            if (line := self._checked(raw)) is not None:
                return line
        return Reading.NOTHING

    def _checked(self, raw: bytes) -> tuple[int | None, str] | Reading | None:
        """The line, what is wrong with it, or None where it is passed over in silence."""
        text = raw.decode("latin-1").lstrip(" ")
        if not text.startswith("N"):
            if self._numbered_checksums and "*" in text:
                self.rejected_lines += 1
                self.complaint = f"Error:No Line Number with checksum, Last Line: {self.last_number}\n"
                return Reading.REJECTED
            return None, command_part(text)
        resets = "M110" in text
        at = text.find("N", 4) if resets else 0
        found = _INTEGER.match(text, (at if at > 0 else 0) + 1)
        number = min(int(found.group(1)), LONGEST_NUMBER) if found else 0
        if number != self.last_number + 1 and not resets:
            if self._skip_repeated and self.last_number - 1 <= number <= self.last_number:
                return None
            return self._reject("Line Number is not Last Line Number+1")
        star = text.rfind("*")
        if star < 0:
            return self._reject("No Checksum with line number")
        claimed = _INTEGER.match(text, star + 1)
        if checksum(text[:star].encode("latin-1")) != (int(claimed.group(1)) if claimed else 0):
            return self._reject("checksum mismatch")
        self.last_number = number
        return number, command_part(text)

    def ask_again(self) -> str:
        """Forget what was received, and ask for the next line."""
        self._rx.clear()
        return f"Resend: {self.last_number + 1}\nok\n"

    def _reject(self, reason: str) -> Reading:
        self.rejected_lines += 1
        self.complaint = f"Error:{reason}, Last Line: {self.last_number}\n{self.ask_again()}"
        return Reading.REJECTED

    def _filtered(self, raw: bytes) -> bytes:
        """Comments, escapes, backspaces and length as Marlin's stream filter treats them."""
        kept = bytearray()
        escaped = False
        for byte in raw:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
                continue
            elif byte == 0x3B:
                break
            if byte == 0x08:
                del kept[-1:]
                continue
            kept.append(byte)
            if len(kept) >= self.line_chars:
                break
        return bytes(kept)

    def _scan(self, data: bytes) -> list[str]:
        """The emergency parser: it sees every byte as it arrives, read or not, dropped or not."""
        if b"M" not in data and not self._urgent_partial and data.endswith(b"\n"):
            return []
        head, newline, tail = data.rpartition(b"\n")
        if not newline:
            self._urgent_partial = (self._urgent_partial + data)[:64]
            return []
        lines = self._urgent_partial + head
        self._urgent_partial = tail[:64]
        if b"M" not in lines:
            return []
        found = [_URGENT.match(line) for line in lines.split(b"\n")]
        return [f"M{match.group(1).decode()}" for match in found if match]
