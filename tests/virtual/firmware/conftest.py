from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import xor

import pytest

from toughopt.profiles import PrinterProfile, load_profile
from toughopt.virtual.firmware import FirmwareOptions, VirtualFirmware


def with_number(number: int, command: str) -> bytes:
    line = f"N{number} {command}"
    return f"{line}*{reduce(xor, line.encode('latin-1'), 0)}\n".encode("latin-1")


class Sender:
    """A host with one line in flight that believes everything it is told."""

    def __init__(self, firmware: VirtualFirmware) -> None:
        self.firmware = firmware
        self.number = 0
        self.banner = firmware.feed(b"").decode("latin-1")

    def raw(self, data: bytes) -> str:
        return self.firmware.feed(data).decode("latin-1")

    def __call__(self, command: str) -> str:
        """Send with number and checksum, return the reply."""
        self.number += 1
        return self.raw(with_number(self.number, command))

    def all(self, *commands: str) -> str:
        return "".join(self(command) for command in commands)


@pytest.fixture(scope="session")
def profile() -> PrinterProfile:
    return load_profile("virtual")


@pytest.fixture
def numbered() -> Callable[[int, str], bytes]:
    return with_number


@pytest.fixture
def make_sender(profile: PrinterProfile) -> Callable[..., Sender]:
    """A fresh printer with every executed command kept, and a host on it."""

    def make(**given: object) -> Sender:
        options = FirmwareOptions(**{"log_commands": None, **given.pop("options", {})})  # type: ignore[dict-item]
        return Sender(VirtualFirmware(given.pop("profile", profile), options=options, **given))  # type: ignore[arg-type]

    return make


@pytest.fixture
def sender(make_sender: Callable[..., Sender]) -> Sender:
    return make_sender()


@pytest.fixture
def hot(sender: Sender) -> Sender:
    """Homed and hot, nothing on the bed."""
    sender.all("G28", "M109 S210")
    sender.firmware.take()
    return sender
