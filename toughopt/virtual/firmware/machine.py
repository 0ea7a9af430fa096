"""The firmware itself: lines in, commands run in their turn, acknowledgements out.

Nothing here touches a clock or a port: bytes come in through `receive`, text goes out through `take_output`, and time
passes when a command waits (as fast as it goes) or when `pass_time` says so (in step with the caller's clock).
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING

from toughopt.virtual.firmware.cmd_heat import temperatures
from toughopt.virtual.firmware.cmd_host import banner
from toughopt.virtual.firmware.commands import COMMANDS, HARMLESS
from toughopt.virtual.firmware.core import Wait
from toughopt.virtual.firmware.lines import Reading
from toughopt.virtual.firmware.mishaps import apply_fault
from toughopt.virtual.firmware.pacing import QUIET_S, PacedCore
from toughopt.virtual.firmware.words import FAST_LINEAR, parse

if TYPE_CHECKING:
    from toughopt.virtual.firmware.faults import Fault
    from toughopt.virtual.firmware.planner import Block

_MOVE = re.compile(r"G0*[0-3](?!\d)")
_STOPPED = (
    "Error:Printer stopped due to errors. Fix the error and use M999 to restart. "
    "(Temperature is reset. Set it after restarting)\n"
)


class Machine(PacedCore):
    """A Marlin-like machine; see the module for how it is driven."""

    def receive(self, data: bytes) -> None:
        """Bytes arrive."""
        for code in self.reader.receive(data, reading=self._task is None):
            self.urgent(code)

    def take_output(self) -> str:
        """What the firmware said since it was last asked."""
        text = "".join(self._out)
        self._out.clear()
        return text

    def move(self, data: bytes, wall_s: float) -> bytes | None:
        """The short way for one sound line with a straight move while nothing else goes on, as in most of a print.

        Returns the reply, or None where the line has to go the long way, which does the same.
        """
        if (
            self._task is not None
            or self.queue
            or self._out
            or self.injected
            or self.halted
            or self.stopped
            or self.locked
            or self.lose_oks
            or self.executed + 1 >= self.faults.next_line
            or not self.clock.unbound
            or wall_s - self.wall_s > QUIET_S
        ):
            return None
        found = self.reader.next_move(data)
        if found is None:
            return None
        if wall_s > self.wall_s:
            self.wall_s = wall_s
        self._active_wall_s = self.wall_s
        self.executed += 1
        if self.job_from_s is None:
            self.job_from_s = self.now
        _, _, feed, x, y, z, e, late_feed, _ = found.groups()
        if self.log.enabled:
            self.log.add((int(found[2]), found[1].decode().partition(" ")[2]))
        block = self.carriage.linear(
            None if x is None else float(x),
            None if y is None else float(y),
            None if z is None else float(z),
            None if e is None else float(e),
            float(feed or late_feed) if feed or late_feed else None,
            self.now,
        )
        planner = self.planner
        self.queue_block(block)
        if self.planner is not planner:  # reset on the way
            return self.take_output().encode("latin-1", "replace")
        if self._out or self.halted or self.options.advanced_ok:
            self.queue.append((int(found[2]), ""))
            self._done()
            return self.take_output().encode("latin-1", "replace")
        return b"ok\n"

    def run(self) -> None:
        """Do whatever can be done at this time."""
        unbound = self.clock.unbound
        while not self.halted:
            if self._task is not None:
                if self._wake_s == inf or (not unbound and self._wake_s > max(self._limit_s, self.now)):
                    break
                self._step()
                continue
            if self.injected:
                self._begin(self._linear_or_other(self.injected.popleft()), own=False)
                continue
            queue = self.queue
            while len(queue) < self.queue_lines:
                line = self.reader.next()
                if isinstance(line, Reading):
                    if line is Reading.NOTHING:
                        break
                    self.say(self.reader.complaint)
                    continue
                self._early(*line)
                queue.append(line)
            if not queue:
                break
            self._execute(*queue[0])
        if not unbound and not self.halted:
            self.elapse(self._limit_s)

    def run_command(self, command: str) -> None:
        """Execute one command at once, waits included; waits for somebody are answered."""
        self.executed += 1
        if self.executed >= self.faults.next_line:
            self._raise_faults(after_moves=self.clock.unbound)
        if self.halted:
            return
        self._begin(self._linear_or_other(command), own=False)
        while self._task is not None and not self.halted:
            if self._wake_s == inf:
                self.urgent("M108")
            else:
                self._step()
        while self.injected and not self.halted:
            self.run_command(self.injected.popleft())

    def urgent(self, code: str) -> None:
        """A command that does not wait for its turn."""
        if code == "M112":
            self.kill()
        elif code == "M410":
            self.quick_stop()
        else:
            self.break_wait = True
        if self._task is not None and not self.halted:
            self._wake_s = min(self._wake_s, self.now)

    def filament_out(self) -> None:
        """The runout sensor has noticed: once what is queued is done, somebody has to change the filament."""
        if self.options.host_prompts:
            self.say("//action:prompt_end\n//action:prompt_begin FilamentRunout T0\n//action:prompt_show\n")
        self.injected.append("M600")

    def inject(self, fault: Fault) -> None:
        """A fault from now on."""
        self.faults.add(fault, self.executed)
        self._raise_faults()

    def _boot(self) -> None:
        super()._boot()
        self.say(banner(self))

    def _execute(self, number: int | None, command: str) -> None:
        self.executed += 1
        if self.executed >= self.faults.next_line:
            self._raise_faults(after_moves=self.clock.unbound)
            if not self.queue:  # halted or reset in the middle of it
                return
        if self.log.enabled:
            self.log.add((number, command))
        wait = self._linear_or_other(command)
        if wait is None:
            self._done()
        else:
            self._begin(wait, own=True)

    def _begin(self, wait: Wait | None, *, own: bool) -> None:
        """Start a command that takes its time; `own` is False where nobody sent it and nobody waits for its ok."""
        self._task = wait
        self._task_is_sent = own
        if wait is None:
            return
        self.planner.release(self.now)
        self._wake_s = self.now
        if self.keepalive_s:
            self.set_timer("busy", self.now + self.keepalive_s)

    def _linear_or_other(self, command: str) -> Wait | None:
        found = FAST_LINEAR.fullmatch(command)
        if found is not None and not self.stopped and not self.locked:
            _, feed, x, y, z, e, late_feed = found.groups()
            block = self.carriage.linear(
                None if x is None else float(x),
                None if y is None else float(y),
                None if z is None else float(z),
                None if e is None else float(e),
                float(feed or late_feed) if feed or late_feed else None,
                self.now,
            )
            self._active_wall_s = self.wall_s
            if self.job_from_s is None:
                self.job_from_s = self.now
            return self.queue_block(block)
        words = parse(command)
        if words.code not in HARMLESS:
            self._active_wall_s = self.wall_s
            if self.job_from_s is None:
                self.job_from_s = self.now
        if self.locked and words.code != "M511":
            self.say("echo:Printer locked! (Unlock with M511 or LCD)\n")
            return None
        handler = COMMANDS.get("T" if words.code[:1] == "T" else words.code)
        if handler is None:
            if self.options.say_unknown:
                self.say(f'echo:Unknown command: "{command}"\n')
            return None
        return handler(self, words)

    def _step(self) -> None:
        """Go on with the command that waits, at the time for which it waits."""
        task = self._task
        self.elapse(max(self._wake_s, self.now))
        if task is None or self._task is not task:
            return  # killed or reset on the way
        try:
            self._wake_s = next(task)
        except StopIteration:
            if self._task is task:
                self._task = None
                self.set_timer("busy", inf)
                self.busy_text = "processing"
                self.job_to_s = self.now
                if self._task_is_sent:
                    self._done()

    def _done(self) -> None:
        """Acknowledge the command at the head of the queue and forget it."""
        if self.halted or not self.queue:
            return
        number, _ = self.queue[0]
        if self.own_ok:
            self.own_ok = False
        elif self.lose_oks:
            self.lose_oks -= 1
        elif self.options.advanced_ok:
            line = "" if number is None else f" N{number}"
            free = self.planner.capacity - self.planner.count
            self.say(f"ok{line} P{free} B{self.queue_lines - len(self.queue)}\n")
        else:
            self.say("ok\n")
        self.queue.popleft()

    def _early(self, number: int | None, command: str) -> None:
        """What is looked at when a line is queued, not when its turn comes."""
        if self.stopped and _MOVE.match(command):
            self.say(_STOPPED)
        if number is None and not self.options.emergency_parser and command in ("M108", "M112", "M410"):
            self.urgent(command)

    def queue_when_room(self, block: Block) -> Wait:
        """Hand a move to the planner when a move under way has ended."""
        stops = self.stops
        while self.planner.full:
            yield self.planner.next_event_s
        if stops == self.stops:
            self.planner.add(block)
            self.planner.schedule_first(self.now)

    def fire(self, timer: str) -> None:
        """A timer is due."""
        match timer:
            case "trip":
                self.kill(f"{self._trip.message}, system stopped! Heater_ID: {self._tripped}")
            case "busy":
                self.say(f"echo:busy: {self.busy_text}\n")
                self.set_timer("busy", self.now + self.keepalive_s if self.keepalive_s else inf)
            case "report":
                self.say(f" {temperatures(self)}\n")
                self.report_every(self.report_s)
            case "fault":
                self._raise_faults()

    def _raise_faults(self, *, after_moves: bool = False) -> None:
        due = self.faults.due(self.executed, self.now, self.carriage.position[2])
        if due and after_moves:  # a fault at a line is one at its place, not at what the planner holds
            self.finish_moves()
        for fault, _ in due:
            apply_fault(self, fault)
        self.set_timer("fault", self.faults.next_time_s)
