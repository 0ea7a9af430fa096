"""How long a program takes: trapezoids of speed, with a planner that looks ahead to the end.

The two passes of a look-ahead planner are running minima in disguise: with S the running sum of 2 a d, the largest
squared speed at which a move may be entered is the least later junction limit + S, less S. So a million moves are
planned without a loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.events import Setting
from toughopt.gcode.tokens import code

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.gcode.moves import Moves
    from toughopt.profiles import PrinterProfile

_STILL = 1e-9
_G4, _M201, _M203, _M204, _M205, _M566 = (code(name) for name in ("G4", "M201", "M203", "M204", "M205", "M566"))
_MIN_SPEED = 0.05  # mm/s, Marlin's MINIMUM_PLANNER_SPEED


@dataclass(frozen=True, slots=True)
class Plan:
    """When each move ends, and how fast it is.

    end_s : (n,) float, s since the first command, pauses included
    move_s : (n,) float, s
    length_mm : (n,) float, way of the head; of the filament where the head stands
    peak_mm_s : (n,) float, highest speed reached
    """

    end_s: NDArray[np.float64]
    move_s: NDArray[np.float64]
    length_mm: NDArray[np.float64]
    peak_mm_s: NDArray[np.float64]
    pauses_s: float

    @property
    def total_s(self) -> float:
        """Time of the whole program, without heating and homing, s."""
        return float(np.sum(self.move_s)) + self.pauses_s


@dataclass(frozen=True, slots=True)
class Limits:
    """What the firmware allows at each move: (n, 4) over x, y, z, e, or (n,)."""

    speed: NDArray[np.float64]
    acceleration: NDArray[np.float64]
    jerk: NDArray[np.float64] | None
    junction_deviation: NDArray[np.float64]
    print_acceleration: NDArray[np.float64]
    travel_acceleration: NDArray[np.float64]
    retract_acceleration: NDArray[np.float64]


def estimate_time_s(moves: Moves, profile: PrinterProfile) -> float:
    """Time that the machine of `profile` needs for the program, heating and homing left out, s."""
    return plan(moves, profile).total_s


def plan(moves: Moves, profile: PrinterProfile) -> Plan:
    """Plan the `moves` as the machine's firmware would.

    The profile's limits hold until the program sets others (M201, M203, M204, M205, M566, SET_VELOCITY_LIMIT).
    Junctions follow the classic jerk rule where the program or the profile states a jerk, else junction deviation
    (Sonny Jeon's rule of Grbl: v2 = a d s / (1 - s), with s the sine of half the angle between the ways).
    """
    n = moves.count
    pauses = _pauses(moves, profile)
    if n == 0:
        empty = np.zeros(0)
        return Plan(empty, empty, empty, empty, sum(pause for _, pause in pauses))
    limits = limits_of(moves, profile)
    delta = np.concatenate([moves.end_mm - moves.start_mm, moves.e_mm[:, None]], axis=1)
    way = np.sqrt(np.einsum("ij,ij->i", delta[:, :3], delta[:, :3]))
    stands = way < _STILL
    length = np.where(stands, np.abs(delta[:, 3]), way)
    share = delta / length[:, None]
    magnitude = np.maximum(np.abs(share), 1e-12)
    nominal = np.minimum(moves.feed_mm_s, np.min(limits.speed / magnitude, axis=1))
    prints = ~stands & (moves.e_mm > _STILL)
    asked = np.where(
        stands, limits.retract_acceleration, np.where(prints, limits.print_acceleration, limits.travel_acceleration)
    )
    acceleration = np.minimum(asked, np.min(limits.acceleration / magnitude, axis=1))

    if limits.jerk is not None:
        junction, ends = _jerk_junctions(share * nominal[:, None], nominal, limits.jerk)
    else:
        junction = _deviation_junctions(share, stands, nominal, acceleration, limits.junction_deviation)
        ends = np.minimum(nominal, _MIN_SPEED)
    stops = _stops(moves, [row for row, _ in pauses])
    junction[stops] = ends[stops]
    entry, leave = _look_ahead(junction, ends, stops, acceleration, length)
    move_s, peak = _trapezoid(entry, leave, nominal, acceleration, length)
    end_s = np.cumsum(move_s)
    for row, pause in pauses:
        end_s[np.searchsorted(moves.row, row) :] += pause
    return Plan(end_s, move_s, length, peak, sum(pause for _, pause in pauses))


def _look_ahead(
    junction: NDArray[np.float64],
    ends: NDArray[np.float64],
    stops: NDArray[np.bool_],
    acceleration: NDArray[np.float64],
    length: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Speeds at which each move is entered and left; each may be reached from its neighbours."""
    gain = 2.0 * acceleration * length
    limit = np.append(junction, ends[-1]) ** 2  # at the n + 1 joints
    before = np.concatenate([[0.0], np.cumsum(gain)])
    slow_enough = np.minimum.accumulate((limit + before)[::-1])[::-1] - before  # can still brake
    reachable = np.minimum.accumulate(slow_enough - before) + before  # can have sped up
    speed = np.sqrt(np.maximum(reachable, 0.0))
    leave = speed[1:].copy()
    standing = np.append(stops[1:], False)
    leave[standing] = np.minimum(leave[standing], ends[standing])
    return speed[:-1], leave


def _trapezoid(
    entry: NDArray[np.float64],
    leave: NDArray[np.float64],
    nominal: NDArray[np.float64],
    acceleration: NDArray[np.float64],
    length: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    entry, leave = np.minimum(entry, nominal), np.minimum(leave, nominal)
    peak = np.minimum(nominal, np.sqrt(acceleration * length + 0.5 * (entry**2 + leave**2)))
    peak = np.maximum(peak, np.maximum(entry, leave))
    ramps = (peak - entry + peak - leave) / acceleration
    ramp_way = (2 * peak**2 - entry**2 - leave**2) / (2 * acceleration)
    return ramps + np.maximum(length - ramp_way, 0.0) / peak, peak


def _deviation_junctions(
    share: NDArray[np.float64],
    stands: NDArray[np.bool_],
    nominal: NDArray[np.float64],
    acceleration: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> NDArray[np.float64]:
    speed = np.minimum(nominal, _MIN_SPEED)
    cosine = -np.einsum("ij,ij->i", share[:-1, :3], share[1:, :3])
    half = np.sqrt(np.clip(0.5 * (1.0 - cosine), 0.0, 1.0))
    allowed = np.minimum(acceleration[:-1], acceleration[1:]) * deviation[1:]
    with np.errstate(divide="ignore"):
        corner = np.where(half < 1.0 - 1e-9, np.sqrt(allowed * half / np.maximum(1.0 - half, 1e-12)), np.inf)
    corner = np.where(stands[:-1] | stands[1:], _MIN_SPEED, corner)
    speed[1:] = np.minimum(np.minimum(nominal[:-1], nominal[1:]), corner)
    return speed


def _jerk_junctions(
    velocity: NDArray[np.float64], nominal: NDArray[np.float64], jerk: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Speed at the start of each move, and the speed from and to which it may start and stop at once.

    Marlin's classic rule: no axis may change its speed by more than its jerk; where an axis turns round, the larger of
    its two speeds counts.
    """
    magnitude = np.abs(velocity)
    over = np.where(magnitude > jerk, jerk / np.maximum(magnitude, 1e-12), 1.0)
    safe = nominal * np.min(over, axis=1)
    slower = np.minimum(nominal[:-1], nominal[1:])
    leaving = velocity[:-1] * (slower / nominal[:-1])[:, None]
    entering = velocity[1:] * (slower / nominal[1:])[:, None]
    factor = np.ones(len(slower))
    for axis in range(4):
        out, into = leaving[:, axis] * factor, entering[:, axis] * factor
        same_way = out * into > 0
        change = np.where(same_way, np.abs(out - into), np.maximum(np.abs(out), np.abs(into)))
        allowed = jerk[1:, axis]
        factor *= np.where(change > allowed, allowed / np.maximum(change, 1e-12), 1.0)
    junction = slower * factor
    both_safe = (safe[:-1] > 0.99 * junction) & (safe[1:] > 0.99 * junction)
    speed = safe.copy()
    speed[1:] = np.where(both_safe, safe[1:], junction)
    return speed, safe


def _stops(moves: Moves, pause_rows: list[int]) -> NDArray[np.bool_]:
    """(n,) bool: moves before which the machine stands still."""
    stops = np.zeros(moves.count, dtype=bool)
    stops[0] = True
    after = np.searchsorted(moves.row, np.array(pause_rows, dtype=np.int64))
    stops[after[after < moves.count]] = True
    return stops


def _pauses(moves: Moves, profile: PrinterProfile) -> list[tuple[int, float]]:
    commands = moves.commands
    pauses = []
    for row in np.flatnonzero(commands.code == _G4).tolist():
        words = commands.words[row]
        seconds = words.get("S", 0.0) + words.get("P", 0.0) / 1000.0
        if seconds > 0:
            pauses.append((row, seconds))
    return pauses


def limits_of(moves: Moves, profile: PrinterProfile) -> Limits:
    """What holds at each move: the profile's limits, and what the program sets instead."""
    motion = profile.motion
    rows = moves.row
    changes = _Changes()
    per_minute = 60.0 if profile.firmware == "reprapfirmware" else 1.0
    commands = moves.commands
    for row in np.flatnonzero(np.isin(commands.code, [_M201, _M203, _M204, _M205, _M566])).tolist():
        changes.note(row, int(commands.code[row]), commands.words[row], per_minute)
    for line, text in commands.foreign:
        changes.note_klipper(int(np.searchsorted(commands.line, line)), text)

    def column(name: str, initial: float) -> NDArray[np.float64]:
        return Setting.of(changes.of(name), initial).at(rows)

    def table(name: str, initial: tuple[float, ...]) -> NDArray[np.float64]:
        return np.stack([column(f"{name}{axis}", value) for axis, value in zip("XYZE", initial, strict=True)], axis=1)

    classic = motion.jerk_mm_s is not None or any(changes.of(f"jerk{axis}") for axis in "XY")
    jerk = None
    if classic and not changes.of("deviation"):
        jerk = np.maximum(table("jerk", motion.jerk_mm_s or (8.0, 8.0, 0.4, 4.5)), 1e-3)
    return Limits(
        table("speed", motion.max_speed_mm_s),
        table("acceleration", motion.max_acceleration_mm_s2),
        jerk,
        column("deviation", motion.junction_deviation_mm),
        column("print", motion.print_acceleration_mm_s2),
        column("travel", motion.travel_acceleration_mm_s2),
        column("retract", motion.retract_acceleration_mm_s2),
    )


class _Changes:
    """Collects what the program sets, in the order of its rows."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[int, float]]] = {}

    def of(self, name: str) -> list[tuple[int, float]]:
        return self._found.get(name, [])

    def _add(self, name: str, row: int, value: float) -> None:
        if value > 0:  # NaN and nonsense are no limit
            self._found.setdefault(name, []).append((row, value))

    def note(self, row: int, kind: int, words: Mapping[str, float], per_minute: float) -> None:
        given = words
        if kind == _M204:
            both = given.get("S", np.nan)
            self._add("print", row, given.get("P", both))
            self._add("travel", row, given.get("T", both))
            self._add("retract", row, given.get("R", np.nan))
            return
        name = {_M201: "acceleration", _M203: "speed", _M205: "jerk", _M566: "jerk"}[kind]
        divisor = per_minute if kind == _M203 else 60.0 if kind == _M566 else 1.0
        for axis in "XYZE":
            self._add(f"{name}{axis}", row, given.get(axis, np.nan) / divisor)
        if kind == _M205:
            self._add("deviation", row, given.get("J", np.nan))

    def note_klipper(self, row: int, text: str) -> None:
        name, _, rest = text.partition(" ")
        if name.upper() != "SET_VELOCITY_LIMIT":
            return
        given = dict(part.upper().split("=", 1) for part in rest.split() if "=" in part)
        try:
            acceleration = float(given.get("ACCEL", "nan"))
            corner = float(given.get("SQUARE_CORNER_VELOCITY", "nan"))
        except ValueError:
            return
        self._add("print", row, acceleration)
        self._add("travel", row, acceleration)
        current = self.of("print")
        if corner > 0 and current:
            self._add("deviation", row, corner**2 * (np.sqrt(2.0) - 1.0) / current[-1][1])
