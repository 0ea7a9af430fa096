"""One program on its way to one machine: feeds the lines, watches the machine, decides when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from toughopt.printing.base import PrintEvent, PrintStatus
from toughopt.printing.dialogue import Machine
from toughopt.printing.lines import Command
from toughopt.printing.link import Link, Verb
from toughopt.printing.replies import PLAIN_OK, Kind, Reply, is_bare_error, parse
from toughopt.printing.safety import KILLED
from toughopt.printing.states import State, StateMachine
from toughopt.printing.stream import LineStream
from toughopt.printing.thermal import SILENCE_S, Thermometer
from toughopt.profiles import Limits

_POLL_S = 4.0
_PROGRESS_S = 1.0
_LAST_WORDS_S = 1.0  # a firmware that stops itself says why in several lines
_MOST_FAULTS = 200
_TICK_S = 1.0
_LOOK_S = 0.05  # how often timers are looked at while lines flow
_POLL = Command(b"M105")
DRAIN = Command(
    b"M400", solo=True, waits=True, patience_s=60.0, limit_s=900.0
)  # sent when all lines are, so that they end
_PAUSED = State.PAUSED  # looking it up takes long, before Python 3.12
_NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Ending:
    """How feeding the lines ended."""

    status: PrintStatus
    reason: str
    confirmed: bool = False  # the firmware has stopped itself, and says that its heaters are off


class PrintJob:
    """Runs one stream of lines over one link, in the thread that calls `run`."""

    def __init__(
        self,
        link: Link,
        stream: LineStream,
        states: StateMachine,
        machine: Machine,
        limits: Limits,
        emit: Callable[[PrintEvent], None],
        total: int,
        planned_s: float,
    ) -> None:
        self.stream = stream
        self.faults: list[Mapping[str, Any]] = []
        self.fault_count = 0
        self._link = link
        self._states = states
        self._limits = limits
        self._emit = emit
        self._total = total
        self._planned_s = planned_s
        self._started = self._now = link.clock.now()
        self._thermometer = Thermometer(limits, self._now)
        self._reports_itself = machine.can("AUTOREPORT_TEMP")
        self._poll_at = self._excused_at = self._now
        self._progress_at = self._now
        self._look_at = self._now
        self._polled_line = _NEVER  # where the last question stands that is not answered yet
        self._paused_at = 0.0
        self._draining = False
        self._last_words: list[str] = []
        self._last_words_until = 0.0
        self._held: str | None = None  # an error whose cause follows
        self._ending: Ending | None = None
        self._handlers: dict[Kind, Callable[[Reply], None]] = {
            Kind.OK: self._on_ok,
            Kind.RESEND: lambda reply: stream.on_resend(reply.number or 0, self._now),
            Kind.LINE_ERROR: lambda reply: stream.on_line_error(reply, self._now),
            Kind.FATAL: self._on_fatal,
            Kind.ERROR: lambda reply: self._fail("firmware_error", f"the firmware reports {reply.text!r}", reply),
            Kind.BUSY: lambda reply: stream.on_sign(self._now),
            Kind.PAUSED: lambda reply: stream.on_sign(self._now),
            Kind.WAIT: lambda reply: stream.on_wait(self._now),
            Kind.RESET: self._on_reset,
            Kind.ACTION: self._on_action,
            Kind.TEMPERATURE: self._on_temperature,
            Kind.POSITION: lambda reply: stream.on_position(reply.text),
            Kind.UNKNOWN_COMMAND: lambda reply: stream.on_unknown(reply.text, self._now),
            Kind.COLD: lambda reply: self._fail(
                "cold_extrusion", "the firmware prevented a cold extrusion: the part lacks material", reply
            ),
            Kind.LOCKED: lambda reply: self._fail(
                "locked", "the printer is locked; unlock it with M511 or on its display", reply
            ),
            Kind.NOISE: lambda reply: stream.on_noise(reply.text, self._now),
        }

    def run(self) -> Ending:
        """Feed the lines until it is over, well or badly. Raises LinkLost."""
        link, stream, states = self._link, self.stream, self._states
        now = link.clock.now
        self._now = now()
        while True:
            if link.requests:
                self._obey()
            if self._ending is None and not self._last_words and states.now is not _PAUSED:
                data = stream.output(self._now)
                if data:
                    link.write(data)
                    stream.prefetch()
                    if stream.command is DRAIN:
                        states.to(State.DRAINING, "all lines are sent")
            line = link.line(self._patience(), heed=True)
            self._now = now()
            quiet = line is None
            told = False  # to a listener, perhaps, which may have taken long about it
            while line is not None:
                if line == "ok" and self._held is None:
                    stream.on_ok(PLAIN_OK, self._now)
                else:
                    self._hear(line)
                    told = True
                line = link.line(0.0) if link.has_lines else None
            if quiet or self._now >= self._look_at or stream.facts or self._last_words:
                self._look_at = self._now + _LOOK_S
                self._look_around(quiet)
                told = True
            if self._ending is not None:
                return self._ending
            if stream.finished:
                return self._stream_ended()
            if told:
                self._now = now()

    def _patience(self) -> float:
        if self._link.has_lines or self._ending is not None or self.stream.finished:
            return 0.0
        left = self.stream.deadline - self._now
        if left > _TICK_S or self._states.now is _PAUSED:  # while paused nothing is asked, whatever is overdue
            return _TICK_S
        return max(0.0, left)

    def _hear(self, line: str) -> None:
        if self._held is not None:
            line, self._held = f"{self._held} {line}".rstrip(), None
        elif is_bare_error(line):
            self._held = line
            return
        reply = parse(line)
        if self._last_words:  # nothing else counts any more
            self._last_words.append(line)
            if KILLED in line:
                self._last_words_until = self._now
            return
        handler = self._handlers.get(reply.kind)
        if handler is not None:
            handler(reply)

    def _on_ok(self, reply: Reply) -> None:
        if reply.temperatures:
            self._hear_temperatures(reply)
        self.stream.on_ok(reply, self._now)

    def _on_temperature(self, reply: Reply) -> None:
        self._hear_temperatures(reply)
        command = self.stream.command
        if command is not None and command.waits:
            self.stream.on_sign(self._now)

    def _hear_temperatures(self, reply: Reply) -> None:
        report = reply.temperatures or {}
        fault = self._thermometer.hear(report, self._now)
        self._polled_line = _NEVER
        self._emit(
            PrintEvent("temperature", {name: (heater.actual_c, heater.target_c) for name, heater in report.items()})
        )
        if fault:
            self._fail("temperature", fault, reply)

    def _on_fatal(self, reply: Reply) -> None:
        self._last_words.append(reply.text)
        self._last_words_until = self._now + (0.0 if KILLED in reply.text else _LAST_WORDS_S)
        self.note_fault({"fault": "firmware_halted", "text": reply.text})

    def _on_reset(self, reply: Reply) -> None:
        self._fail(
            "reset", f"the machine was reset in mid-print (it said {reply.text!r}); the print cannot go on", reply
        )

    def _on_action(self, reply: Reply) -> None:
        verb, _, rest = reply.text.removeprefix("action:").partition(" ")
        self._emit(PrintEvent("note", {"text": f"//{reply.text}"}))
        if "runout" in reply.text.lower() or verb == "out_of_filament":
            self.note_fault({"fault": "filament_runout", "text": reply.text})
        if verb in ("pause", "paused"):
            self._pause(f"the machine asked for it ({rest or verb})")
        elif verb in ("resume", "resumed"):
            self._resume("the machine asked for it")
        elif verb == "cancel":
            self._ending = Ending(PrintStatus.CANCELLED, "cancelled at the machine")
        elif verb == "disconnect":
            self._fail("disconnect", "the machine asked its host to disconnect", reply)
        elif verb == "poweroff":
            self._fail("poweroff", "the machine says that it turns itself off", reply)

    def _obey(self) -> None:
        while self._link.requests:
            request = self._link.requests.popleft()
            if request.verb is Verb.PAUSE:
                self._pause(request.reason)
            elif request.verb is Verb.RESUME:
                self._resume(request.reason)
            else:
                self._ending = Ending(PrintStatus.CANCELLED, request.reason)

    def _pause(self, why: str) -> None:
        if self._states.now in (State.STREAMING, State.DRAINING):
            self._paused_at = self._now
            self._draining = self._states.now is State.DRAINING
            self._states.to(State.PAUSED, why)

    def _resume(self, why: str) -> None:
        if self._states.now is State.PAUSED:
            self._states.to(State.DRAINING if self._draining else State.STREAMING, why)
            self._thermometer.heard_at = self._now

    def _look_around(self, quiet: bool) -> None:
        """Timers: those of the stream, temperatures, progress, the longest pause."""
        now, stream = self._now, self.stream
        if quiet and self._held is not None:  # its cause does not come
            self._hear("")
        while stream.facts:
            self.note_fault(stream.facts.popleft())
        if self._last_words and now >= self._last_words_until and self._ending is None:
            words = " / ".join(self._last_words)
            reason = f"the firmware stopped itself: {words}; find the cause, then reset the printer"
            self._ending = Ending(PrintStatus.FAILED, reason, confirmed=KILLED in words)
        if self._last_words or self._ending is not None:
            return
        if self._states.now is State.PAUSED:
            if now - self._paused_at > self._limits.longest_pause_s:
                self._fail("pause", f"paused for more than {self._limits.longest_pause_s:g} s (limits.longest_pause_s)")
            return
        stream.on_time(now)
        self._watch_temperatures()
        if now - self._progress_at >= _PROGRESS_S:
            self._progress_at = now
            self._report_progress()

    def _watch_temperatures(self) -> None:
        command = self.stream.command
        if command is not None and command.solo and command.patience_s > _POLL_S and not self._reports_itself:
            self._excused_at = self._now  # nothing can be asked beside it
            return
        silent = self._now - max(self._thermometer.heard_at, self._excused_at)
        if silent > 2 * SILENCE_S + _POLL_S and self.stream.landed > self._polled_line + 2:
            self._fail("no_temperature", f"no temperature reported for {silent:.0f} s, though asked for")
        elif silent > (SILENCE_S if self._reports_itself else _POLL_S) and self._now >= self._poll_at:
            self._poll_at = self._now + _POLL_S
            self._polled_line = self.stream.landed
            self.stream.insert(_POLL)

    def _report_progress(self) -> None:
        done = min(1.0, self.stream.landed / max(1, self._total))
        elapsed = self._now - self._started
        by_plan = self._planned_s * (1.0 - done)
        left = elapsed * (1.0 - done) / done if done > 0.05 else by_plan
        self._emit(
            PrintEvent(
                "progress",
                {
                    "fraction": done,
                    "lines": self.stream.landed,
                    "of": self._total,
                    "elapsed_s": elapsed,
                    "left_s": left,
                },
            )
        )

    def _stream_ended(self) -> Ending:
        failure = self.stream.failure
        while self.stream.facts:
            self.note_fault(self.stream.facts.popleft())
        if failure is None:
            self._report_progress()
            return Ending(PrintStatus.PRINTED, "printed")
        return Ending(PrintStatus.UNCERTAIN if failure.kind == "silent" else PrintStatus.FAILED, failure.reason)

    def _fail(self, kind: str, reason: str, reply: Reply | None = None) -> None:
        data = {"fault": kind, "reason": reason}
        if reply is not None:
            data["bytes"] = reply.text
        self.note_fault(data)
        if self._ending is None:
            self._ending = Ending(PrintStatus.FAILED, reason)

    def note_fault(self, data: Mapping[str, Any]) -> None:
        """Keep a fault for the outcome, and tell it."""
        self.fault_count += 1
        if self.fault_count <= _MOST_FAULTS:
            self.faults.append(data)
        self._emit(PrintEvent("fault", data))
