"""The firmware's state and its virtual time: timers, moves that start and end, heaters, kill and reset.

Time passes only in `elapse`: to the next end of a move, timer or fault, and so on up to the time that is asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TYPE_CHECKING

from toughopt.virtual.firmware.body import Body
from toughopt.virtual.firmware.carriage import Carriage
from toughopt.virtual.firmware.faults import INBOUND, OUTBOUND, FaultKind, FaultPlan, FaultSchedule
from toughopt.virtual.firmware.lines import LineReader
from toughopt.virtual.firmware.options import Clock, FirmwareOptions
from toughopt.virtual.firmware.planner import Block, MotionLimits, Planner
from toughopt.virtual.firmware.record import CommandLog

if TYPE_CHECKING:
    from toughopt.profiles import PrinterProfile
    from toughopt.virtual.firmware.heaters import Heater

Wait = Iterator[float]
"""A command that takes its time: yields the virtual time at which to go on; inf waits for somebody."""

HISTORY = 1000  # changes of targets that are kept


@dataclass(frozen=True, slots=True)
class TargetChange:
    """A heater was told something."""

    virtual_s: float
    wall_s: float
    heater: str
    target_c: float


class Core(ABC):
    """State and time; how lines come in and commands are run is `Machine`'s part."""

    def __init__(
        self, profile: PrinterProfile, *, seed: int, clock: Clock, options: FirmwareOptions, faults: FaultPlan
    ) -> None:
        self.profile = profile
        self.options = options
        self.clock = clock
        self.now = 0.0
        self.wall_s = 0.0
        self.body = Body(profile, Random(f"{seed}/body"))
        self.reader = LineReader(
            options.rx_buffer_bytes or profile.serial.rx_buffer_bytes,
            options.line_chars,
            emergency_parser=options.emergency_parser,
            number_with_checksum=options.number_with_checksum,
            skip_repeated=options.skip_repeated,
        )
        self.queue_lines = options.queue_lines or profile.serial.buffer_lines
        self.faults = FaultSchedule(faults.only(frozenset(FaultKind) - INBOUND - OUTBOUND), seed)
        self.log = CommandLog(options.log_commands)
        self.history: deque[TargetChange] = deque(maxlen=HISTORY)
        self.signals: deque[str] = deque()  # for whoever holds the port: "disconnect"
        self.executed = 0
        self.resets = 0
        self.job_from_s: float | None = None  # first command since the bed was cleared
        self.job_to_s = 0.0  # end of the last one that took its time
        self._out: list[str] = []
        self._boot()

    def _boot(self) -> None:
        """What a reset makes new."""
        self.queue: deque[tuple[int | None, str]] = deque()
        self.injected: deque[str] = deque()  # commands that the firmware gives itself
        self.limits = MotionLimits(self.profile.motion)
        self.carriage = Carriage(self.limits, self.body, self.profile.limits.min_extrude_c, self.say)
        self.planner = Planner(self.limits, self.options.planner_blocks)
        self.halted = False
        self.stopped = False
        self.locked = self.options.locked
        self.break_wait = False
        self.busy_text = "processing"
        self.stops = 0  # quick stops so far: a command that waits for room gives up when it changes
        self.fan = 0.0
        self.keepalive_s = self.options.keepalive_s
        self.report_s = 0.0
        self.report_wall_s = inf
        self.lose_oks = 0
        self.own_ok = False  # the command writes its own ok
        self._task: Wait | None = None
        self._task_is_sent = True
        self._wake_s = 0.0
        self._timers: dict[str, float] = {}
        self._next_timer_s = inf
        self.watch_heaters()
        self.set_timer("fault", self.faults.next_time_s)
        self.body.motors_on = False

    @abstractmethod
    def queue_when_room(self, block: Block) -> Wait:
        """Hand a move to the planner when a move under way has ended."""

    @abstractmethod
    def fire(self, timer: str) -> None:
        """A timer is due."""

    def say(self, text: str) -> None:
        """Send text to the host; it brings its own newline."""
        self._out.append(text)

    def set_target(self, heater: Heater, target_c: float) -> None:
        """Aim a heater at a temperature."""
        heater.set_target(self.now, target_c)
        self.history.append(TargetChange(self.now, self.wall_s, heater.name, heater.target_c))
        self.watch_heaters()

    def watch_heaters(self) -> None:
        """Work out again when thermal protection trips."""
        self._trip = min((heater.trip(self.now) for heater in self.body.heaters), key=lambda trip: trip.at_s)
        self._tripped = min(self.body.heaters, key=lambda heater: heater.trip(self.now).at_s).name
        self.set_timer("trip", self._trip.at_s)

    def set_timer(self, name: str, at_s: float) -> None:
        """Let something happen at a virtual time; inf for never."""
        self._timers[name] = at_s
        self._next_timer_s = min(self._timers.values())

    def report_every(self, seconds: float) -> None:
        """Report temperatures unasked (M155); 0 stops it."""
        self.report_s = seconds
        self.set_timer("report", self.now + seconds if seconds else inf)
        self.report_wall_s = self.wall_s + seconds if seconds else inf

    def queue_block(self, block: Block | None) -> Wait | None:
        """Hand a move to the planner, once there is room."""
        if block is None:
            return None
        planner = self.planner
        if len(planner.waiting) + 1 >= planner.capacity and planner.full:
            if not self.clock.unbound:
                return self.queue_when_room(block)
            planner.release(self.now)
            self.elapse(planner.next_event_s)
            if planner.full:  # that was the start of the first one
                self.elapse(planner.next_event_s)
            if self.halted or self.planner is not planner:  # killed or reset on the way
                return None
        planner.add(block)
        self.body.motors_on = True
        if not self.clock.unbound:
            planner.schedule_first(self.now)
        return None

    def drain(self) -> Wait:
        """Wait until every move has been made."""
        planner = self.planner
        planner.release(self.now)
        while planner.count:
            yield planner.next_event_s

    def elapse(self, until_s: float) -> None:
        """Virtual time goes on to `until_s`, with all that happens on the way."""
        planner = self.planner
        while True:
            event_s = planner.next_event_s
            if event_s <= until_s and event_s <= self._next_timer_s:
                self.now = max(event_s, self.now)
                if planner.busy is not None:
                    self.body.carry_out(planner.busy, event_s - planner.busy_from_s, event_s)
                    planner.finish()
                if planner.waiting:
                    planner.start()
            elif self._next_timer_s <= until_s:
                self.now = max(self._next_timer_s, self.now)
                for timer in [name for name, at_s in self._timers.items() if at_s <= self.now]:
                    self.fire(timer)
                    if self.halted or self.planner is not planner:
                        return
            else:
                break
        if until_s > self.now:
            self.now = until_s

    def finish_moves(self) -> None:
        """Let virtual time go on until every move has been made."""
        planner = self.planner
        planner.release(self.now)
        while planner.count and not self.halted:
            self.elapse(planner.next_event_s)

    def quick_stop(self) -> None:
        """Drop every move, the one under way in the middle; the position is where the head then is."""
        planner = self.planner
        block = planner.busy
        dropped_mm = sum(waiting.e_mm for waiting in planner.waiting)
        if block is not None:
            done_s, duration_s = self.now - planner.busy_from_s, planner.next_event_s - planner.busy_from_s
            part = min(max(done_s / duration_s, 0.0), 1.0)
            if part > 0.0:
                self.body.carry_out(block, done_s, self.now, part)
            dropped_mm += block.e_mm * (1.0 - part)
            start, end = block.start, block.end
            moved = [a + (b - a) * part for a, b in zip(start, end, strict=True)]
            self.carriage.position = (moved[0], moved[1], moved[2])
        elif planner.waiting:
            self.carriage.position = planner.waiting[0].start
        self.carriage.e -= dropped_mm / self.carriage.flow[self.carriage.tool]
        self.stops += 1
        planner.drop()

    def kill(self, *messages: str) -> None:
        """Everything off; only a reset helps."""
        self.quick_stop()
        self._all_off()
        for message in messages:
            self.say(f"Error:{message}\n")
        self.say("Error:Printer halted. kill() called!\n")
        if self.options.host_prompts:
            self.say("//action:poweroff\n")
        self.halted = True
        self._task = None
        self.queue.clear()

    def stop(self) -> None:
        """Heaters off and moves refused until M999."""
        self._all_off()
        self.stopped = True

    def reset(self) -> None:
        """As by DTR, the button or the mains: the firmware starts anew, the metal stays where it is."""
        self.quick_stop()
        self._all_off()
        x, y, z = self.carriage.position
        offset = self.body.offset_mm
        self.body.offset_mm = [offset[0] + x, offset[1] + y, offset[2] + z]
        self.reader.restart()
        self.resets += 1
        self._boot()

    def _all_off(self) -> None:
        for heater in self.body.heaters:
            if heater.target_c:
                self.set_target(heater, 0.0)
        self.body.motors_on = False
        self.fan = 0.0
