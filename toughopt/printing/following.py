"""Follows one print that another program drives, from its start until it is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from threading import Event as Signal
from typing import Any

from toughopt.errors import DeviceError, LinkLost
from toughopt.printing.base import PrintEvent, PrintStatus
from toughopt.printing.clock import Clock
from toughopt.printing.hosts import PrintHost, Sign, Told
from toughopt.printing.job import Ending
from toughopt.printing.link import Request, Verb
from toughopt.printing.states import State, StateMachine
from toughopt.printing.teller import Teller
from toughopt.printing.thermal import Thermometer
from toughopt.profiles import Limits

_HEAR_S = 0.25  # how soon a request of another thread is seen
_SILENCE_S = 20.0  # then the host is asked outright
_AGAIN_S = 0.5  # between attempts to reach it
_CANCEL_S = 120.0  # what is not cancelled then is halted; a heater that is waited for may take that long
_MOST_FAULTS = 200
_STATE_OF = {Sign.PAUSED: State.PAUSED, Sign.RESUMED: State.STREAMING}


class Follower:
    """One print. `sent`, `resends` and `faults` are for its outcome."""

    def __init__(
        self,
        host: PrintHost,
        name: str,
        states: StateMachine,
        requests: deque[Request],
        teller: Teller,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self.total = self.sent = self.resends = 0
        self.faults: list[Mapping[str, Any]] = []
        self._host, self._name = host, name
        self._states, self._requests, self._tell, self._clock = states, requests, teller, clock
        self._limits = limits
        self._planned_s, self._patience_s = 0.0, 60.0
        self._started = self._heard_at = self._paused_at = clock.now()
        self._thermometer = Thermometer(limits, self._started)
        self._stopping: Ending | None = None  # what the end will be called that was asked for
        self._stop_at = 0.0
        self._cancel_due = False  # until the host has heard it
        self._said_again: Request | None = None
        self._notes: deque[str] = deque(maxlen=5)

    def expects(self, total: int, planned_s: float, patience_s: float) -> None:
        """What the print should come to, and how long the host may be out of reach."""
        self.total, self._planned_s, self._patience_s = total, planned_s, patience_s

    def run(self) -> Ending:
        """Start it, and return when it is over. The states tell whether the host is still within reach then.

        Raises
        ------
        DeviceError
            If the host refuses to start it: nothing was printed.
        """
        told: Told | None = None
        lost: LinkLost | None = None
        try:
            self._host.start(self._name)
        except LinkLost as error:  # it may have heard
            lost = error
        try:
            if lost is not None:
                told = self._regain(lost)
            self._states.to(State.STREAMING, self._name)
            while True:
                if told is not None and (ending := self._over(told)) is not None:
                    return ending
                told = self._next()
        except DeviceError as error:  # once it has begun, no refusal means that it does not print
            self._fault({"fault": "link_lost", "reason": str(error)})
            self._states.to(State.DISCONNECTED, str(error))
            return Ending(PrintStatus.UNCERTAIN, f"{error}; the host may have gone on printing")

    def abandon(self) -> None:
        """Have it cancelled without waiting for that."""
        with suppress(DeviceError):
            self._host.cancel()
            end = self._clock.now() + _CANCEL_S
            while self._clock.now() < end:
                told = self._host.hear(_HEAR_S)
                if told is not None and told.sign in (Sign.CANCELLED, Sign.FAILED, Sign.DONE):
                    return
            self._host.emergency_stop()

    def _next(self) -> Told | None:
        try:
            self._obey()
            self._watch()  # before what may take as long as it allows
            self._cancel()
            told = self._host.hear(_HEAR_S)
            now = self._clock.now()
            if told is None and now - self._heard_at > _SILENCE_S:
                told = self._host.look(self._name)
            if told is not None:
                self._heard_at = now
        except DeviceError as error:
            told = self._regain(error)
        return told

    def _obey(self) -> None:
        while self._requests:
            request = self._requests.popleft()
            if request.verb is Verb.CANCEL:
                self._stop(Ending(PrintStatus.CANCELLED, request.reason))
            elif self._stopping is None and not self._cancel_asked():
                self._say(request)

    def _say(self, request: Request) -> None:
        """Pass a pause or a resume on. Raises LinkLost, after which it is said once more."""
        try:
            self._host.pause() if request.verb is Verb.PAUSE else self._host.resume()
        except LinkLost:
            if request is not self._said_again:  # a host that is busy for long may have heard it twice already
                self._said_again = request
                self._requests.appendleft(request)
            raise
        except DeviceError as error:  # it is at something else already
            self._tell(PrintEvent("note", {"text": str(error)}))

    def _cancel_asked(self) -> bool:
        return any(request.verb is Verb.CANCEL for request in tuple(self._requests))

    def _stop(self, ending: Ending) -> None:
        if self._stopping is not None:
            return
        self._stopping, self._stop_at = ending, self._clock.now()
        self._cancel_due = True

    def _cancel(self) -> None:
        """Tell the host that it is to end. Raises LinkLost, after which it is told again."""
        if not self._cancel_due:
            return
        try:
            self._host.cancel()
        except LinkLost:
            raise
        except DeviceError as error:  # it has ended meanwhile, which is heard next
            self._tell(PrintEvent("note", {"text": str(error)}))
        self._cancel_due = False

    def _watch(self) -> None:
        now = self._clock.now()
        if self._stopping is not None:
            if now - self._stop_at > _CANCEL_S:
                self._cancel_due = False
                self._host.emergency_stop()
                self._fault({"fault": "not_cancelled", "reason": f"not cancelled within {_CANCEL_S:g} s, so halted"})
                self._stop_at = now
        elif self._states.now is State.PAUSED and now - self._paused_at > self._limits.longest_pause_s:
            reason = f"paused for more than {self._limits.longest_pause_s:g} s (limits.longest_pause_s)"
            self._fault({"fault": "pause", "reason": reason})
            self._stop(Ending(PrintStatus.FAILED, reason))

    def _over(self, told: Told) -> Ending | None:
        """Take note of what was told; how the print ended, if it has."""
        match told.sign:
            case Sign.PROGRESS:
                self._progress(told)
            case Sign.TEMPERATURE:
                self._temperatures(told)
            case Sign.NOTE:
                self._notes.append(told.text)
                self._tell(PrintEvent("note", {"text": told.text}))
            case Sign.PAUSED | Sign.RESUMED:
                if self._states.now is not _STATE_OF[told.sign]:  # after each loss of contact it is told again
                    self._paused_at = self._clock.now()
                self._states.to(_STATE_OF[told.sign], told.text or "the host says so")
            case Sign.DONE if self._stopping is None:
                if self._states.now is State.PAUSED:  # told too late, or while the host was out of reach
                    self._states.to(State.STREAMING, "the host has gone on")
                self._progress(Told(Sign.PROGRESS, fraction=1.0, resends=told.resends))
                return Ending(PrintStatus.PRINTED, "printed")
            case Sign.CANCELLED:
                return self._stopping or Ending(PrintStatus.CANCELLED, f"cancelled at {self._host.where}")
            case Sign.FAILED:
                words = told.text or "; ".join(self._notes) or "the host gives no reason"
                self._fault({"fault": "host_failed", "reason": words})
                return self._stopping or Ending(PrintStatus.FAILED, f"{self._host.where}: {words}")
            case Sign.UNKNOWN:
                self._fault({"fault": "forgotten", "reason": told.text})
                return Ending(PrintStatus.UNCERTAIN, f"{self._host.where}: {told.text}")
            case _:
                return self._stopping
        return None

    def _progress(self, told: Told) -> None:
        if told.resends is not None:
            self.resends = told.resends
        done = min(1.0, max(0.0, told.fraction))
        self.sent = round(done * self.total)
        elapsed = self._clock.now() - self._started
        left = elapsed * (1.0 - done) / done if done > 0.05 else self._planned_s * (1.0 - done)
        data = {"fraction": done, "lines": self.sent, "of": self.total, "elapsed_s": elapsed, "left_s": left}
        self._tell(PrintEvent("progress", data))

    def _temperatures(self, told: Told) -> None:
        fault = self._thermometer.hear(told.temperatures, self._clock.now())
        pairs = {name: (heater.actual_c, heater.target_c) for name, heater in told.temperatures.items()}
        self._tell(PrintEvent("temperature", pairs))
        if fault and self._stopping is None:
            self._fault({"fault": "temperature", "reason": fault})
            self._stop(Ending(PrintStatus.FAILED, fault))

    def _regain(self, error: DeviceError) -> Told:
        """Reach the host again, and ask what has become of the print. Raises DeviceError."""
        self._fault({"fault": "out_of_reach", "reason": str(error)})
        end = self._clock.now() + self._patience_s
        wait = Signal()
        while True:
            self._host.detach()
            try:
                self._host.attach()
                told = self._host.look(self._name)
            except DeviceError as again:
                error = again
            else:
                self._heard_at = self._clock.now()
                self._tell(PrintEvent("note", {"text": f"{self._host.where} answers again"}))
                return told
            if self._clock.now() >= end or self._cancel_asked():
                raise error
            wait.wait(_AGAIN_S)

    def _fault(self, data: Mapping[str, Any]) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(data)
        self._tell(PrintEvent("fault", data))
