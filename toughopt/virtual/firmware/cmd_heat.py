"""Commands that heat, cool, wait for temperatures and report them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from toughopt.virtual.firmware.heaters import RESIDENCY_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toughopt.virtual.firmware.core import Core
    from toughopt.virtual.firmware.heaters import Heater
    from toughopt.virtual.firmware.machine import Machine
    from toughopt.virtual.firmware.words import Words


def temperatures(machine: Core) -> str:
    """What M105 reports, without the ok."""
    now, body = machine.now, machine.body
    tools = list(enumerate(body.hotends))
    active = body.hotends[machine.carriage.tool]
    parts = [f"T:{active.at(now):.2f} /{active.target_c:.2f}", f"B:{body.bed.at(now):.2f} /{body.bed.target_c:.2f}"]
    if len(tools) > 1:
        parts += [f"T{tool}:{heater.at(now):.2f} /{heater.target_c:.2f}" for tool, heater in tools]
    parts += [f"@:{active.power(now)}", f"B@:{body.bed.power(now)}"]
    if len(tools) > 1:
        parts += [f"@{tool}:{heater.power(now)}" for tool, heater in tools]
    return " ".join(parts)


def _hotend(machine: Machine, words: Words) -> Heater | None:
    tool = int(words.number("T", machine.carriage.tool))
    if 0 <= tool < len(machine.body.hotends):
        return machine.body.hotends[tool]
    machine.say(f"echo:{words.code} Invalid extruder {tool}\n")
    return None


def _target(heater: Heater, wanted_c: float) -> float:
    """The firmware never aims above what its sensor limit allows (HOTEND_OVERSHOOT)."""
    return min(max(wanted_c, 0.0), heater.max_c - 15.0)


def m104(machine: Machine, words: Words) -> None:
    """Nozzle target."""
    heater = _hotend(machine, words)
    if heater is not None and words.get("S") is not None:
        machine.set_target(heater, _target(heater, words.number("S", 0.0)))


def m140(machine: Machine, words: Words) -> None:
    """Bed target."""
    if words.get("S") is not None:
        machine.set_target(machine.body.bed, _target(machine.body.bed, words.number("S", 0.0)))


def m109(machine: Machine, words: Words) -> Iterator[float] | None:
    """Nozzle target, and wait for it; with R also while it cools."""
    heater = _hotend(machine, words)
    return None if heater is None else _aim_and_wait(machine, heater, words)


def m190(machine: Machine, words: Words) -> Iterator[float] | None:
    """Bed target, and wait for it; with R also while it cools."""
    return _aim_and_wait(machine, machine.body.bed, words)


def _aim_and_wait(machine: Machine, heater: Heater, words: Words) -> Iterator[float] | None:
    letter = "S" if words.get("S") is not None else "R"
    wanted = words.get(letter)
    if wanted is None:
        return None
    machine.set_target(heater, _target(heater, wanted))
    if letter == "S" and heater.at(machine.now) > heater.target_c:
        return None
    return _wait(machine, heater, also_cooling=letter == "R")


def _wait(machine: Machine, heater: Heater, *, also_cooling: bool) -> Iterator[float]:
    machine.break_wait = False
    cooling = also_cooling and heater.at(machine.now) > heater.target_c
    residency_s = RESIDENCY_S
    reached_s = heater.when_at(machine.now, also_cooling=also_cooling)
    if reached_s <= machine.now:
        residency_s /= 3.0  # it was there already
    end_s = reached_s + residency_s
    if cooling:
        end_s = min(end_s, heater.when_cooling_stalls(machine.now))
    tick_s = machine.now
    while machine.now < end_s and not machine.break_wait:
        tick_s += 1.0
        yield min(tick_s, end_s)
        if machine.now >= tick_s and not machine.break_wait:
            left = "?" if machine.now < reached_s else f"{max(end_s - machine.now, 0.0):.0f}"
            machine.say(f"{temperatures(machine)} W:{left}\n")
        if heater.when_at(machine.now, also_cooling=also_cooling) == inf and not cooling:
            end_s = inf  # it never gets there: protection or somebody will end this


def m105(machine: Machine, words: Words) -> None:
    """Temperatures, on the line of the ok."""
    machine.own_ok = True
    machine.say(f"ok {temperatures(machine)}\n")


def m155(machine: Machine, words: Words) -> None:
    """Temperatures every S seconds, unasked."""
    if words.has("S"):
        machine.report_every(min(max(words.number("S", 0.0), 0.0), 60.0))


def m106(machine: Machine, words: Words) -> None:
    """Fan on."""
    machine.fan = min(max(words.number("S", 255.0), 0.0), 255.0) / 255.0


def m107(machine: Machine, words: Words) -> None:
    """Fan off."""
    machine.fan = 0.0


TABLE = {
    "M104": m104,
    "M105": m105,
    "M106": m106,
    "M107": m107,
    "M109": m109,
    "M140": m140,
    "M155": m155,
    "M190": m190,
}
