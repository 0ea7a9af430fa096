"""Leaves a machine safe: heaters, fan and motors off, and the machine's own word for it."""

from __future__ import annotations

from dataclasses import dataclass

from toughopt.errors import LinkLost
from toughopt.printing.link import Link
from toughopt.printing.replies import Kind, Reply, parse

KILLED = "kill() called"
_GENTLE_S = 1.2  # for the commands to be answered
_QUICK_S = 1.6  # the same, after the planned moves were dropped
_KILL_S = 1.0
_REBOOT_S = 12.0
_ASK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """Whether a machine was made safe, and what proves it."""

    confirmed: bool
    how: str
    halted: bool = False  # by us or by itself: only a reset brings it back


def off_commands(tools: int, fan_off: bool) -> list[str]:
    """Heaters, fan and motors off."""
    heaters = ["M104 S0"] + ([f"M104 T{tool} S0" for tool in range(tools)] if tools > 1 else []) + ["M140 S0"]
    return [*heaters, *(["M107"] if fan_off else []), "M84"]


def make_safe(link: Link, tools: int, fan_off: bool) -> SafetyReport:
    """Turn everything off and have it confirmed, escalating until it is.

    First the commands themselves (behind a newline, because a partial line would swallow them), then after dropping
    the planned moves, then an emergency stop, then a reset by the DTR line. The proof is a machine that reports targets
    of 0 twice, to two questions asked after the commands, or one that says it has halted.

    Raises
    ------
    LinkLost
        If the line breaks meanwhile: nothing is known then.
    """
    for prefix, wait_s, how in (
        (b"\nM108\n", _GENTLE_S, "targets reported as 0"),
        (b"\nM108\nM410\n", _QUICK_S, "targets reported as 0 after dropping the planned moves"),
    ):
        seen = _turn_off(link, prefix, tools, fan_off, wait_s)
        if seen is not None:
            return SafetyReport(True, how) if seen == "off" else SafetyReport(True, seen, halted=True)
    link.write(b"\nM112\n")
    seen = _await_kill(link)
    if seen is not None:
        return SafetyReport(True, seen, halted=True)
    return _reset(link)


def hush(link: Link, tools: int, fan_off: bool) -> bool:
    """Turn everything off at what may be no printer at all, without escalating; True where it confirms.

    Raises
    ------
    LinkLost
        If the line breaks meanwhile.
    """
    return _turn_off(link, b"\nM108\n", tools, fan_off, _GENTLE_S) is not None


def _turn_off(link: Link, prefix: bytes, tools: int, fan_off: bool, wait_s: float) -> str | None:
    commands = "".join(f"{command}\n" for command in off_commands(tools, fan_off)).encode("ascii")
    link.write(prefix + commands)
    return _confirm_off(link, (prefix + commands).count(b"\n") - 1, wait_s)


def _confirm_off(link: Link, owed: int, wait_s: float) -> str | None:
    """ "off" once two answers in a row say so, what the firmware said if it halted, None where neither came.

    `owed` is how many oks are due for the commands sent before: some machines report after the ok, and then only a
    report that follows all of them is an answer.
    """
    end = link.clock.now() + wait_s
    zeros = oks = 0
    ask_at = 0.0
    while (now := link.clock.now()) < end:
        if now >= ask_at:
            link.write(b"M105\n")
            owed += 1
            ask_at = now + _ASK_EVERY_S
        line = link.line(max(0.0, min(end, ask_at) - now))
        if line is None:
            continue
        reply = parse(line)
        if reply.kind is Kind.FATAL and KILLED in line:
            return line
        oks += reply.kind is Kind.OK
        if reply.temperatures and (reply.kind is Kind.OK or oks >= owed):
            zeros = zeros + 1 if is_off(reply) else 0
            if zeros == 2:
                return "off"
            ask_at = 0.0
    return None


def is_off(reply: Reply) -> bool:
    """Whether the report names a nozzle and all targets in it are 0."""
    temperatures = reply.temperatures or {}
    targets = [heater.target_c for name, heater in temperatures.items() if name[0] in "TB"]
    return any(name[0] == "T" for name in temperatures) and all(target == 0 for target in targets)


def _await_kill(link: Link) -> str | None:
    end = link.clock.now() + _KILL_S
    while (left := end - link.clock.now()) > 0:
        line = link.line(left)
        if line is not None and KILLED in line:
            return line
    return None


def _reset(link: Link) -> SafetyReport:
    """The last resort: a firmware that starts has its heaters off."""
    if not link.port.pulse_dtr():
        return SafetyReport(False, "it neither confirms nor can be reset over this line", halted=True)
    end = link.clock.now() + _REBOOT_S
    started = False
    while (left := end - link.clock.now()) > 0:
        line = link.line(min(left, 1.0) if started else left)
        if line is None and started:
            break
        started = started or (line is not None and parse(line).kind is Kind.RESET)
    try:
        seen = _confirm_off(link, 0, _QUICK_S)
    except LinkLost:
        seen = None
    if seen == "off":
        return SafetyReport(True, "targets reported as 0 after a reset")
    return SafetyReport(False, "it was reset by DTR, but does not confirm", halted=True)
