"""A model of Marlin behind a serial line that drops, doubles and garbles, on a simulated clock; used by `faults.py`.

What makes the difference is modelled: a receive buffer that an error empties in mid-line, a command queue, ok after
execution, a plain ok after a resend, no answer to an empty line. Bytes arrive one after the other, at 115,200 baud.
"""

from __future__ import annotations

import heapq
import random
import re
from collections import Counter, deque
from dataclasses import dataclass, field

BYTE_S = 10.0 / 115200
LATENCY_S = 0.001
RX_BYTES = 128
QUEUE = 4


@dataclass(frozen=True)
class Mix:
    """What goes wrong, as chances a line."""

    name: str
    window: str = "off"
    advanced_ok: bool = False
    silent_duplicates: bool = False  # newer Marlin ignores the last line sent twice
    flip: float = 0.0  # one bit of a byte on the way to the machine
    flip_pair: float = 0.0  # the same bit position may be hit twice: then the checksum holds
    swap: float = 0.0  # two neighbouring bytes
    drop: float = 0.0  # one byte
    double: float = 0.0  # one byte
    lose_line: float = 0.0
    lose_newline: float = 0.0
    lost_ok: float = 0.0
    garbled_ok: float = 0.0
    spurious_ok: float = 0.0
    reply_flip: float = 0.0  # one bit of any reply
    reply_drop: float = 0.0  # one byte of any reply
    late: float = 0.0  # a reply held back for up to 2 s
    slow: float = 0.0  # a command that takes 5 to 20 s, with busy messages


@dataclass
class Tally:
    """What really happened on the machine."""

    faults: Counter[str] = field(default_factory=Counter)
    executed: int = 0
    wrong_order: int = 0  # a numbered line executed out of turn, or twice
    altered: int = 0  # executed, but not as it was sent: the checksum held
    altered_expected: float = 0.0
    strays: list[float] = field(default_factory=list)  # when a tail was executed as a command
    overflows: int = 0


class Simulation:
    """Wire, machine and the host's end of the line; stands in for a `Link` and for its clock."""

    def __init__(self, mix: Mix, seed: int) -> None:
        self.mix = mix
        self.tally = Tally()
        self.clock = self
        self.requests: deque[object] = deque()
        self._random = random.Random(seed)
        self._now = 0.0
        self._events: list[tuple[float, int, int, str]] = []  # when, order, what, text
        self._order = 0
        self._heard: deque[str] = deque()
        self._half = ""  # of a reply
        self._wire: deque[tuple[float, bytes]] = deque()  # arrival of the first byte, bytes
        self._out_free = self._in_free = 0.0
        self._rx = b""
        self._queue: deque[tuple[str, int | None]] = deque()
        self._busy_until = 0.0
        self._last = 0
        self._want = 0
        self._at = {"X": 0.0, "Y": 0.0, "Z": 0.0, "E": 0.0}
        self._target = 210.0

    # as a clock
    def now(self) -> float:
        return self._now

    # as a link
    @property
    def has_lines(self) -> bool:
        return bool(self._heard)

    def write(self, data: bytes) -> None:
        for line in data.splitlines(keepends=True):
            self._transmit(line)

    def line(self, timeout_s: float, heed: bool = False) -> str | None:
        end = self._now + timeout_s
        while not self._heard:
            if not self._events or self._events[0][0] > end:
                self._now = max(self._now, end)
                return None
            self._now, _, what, text = heapq.heappop(self._events)
            if what == POLL:
                self._poll()
            elif what == RAN:
                self._ran()
            elif what == BUSY:
                if self._busy_until > self._now:
                    self._reply("echo:busy: processing\n")
                    self._at_time(self._now + 2.0, BUSY)
            else:
                self._arrive(text)
        return self._heard.popleft()

    def _at_time(self, when: float, what: int, text: str = "") -> None:
        self._order += 1
        heapq.heappush(self._events, (when, self._order, what, text))

    def _hit(self, name: str, chance: float) -> bool:
        if chance and self._random.random() < chance:
            self.tally.faults[name] += 1
            return True
        return False

    def _transmit(self, line: bytes) -> None:
        mix, pick = self.mix, self._random.randrange
        if self._hit("lose_line", mix.lose_line):
            return
        if self._hit("flip", mix.flip):
            where = pick(len(line))
            line = line[:where] + bytes([line[where] ^ 1 << pick(8)]) + line[where + 1 :]
        if self._hit("flip_pair", mix.flip_pair):
            line = self._flip_pair(line)
        if self._hit("swap", mix.swap):
            line = self._swap(line)
        if self._hit("drop", mix.drop):
            where = pick(len(line))
            line = line[:where] + line[where + 1 :]
        if self._hit("double", mix.double):
            where = pick(len(line))
            line = line[: where + 1] + line[where:]
        if self._hit("lose_newline", mix.lose_newline):
            line = line.rstrip(b"\n")
        start = max(self._now, self._out_free) + LATENCY_S
        self._out_free = start - LATENCY_S + len(line) * BYTE_S
        self._wire.append((start, line))
        self._at_time(start + len(line) * BYTE_S + self._random.random() * 0.003, POLL)

    def _flip_pair(self, line: bytes) -> bytes:
        """Two bits in two bytes of the command; in one of eight cases in the same position."""
        body = _body(line)
        if body is None:
            return line
        one, two = self._random.sample(range(*body), 2)
        data = bytearray(line)
        data[one] ^= 1 << self._random.randrange(8)
        data[two] ^= 1 << self._random.randrange(8)
        self.tally.altered_expected += 1 / 8
        return bytes(data)

    def _swap(self, line: bytes) -> bytes:
        body = _body(line)
        if body is None:
            return line
        low, high = body
        self.tally.altered_expected += sum(line[k] != line[k + 1] for k in range(low, high - 1)) / (high - 1 - low)
        where = self._random.randrange(low, high - 1)
        data = bytearray(line)
        data[where], data[where + 1] = data[where + 1], data[where]
        return bytes(data)

    # the machine
    def _poll(self) -> None:
        self._receive()
        while len(self._queue) < QUEUE:
            end = self._rx.find(b"\n")
            if end < 0:
                break
            raw, self._rx = self._rx[:end], self._rx[end + 1 :]
            self._take(raw.decode("latin-1").replace("\r", "").strip(" "))
        self._run_next()

    def _receive(self) -> None:
        while self._wire:
            start, data = self._wire[0]
            arrived = int((self._now - start) / BYTE_S + 1e-6)
            if arrived <= 0:
                return
            self._rx += data[:arrived]
            if len(self._rx) > RX_BYTES:
                self.tally.overflows += 1
                self._rx = self._rx[:RX_BYTES]
            if arrived >= len(data):
                self._wire.popleft()
            else:
                self._wire[0] = (start + arrived * BYTE_S, data[arrived:])
                return

    def _take(self, line: str) -> None:
        if not line:
            return
        number = None
        if line[0] == "N":
            match = re.match(r"N(-?\d+)", line)
            number = int(match[1]) if match else 0
            if number != self._last + 1:
                if self.mix.silent_duplicates and self._last - 1 <= number <= self._last:
                    return
                self._refuse("Line Number is not Last Line Number+1")
                return
            body, star, given = line.rpartition("*")
            if not star:
                self._refuse("No Checksum with line number")
                return
            if _number(given) != _xor(body):
                self._refuse("checksum mismatch")
                return
            self._last = number
            line = body[match.end() :] if match else body
        self._queue.append((line.partition("*")[0].strip(), number))

    def _refuse(self, why: str) -> None:
        self._reply(f"Error:{why}, Last Line: {self._last}\n")
        self._receive()
        self._rx = b""
        self._reply(f"Resend: {self._last + 1}\n")
        self._reply("ok\n")

    def _run_next(self) -> None:
        if self._busy_until or not self._queue:
            return
        slow = self._hit("slow", self.mix.slow)
        took = self._random.uniform(5.0, 20.0) if slow else 0.0003
        self._busy_until = self._now + took
        self._at_time(self._busy_until, RAN)
        if slow:
            self._at_time(self._now + 2.0, BUSY)

    def _ran(self) -> None:
        self._busy_until = 0.0
        body, number = self._queue.popleft()
        extra = self._execute(body, number)
        ok = (
            f"ok{f' N{number}' if number is not None else ''} P15 B{QUEUE - len(self._queue)}"
            if self.mix.advanced_ok
            else "ok"
        )
        if extra.startswith(" T"):
            ok, extra = ok + extra, ""
        if extra:
            self._reply(extra)
        self._reply(ok + "\n", ok=True)
        if self._hit("spurious_ok", self.mix.spurious_ok):
            self._reply("ok\n")
        self._poll()

    def _execute(self, body: str, number: int | None) -> str:
        """Carry out a command; what it says besides ok."""
        code = re.match(r"([GMT]) ?(\d+)", body)
        name = f"{code[1]}{int(code[2])}" if code else ""
        if name not in KNOWN:
            if number is not None:
                self._altered()
            return f'echo:Unknown command: "{body}"\n'
        if name == "M105":
            return f" T:210.0 /{self._target:.1f} B:60.0 /60.0 @:0 B@:0"
        if name == "M114":
            at = self._at
            return f"X:{at['X']:.2f} Y:{at['Y']:.2f} Z:{at['Z']:.2f} E:{at['E']:.2f} Count X:0 Y:0 Z:0\n"
        if name != "G1":
            return ""
        for letter, value in re.findall(r"([XYZE])(-?\d+\.?\d*)", body):
            self._at[letter] = float(value)
        if number is None:
            self.tally.strays.append(self._now)
            return ""
        self.tally.executed += 1
        if body != move(self._want):
            index = _index(body)
            if index is not None and body == move(index):
                self.tally.wrong_order += 1
            else:
                self._altered()
        self._want += 1
        return ""

    def _altered(self) -> None:
        self.tally.altered += 1

    # what it says
    def _reply(self, text: str, ok: bool = False) -> None:
        mix = self.mix
        if ok and self._hit("lost_ok", mix.lost_ok):
            return
        if ok and self._hit("garbled_ok", mix.garbled_ok):
            text = self._random.choice(["o3\n", "k\n", "7k\n", "\xffk\n", "o\n"])
        if self._hit("reply_flip", mix.reply_flip):
            where = self._random.randrange(len(text))
            text = text[:where] + chr(ord(text[where]) ^ 1 << self._random.randrange(8)) + text[where + 1 :]
        if self._hit("reply_drop", mix.reply_drop):
            where = self._random.randrange(len(text))
            text = text[:where] + text[where + 1 :]
        self._in_free = max(self._now, self._in_free) + len(text) * BYTE_S
        if self._hit("late", mix.late):
            self._in_free += self._random.uniform(0.0, 2.0)
        self._at_time(self._in_free + LATENCY_S, HEARD, text)

    def _arrive(self, text: str) -> None:
        *whole, self._half = (self._half + text).split("\n")
        self._heard.extend(line for line in (raw.strip(" \t\r\0") for raw in whole) if line)


POLL, RAN, BUSY, HEARD = range(4)
KNOWN = frozenset({"G0", "G1", "M105", "M114", "M400", "M104", "M140", "M107", "M84"})


def move(index: int) -> str:
    """Line `index` of the program: no two are the same, and each leads elsewhere."""
    return f"G1 X{10 + index % 1999 / 10:.1f} Y{10 + index % 1789 / 10:.1f} E{index * 0.05:.2f}"


def _index(body: str) -> int | None:
    match = re.search(r"E(\d+\.\d\d)$", body)
    return round(float(match[1]) / 0.05) if match else None


def _body(line: bytes) -> tuple[int, int] | None:
    """Where the command lies in a numbered line."""
    low, high = line.find(b" ") + 1, line.rfind(b"*")
    return (low, high) if line.startswith(b"N") and low < high - 2 else None


def _xor(text: str) -> int:
    total = 0
    for char in text.encode("latin-1"):
        total ^= char
    return total


def _number(text: str) -> int:
    match = re.match(r"\s*(\d+)", text)
    return int(match[1]) if match else 0
