"""Commands that move, home, level, wait, and set positions and modes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toughopt.virtual.firmware.record import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toughopt.virtual.firmware.machine import Machine
    from toughopt.virtual.firmware.words import Words

HOMING_MM_S = (50.0, 50.0, 4.0)  # HOMING_FEEDRATE_MM_M
BUMP_MM, BUMP_DIVISOR = 5.0, 2.0  # HOMING_BUMP_MM, HOMING_BUMP_DIVISOR
HOMING_LIFT_MM = 5.0  # Z_HOMING_HEIGHT
PROBE_POINTS, PROBE_S = 3, 2.5  # a grid of 3 x 3, seconds a point
IN_MM = 25.4


def g0_g1(machine: Machine, words: Words) -> Iterator[float] | None:
    """A straight move written in an unusual way."""
    if machine.stopped:
        return None
    get = words.get
    block = machine.carriage.linear(get("X"), get("Y"), get("Z"), get("E"), get("F"), machine.now)
    return machine.queue_block(block)


def g2_g3(machine: Machine, words: Words) -> Iterator[float] | None:
    """An arc in the XY plane, by its centre (I, J) or its radius (R)."""
    if machine.stopped:
        return None
    carriage = machine.carriage
    clockwise = words.code == "G2"
    feed = words.get("F")
    if feed:
        carriage.feed_mm_s = feed * carriage.inch / 60.0
    target = _xyz(machine, words)
    e = words.get("E")
    extrude = 0.0
    if e is not None:
        extrude = e * carriage.inch - (carriage.e if carriage.e_absolute else 0.0)
    radius = words.get("R")
    if radius is not None and target[:2] != carriage.position[:2]:
        offset = carriage.arc_offset(target, radius * carriage.inch, clockwise=clockwise)
    elif words.get("I") or words.get("J"):
        offset = (words.number("I", 0.0) * carriage.inch, words.number("J", 0.0) * carriage.inch)
    else:
        machine.say("echo:G2/G3 bad parameters\n")
        return None
    return _chords(machine, target, extrude, offset, clockwise=clockwise)


def _chords(
    machine: Machine,
    target: tuple[float, float, float],
    extrude: float,
    offset: tuple[float, float],
    *,
    clockwise: bool,
) -> Iterator[float]:
    stops = machine.stops
    for point, share in list(machine.carriage.arc(target, extrude, offset, clockwise=clockwise)):
        wait = machine.queue_block(machine.carriage.towards(point, share, machine.now))
        if wait is not None:
            yield from wait
        if machine.stops != stops:
            return


def _xyz(machine: Machine, words: Words) -> tuple[float, float, float]:
    carriage = machine.carriage
    values = []
    for axis, letter in enumerate("XYZ"):
        given = words.get(letter)
        here = carriage.position[axis]
        if given is None:
            values.append(here)
        else:
            values.append(given * carriage.inch + (carriage.shift[axis] if carriage.absolute else here))
    return values[0], values[1], values[2]


def g4(machine: Machine, words: Words) -> Iterator[float]:
    """Wait for P milliseconds or S seconds after the moves queued so far."""
    seconds = words.number("S", words.number("P", 0.0) / 1000.0)
    yield from machine.drain()
    if seconds > 0.0:
        yield machine.now + seconds


def g28(machine: Machine, words: Words) -> Iterator[float]:
    """Find the endstops of the axes named, or of all."""
    yield from machine.drain()
    named = [axis for axis, letter in enumerate("XYZ") if words.has(letter)] or [0, 1, 2]
    body, carriage = machine.body, machine.carriage
    body.motors_on = True
    if 2 in named and len(named) > 1:
        yield machine.now + HOMING_LIFT_MM / HOMING_MM_S[2]
    for axis in named:
        real = carriage.position[axis] + body.offset_mm[axis]
        speed = HOMING_MM_S[axis]
        way = abs(real - body.lowest[axis])
        yield machine.now + way / speed + 2 * BUMP_MM / speed + BUMP_MM * BUMP_DIVISOR / speed
        if not body.endstops_work:
            machine.kill("Homing Failed")
            return
        _record_homing(machine, axis, real, way / max(way / speed, 1e-9))
        position = list(carriage.position)
        position[axis] = body.lowest[axis]
        carriage.position = (position[0], position[1], position[2])
        carriage.shift[axis] = 0.0
        body.offset_mm[axis] = 0.0
        carriage.homed[axis] = True
    _report_position(machine)


def _record_homing(machine: Machine, axis: int, real: float, speed: float) -> None:
    body, carriage = machine.body, machine.carriage
    start = [place + lost for place, lost in zip(carriage.position, body.offset_mm, strict=True)]
    end = list(start)
    start[axis], end[axis] = real, body.lowest[axis]
    nozzle_c = body.hotends[carriage.tool].at(machine.now)
    segment = (*start, *end, 0.0, nozzle_c, speed, machine.now, carriage.tool)
    assert len(segment) == COLUMNS
    body.record.data.extend(segment)


def g29(machine: Machine, words: Words) -> Iterator[float]:
    """Probe the bed; this one is flat."""
    yield from machine.drain()
    if not all(machine.carriage.homed):
        machine.say("echo:Home XYZ First\n")
        return
    for _ in range(PROBE_POINTS**2):
        yield machine.now + PROBE_S
    machine.say("Bilinear Leveling Grid:\n")
    machine.say("".join(f" {column:5d}" for column in range(PROBE_POINTS)) + "\n")
    for row in range(PROBE_POINTS):
        machine.say(f" {row}" + " +0.000" * PROBE_POINTS + "\n")


def g92(machine: Machine, words: Words) -> None:
    """Say where the head is."""
    carriage = machine.carriage
    named = [letter for letter in "XYZE" if words.has(letter)]
    for letter in named or "XYZE":
        value = words.number(letter, 0.0) * carriage.inch
        if letter == "E":
            carriage.e = value
        else:
            axis = "XYZ".index(letter)
            carriage.shift[axis] = carriage.position[axis] - value
    if set(named) != {"E"}:
        _report_position(machine)


def _report_position(machine: Machine) -> None:
    x, y, z, e = machine.carriage.logical()
    steps = [round(value * per_mm) for value, per_mm in zip(_stepper_position(machine), (80, 80, 400), strict=True)]
    count = " ".join(f"{letter}:{value}" for letter, value in zip("XYZ", steps, strict=True))
    machine.say(f"X:{x:.2f} Y:{y:.2f} Z:{z:.2f} E:{e:.2f} Count {count}\n")


def _stepper_position(machine: Machine) -> tuple[float, float, float]:
    """Where the moves have got to by now."""
    planner = machine.planner
    block = planner.busy
    if block is None:
        return planner.waiting[0].start if planner.waiting else machine.carriage.position
    duration_s = planner.next_event_s - planner.busy_from_s
    part = min(max((machine.now - planner.busy_from_s) / duration_s, 0.0), 1.0)
    moved = [a + (b - a) * part for a, b in zip(block.start, block.end, strict=True)]
    return moved[0], moved[1], moved[2]


def m114(machine: Machine, words: Words) -> None:
    """Where the head is going."""
    _report_position(machine)


def m400(machine: Machine, words: Words) -> Iterator[float]:
    """Wait until every move has been made."""
    return machine.drain()


def m410(machine: Machine, words: Words) -> None:
    """Drop every move."""
    if not machine.options.emergency_parser:
        machine.quick_stop()


def m17(machine: Machine, words: Words) -> None:
    """Motors on."""
    machine.body.motors_on = True


def m84(machine: Machine, words: Words) -> Iterator[float]:
    """Motors off once the moves are made."""
    yield from machine.drain()
    if words.get("S") is None:
        machine.body.motors_on = False


def tool_change(machine: Machine, words: Words) -> Iterator[float] | None:
    """Print with another nozzle; T alone says which one prints."""
    tool = int(words.code[1:])
    if tool >= len(machine.body.hotends):
        machine.say(f"echo:T{tool} Invalid extruder\n")
        return None
    return _change_tool(machine, tool)


def _change_tool(machine: Machine, tool: int) -> Iterator[float]:
    yield from machine.drain()
    machine.carriage.tool = tool
    machine.say(f"echo:Active Extruder: {tool}\n")


def modes(machine: Machine, words: Words) -> None:
    """G20, G21, G90, G91, M82, M83."""
    carriage = machine.carriage
    match words.code:
        case "G20":
            carriage.inch = IN_MM
        case "G21":
            carriage.inch = 1.0
        case "G90":
            carriage.absolute = carriage.e_absolute = True
        case "G91":
            carriage.absolute = carriage.e_absolute = False
        case "M82":
            carriage.e_absolute = True
        case "M83":
            carriage.e_absolute = False


TABLE = {
    **dict.fromkeys(("G0", "G1"), g0_g1),
    **dict.fromkeys(("G2", "G3"), g2_g3),
    **dict.fromkeys(("G20", "G21", "G90", "G91", "M82", "M83"), modes),
    **dict.fromkeys(("M18", "M84"), m84),
    "G4": g4,
    "G28": g28,
    "G29": g29,
    "G92": g92,
    "M17": m17,
    "M114": m114,
    "M400": m400,
    "M410": m410,
    "T": tool_change,
}
