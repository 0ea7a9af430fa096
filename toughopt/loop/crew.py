"""Who does the slow work while the conductor conducts: threads in a lab, a virtual clock in a simulated one."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Action = Callable[[], None]


class Crew(Protocol):
    """Does work elsewhere, and hands what follows from it back to the conductor's own thread."""

    def now(self) -> datetime:
        """The lab's time, UTC."""
        ...

    def start(
        self, who: str, work: Callable[[], T], done: Callable[[Future[T]], None], at_least_s: float = 0.0
    ) -> None:
        """Have `who` do `work`, after whatever they do now; `done` is then one of the things to do `next`.

        `at_least_s` is a time in s that the work is sure to take, where that is known beforehand.
        """
        ...

    def later(self, action: Action) -> None:
        """Have `action` done on the conductor's thread. From any thread or a signal handler."""
        ...

    def next(self, timeout_s: float) -> Action | None:
        """The next thing to do on the conductor's thread; None where nothing came up in `timeout_s`."""
        ...

    def dismiss(self) -> None:
        """Let everybody go, once their work has ended."""
        ...


@dataclass(slots=True)
class ThreadCrew:
    """One thread for each machine, hand and desk; time is the real one."""

    _inbox: queue.SimpleQueue[Action] = field(default_factory=queue.SimpleQueue)
    _workers: dict[str, ThreadPoolExecutor] = field(default_factory=dict)

    def now(self) -> datetime:
        """See `Crew.now`."""
        return datetime.now(UTC)

    def start(
        self, who: str, work: Callable[[], T], done: Callable[[Future[T]], None], at_least_s: float = 0.0
    ) -> None:
        """See `Crew.start`."""
        worker = self._workers.get(who)
        if worker is None:
            worker = self._workers[who] = ThreadPoolExecutor(1, who)
        worker.submit(work).add_done_callback(lambda future: self.later(lambda: done(future)))

    def later(self, action: Action) -> None:
        """See `Crew.later`."""
        self._inbox.put(action)

    def next(self, timeout_s: float) -> Action | None:
        """See `Crew.next`."""
        try:
            return self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def dismiss(self) -> None:
        """See `Crew.dismiss`."""
        for worker in self._workers.values():
            worker.shutdown(wait=True, cancel_futures=True)


@dataclass(slots=True)
class _Task:
    number: int
    begun_s: float
    due_s: float  # no earlier than this; exactly then, once `timed`
    future: Future[Any]
    done: Callable[[Future[Any]], None]
    timed: bool = False


class Clock(Protocol):
    """A virtual clock that work spends time on; see `toughopt.virtual.VirtualClock`."""

    now_s: float

    def utc(self) -> datetime:
        """The time that it shows."""
        ...

    def timed(self, work: Callable[[], T]) -> tuple[T | Exception, float]:
        """Do `work`; its result or what it raised, and the time in s that it spent."""
        ...


class SimulatedCrew:
    """Everybody works as fast as this computer goes, and is done when the virtual clock says so.

    What the work spent on the clock decides when it ends, and nothing else: the order of things is the same however
    long each takes to work out. Work whose `at_least_s` is known goes on while the clock has not come so far.
    """

    def __init__(self, clock: Clock, workers: int = 8) -> None:
        self.clock = clock
        self._inbox: queue.SimpleQueue[Action] = queue.SimpleQueue()
        self._tasks: list[_Task] = []
        self._pool = ThreadPoolExecutor(workers, "simulated")
        self._count = 0

    def now(self) -> datetime:
        """See `Crew.now`."""
        return self.clock.utc()

    def start(
        self, who: str, work: Callable[[], T], done: Callable[[Future[T]], None], at_least_s: float = 0.0
    ) -> None:
        """See `Crew.start`."""
        self._count += 1
        begun = self.clock.now_s
        future = self._pool.submit(self.clock.timed, work)
        self._tasks.append(_Task(self._count, begun, begun + at_least_s, future, done))

    def later(self, action: Action) -> None:
        """See `Crew.later`."""
        self._inbox.put(action)

    def next(self, timeout_s: float) -> Action | None:
        """See `Crew.next`; what comes from outside goes before what the clock brings."""
        try:
            return self._inbox.get_nowait() if self._tasks else self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            pass
        while self._tasks:
            task = min(self._tasks, key=lambda task: (task.due_s, task.number))
            if task.timed:
                self._tasks.remove(task)
                self.clock.now_s = max(self.clock.now_s, task.due_s)
                return lambda: task.done(_plain(task.future))
            _, spent_s = task.future.result()
            task.due_s = max(task.begun_s + spent_s, self.clock.now_s)
            task.timed = True
        return None

    def dismiss(self) -> None:
        """See `Crew.dismiss`."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _plain(future: Future[Any]) -> Future[Any]:
    """The future of the work itself, from that of the timed one."""
    result, _ = future.result()
    plain: Future[Any] = Future()
    if isinstance(result, Exception):
        plain.set_exception(result)
    else:
        plain.set_result(result)
    return plain
