"""Commands between host and firmware: who are you, line numbers, messages, waiting for somebody, kill and restart."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toughopt.virtual.firmware.machine import Machine
    from toughopt.virtual.firmware.words import Words

VERSION = "Marlin 2.1.2"
UUID = "cede2a2f-41a2-4748-9b12-c55c62f367ff"  # DEFAULT_MACHINE_UUID
UNLOCK = "0000"


def banner(machine: Machine) -> str:
    """What is said after a reset."""
    return (
        "start\n"
        f"echo:{VERSION} (virtual)\n"
        "echo: Last Updated: 2023-06-01 | Author: (toughopt)\n"
        f"echo: Free Memory: 3924  PlannerBufferBytes: {machine.options.planner_blocks * 100}\n"
        "echo:Hardcoded Default Settings Loaded\n"
    )


def m115(machine: Machine, words: Words) -> None:
    """Name and capabilities."""
    options = machine.options
    capabilities = {
        "SERIAL_XON_XOFF": 0,
        "BINARY_FILE_TRANSFER": 0,
        "EEPROM": 0,
        "VOLUMETRIC": 0,
        "AUTOREPORT_POS": 0,
        "AUTOREPORT_TEMP": 1,
        "PROGRESS": 0,
        "PRINT_JOB": 0,
        "AUTOLEVEL": 1,
        "RUNOUT": 1,
        "Z_PROBE": 1,
        "LEVELING_DATA": 0,
        "BUILD_PERCENT": 1,
        "SOFTWARE_POWER": 0,
        "TOGGLE_LIGHTS": 0,
        "CASE_LIGHT_BRIGHTNESS": 0,
        "EMERGENCY_PARSER": int(options.emergency_parser),
        "HOST_ACTION_COMMANDS": int(options.host_prompts),
        "PROMPT_SUPPORT": int(options.host_prompts),
        "SDCARD": 0,
        "MULTI_VOLUME": 0,
        "REPEAT": 0,
        "SD_WRITE": 0,
        "AUTOREPORT_SD_STATUS": 0,
        "LONG_FILENAME": 0,
        "THERMAL_PROTECTION": 1,
        "MOTION_MODES": 0,
        "ARCS": 1,
        "BABYSTEPPING": 0,
        "CHAMBER_TEMPERATURE": 0,
        "COOLER_TEMPERATURE": 0,
        "MEATPACK": 0,
    }
    profile = machine.profile
    title = (profile.title or profile.name).replace(":", " ")
    machine.say(
        f"FIRMWARE_NAME:{VERSION} (virtual) SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 "
        f"MACHINE_TYPE:{title} EXTRUDER_COUNT:{len(machine.body.hotends)} UUID:{UUID}\n"
    )
    machine.say("".join(f"Cap:{name}:{value}\n" for name, value in capabilities.items()))
    corners = [
        "{" + ",".join(f"{letter}:{value:.4f}" for letter, value in zip("xyz", corner, strict=True)) + "}"
        for corner in (machine.body.lowest, machine.body.highest)
    ]
    box = f"{{min:{corners[0]},max:{corners[1]}}}"
    machine.say(f"area:{{full:{box},work:{box}}}\n")


def m110(machine: Machine, words: Words) -> None:
    """Set the line number; a numbered M110 has done so when it was read."""
    number = words.get("N")
    if number is not None:
        machine.reader.last_number = int(number)


def m112(machine: Machine, words: Words) -> None:
    """Emergency stop, where nobody looked ahead."""
    machine.kill()


def m108(machine: Machine, words: Words) -> None:
    """End a wait: too late when its turn comes in the queue, as in the original."""


def m118(machine: Machine, words: Words) -> None:
    """Say something to the host: E1 as an echo, A1 as an action."""
    text = words.text
    prefix = ""
    while text[:2] in ("E1", "A1"):
        prefix = "echo:" if text[0] == "E" else "//"
        text = text[2:].lstrip(" ")
    machine.say(f"{prefix}{text}\n")


def m119(machine: Machine, words: Words) -> None:
    """Endstops."""
    body, carriage = machine.body, machine.carriage
    machine.say("Reporting endstop status\n")
    for axis, letter in enumerate("xyz"):
        touched = carriage.position[axis] + body.offset_mm[axis] <= body.lowest[axis]
        machine.say(f"{letter}_min: {'TRIGGERED' if touched else 'open'}\n")
    left = body.filament_left_mm[carriage.tool]
    machine.say(f"filament: {'open' if left == inf else 'TRIGGERED'}\n")


def m0(machine: Machine, words: Words) -> Iterator[float]:
    """Wait for somebody, or for S seconds or P milliseconds."""
    seconds = words.number("S", words.number("P", 0.0) / 1000.0)
    yield from machine.drain()
    yield from _somebody(machine, machine.now + seconds if seconds > 0.0 else inf, prompt="M0/1 Break Called")


def m600(machine: Machine, words: Words) -> Iterator[float]:
    """Change of filament: wait for somebody; there is a new spool afterwards."""
    yield from machine.drain()
    if machine.options.host_prompts:
        machine.say("//action:paused\n")
    yield from _somebody(machine, inf, prompt="Load Filament")
    body = machine.body
    body.filament_left_mm[machine.carriage.tool] = inf
    body.note_impairment()
    if machine.options.host_prompts:
        machine.say("//action:resumed\n")


def _somebody(machine: Machine, until_s: float, prompt: str) -> Iterator[float]:
    if machine.options.host_prompts:
        machine.say(f"//action:prompt_end\n//action:prompt_begin {prompt}\n")
        machine.say("//action:prompt_button Continue\n//action:prompt_show\n")
    machine.break_wait = False
    machine.busy_text = "paused for user"
    while machine.now < until_s and not machine.break_wait:
        yield until_s
    machine.busy_text = "processing"
    if machine.options.host_prompts:
        machine.say("//action:prompt_end\n")


def m113(machine: Machine, words: Words) -> None:
    """How often to say that it is busy, s; 0 is never."""
    if words.has("S"):
        machine.keepalive_s = min(max(words.number("S", 0.0), 0.0), 60.0)
    else:
        machine.say(f"echo:M113 S{machine.keepalive_s:.0f}\n")


def m510(machine: Machine, words: Words) -> None:
    """Lock."""
    machine.locked = True


def m511(machine: Machine, words: Words) -> None:
    """Unlock with the right password."""
    password = words.text.lstrip()[1:].strip() if words.text.lstrip().startswith("P") else ""
    if password == UNLOCK:
        machine.locked = False
    else:
        machine.say("echo:Incorrect Password\n")


def m999(machine: Machine, words: Words) -> None:
    """Go on after "Printer stopped due to errors"; but for S1 the next line is asked for, besides the ok."""
    machine.stopped = False
    if not words.number("S", 0.0):
        machine.say(machine.reader.ask_again())


def m111(machine: Machine, words: Words) -> None:
    """What to say for debugging, as a sum of bits; here only the answer."""
    flags = int(words.number("S", 0.0))
    names = ("ECHO", "INFO", "ERRORS", "DRYRUN", "COMMUNICATION")
    chosen = ",".join(name for bit, name in enumerate(names) if flags >> bit & 1)
    machine.say(f"echo:DEBUG:{chosen or 'Off'}\n")


def no_card(machine: Machine, words: Words) -> None:
    """No card is in the slot."""
    machine.say("Not SD printing\n" if words.code == "M27" else "echo:No SD card\n")


def m31(machine: Machine, words: Words) -> None:
    """How long it has been printing."""
    machine.say(f"echo:Print time: {machine.now:.0f}s\n")


TABLE = {
    **dict.fromkeys(("M0", "M1"), m0),
    **dict.fromkeys(("M108", "M876"), m108),
    **dict.fromkeys(("M20", "M21", "M22", "M27"), no_card),
    "M31": m31,
    "M110": m110,
    "M111": m111,
    "M112": m112,
    "M113": m113,
    "M115": m115,
    "M118": m118,
    "M119": m119,
    "M510": m510,
    "M511": m511,
    "M600": m600,
    "M999": m999,
}
