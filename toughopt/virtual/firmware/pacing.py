"""How virtual time follows the caller's clock: in step with it, or, where it is unbound, only while nobody asks.

With an unbound clock commands take no time on the caller's clock. A host that is left waiting for something that no
command waits for, such as a bed that cools, gets it soon all the same: once the host has been quiet for a moment,
moves end, and as long as a heater is on its way virtual time passes a thousand times as fast. When everything is
steady it stands still, so that a print's time does not depend on how busy the host's computer is.
"""

from __future__ import annotations

from math import inf

from toughopt.virtual.firmware.cmd_heat import temperatures
from toughopt.virtual.firmware.core import Core

QUIET_S = 0.5  # of the caller's time without a command, after which an unbound clock lets idle time pass
IDLE_FACTOR = 1000.0  # how fast it then passes while heaters are on their way
IDLE_LOOK_S = 0.02  # how often to look at them then


class PacedCore(Core):
    """State and time, driven by somebody's clock."""

    _clock_seen = False
    _active_wall_s = 0.0
    _limit_s = 0.0  # virtual time that the caller's clock allows

    def pass_time(self, wall_s: float) -> None:
        """The caller's clock has moved on to `wall_s`."""
        if not self._clock_seen:  # wherever the caller's clock begins
            self._clock_seen = True
            self.wall_s = self._active_wall_s = wall_s
        step = max(wall_s - self.wall_s, 0.0)
        self.wall_s += step
        if not self.clock.unbound:
            self._limit_s += step * self.clock.factor
            if self.halted:
                self.now = max(self.now, self._limit_s)
        elif self._task is not None:
            self.elapse(self.now + step)  # somebody is waited for
        elif self.quiet:
            self._idle(step)

    @property
    def waiting(self) -> str | None:
        """What a command waits for: "processing", "paused for user", or None."""
        return None if self._task is None else self.busy_text

    @property
    def print_s(self) -> float:
        """Virtual time from the first command since the bed was cleared to the end of the last one."""
        data = self.body.record.data
        end_s = max(self.job_to_s, data[-2] if data else 0.0)
        return 0.0 if self.job_from_s is None else max(end_s - self.job_from_s, 0.0)

    @property
    def quiet(self) -> bool:
        """Whether the host has left an unbound machine alone for a while."""
        return self.wall_s - self._active_wall_s >= QUIET_S

    def due_s(self) -> float:
        """On the caller's clock: when `pass_time` will next change anything; inf for never."""
        if self.halted:
            return inf
        if not self.clock.unbound:
            event = min(self._wake_s if self._task else inf, self.planner.next_event_s, self._next_timer_s)
            return self.wall_s + max(event - self._limit_s, 0.0) / self.clock.factor
        if self._task is not None:
            return self.wall_s + max(self._next_timer_s - self.now, 0.0)
        if not self.quiet:
            return self._active_wall_s + QUIET_S
        if not self._heaters_steady():
            return self.wall_s + IDLE_LOOK_S
        return self.report_wall_s

    def _heaters_steady(self) -> bool:
        return all(heater.steady(self.now) for heater in self.body.heaters)

    def _idle(self, step_s: float) -> None:
        """Nobody asks for anything: moves end, and heaters get where they are going a good deal faster."""
        reports = self.report_s
        self.set_timer("report", inf)
        self.finish_moves()
        if not self.halted and not self._heaters_steady():
            self.elapse(self.now + step_s * IDLE_FACTOR)
        if self.halted or not reports:
            return
        due_s = self.report_wall_s
        self.set_timer("report", self.now + reports)
        if self.wall_s >= due_s:
            self.say(f" {temperatures(self)}\n")
            self.report_wall_s = self.wall_s + reports
