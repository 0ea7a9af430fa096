"""The stream of numbered lines, without a port: what goes in and what comes out."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.printing.lines import Command
from toughopt.printing.pace import Phase, StreamSettings
from toughopt.printing.replies import PLAIN_OK, Kind, Reply, parse
from toughopt.printing.stream import LineStream


def stream_of(count, *, window="off", solo=(), **options):
    commands = [
        Command(b"G1 X%d" % k, k + 1, solo=k in solo, position=(float(k), None, None, None)) for k in range(count)
    ]
    return LineStream(iter(commands), StreamSettings(window=window, calm_lines=0, **options))


def test_one_line_is_in_flight_at_a_time():
    stream = stream_of(3)
    assert stream.output(0.0) == b"N1 G1 X0*97\n"
    assert stream.output(0.0) == b""
    stream.on_ok(PLAIN_OK, 0.1)
    assert stream.output(0.1) == b"N2 G1 X1*99\n"


def test_the_window_is_limited_in_lines_and_in_bytes():
    stream = stream_of(9, window="on", window_lines=4, window_bytes=1000)
    assert stream.output(0.0).count(b"\n") == 4
    narrow = stream_of(9, window="on", window_lines=8, window_bytes=60)
    assert len(narrow.output(0.0)) <= 60
    assert len(narrow._ledger.flying) >= 2


def test_the_window_takes_what_just_fits():
    size = len(stream_of(1).output(0.0))
    assert stream_of(9, window="on", window_bytes=3 * size).output(0.0).count(b"\n") == 3
    assert stream_of(9, window="on", window_bytes=3 * size - 1).output(0.0).count(b"\n") == 2


def test_what_was_prepared_is_numbered_anew_when_something_comes_between():
    stream = stream_of(3)
    stream.output(0.0)
    stream.prefetch()
    stream.insert(Command(b"M105"))
    stream.on_ok(PLAIN_OK, 0.1)
    assert stream.output(0.1).startswith(b"N2 M105*")
    stream.on_ok(PLAIN_OK, 0.2)
    assert stream.output(0.2).startswith(b"N3 G1 X1*")


def test_nothing_joins_a_command_that_blocks():
    stream = stream_of(6, window="on", solo={2})
    assert stream.output(0.0).count(b"\n") == 2
    stream.on_ok(PLAIN_OK, 0.1)
    assert stream.output(0.1) == b""
    stream.on_ok(PLAIN_OK, 0.1)
    assert stream.output(0.1).startswith(b"N3 G1 X2*")
    assert stream.output(0.1) == b""


def test_the_window_opens_only_where_the_program_is_faster_than_one_line_in_flight():
    def fast(pace_s):
        commands = (Command(b"G1 X%d" % k, k + 1, pace_s=pace_s) for k in range(100))
        stream = LineStream(commands, StreamSettings(window="auto"))
        now = 0.0
        for _ in range(10):
            stream.output(now)
            now += 0.010
            stream.on_ok(PLAIN_OK, now)
        stream.output(now)
        return len(stream._ledger.flying)

    assert fast(pace_s=0.005) > 1
    assert fast(pace_s=0.500) == 1


def test_after_a_resend_one_line_is_in_flight():
    commands = (Command(b"G1 X%d" % k, k + 1) for k in range(100))
    stream = LineStream(commands, StreamSettings(window="on", calm_lines=5))
    stream.output(0.0)
    assert len(stream._ledger.flying) == 4
    stream.on_resend(1, 0.1)
    for _ in range(4):
        stream.on_ok(PLAIN_OK, 0.1)
    stream.on_time(stream.deadline)
    assert stream.output(1.0).count(b"\n") == 1


def test_a_resend_waits_for_quiet_and_goes_back_once():
    stream = stream_of(9, window="on")
    first = stream.output(0.0)
    for _ in range(3):
        stream.on_resend(2, 0.1)
        stream.on_ok(PLAIN_OK, 0.1)
    assert stream.output(0.1) == b""
    stream.on_ok(PLAIN_OK, 0.12)  # of line 1, which had arrived
    stream.on_time(0.15)
    assert stream.phase is Phase.SETTLING
    stream.on_time(0.3)
    assert stream.phase is Phase.FLOWING
    out = stream.output(0.3)
    assert out.startswith(b"N2 M114*")  # where are you? a tail may have been executed
    stream.on_position("X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0")
    stream.on_ok(PLAIN_OK, 0.4)
    assert b"N3 G1 X1*" in stream.output(0.4)
    assert first.count(b"\n") == 4
    assert stream.strays == 0


def test_a_tail_that_was_executed_shows_in_the_position():
    stream = stream_of(9, window="on")
    stream.output(0.0)
    stream.on_resend(1, 0.1)
    stream.on_ok(PLAIN_OK, 0.1)
    stream.on_time(0.3)
    stream.output(0.3)
    stream.on_position("X:3.00 Y:0.00 Z:0.00 E:0.00 Count X:0")
    assert stream.strays == 0  # nothing had landed, so nothing is known of where it ought to be
    stream.on_ok(PLAIN_OK, 0.4)
    stream.output(0.4)
    stream.on_ok(PLAIN_OK, 0.5)
    stream.output(0.5)
    stream.on_resend(3, 0.6)
    stream.on_ok(PLAIN_OK, 0.6)
    stream.on_time(0.8)
    assert b"M114" in stream.output(0.8)
    stream.on_position("X:3.00 Y:0.00 Z:0.00 E:0.00 Count X:0")
    assert stream.strays == 1


def test_an_ok_too_many_after_a_resend_is_a_stray():
    stream = stream_of(9, window="on")
    stream.output(0.0)
    stream.on_resend(1, 0.1)
    stream.on_ok(PLAIN_OK, 0.1)
    stream.on_ok(PLAIN_OK, 0.1)
    stream.on_time(0.3)
    assert stream.strays == 1


def test_an_advanced_ok_without_a_number_is_a_stray():
    stream = stream_of(9, window="on")
    stream.output(0.0)
    stream.on_ok(parse("ok N1 P15 B3"), 0.1)
    stream.on_ok(parse("ok P15 B3"), 0.1)
    assert (stream.strays, len(stream._ledger.flying)) == (1, 3)


def test_an_advanced_ok_acknowledges_all_before_it():
    stream = stream_of(9, window="on")
    stream.output(0.0)
    stream.on_ok(parse("ok N3 P15 B3"), 0.1)
    assert (stream.landed, stream.lost_oks) == (3, 2)


def test_history_is_bounded():
    stream = stream_of(1000)
    while not stream.finished:
        stream.output(0.0)
        stream.on_ok(PLAIN_OK, 0.0)
    assert len(stream._ledger._landed) <= 128
    stream = stream_of(1000)
    for _ in range(500):
        stream.output(0.0)
        stream.on_ok(PLAIN_OK, 0.0)
    stream.output(0.0)
    stream.on_line_error(parse("Error:Line Number is not Last Line Number+1, Last Line: 99"), 0.1)
    stream.on_resend(100, 0.1)
    stream.on_ok(PLAIN_OK, 0.1)
    stream.on_time(2.0)
    assert stream.phase is Phase.FAILED
    assert "cannot be sent" in stream.failure.reason


def test_nothing_is_waited_for_beyond_its_limit():
    stream = stream_of(2)
    stream.output(0.0)
    now = 0.0
    while not stream.finished:
        assert stream.deadline < now + 60
        now = max(now, stream.deadline)
        stream.on_time(now)
        stream.output(now)
    assert stream.failure.kind == "silent"
    assert now < 60


def test_a_storm_of_resends_ends():
    stream = stream_of(5)
    stream.output(0.0)
    now = 0.0
    while not stream.finished:
        now += 0.05
        stream.on_resend(1, now)
        assert now < 60
    assert stream.failure.kind == "resend"


class Marlin:
    """What the firmware does with numbers and checksums, with its replies as a queue."""

    def __init__(self):
        self.last = 0
        self.executed = []
        self.replies = deque()

    def take(self, line):
        body, _, given = line.rpartition("*")
        number, _, command = body[1:].partition(" ")
        total = 0
        for char in body:
            total ^= ord(char)
        if not number.isdigit() or int(number) != self.last + 1 or total != int(given or -1):
            self.replies.extend([f"Error:checksum mismatch, Last Line: {self.last}", f"Resend: {self.last + 1}", "ok"])
            return
        self.last += 1
        if command != "M114":
            self.executed.append(command)
        self.replies.append("ok")


FAULTS = st.sampled_from(["none", "none", "none", "corrupt", "lose_line", "lose_ok", "garble_ok", "spurious_ok"])


@settings(deadline=None, derandomize=True, max_examples=60)
@given(faults=st.lists(FAULTS, max_size=60), count=st.integers(1, 25))
def test_every_line_is_executed_once_and_in_order(faults, count):
    stream = stream_of(count)
    machine = Marlin()
    plan = deque(faults)
    now = 0.0
    while not stream.finished:
        data = stream.output(now).decode()
        for line in filter(None, data.split("\n")):
            fault = plan.popleft() if plan else "none"
            if fault == "lose_line":
                continue
            machine.take(line.replace(" ", "#", 1) if fault == "corrupt" else line)
            if fault in ("lose_ok", "garble_ok"):
                machine.replies.pop()
                machine.replies.extend(["k"] if fault == "garble_ok" else [])
            elif fault == "spurious_ok" and stream.landed < count - 1:
                machine.replies.append("ok")
        if machine.replies:
            reply = parse(machine.replies.popleft())
            now += 0.001
            hear(stream, reply, now)
        elif not data:
            now = max(now, min(stream.deadline, now + 1000))
            stream.on_time(now)
        assert now < 10_000
    if stream.phase is Phase.DONE and machine.last >= stream.landed:
        assert machine.executed == [f"G1 X{k}" for k in range(count)]
    assert machine.executed == [f"G1 X{k}" for k in range(len(machine.executed))]


def hear(stream: LineStream, reply: Reply, now: float) -> None:
    if reply.kind is Kind.OK:
        stream.on_ok(reply, now)
    elif reply.kind is Kind.RESEND:
        stream.on_resend(reply.number, now)
    elif reply.kind is Kind.LINE_ERROR:
        stream.on_line_error(reply, now)
    elif reply.kind is Kind.NOISE:
        stream.on_noise(reply.text, now)


@pytest.mark.parametrize("kind", ["wait", "noise"])
def test_a_hint_that_the_ok_is_lost_asks_at_once(kind):
    stream = stream_of(3)
    stream.output(0.0)
    if kind == "wait":
        stream.on_wait(1.0)
    else:
        stream.on_noise("o3", 0.1)
        stream.on_time(stream.deadline)
    assert stream.phase is Phase.ASKING
    assert stream.output(1.0) == b"\nN1 G1 X0*97\n"
