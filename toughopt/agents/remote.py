"""A printer on another PC, as the conductor sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from toughopt.agents.exchange import Exchange, JobRecord, new_job
from toughopt.agents.words import error_in, outcome_in, program_out
from toughopt.errors import DeviceError, JournalError
from toughopt.gcode import Program
from toughopt.printing import PrintEvent, PrintOutcome, PrintStatus

_LOOK_S = 0.25
_UNREACHED_S = 120.0  # how long the database may be away in mid-print
_SAFE_S = 120.0


class RemotePrinter:
    """A machine that the agent of another PC serves. See `Printer`.

    A print whose agent gives no sign of life for the time that the agent stated (`Agent.stale_s`) is UNCERTAIN: it is
    never begun again by itself, and what the agent may still tell of it later is kept, and changes nothing.
    """

    def __init__(self, name: str, agent: str, exchange: Exchange) -> None:
        self.name = name
        self._agent = agent
        self._exchange = exchange
        self._job: str | None = None  # in hand
        self._seat = threading.Lock()
        self._left_safe = True

    def print(self, program: Program, on_event: Callable[[PrintEvent], None] = lambda event: None) -> PrintOutcome:
        """See `Printer.print`; the program travels through the database, by its hash."""
        if not self._seat.acquire(blocking=False):
            raise DeviceError(f"{self.name} prints; wait until that is over, or cancel it")
        try:
            self._alive()
            if self._exchange.at_work(self._agent, self.name):
                raise DeviceError(
                    f"{self.name} may still be at an earlier print that nobody here follows; look there, and wait for "
                    f"its end, or start the agent {self._agent} anew"
                )
            digest = self._exchange.artifacts.put(program.text.encode())
            self._job = job = new_job()
            self._offer(job, "print", program_out(program, digest))
            outcome = self._follow(job, on_event)
            self._left_safe = outcome.heaters_off
            return outcome
        finally:
            self._job = None
            self._seat.release()

    def pause(self) -> None:
        """See `Printer.pause`."""
        self._wish("pause", "paused by hand")

    def resume(self) -> None:
        """See `Printer.resume`."""
        self._wish("resume", "resumed by hand")

    def cancel(self, reason: str) -> None:
        """See `Printer.cancel`."""
        self._wish("cancel", reason)

    def make_safe(self) -> bool:
        """See `Printer.make_safe`; False where its agent does not answer. A database that is away is tried again."""
        end = time.monotonic() + _SAFE_S
        told = False
        while True:
            if self._job is not None and not told:
                with suppress(JournalError):
                    self.cancel("made safe")
                    told = True
            if self._seat.acquire(timeout=_LOOK_S):
                break
            if time.monotonic() > end:
                return False
        try:
            return self._made_safe(time.monotonic() + _SAFE_S)
        finally:
            self._seat.release()

    def close(self) -> None:
        """End what is in hand; the agent keeps its machine."""
        if self._job is not None:
            self.cancel("the campaign was closed")

    def _made_safe(self, end: float) -> bool:
        """Have the agent make it safe; tried again as long as that is of use."""
        job = ""
        while time.monotonic() < end:
            with suppress(JournalError):  # out of reach for now
                try:
                    self._alive()
                except DeviceError:
                    break
                job = job or self._offered_safety()
                record = self._exchange.job(job) if job else None
                if record is not None and record.state == "done":
                    return bool((record.answer or {}).get("safe"))
                if record is not None and record.state not in ("offered", "running"):  # its agent was started anew
                    job = ""
            threading.Event().wait(_LOOK_S)
        if job:
            with suppress(JournalError):
                self._exchange.withdraw(job)
        return False

    def _offered_safety(self) -> str:
        """The job that makes it safe; "" where it is sure that nothing was begun."""
        job = new_job()
        try:
            self._offer(job, "make_safe", {})
        except DeviceError:
            return ""
        return job

    def _offer(self, job: str, kind: str, payload: dict[str, Any]) -> None:
        """Queue a job. Raises DeviceError where it is sure that nobody will do it; else its end is to be awaited."""
        try:
            self._exchange.offer(job, self._agent, self.name, kind, payload)
        except (DeviceError, JournalError) as error:
            if self._withdrawn(job):
                raise DeviceError(f"{self.name}: {error}; nothing was begun") from error

    def _withdrawn(self, job: str) -> bool:
        """Take a job back as soon as the database can be reached; False where somebody has begun with it."""
        end = time.monotonic() + _UNREACHED_S
        while True:
            try:
                return self._exchange.withdraw(job) or self._exchange.unknown(job)
            except JournalError:
                if time.monotonic() > end:
                    return False
            threading.Event().wait(_LOOK_S)

    def _wish(self, verb: str, reason: str) -> None:
        job = self._job
        if job is not None and not (verb == "cancel" and self._exchange.withdraw(job)):
            self._exchange.wish(job, verb, reason)

    def _alive(self) -> float:
        """After how long its agent counts as lost. Raises DeviceError where it is."""
        agent = self._exchange.agent(self._agent)
        start = f"start it there with: toughopt agent {self._agent}"
        if agent is None or agent.lost:
            raise DeviceError(f"the agent {self._agent} of {self.name} gives no sign of life; {start}")
        if self.name not in agent.machines:
            raise DeviceError(f"the agent {self._agent} serves {', '.join(agent.machines)}, not {self.name}; {start}")
        return agent.stale_s

    def _follow(self, job: str, on_event: Callable[[PrintEvent], None]) -> PrintOutcome:
        begun = reached = time.monotonic()
        seen = 0
        while True:
            try:
                record = self._exchange.job(job)
                for seq, kind, data in self._exchange.news(job, seen):
                    seen = seq
                    on_event(PrintEvent(kind, data))
                ending = self._ended(record, time.monotonic() - begun)
                reached = time.monotonic()
            except JournalError as error:
                if time.monotonic() - reached > _UNREACHED_S:
                    return _uncertain(f"the database is out of reach: {error}", time.monotonic() - begun)
                ending = None
            if ending is not None:
                return ending
            threading.Event().wait(_LOOK_S)

    def _ended(self, record: JobRecord, so_far_s: float) -> PrintOutcome | None:
        """How the print ended, if it has. Raises what the machine raised."""
        match record.state:
            case "done":
                answer = record.answer or {}
                if "error" in answer:
                    raise error_in(answer, self.name)
                return outcome_in(answer)
            case "withdrawn":
                return PrintOutcome(PrintStatus.CANCELLED, "cancelled before it began", True, so_far_s, 0)
            case "dropped":
                raise DeviceError(f"{self.name}: its agent {self._agent} was started anew before the print began")
            case "lost":
                return _uncertain(f"the agent {self._agent} was lost in mid-print", so_far_s)
        try:
            self._alive()
        except DeviceError as error:
            if self._exchange.withdraw(record.id):
                raise
            if self._exchange.give_up(record.id):
                return _uncertain(f"{error}; what was being printed may be there or not", so_far_s)
        return None


def _uncertain(reason: str, so_far_s: float) -> PrintOutcome:
    return PrintOutcome(PrintStatus.UNCERTAIN, f"{reason}; heaters NOT known to be off", False, so_far_s, 0)
