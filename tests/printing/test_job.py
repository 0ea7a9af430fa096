"""A print in hand, before a machine, a clock and a listener that do as they are told."""

from __future__ import annotations

from collections import deque

import pytest

from toughopt.printing import PrintStatus, State
from toughopt.printing.dialogue import Machine
from toughopt.printing.job import PrintJob
from toughopt.printing.lines import Command
from toughopt.printing.link import Request, Verb
from toughopt.printing.pace import StreamSettings
from toughopt.printing.states import StateMachine
from toughopt.printing.stream import LineStream
from toughopt.profiles import Limits


class Told:
    """A link, and the clock of it: each step is a line that comes at once, or None for a wait in vain."""

    has_lines = False

    def __init__(self, *steps):
        self.clock, self.time = self, 100.0
        self.requests, self.written, self.waits = deque(), [], []
        self._steps = deque(steps)

    def now(self):
        return self.time

    def write(self, data):
        self.written.append(data)

    def line(self, timeout_s, heed=False):
        self.waits.append(timeout_s)
        if not self._steps:
            raise AssertionError("asked once more than there are answers")
        step = self._steps.popleft()
        if callable(step):
            return step()
        if step is None:
            self.time += timeout_s
        return step


@pytest.fixture
def job_on():
    def make(link, count=2, listen=lambda event: None):
        states = StateMachine("told")
        for state in (State.CONNECTING, State.IDLE, State.STREAMING):
            states.to(state, "")
        commands = (Command(b"G1 X%d" % k, k + 1) for k in range(count))
        stream = LineStream(commands, StreamSettings(window="off"))
        return PrintJob(link, stream, states, Machine(), Limits(longest_pause_s=60.0), listen, count, 0.0)

    return make


def test_a_pause_with_a_line_overdue_waits_instead_of_asking_again_and_again(job_on):
    """The ok of the line in flight was lost when the pause came."""
    link = Told(None)
    link._steps.extend([lambda: link.requests.append(Request(Verb.PAUSE, "by hand")), *[None] * 70])
    ending = job_on(link).run()
    assert ending.status is PrintStatus.FAILED
    assert "longest_pause_s" in ending.reason
    assert min(link.waits) > 0.0
    assert len(link.written) == 1


def test_a_listener_that_takes_long_makes_no_line_overdue(job_on):
    """Lines are in flight from when they are sent, however long whoever was told before has taken about it."""
    link = Told("ok T:20.0 /0.0 B:20.0 /0.0", None, None, "ok", "ok", None)

    def listen(event):
        if event.kind == "temperature":
            link.time += 40.0

    job = job_on(link, listen=listen)
    assert job.run().status is PrintStatus.PRINTED
    assert job.faults == []
    assert len(link.written) == 3  # both lines, and a question after the temperatures


def test_a_machine_that_says_why_it_stops_is_sent_nothing_more(job_on):
    link = Told("ok", "Error:MINTEMP triggered, system stopped! Heater_ID: 0", "ok", None, None, None)
    job = job_on(link, count=5)
    ending = job.run()
    assert ending.status is not PrintStatus.PRINTED and "MINTEMP" in ending.reason
    assert len(link.written) == 2
