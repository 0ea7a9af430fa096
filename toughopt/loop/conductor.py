"""The conductor: decides what happens next, and is the only writer of the journal while it runs."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from toughopt.errors import DeviceError, InputError, JournalError, Mistake, RunFailed, ToughoptError
from toughopt.files import in_shell
from toughopt.journal import Event, Experiment, Stage, State
from toughopt.journal import events as ev
from toughopt.loop.crew import Crew, ThreadCrew
from toughopt.loop.recovery import recover, second_try
from toughopt.loop.requests import answer
from toughopt.loop.stations import Stations

if TYPE_CHECKING:
    from toughopt.loop.lab import Lab
    from toughopt.loop.workspace import Workspace
    from toughopt.printing import PrintEvent

T = TypeVar("T")
_POLL_S = 0.25  # how often requests from outside are looked for when nothing else happens
_LAST_WORDS_S = 60.0  # how long a machine may take to come to its end
_IN_VAIN = 9  # parts in a row without a result: so many are no chance any more

_MEASURING = frozenset({Stage.PRINTED, Stage.CLEARED, Stage.WEIGHED, Stage.TESTED})


class Will(Enum):
    """What the people want of a running loop."""

    RUN = auto()
    FINISH = auto()  # end the specimens in hand, start nothing
    ABORT = auto()  # end everything, safely


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended."""

    reason: str
    complete: int
    failed: int
    waiting: int


@dataclass(slots=True)
class Conductor:
    """One run of a campaign's loop."""

    workspace: Workspace
    lab: Lab
    on_event: Callable[[Event, State], None] = lambda event, state: None
    on_machine: Callable[[str, PrintEvent], None] = lambda printer, event: None
    crew: Crew = field(default_factory=ThreadCrew)
    elsewhere: Executor | None = None  # processes that build and slice
    busy: set[Hashable] = field(default_factory=set)  # experiments, and other things, that somebody is at
    stations: Stations = field(init=False)
    running: bool = False  # whether the loop runs; else it is there to answer requests only
    _will: Will = Will.RUN
    _at_a_loss: tuple[dict[str, Any], InputError] | None = None  # why no design can be chosen, as it was steered then
    _in_vain: list[str] = field(default_factory=list)  # why the lab got nothing from the last parts that were printed

    def __post_init__(self) -> None:
        self.stations = Stations(self, self.elsewhere)

    @property
    def state(self) -> State:
        """The campaign as the journal tells it."""
        return self.workspace.state

    @property
    def aborting(self) -> bool:
        """Whether everything is being brought to a safe end."""
        return self._will is Will.ABORT

    def finish(self) -> None:
        """End the specimens in hand, then stop. From any thread or a signal handler."""
        self.later(lambda: self._wish(Will.FINISH))

    def abort(self) -> None:
        """Cancel prints, stop the frame, leave every machine safe. From any thread or a signal handler."""
        self.later(lambda: self._wish(Will.ABORT))

    def later(self, action: Callable[[], None]) -> None:
        """Have `action` done on the conductor's own thread. From any thread."""
        self.crew.later(action)

    def run(self) -> RunSummary:
        """Conduct until the budget is used, a rule or a person stops it, or no machine is left.

        Raises
        ------
        DeviceError
            If every printer had to be disabled.
        """
        self.running = True
        self.record(ev.ConductorStarted(pid=os.getpid(), host=socket.gethostname(), versions=self.workspace.versions))
        reason = "it was killed"
        try:
            recover(self)
            reason = self._loop()
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
            self._wish(Will.ABORT)
            raise
        finally:
            self._settle()
            self._note(ev.ConductorStopped(reason=reason[:500]))
        failed = sum(e.stage is Stage.FAILED for e in self.state.experiments.values())
        return RunSummary(reason, len(self.state.complete), failed, len(self.state.under_way))

    def answer_requests(self) -> None:
        """Do what was asked from outside, or say why not."""
        for seq, request in list(self.state.open_requests.items()):
            try:
                events = answer(self, seq, request)
            except Exception as error:  # noqa: BLE001 - without an answer it would end every conductor that comes
                fault, mistake = _mistake(f"`{request['verb']}`", error)
                events = [(fault, None), (ev.Answered(request=seq, ok=False, message=str(mistake)), None)]
            # all or none: what was done without its answer would be done again by the next conductor
            self.workspace.store.append_all(events)
            self._take_in()

    def record(self, payload: ev.Payload, experiment_id: int | None = None) -> None:
        """Write one event, then take it in, with all that others wrote before it."""
        self.workspace.store.append(payload, experiment_id)
        self._take_in()

    def record_all(self, payloads: Sequence[ev.Payload], experiment_id: int) -> None:
        """Write several events of one experiment, all or none."""
        self.workspace.store.append_all([(payload, experiment_id) for payload in payloads])
        self._take_in()

    def fail(self, experiment: Experiment, stage: str, reason: str, blame: str, by: str = "lab") -> None:
        """End an experiment without a value; what the lab failed is proposed again, as often as is configured."""
        fault: Literal["design", "lab"] = "design" if blame == "design" else "lab"
        self.record(ev.Failed(stage=stage, reason=reason, blame=fault, by=by), experiment.id)
        again = None if self.aborting else second_try(self.state, experiment, self.workspace.config.recovery.retries)
        if again is not None:
            self.record(again, self.state.next_id())

    def start(
        self,
        key: Hashable,
        who: str,
        work: Callable[[], T],
        then: Callable[[T], None],
        otherwise: Callable[[ToughoptError], None],
        at_least_s: float = 0.0,
    ) -> None:
        """Have `who` do `work`; what follows from its result, or its error, is done on this thread.

        `key`, an experiment's id or the name of something else, is busy until then.
        """
        self.busy.add(key)

        def finished(future: Future[T]) -> None:
            self.busy.discard(key)
            error = future.exception()
            if error is None:
                then(future.result())
            elif isinstance(error, ToughoptError):
                otherwise(error)
            elif isinstance(error, Exception):  # a mistake in one piece of work must not end a night's prints
                fault, mistake = _mistake(who, error)
                self.record(fault)
                otherwise(mistake)
            else:
                raise error

        self.crew.start(who, work, finished, at_least_s)

    def _loop(self) -> str:
        while True:
            self._take_in()
            self.answer_requests()
            hopeless = self._hopeless()
            stop = hopeless or self._reason_to_stop()
            if stop is None:
                self._propose()
            self.stations.advance(starting=stop is None, finishing=not self.aborting)
            if not self.busy:
                if hopeless:
                    raise RunFailed(hopeless)
                end = stop or self._nothing_to_do()
                if end:
                    return end
            action = self.crew.next(_POLL_S)
            if action is not None:
                action()

    def _reason_to_stop(self) -> str | None:
        if self._will is not Will.RUN:
            return "stopped by hand" if self._will is Will.FINISH else "aborted by hand"
        rule = self.workspace.stopping_rule(self.crew.now())
        if rule is not None and self.state.stopped is None:
            self.record(ev.Stopped(rule=rule[0], reason=rule[1]))
        return rule[1] if rule is not None else None

    def _hopeless(self) -> str | None:
        """Why no more is printed: part after part gave no result, longer than the tries of a few odd designs take.

        What the lab fails does not count against the budget: without this, a wrong decimal mark in `[curve_file]` or a
        scale that is switched off would have it print for ever.
        """
        recovery = self.workspace.config.recovery
        if len(self._in_vain) < max(_IN_VAIN, recovery.failures_to_disable * (recovery.retries + 1)):
            return None
        return (
            f"{len(self._in_vain)} parts in a row were printed and gave no result, the last: {self._in_vain[-1]}. "
            f"Mend it, then `toughopt run {in_shell(self.workspace.folder)}`"
        )

    def _nothing_to_do(self) -> str | None:
        if not self.stations.able_printers():
            first = next(iter(self.lab.printers), "PRINTER")
            raise DeviceError(
                f"every printer is disabled: {'; '.join(map(self._disabled, self.lab.printers))}. Mend it, then "
                f"`toughopt ctl {in_shell(self.workspace.folder)} enable {first}`"
            )
        if self.state.steering.get("paused"):
            return None  # until somebody resumes it
        short = self.stations.short_of_filament()
        if short and all(e.stage is Stage.SLICED for e in self._automatic()):
            raise RunFailed(
                f"filament is short: {'; '.join(short)}. Change it, say "
                f"`toughopt ctl {in_shell(self.workspace.folder)} filament PRINTER GRAMS`, and run it again"
            )
        if self._automatic():
            return None
        if self.state.counted() >= self.workspace.budget():
            return f"the budget of {self.workspace.budget()} experiments is used"
        if self._at_a_loss is not None:
            raise self._at_a_loss[1]
        if any(e.stage is Stage.UNCERTAIN for e in self.state.under_way):
            return "an experiment is uncertain and waits for a person's decision"
        if not self.stations.free_printers():
            beds = ", ".join(f"{name} (experiment {identity})" for name, identity in self.state.beds.items())
            raise RunFailed(f"no printer is free: their beds are not confirmed clear: {beds}; clear them and say so")
        return None

    def _disabled(self, printer: str) -> str:
        """Who disabled a printer, and why where they said so."""
        steered = self.state.steered_by[f"disabled:{printer}"]
        return f"{printer} by {steered['who']}" + (f" ({steered['why']})" if steered["why"] else "")

    def _automatic(self) -> list[Experiment]:
        return [e for e in self.state.under_way if not e.manual and e.stage is not Stage.UNCERTAIN]

    def _propose(self) -> None:
        if self.state.steering.get("paused"):
            return
        automatic = self._automatic()
        free = len(self.stations.free_printers())
        ready = sum(e.stage in (Stage.PROPOSED, Stage.BUILT, Stage.SLICED) for e in automatic)
        measuring = sum(e.stage in _MEASURING for e in automatic)
        # A result that is about to come is worth waiting for, as long as it costs no printer its work. One printer
        # waits for its last part even when idle: what it prints next depends on it, so the order is always the same.
        if measuring and (not free or (len(self.lab.printers) == 1 and measuring == 1)):
            return
        waiting = sum(e.stage in (Stage.CLEARED, Stage.WEIGHED) for e in automatic)
        if waiting > len(self.lab.printers):
            return  # the press is behind: what is chosen later is chosen knowing more
        lookahead = self.workspace.config.optimizer.lookahead if len(automatic) > ready else 0
        room = self.workspace.budget() - self.state.counted()
        if room <= 0 or ready >= free + lookahead:
            return
        if self._at_a_loss is not None and self._at_a_loss[0] == self.state.steering:
            return
        try:
            if self.workspace.chooser.tells_printers_apart(self.state):
                proposals = self.workspace.choose(1, self.stations.preparation.neediest())
            else:
                proposals = self.workspace.choose(min(self.workspace.config.optimizer.batch, room))
        except InputError as error:  # no reason to throw away what is being printed; a person may steer otherwise
            self._at_a_loss = dict(self.state.steering), error
            self.record(ev.Fault(device=ev.CHOICE, data={"reason": str(error)}))
            return
        self._at_a_loss = None
        first = self.state.next_id()
        self.workspace.store.append_all([(payload, first + index) for index, payload in enumerate(proposals)])
        self._take_in()

    def _take_in(self) -> None:
        for event in self.workspace.take_in():
            if event.kind == "complete":
                self._in_vain.clear()
            elif event.kind == "failed" and event.payload["by"] == "lab" and event.payload["stage"] in _MEASURING:
                self._in_vain.append(event.payload["reason"])
            self.on_event(event, self.state)

    def _wish(self, will: Will) -> None:
        self._will = will
        if will is not Will.ABORT:
            return
        for experiment in self.state.under_way:
            try:
                if experiment.stage is Stage.PRINTING and experiment.id in self.busy:
                    self.lab.printers[experiment.printer or ""].cancel("the run was aborted")
                if experiment.crushing and experiment.stage is Stage.WEIGHED:
                    self.lab.frame.stop()
            except ToughoptError as error:  # the other machines are to be ended all the same
                self._note(ev.Fault(device=experiment.printer or "lab", data={"reason": str(error)}))

    def _settle(self) -> None:
        """Let the work in hand end, and write down how it did."""
        while self.busy:
            action = self.crew.next(_LAST_WORDS_S)
            if action is None:
                break
            try:
                action()
            except ToughoptError as error:
                self._note(ev.Fault(device="toughopt", data={"reason": str(error)}))
        self.crew.dismiss()

    def _note(self, payload: ev.Payload) -> None:
        """Write one event where that is possible: while the run ends, a journal out of reach must not keep it."""
        with suppress(JournalError):
            self.record(payload)


def _mistake(who: str, error: Exception) -> tuple[ev.Fault, Mistake]:
    """What the journal is told of an error that nobody meant to raise, and what people are."""
    reason = f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    fault = ev.Fault(device=who, data={"reason": reason, "traceback": trace[-4000:]})
    return fault, Mistake(f"{who}: a mistake in the program, told in the journal with its traceback: {reason}")
