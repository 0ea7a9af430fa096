"""Serves the machines of this PC to a campaign that is conducted on another."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg
from procrastinate import App
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Status

from toughopt.agents.exchange import TASK, Exchange, JobRecord, queue_app, queue_name
from toughopt.agents.words import error_out, outcome_out, plain, program_in
from toughopt.errors import DeviceError, JournalError, Mistake, ToughoptError
from toughopt.printing import Printer, PrintEvent

STALE_S = 30.0  # without a sign of life for so long, an agent counts as lost
_BEATS = 6  # in that time
_LISTEN_S = 0.3  # how soon a wish of the conductor is seen
_PROGRESS_S = 1.0
_TEMPERATURE_S = 5.0
_AGAIN_S = 2.0
_LEAST_APART_S = {"progress": _PROGRESS_S, "temperature": _TEMPERATURE_S}


class Agent:
    """The machines of one PC. A job is run once at most, whatever becomes of this process.

    Parameters
    ----------
    name : what the campaign calls this PC
    exchange : the campaign's counter
    printers : machines by name
    stale_s : after how long without a sign of life this agent counts as lost, and its prints as uncertain
    say : told what happens, for people
    """

    def __init__(
        self,
        name: str,
        exchange: Exchange,
        printers: Mapping[str, Printer],
        *,
        stale_s: float = STALE_S,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.name = name
        self._exchange = exchange
        self._printers = dict(printers)
        self._stale_s = stale_s
        self._say = say
        self._session = uuid4().hex
        self._leaving = threading.Event()
        self._hands = threading.Condition()
        self._in_hand: set[str] = set()
        self._begun: set[str] = set()  # for its life: none is done twice
        self._loop: asyncio.AbstractEventLoop | None = None
        self._working: asyncio.Task[None] | None = None

    def serve(self) -> None:
        """Run jobs until `stop`, or until another agent has taken the name.

        Raises
        ------
        DeviceError
            If an agent of this name is alive elsewhere.
        JournalError
            If the database cannot be reached at the start.
        """
        self._sign_on()
        heart = threading.Thread(target=self._beat, name="agent's heartbeat", daemon=True)
        heart.start()
        try:
            asyncio.run(self._work())
        finally:
            self._leaving.set()
            heart.join()
            with suppress(JournalError):
                self._exchange.sign_off(self.name, self._session)

    def stop(self) -> None:
        """End what is in hand safely, and leave. May be called from any thread, or a signal handler."""
        self._leaving.set()
        for printer in self._printers.values():
            printer.cancel(f"the agent {self.name} was stopped")
        if self._loop is not None and self._working is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._working.cancel)

    def _sign_on(self) -> None:
        """Wait until an agent of this name that was killed counts as lost, then take its place."""
        end = time.monotonic() + 1.5 * self._stale_s
        while not self._exchange.sign_on(self.name, self._session, sorted(self._printers), self._stale_s):
            if time.monotonic() > end or self._leaving.wait(self._stale_s / _BEATS):
                raise DeviceError(f"an agent called {self.name} is alive elsewhere; stop it, or choose another name")
        lost = self._exchange.take_over(self.name)
        if lost:
            self._say(f"{len(lost)} job(s) of an earlier agent {self.name} are lost; its machines are made safe")
            for name, printer in self._printers.items():
                if not printer.make_safe():
                    self._say(f"{name}: the heaters are NOT known to be off: go and look")

    def _beat(self) -> None:
        while not self._leaving.wait(self._stale_s / _BEATS):
            try:
                if not self._exchange.beat(self.name, self._session):
                    self._say(f"another agent has taken the name {self.name}; this one ends")
                    self.stop()
            except JournalError as error:  # it counts as lost if this lasts; what is in hand goes on
                self._say(str(error))

    async def _work(self) -> None:
        """Take jobs from the queues, again where the database was away; what is in hand goes on meanwhile."""
        while not self._leaving.is_set():
            try:
                await self._take_jobs()
            except (ProcrastinateException, psycopg.Error) as error:
                self._say(f"the queue is out of reach: {error}")
                await asyncio.to_thread(self._leaving.wait, _AGAIN_S)

    async def _take_jobs(self) -> None:
        app = queue_app(self._exchange.url, waiting=True)
        app.task(name=TASK)(self._do)
        queues = [queue_name(self.name, machine) for machine in self._printers]
        async with app.open_async():
            await asyncio.to_thread(self._rest)
            await self._clear_stalled(app, queues)
            self._loop = asyncio.get_running_loop()
            self._working = self._loop.create_task(
                app.run_worker_async(
                    queues=queues,
                    name=self.name,
                    concurrency=len(queues),
                    install_signal_handlers=False,
                    fetch_job_polling_interval=1.0,
                    delete_jobs="always",
                )
            )
            self._say(f"agent {self.name} serves {', '.join(sorted(self._printers))}")
            if self._leaving.is_set():
                self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working

    def _rest(self) -> None:
        """Wait until no job is in hand."""
        with self._hands:
            self._hands.wait_for(lambda: not self._in_hand)

    async def _clear_stalled(self, app: App, queues: list[str]) -> None:
        """What an earlier agent had in hand is over, and never run again; only then does the queue go on."""
        for queue in queues:
            for job in await app.job_manager.list_jobs_async(queue=queue, status=Status.DOING.value):
                assert job.id is not None
                await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)

    def _do(self, job: str) -> None:
        """One job, on a thread of its own."""
        with self._hands:
            if job in self._begun:
                return
            self._begun.add(job)
            self._in_hand.add(job)
        try:
            claimed = self._claimed(job)
            if claimed is not None:
                self._done(job, claimed)
        finally:
            with self._hands:
                self._in_hand.discard(job)
                self._hands.notify_all()

    def _claimed(self, job: str) -> JobRecord | None:
        """The job, once it is known whether it is ours: it may be although nobody heard the database say so."""
        while not self._leaving.is_set():
            try:
                return self._exchange.claim(job, self._session)
            except JournalError as error:
                self._say(str(error))
            self._leaving.wait(_AGAIN_S)
        return None

    def _done(self, job: str, claimed: JobRecord) -> None:
        printer = self._printers[claimed.machine]
        self._say(f"{claimed.machine}: {claimed.kind}")
        over = threading.Event()
        listener = threading.Thread(target=self._heed, args=(job, printer, over), daemon=True)
        listener.start()
        try:
            if claimed.kind == "make_safe":
                answer: dict[str, Any] = {"safe": printer.make_safe()}
            else:
                answer = outcome_out(self._print(claimed, printer))
        except ToughoptError as error:
            answer = error_out(error)
        except Exception as error:  # noqa: BLE001 - unanswered, the conductor waits for as long as this agent lives
            self._say("".join(traceback.format_exception(error)).rstrip())
            mistake = f"a mistake in the program, told by the agent {self.name}: {type(error).__name__}: {error}"
            answer = error_out(Mistake(mistake))
        finally:
            over.set()
            listener.join()
        self._say(f"{claimed.machine}: {answer.get('status') or answer.get('message') or answer}")
        self._answer(job, answer)

    def _print(self, job: JobRecord, printer: Printer) -> Any:
        program = program_in(job.payload, self._exchange.artifacts.get(job.payload["program"]))
        told: dict[str, float] = {}

        def tell(event: PrintEvent) -> None:
            now = time.monotonic()
            if now - told.get(event.kind, -1e9) < _LEAST_APART_S.get(event.kind, 0.0):
                return
            told[event.kind] = now
            with suppress(JournalError):  # the print does not end because nobody can be told of it
                self._exchange.tell(job.id, event.kind, plain(event.data))

        return printer.print(program, tell)

    def _heed(self, job: str, printer: Printer, over: threading.Event) -> None:
        """Pass on what the conductor wishes."""
        verbs: dict[str, Callable[[str], None]] = {
            "pause": lambda reason: printer.pause(),
            "resume": lambda reason: printer.resume(),
            "cancel": printer.cancel,
        }
        seen, cancelled = 0, ""
        while not over.wait(_LISTEN_S):
            if cancelled:  # said again, for it may have been said before the print was in hand
                printer.cancel(cancelled)
            with suppress(JournalError):
                for seq, verb, reason in self._exchange.wishes(job, seen):
                    seen = seq
                    cancelled = cancelled or (reason if verb == "cancel" else "")
                    verbs[verb](reason)

    def _answer(self, job: str, answer: Mapping[str, Any]) -> None:
        """Say how it ended, as soon as the database can be reached."""
        while True:
            try:
                if not self._exchange.answer(job, answer):
                    self._say(f"job {job} had been given up; its end is kept for the record")
                return
            except JournalError as error:
                self._say(str(error))
                if self._leaving.wait(_AGAIN_S):
                    return
