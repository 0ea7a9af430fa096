"""Checks of what a program sets: temperatures, homing, pauses, and in what state it leaves the machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from toughopt.gcode.report import Finding, Severity
from toughopt.gcode.tokens import Commands, code

if TYPE_CHECKING:
    from toughopt.gcode.events import Setting
    from toughopt.gcode.moves import Moves
    from toughopt.profiles import PrinterProfile

_G28, _G4 = code("G28"), code("G4")
_M18, _M84, _M17 = code("M18"), code("M84"), code("M17")
_WAITS = [code("M109"), code("M116")]
_COLD_C = 35.0  # a target below this heats nothing
_LEAST_MM = 1e-6


def state_findings(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    """Everything about heaters, motors, homing and pauses."""
    yield from _too_hot(moves, profile)
    yield from _cold(moves, profile)
    yield from _not_homed(moves, profile)
    yield from _pauses(moves, profile)
    yield from _at_end(moves, profile)


def _line(commands: Commands, row: int) -> int:
    return int(commands.line[min(row, len(commands.line) - 1)]) + 1


def _too_hot(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    heaters: list[tuple[str, Setting, float]] = [
        (f"nozzle {tool}", setting, profile.limits.max_nozzle_c) for tool, setting in moves.nozzle_targets.items()
    ]
    heaters.append(("bed", moves.bed_target, profile.limits.max_bed_c))
    for name, setting, limit in heaters:
        over = np.flatnonzero(setting.values[1:] > limit)
        if len(over):
            value = float(setting.values[1:][over].max())
            yield Finding(
                Severity.ERROR,
                "too_hot",
                f"{name} is set to {value:g} °C; the profile {profile.name} allows {limit:g}",
                line=_line(moves.commands, int(setting.rows[over[0]])),
                place=name,
                value=value,
                limit=limit,
                unit="°C",
                count=len(over),
            )


def _cold(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    extrudes = moves.e_mm > _LEAST_MM
    cold = extrudes & (moves.nozzle_c < profile.limits.min_extrude_c)
    if cold.any():
        at = int(np.flatnonzero(cold)[0])
        macros = _has_macro_before(moves, int(moves.line[at]))
        yield Finding(
            Severity.WARNING if macros and moves.nozzle_c[at] == 0 else Severity.ERROR,
            "cold_extrusion",
            f"extrudes with the nozzle set to {moves.nozzle_c[at]:g} °C, below {profile.limits.min_extrude_c:g}"
            + (", unless a macro heats it" if macros else "; heat it first (M109)"),
            line=int(moves.line[at]) + 1,
            place=f"nozzle {moves.tool[at]}",
            value=float(moves.nozzle_c[at]),
            limit=profile.limits.min_extrude_c,
            unit="°C",
            count=int(cold.sum()),
        )
    elif extrudes.any():
        first = int(moves.row[int(np.flatnonzero(extrudes)[0])])
        waits = np.flatnonzero(np.isin(moves.commands.code, _WAITS))
        if not len(waits) or waits[0] > first:
            yield Finding(
                Severity.WARNING,
                "not_waited",
                "extrudes without ever having waited for the nozzle to be hot (M109)",
                line=_line(moves.commands, first),
            )


def _not_homed(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    if not profile.limits.home_first or not moves.count:
        return
    moved = np.flatnonzero(np.any(np.abs(moves.end_mm - moves.start_mm) > _LEAST_MM, axis=1))
    if not len(moved):
        return
    homing = np.flatnonzero(moves.commands.code == _G28)
    first = int(moves.row[moved[0]])
    if len(homing) and homing[0] < first:
        return
    macros = _has_macro_before(moves, int(moves.line[moved[0]]))
    yield Finding(
        Severity.WARNING if macros else Severity.ERROR,
        "not_homed",
        "moves before homing (G28)" + (", unless a macro homes" if macros else ""),
        line=_line(moves.commands, first),
    )


def _has_macro_before(moves: Moves, line: int) -> bool:
    return any(at < line and not text.upper().startswith("SET_") for at, text in moves.commands.foreign)


def _pauses(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    commands = moves.commands
    for row in np.flatnonzero(commands.code == _G4).tolist():
        seconds = commands.words[row].get("S", 0.0) + commands.words[row].get("P", 0.0) / 1000
        if seconds > profile.limits.longest_pause_s:
            yield Finding(
                Severity.ERROR,
                "long_pause",
                f"pauses for {seconds:g} s; the profile allows {profile.limits.longest_pause_s:g}",
                line=_line(commands, row),
                value=seconds,
                limit=profile.limits.longest_pause_s,
                unit="s",
            )


def _at_end(moves: Moves, profile: PrinterProfile) -> Iterator[Finding]:
    commands = moves.commands
    macro_last = bool(commands.foreign) and (not moves.count or commands.foreign[-1][0] > int(moves.line[-1]))
    all_off = any(
        text.upper().startswith("TURN_OFF_HEATERS") and (not moves.count or line > int(moves.line[-1]))
        for line, text in commands.foreign
    )
    severity = Severity.WARNING if macro_last else Severity.ERROR
    unless = ", unless its last macro does that" if macro_last else ""
    heaters = [(f"nozzle {tool}", setting) for tool, setting in moves.nozzle_targets.items()]
    for name, setting in [*heaters, ("bed", moves.bed_target)]:
        last = float(setting.values[-1])
        if last > _COLD_C and not all_off:
            yield Finding(
                severity,
                "heater_on_at_end",
                f"{name} is left at {last:g} °C at the end{unless}; switch it off (M104 S0, M140 S0)",
                line=_line(commands, int(setting.rows[-1])),
                place=name,
                value=last,
                limit=_COLD_C,
                unit="°C",
            )
    if not moves.count:
        return
    released = np.flatnonzero(np.isin(commands.code, [_M18, _M84]))
    if not len(released) or released[-1] < moves.row[-1]:
        yield Finding(
            severity,
            "motors_on_at_end",
            f"motors are left on at the end{unless}; release them (M84)",
            line=int(moves.line[-1]) + 1,
        )
    if profile.fan_off_at_end and float(moves.fan.values[-1]) > 0:
        yield Finding(
            Severity.WARNING,
            "fan_on_at_end",
            f"the fan is left on at the end{unless} (M107)",
            line=_line(commands, int(moves.fan.rows[-1])),
        )
