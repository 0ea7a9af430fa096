"""Sends commands so that each is executed once and in order: numbers, acknowledgements, resends, probes.

No port and no clock of its own: replies and times go in, bytes come out. What it knows of the wire:
a line error makes the firmware discard its buffer in mid-line, so after one nothing is sent until all is quiet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from toughopt.printing.evidence import Evidence, astray, left_over
from toughopt.printing.ledger import Ledger, OutOfHistory
from toughopt.printing.lines import Command, encode
from toughopt.printing.pace import Failure, Phase, StreamSettings
from toughopt.printing.replies import Reply
from toughopt.printing.supply import Supply

_NEVER = float("inf")
_FLOWING, _FINISHED = Phase.FLOWING, (Phase.DONE, Phase.FAILED)  # looking members up takes long, before Python 3.12


class LineStream:
    """One print's lines on their way to the machine.

    `output` says what to write, the `on_…` methods take what the machine said, `on_time` is due when `deadline` has
    passed. `facts` collects what went wrong, for whoever keeps the log.
    """

    def __init__(self, source: Iterator[Command], settings: StreamSettings | None = None) -> None:
        self.settings = settings or StreamSettings()
        self.phase = Phase.FLOWING
        self.failure: Failure | None = None
        self.resends = 0
        self.strays = 0
        self.lost_oks = 0
        self.facts: deque[dict[str, Any]] = deque()
        self._ledger = Ledger()
        self._supply = Supply(source)
        self._alone = self.settings.window == "off"  # never more than one line in flight
        self._probe = b""
        self._latency_s = _NEVER  # the shortest seen
        self._sign_at = 0.0  # last ok or sign of life
        self._signs = False  # the command in hand has shown signs of life
        self._wake_at = 0.0  # in trouble: when to look again; while flowing: 0, or when to ask after a garbled reply
        self._evidence = Evidence(0.0)
        self._expected: tuple[float | None, ...] | None = None
        self._unsaid = 0  # lines without an ok since the last with one
        self._repeats = 0
        self._repeated = -1
        self._calm = 0
        self._advanced = False  # oks say how much room is left and which line they are for, where that has a number

    @property
    def landed(self) -> int:
        """Number of the last line acknowledged."""
        return self._ledger.landed

    @property
    def finished(self) -> bool:
        """Whether nothing will come out any more."""
        return self.phase in _FINISHED

    @property
    def command(self) -> Command | None:
        """What the machine is at: the oldest command in flight."""
        return self._ledger.flying[0].command if self._ledger.flying else None

    @property
    def deadline(self) -> float:
        """When `on_time` is due; infinite where nothing is waited for."""
        flying = self._ledger.flying
        if self.phase is not _FLOWING:
            return _NEVER if self.finished else self._wake_at
        if not flying:
            return _NEVER
        if self._wake_at:
            return self._wake_at
        patience = flying[0].command.patience_s
        if self._signs and flying[0].command.waits:
            patience = min(patience, self.settings.sign_s)
        return max(self._sign_at, flying[0].at) + patience

    def insert(self, command: Command) -> None:
        """Send this before the source goes on."""
        self._supply.insert(command)

    def output(self, now: float) -> bytes:
        """What to write now; empty where the machine has to answer first, or all has been sent."""
        if self.phase is not _FLOWING:
            probe, self._probe = self._probe, b""
            return probe
        ledger, supply = self._ledger, self._supply
        flying = ledger.flying
        out = b""
        while not flying or not (self._alone or self._calm):
            upcoming = supply.peek(ledger.next)
            if upcoming is None:
                if not flying:
                    self.phase = Phase.DONE
                break
            if not flying:
                self._sign_at = now
                self._signs = False
                self._wake_at = 0.0
            elif not self.settings.may_join(upcoming, flying, ledger.bytes_flying, self._latency_s):
                break
            supply.take()
            ledger.send(upcoming, now)
            out += upcoming.data
        return out

    def prefetch(self) -> None:
        """Read what comes next, and put it into bytes, while the machine is at what it has."""
        count = 1 if self._alone or self._calm else self.settings.window_lines
        self._supply.prepare(self._ledger.next, count)

    def on_ok(self, reply: Reply, now: float) -> None:
        """The machine said ok."""
        self._sign_at = now
        if reply.buffers is not None and reply.number is not None:
            self._advanced = True
        if self.phase is not _FLOWING:
            self._settle_ok(reply, now)
            return
        self._unsaid = 0
        flying = self._ledger.flying
        if reply.number is not None:
            self._land_number(reply.number)
        elif not flying or (self._advanced and reply.buffers is not None):
            self._stray(1, reply.text)
        else:
            if len(flying) == 1 and now - flying[0].at < self._latency_s:
                self._latency_s = now - flying[0].at
            self._land()
        self._signs = False
        self._wake_at = 0.0

    def on_sign(self, now: float) -> None:
        """The machine said that it is busy, or reported temperatures while it waits for one."""
        self._sign_at = now
        self._signs = True
        if self.phase is Phase.ASKING:
            self._wake_at = now + self.settings.ask_s
        elif self.phase is Phase.FLOWING:
            self._wake_at = 0.0

    def on_wait(self, now: float) -> None:
        """The machine says that it has nothing to do."""
        flying = self._ledger.flying
        if self.phase is Phase.FLOWING and flying and now - flying[0].at > self.settings.garbled_s:
            self._fact("wait", line=flying[0].number)
            self._ask(now)

    def on_noise(self, text: str, now: float) -> None:
        """Something that was not understood: perhaps the ok that is waited for."""
        flying = self._ledger.flying
        if self.phase is Phase.FLOWING and flying and not self._wake_at and not flying[0].command.waits:
            self._fact("garbled", bytes=text.encode("latin-1", "replace").hex(" "))
            self._wake_at = now + self.settings.garbled_s

    def on_line_error(self, reply: Reply, now: float) -> None:
        """A number or checksum was wrong; a resend should follow."""
        self._fact("line_error", text=reply.text)
        self._settle(now)
        self._evidence.last_line = reply.last_line
        self._listen(now, self.settings.no_ok_s)

    def on_resend(self, number: int, now: float) -> None:
        """The machine asks for a line; the ok that follows acknowledges nothing."""
        self._settle(now)
        if self.finished:
            return
        self.resends += 1
        self._fact("resend", line=number, last=self._ledger.last)
        if not self._evidence.hear_resend(number, self._ledger.landed, self._ledger.last):
            self._fact("resend_doubted", line=number)
        self._listen(now)

    def on_unknown(self, text: str, now: float) -> None:
        """The machine did not know a command; an ok follows."""
        bare = text.partition("*")[0].strip()
        known = [sent.command for sent in self._ledger.flying if bare == sent.command.body.decode("ascii")]
        if self.phase is Phase.FLOWING and known:
            if known[0].essential:
                self._fail("lost_line", f"the machine does not know {bare!r}: it was not carried out")
            else:
                self._fact("unsupported", command=bare)
            return
        self._fact("unknown_command", text=text)
        self._settle(now)
        self._evidence.hear_unknown(text, never_numbered=any(left_over(text, sent) for sent in self._ledger.flying))
        self._listen(now)

    def on_position(self, text: str) -> None:
        """The machine said where it is: elsewhere than where it was sent, if it ran the tail of a line."""
        wrong = astray(text, self._expected) if self._expected is not None else ""
        self._expected = None
        if wrong and not self._evidence.strays:  # an ok too many may have told it already
            self._stray(1, f"{wrong} not where the lines acknowledged so far lead: {text}")

    def on_time(self, now: float) -> None:
        """A deadline has passed."""
        if self.finished or now < self.deadline:
            return
        if self.phase is Phase.FLOWING:
            self._ask(now)
        elif self._evidence.asked is not None:
            self._conclude(self._evidence.asked, now)
        elif self.phase is Phase.SETTLING:
            self._land_many(self._evidence.arrivals)
            self._ask(now)
        elif self._evidence.arrivals:
            self._land_many(self._evidence.arrivals)
            self._go_back(self._ledger.landed + 1, now)
        elif self._evidence.asks < self.settings.asks:
            self._ask(now)
        else:
            self._give_up(now)

    def _land(self, by_ok: bool = True) -> None:
        self._ledger.land(by_ok)
        if self._calm:
            self._calm -= 1

    def _land_many(self, count: int) -> None:
        for _ in range(min(count, len(self._ledger.flying))):
            self._land()

    def _land_number(self, number: int) -> None:
        if not self._ledger.in_flight(number):
            self._fact("stale_ok", line=number)
            return
        flying = self._ledger.flying
        while flying[0].number < number:
            self._land(by_ok=False)
            self.lost_oks += 1
        self._land()

    # What follows happens only when something went wrong.

    def _settle(self, now: float) -> None:
        if self.phase is Phase.FLOWING:
            self.phase = Phase.SETTLING
            self._evidence = Evidence(now, exposed=len(self._ledger.flying) > 1)

    def _settle_ok(self, reply: Reply, now: float) -> None:
        evidence = self._evidence
        if reply.number is not None and evidence.unknowns and self._ledger.in_flight(reply.number):
            self._fail(
                "lost_line", f"the machine took line {reply.number} for {evidence.doubt!r}: it was lost on the way"
            )
            return
        evidence.hear_ok(reply, self._advanced)
        self._listen(now)

    def _listen(self, now: float, wait_s: float = 0.0) -> None:
        """Wait for a quiet moment."""
        if self.finished:
            return
        if now - self._evidence.since > self.settings.storm_s:
            self._fail("resend", f"the machine has not stopped asking for lines for {self.settings.storm_s:g} s")
        self._wake_at = now + max(wait_s, self.settings.no_ok_s if self._evidence.owed else self.settings.quiet_s)

    def _ask(self, now: float) -> None:
        """Probe: send the oldest line again; a machine that has it refuses it, and says what it wants instead."""
        self._settle(now)
        self.phase = Phase.ASKING
        self._evidence = self._evidence.after_asking(now)
        self._wake_at = now + self.settings.ask_s
        flying = self._ledger.flying
        if flying and self._evidence.asks == 1:
            self._probe = b"\n" + flying[0].data  # the newline completes a line that had lost its own
        else:  # a wrong number on purpose: some firmware says nothing when it gets its last line twice
            number = self._ledger.landed - 3
            self._probe = encode(number if number > 0 else self._ledger.last + 1000, b"M105")
        self._fact("probe", bytes=self._probe.decode("ascii").strip())

    def _give_up(self, now: float) -> None:
        flying = self._ledger.flying
        since = max(self._sign_at, flying[0].at) if flying else self._sign_at
        limit = flying[0].command.limit_s if flying else 30.0
        if now - since < limit:
            self._wake_at = since + limit
            return
        what = flying[0].command.body.decode("ascii") if flying else "the last line"
        self._fail("silent", f"the machine has not answered {what!r} for {now - since:.0f} s; check cable and power")

    def _conclude(self, asked: int, now: float) -> None:
        """The line is quiet and the machine has said what it wants: what does it have?"""
        evidence, landed = self._evidence, self._ledger.landed
        if asked == 1 and landed > 1:
            self._fail("reset", f"the machine asks for line 1 after line {landed}: it was reset in mid-print")
            return
        due = max(0, asked - 1 - landed)
        late_until = self._sign_at + (self.settings.sign_s if self._signs else self.settings.late_ok_s)
        if evidence.arrivals < due and now < late_until:
            self._wake_at = late_until
            return
        evidence.strays += max(0, evidence.arrivals - due)
        self._stray(evidence.strays, "more oks than lines")
        if evidence.doubt is not None and due > evidence.arrivals:
            self._fail("lost_line", f"the machine took {evidence.doubt!r} for a command: a line was lost on the way")
            return
        self.lost_oks += max(0, due - evidence.arrivals)
        taken = min(due, len(self._ledger.flying))  # one that asks beyond what was sent has not taken so much
        self._unsaid = 0 if evidence.arrivals else self._unsaid + taken
        self._repeats = self._repeats + 1 if asked == self._repeated else 1
        self._repeated = asked
        if self._unsaid >= self.settings.same_silence:
            self._fail("silent", f"the machine takes lines, but has not said ok to the last {self._unsaid} of them")
        elif self._repeats >= self.settings.same_resend:
            self._fail("resend", f"line {asked} was asked for {self._repeats} times in a row: the line is unusable")
        else:
            self._go_back(asked, now)

    def _go_back(self, number: int, now: float) -> None:
        """Flow again, from line `number` on."""
        try:
            again, not_executed, presumed = self._ledger.rewind(number)
        except OutOfHistory as error:
            self._fail("resend", f"the machine asks for a line that cannot be sent: {error}")
            return
        self._stray(not_executed, "acknowledged, yet asked for again")
        self.lost_oks -= presumed
        if self._evidence.exposed or not_executed:
            self._expected = self._ledger.position
            again.insert(0, Command(b"M114", solo=True))
        self._supply.again(again)
        self.phase = Phase.FLOWING
        self._calm = self.settings.calm_lines
        self._wake_at = 0.0
        self._sign_at = now
        self._signs = False

    def _stray(self, count: int, why: str) -> None:
        if count:
            self.strays += count
            self._fact("stray", count=count, text=why)

    def _fail(self, kind: str, reason: str) -> None:
        self.phase = Phase.FAILED
        self.failure = Failure(kind, reason)
        self._fact("stream_failed", cause=kind, text=reason)

    def _fact(self, kind: str, **data: Any) -> None:
        self.facts.append({"fault": kind, **data})
