"""Commands that set limits, factors and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toughopt.virtual.firmware.machine import Machine
    from toughopt.virtual.firmware.words import Words


def m201_m203(machine: Machine, words: Words) -> None:
    """Highest acceleration (M201) or speed (M203) an axis, in mm/s2 or mm/s."""
    table = machine.limits.acceleration if words.code == "M201" else machine.limits.speed
    for axis, letter in enumerate("XYZE"):
        value = words.get(letter)
        if value is not None and value > 0.0:
            table[axis] = value


def m204(machine: Machine, words: Words) -> None:
    """Accelerations for printing (P), retracting (R) and travelling (T); S sets P and T."""
    limits = machine.limits
    for letter, names in {"S": ("print_acc", "travel_acc"), "P": ("print_acc",), "T": ("travel_acc",)}.items():
        value = words.get(letter)
        if value is not None and value > 0.0:
            for name in names:
                setattr(limits, name, value)
    retract = words.get("R")
    if retract is not None and retract > 0.0:
        limits.retract_acc = retract


def m205(machine: Machine, words: Words) -> None:
    """Junction deviation (J), or classic jerk an axis."""
    limits = machine.limits
    deviation = words.get("J")
    if deviation is not None and 0.01 <= deviation <= 0.3:
        limits.junction_deviation = deviation
    elif deviation is not None:
        machine.say("?J out of range (0.01 to 0.3)\n")
    for axis, letter in enumerate("XYZE"):
        value = words.get(letter)
        if value is not None and limits.jerk is not None:
            limits.jerk[axis] = max(value, 0.0)


def m211(machine: Machine, words: Words) -> None:
    """Soft limits on or off, and what they are."""
    carriage, body = machine.carriage, machine.body
    if words.has("S"):
        carriage.soft_limits = bool(words.number("S", 1.0))
    state = "On" if carriage.soft_limits else "Off"
    low = " ".join(f"{letter}{value:.2f}" for letter, value in zip("XYZ", body.lowest, strict=True))
    high = " ".join(f"{letter}{value:.2f}" for letter, value in zip("XYZ", body.highest, strict=True))
    machine.say(f"echo:Soft endstops: {state}  Min:  {low}   Max:  {high}\n")


def m220(machine: Machine, words: Words) -> None:
    """Speed, per cent."""
    value = words.get("S")
    if value is not None and value > 0.0:
        machine.carriage.speed_factor = value / 100.0
    elif value is None:
        machine.say(f"FR:{machine.carriage.speed_factor * 100:.0f}%\n")


def m221(machine: Machine, words: Words) -> None:
    """Flow of a nozzle, per cent."""
    carriage = machine.carriage
    tool = int(words.number("T", carriage.tool))
    value = words.get("S")
    if not 0 <= tool < len(carriage.flow):
        machine.say(f"echo:M221 Invalid extruder {tool}\n")
    elif value is not None and value > 0.0:
        carriage.flow[tool] = value / 100.0
    elif value is None:
        machine.say(f"echo:E{tool} Flow: {carriage.flow[tool] * 100:.0f}%\n")


def m302(machine: Machine, words: Words) -> None:
    """Cold extrusion: P1 allows it, S sets the lowest temperature."""
    carriage = machine.carriage
    lowest = words.get("S")
    if lowest is not None:
        carriage.min_extrude_c = lowest
        carriage.cold_allowed = lowest <= 0.0
    if words.get("P") is not None:
        carriage.cold_allowed = bool(words.get("P"))
    if not words.numbers:
        state = "enabled" if carriage.cold_allowed else "disabled"
        machine.say(f"echo:Cold extrudes are {state} (min temp {carriage.min_extrude_c:.0f}C)\n")


def m503(machine: Machine, words: Words) -> None:
    """The settings, as commands."""
    limits = machine.limits
    speeds = " ".join(f"{letter}{value:.2f}" for letter, value in zip("XYZE", limits.speed, strict=True))
    accelerations = " ".join(f"{letter}{value:.2f}" for letter, value in zip("XYZE", limits.acceleration, strict=True))
    machine.say("echo:; Maximum feedrates (units/s):\n" + f"echo:  M203 {speeds}\n")
    machine.say("echo:; Maximum Acceleration (units/s2):\n" + f"echo:  M201 {accelerations}\n")
    machine.say("echo:; Acceleration (units/s2) (P<print-accel> R<retract-accel> T<travel-accel>):\n")
    machine.say(f"echo:  M204 P{limits.print_acc:.2f} R{limits.retract_acc:.2f} T{limits.travel_acc:.2f}\n")
    machine.say(f"echo:; Junction deviation:\necho:  M205 J{limits.junction_deviation:.2f}\n")


def accepted(machine: Machine, words: Words) -> None:
    """Known, and of no consequence here: the display, the settings memory, the LED, ..."""


_OF_NO_CONSEQUENCE = (
    *("G10", "G11", "G17", "G26", "G80", "M16", "M42", "M73", "M75", "M76", "M77", "M85", "M92", "M117", "M120"),
    *(
        "M121",
        "M145",
        "M150",
        "M200",
        "M206",
        "M207",
        "M208",
        "M209",
        "M250",
        "M256",
        "M280",
        "M300",
        "M301",
        "M304",
        "M355",
        "M412",
        "M413",
        "M420",
    ),
    *("M486", "M500", "M501", "M502", "M569", "M572", "M593", "M851", "M900", "M906", "M907", "M914"),
)

TABLE = {
    **dict.fromkeys(("M201", "M203"), m201_m203),
    **dict.fromkeys(_OF_NO_CONSEQUENCE, accepted),
    "M204": m204,
    "M205": m205,
    "M211": m211,
    "M220": m220,
    "M221": m221,
    "M302": m302,
    "M503": m503,
}
