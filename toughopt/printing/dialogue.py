"""Question and answer with a machine that is not printing: connecting, capabilities, single commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from toughopt.errors import DeviceError, FirmwareHalted, LinkLost
from toughopt.printing.link import Link
from toughopt.printing.replies import Kind, Reply, capabilities, parse
from toughopt.profiles import Serial

RESET_NUMBERS = b"\nN0 M110 N0*125\n"
_NO_BANNER_S = 0.3  # a machine that no DTR line resets may still greet
_BOOT_QUIET_S = 0.3
_BOOT_LIMIT_S = 6.0
_HELLO_S = 2.0
_QUIET_S = 0.05
_LOCKED = "the printer is locked; unlock it with M511 or on its display"


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine says of itself (M115)."""

    firmware: str = ""
    machine: str = ""
    uuid: str = ""
    extruders: int = 1
    capabilities: dict[str, bool] = field(default_factory=dict)

    def can(self, name: str) -> bool:
        """Whether it claims the capability."""
        return self.capabilities.get(name, False)


def greet(link: Link, serial: Serial) -> None:
    """Wait for the machine to be there, and set its line counter to 0.

    Raises
    ------
    LinkLost
        If nothing answers.
    FirmwareHalted
        If it answers that it has stopped.
    DeviceError
        If it is locked, or what answers is no printer.
    """
    resets = link.port.has_dtr and serial.reset_on_connect
    end = link.clock.now() + serial.banner_timeout_s
    await_banner(link, serial.banner_timeout_s if resets else _NO_BANNER_S)
    heard: list[str] = []
    tries = 0
    while tries < 2 or link.clock.now() < end:
        tries += 1
        link.write(RESET_NUMBERS)
        if _said_ok(link, heard):
            settle(link)
            return
    if heard:
        raise DeviceError(
            f"{link.port.url} answers, but not like a printer: {heard[0][:60]!r}; "
            f"is {link.port.baud} the right baud rate, and is it the right port?"
        )
    raise LinkLost(
        f"nothing answers on {link.port.url} at {link.port.baud} baud; is the printer on, and the baud rate right?"
    )


def settle(link: Link, quiet_s: float = _QUIET_S) -> list[str]:
    """Listen until nothing has come for `quiet_s`; what came."""
    heard = []
    end = link.clock.now() + _BOOT_LIMIT_S
    while link.clock.now() < end and (line := link.line(quiet_s)) is not None:
        heard.append(line)
    return heard


def ask(
    link: Link,
    command: str,
    timeout_s: float,
    on_line: Callable[[Reply], None] | None = None,
    *,
    waits: bool = False,
) -> list[Reply]:
    """Send one command without a number; what the machine says up to its ok.

    `timeout_s` counts from the last sign of life. Reports of temperatures are one only of a command that `waits` for
    something: a machine may send them by itself, whether it has heard the command or not.

    Raises
    ------
    LinkLost
        If no ok comes.
    FirmwareHalted
        If the firmware stops itself.
    DeviceError
        If it is locked.
    """
    link.write(b"%s\n" % command.encode("ascii"))
    replies: list[Reply] = []
    end = link.clock.now() + timeout_s
    while (left := end - link.clock.now()) > 0:
        line = link.line(left)
        if line is None:
            continue
        reply = parse(line)
        if on_line is not None:
            on_line(reply)
        if reply.kind is Kind.FATAL:
            raise FirmwareHalted(f"{link.port.url}: the firmware stopped itself: {reply.text}; reset the printer")
        if reply.kind is Kind.LOCKED:
            raise DeviceError(f"{link.port.url}: {_LOCKED}")
        replies.append(reply)
        if reply.kind is Kind.OK:
            return replies
        if reply.kind in (Kind.BUSY, Kind.PAUSED) or (waits and reply.kind is Kind.TEMPERATURE):
            end = link.clock.now() + timeout_s
    raise LinkLost(f"{link.port.url}: no ok to {command!r} within {timeout_s:g} s")


def introduce(link: Link) -> Machine:
    """Ask who it is (M115); an empty answer where it does not say."""
    try:
        replies = ask(link, "M115", 5.0)
    except LinkLost:
        return Machine()
    finally:
        settle(link)
    found: dict[str, bool] = {}
    fields: dict[str, str] = {}
    for reply in replies:
        if reply.kind is Kind.CAPABILITY:
            found |= capabilities(reply.text)
        elif "FIRMWARE_NAME:" in reply.text:
            fields |= _fields(reply.text)
    count = fields.get("EXTRUDER_COUNT", "1")
    return Machine(
        fields.get("FIRMWARE_NAME", ""),
        fields.get("MACHINE_TYPE", ""),
        fields.get("UUID", ""),
        int(count) if count.isdigit() else 1,
        found,
    )


def _fields(line: str) -> dict[str, str]:
    """``FIRMWARE_NAME:Marlin 2.1 (…) MACHINE_TYPE:X EXTRUDER_COUNT:1``: keys are words of capitals before a colon."""
    fields: dict[str, str] = {}
    key = ""
    for word in line.split():
        name, colon, value = word.partition(":")
        if (
            colon
            and len(name) > 2
            and name.replace("_", "").isalpha()
            and name.isupper()
            and not value.startswith("//")
        ):
            key = name
            fields[key] = value
        elif key:
            fields[key] += f" {word}"
    return fields


def await_banner(link: Link, timeout_s: float) -> None:
    """Wait until the machine says that it has started, and has said its piece."""
    end = link.clock.now() + timeout_s
    while (left := end - link.clock.now()) > 0:
        line = link.line(left)
        if line is not None and parse(line).kind is Kind.RESET:
            settle(link, _BOOT_QUIET_S)
            return


def _said_ok(link: Link, heard: list[str]) -> bool:
    end = link.clock.now() + _HELLO_S
    while (left := end - link.clock.now()) > 0:
        line = link.line(left)
        if line is None:
            continue
        reply = parse(line)
        if reply.kind is Kind.OK:
            return True
        if reply.kind is Kind.FATAL:
            raise FirmwareHalted(f"{link.port.url}: the firmware has stopped itself: {reply.text}; reset the printer")
        if reply.kind is Kind.LOCKED:
            raise DeviceError(f"{link.port.url}: {_LOCKED}")
        if reply.kind is Kind.RESET:
            settle(link, _BOOT_QUIET_S)
            return False
        if reply.kind in (Kind.BUSY, Kind.PAUSED):
            end = link.clock.now() + _HELLO_S
        elif reply.kind is Kind.NOISE or reply.kind is Kind.NOTE:
            heard.append(line)
    return False
