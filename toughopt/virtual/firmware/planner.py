"""Look-ahead planning of trapezoidal speed profiles, as Marlin's planner does it.

Junction deviation or classic jerk, a bounded number of blocks, a reverse pass over those that have not started yet
(Marlin 2.1, `planner.cpp`). Speeds are kept squared, as there, because accelerations act on squares.
"""

from __future__ import annotations

from collections import deque
from math import acos, hypot, inf, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toughopt.profiles import Motion

SLOWEST_SQ = 0.05**2  # MINIMUM_PLANNER_SPEED, mm/s, squared
FIRST_BLOCK_DELAY_S = 0.1  # BLOCK_DELAY_FOR_1ST_MOVE: lets the queue fill before the first move


class Block:
    """One straight move: where from, where to, how much filament, how fast."""

    __slots__ = (
        "acceleration",
        "direction",
        "e_mm",
        "end",
        "entry_sq",
        "fixed",
        "length_mm",
        "max_entry_sq",
        "nominal_sq",
        "reach_sq",
        "start",
        "tool",
    )

    def __init__(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        e_mm: float,
        tool: int,
        direction: tuple[float, float, float, float],
        length_mm: float,
        nominal_sq: float,
        acceleration: float,
    ) -> None:
        self.start = start
        self.end = end
        self.e_mm = e_mm
        self.tool = tool
        self.direction = direction  # of x, y, z, e per mm of length
        self.length_mm = length_mm
        self.nominal_sq = nominal_sq
        self.acceleration = acceleration
        self.reach_sq = 2.0 * acceleration * length_mm  # by how much the square of the speed can change on the way
        self.max_entry_sq = 0.0
        self.entry_sq = 0.0
        self.fixed = False


class MotionLimits:
    """Speeds and accelerations in force; commands change them (M201, M203, M204, M205)."""

    __slots__ = ("acceleration", "jerk", "junction_deviation", "print_acc", "retract_acc", "speed", "travel_acc")

    def __init__(self, motion: Motion) -> None:
        self.speed = list(motion.max_speed_mm_s)
        self.acceleration = list(motion.max_acceleration_mm_s2)
        self.print_acc = motion.print_acceleration_mm_s2
        self.travel_acc = motion.travel_acceleration_mm_s2
        self.retract_acc = motion.retract_acceleration_mm_s2
        self.junction_deviation = motion.junction_deviation_mm
        self.jerk = None if motion.jerk_mm_s is None else list(motion.jerk_mm_s)

    def block(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        e_mm: float,
        tool: int,
        speed_mm_s: float,
    ) -> Block | None:
        """A block within the limits, or None where nothing moves."""
        dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
        length = sqrt(dx * dx + dy * dy + dz * dz)
        if length < 1e-6:
            length = abs(e_mm)
            if length < 1e-6:
                return None
            acceleration = self.retract_acc
        else:
            acceleration = self.print_acc if e_mm else self.travel_acc
        inverse = 1.0 / length
        direction = (dx * inverse, dy * inverse, dz * inverse, e_mm * inverse)
        speed = speed_mm_s
        top_speed, top_acceleration = self.speed, self.acceleration
        for axis in (0, 1, 2, 3):
            part = direction[axis]
            if part:
                if part < 0.0:
                    part = -part
                if speed * part > top_speed[axis]:
                    speed = top_speed[axis] / part
                if acceleration * part > top_acceleration[axis]:
                    acceleration = top_acceleration[axis] / part
        nominal_sq = speed * speed
        if nominal_sq < SLOWEST_SQ:
            nominal_sq = SLOWEST_SQ
        return Block(start, end, e_mm, tool, direction, length, nominal_sq, acceleration)


class Planner:
    """The queue of blocks, the one under way, and when that one ends."""

    __slots__ = ("_carry_sq", "_last", "busy", "busy_from_s", "capacity", "limits", "next_event_s", "waiting")

    def __init__(self, limits: MotionLimits, capacity: int = 16) -> None:
        self.limits = limits
        self.capacity = capacity - 1  # a ring of 16 holds 15
        self.waiting: deque[Block] = deque()
        self.busy: Block | None = None
        self.busy_from_s = 0.0
        self.next_event_s = inf  # when the block under way ends, or the first one starts
        self._carry_sq = 0.0  # square of the speed at the end of the block under way
        self._last: Block | None = None

    @property
    def count(self) -> int:
        """Blocks queued, the one under way included."""
        return len(self.waiting) + (self.busy is not None)

    @property
    def full(self) -> bool:
        """Whether the next move has to wait for a block to end."""
        return len(self.waiting) + (self.busy is not None) >= self.capacity

    def add(self, block: Block) -> None:
        """Queue a block and plan again whatever has not started."""
        last = self._last
        waiting = self.waiting
        if last is not None:
            if waiting:
                block.max_entry_sq = self._junction_sq(last, block)
            else:  # the block under way was planned to end at this speed
                block.max_entry_sq = self._carry_sq
                block.fixed = True
        later_sq = block.reach_sq
        if later_sq > block.max_entry_sq:
            later_sq = block.max_entry_sq
        block.entry_sq = later_sq
        for earlier in reversed(waiting):
            if earlier.fixed:
                break
            entry_sq = later_sq + earlier.reach_sq
            if entry_sq > earlier.max_entry_sq:
                entry_sq = earlier.max_entry_sq
            if entry_sq == earlier.entry_sq:
                break
            earlier.entry_sq = later_sq = entry_sq
        waiting.append(block)
        self._last = block

    def release(self, time_s: float) -> None:
        """Let the first block start now, without waiting for more to be queued."""
        if self.busy is None and self.waiting:
            self.next_event_s = time_s

    def schedule_first(self, time_s: float) -> None:
        """Let the first block start a moment after it was queued, as the firmware does."""
        if self.busy is None and self.next_event_s == inf and self.waiting:
            self.next_event_s = time_s + FIRST_BLOCK_DELAY_S

    def start(self) -> None:
        """Start the first waiting block at `next_event_s`; sets when it ends."""
        block = self.waiting.popleft()
        from_sq = block.entry_sq if block.fixed else 0.0
        acceleration = block.acceleration
        reach = block.reach_sq
        to_sq = 0.0
        if self.waiting:
            following = self.waiting[0]
            to_sq = following.entry_sq
            if to_sq > from_sq + reach:
                to_sq = from_sq + reach
            following.entry_sq = to_sq
            following.fixed = True
        self._carry_sq = to_sq
        peak_sq = 0.5 * (from_sq + to_sq + reach)
        if peak_sq > block.nominal_sq:
            peak_sq = max(block.nominal_sq, from_sq, to_sq)
        peak = sqrt(peak_sq)
        ramps_mm = (2.0 * peak_sq - from_sq - to_sq) / (2.0 * acceleration)
        duration = (2.0 * peak - sqrt(from_sq) - sqrt(to_sq)) / acceleration
        if block.length_mm > ramps_mm:
            duration += (block.length_mm - ramps_mm) / peak
        self.busy = block
        self.busy_from_s = self.next_event_s
        self.next_event_s += duration

    def finish(self) -> None:
        """The block under way has ended; the next one, if any, may start at once."""
        self.busy = None
        if not self.waiting:
            self._last = None
            self.next_event_s = inf

    def drop(self) -> None:
        """Forget everything, as a quick stop does."""
        self.waiting.clear()
        self.busy = None
        self._last = None
        self.next_event_s = inf

    def _junction_sq(self, last: Block, block: Block) -> float:
        """Square of the highest speed at which the corner between two blocks may be taken."""
        if self.limits.jerk is not None:
            return self._jerk_junction_sq(last, block, self.limits.jerk)
        ax, ay, az, ae = last.direction
        bx, by, bz, be = block.direction
        nominal_sq = last.nominal_sq if last.nominal_sq < block.nominal_sq else block.nominal_sq
        cosine = -(ax * bx + ay * by + az * bz + ae * be)
        if cosine > 0.999999:
            return SLOWEST_SQ
        if cosine < -0.99999:
            return nominal_sq
        corner = (bx - ax, by - ay, bz - az, be - ae)
        norm = hypot(*corner)
        top = self.limits.acceleration
        acceleration = block.acceleration
        for axis in (0, 1, 2, 3):
            part = corner[axis]
            if part:
                if part < 0.0:
                    part = -part
                if acceleration * part > top[axis] * norm:
                    acceleration = top[axis] * norm / part
        sine_half = sqrt(0.5 * (1.0 - cosine))
        junction_sq = acceleration * self.limits.junction_deviation * sine_half / (1.0 - sine_half)
        if block.length_mm < 1.0 and cosine < -0.7071067812:  # short chords of a curve: limit the centripetal force
            junction_sq = min(junction_sq, block.length_mm / acos(-cosine) * acceleration)
        return max(min(junction_sq, nominal_sq), SLOWEST_SQ)

    @staticmethod
    def _jerk_junction_sq(last: Block, block: Block, jerk: list[float]) -> float:
        """The corner speed at which no axis changes its speed by more than its jerk."""
        speed = sqrt(min(last.nominal_sq, block.nominal_sq))
        factor = 1.0
        for before, after, top in zip(last.direction, block.direction, jerk, strict=True):
            change = abs(after - before) * speed
            if before * after < 0.0:  # a reversal counts by the larger part, not by the sum
                change = max(abs(before), abs(after)) * speed
            if change > top:
                factor = min(factor, top / change)
        return max((speed * factor) ** 2, SLOWEST_SQ)
