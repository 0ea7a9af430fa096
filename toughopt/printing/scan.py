"""Which machines are connected: asks every serial port what is behind it, and moves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serial.tools.list_ports import comports

from toughopt.errors import ConfigError, DeviceError
from toughopt.printing.address import check_address
from toughopt.printing.clock import Clock, SystemClock
from toughopt.printing.dialogue import greet, introduce
from toughopt.printing.link import Link
from toughopt.printing.wire import Port
from toughopt.profiles import Serial

BAUDS = (115200, 250000, 230400, 57600, 38400)
_BANNER_S = 3.0


@dataclass(frozen=True, slots=True)
class FoundPort:
    """A serial port, and the machine behind it if there is one."""

    url: str
    description: str
    baud: int | None  # at which it answers
    firmware: str
    machine: str
    note: str  # why nothing is known


def scan_ports(
    urls: Iterable[str] | None = None,
    bauds: Sequence[int] = BAUDS,
    clock: Clock | None = None,
    banner_s: float = _BANNER_S,
) -> list[FoundPort]:
    """What is behind the given ports, or behind every serial port of this computer.

    The machines are asked for their name and nothing else. A board that its DTR line resets is reset by being opened,
    so do not scan while another program prints.
    """
    descriptions = {port.device: port.description for port in comports()}
    chosen = sorted(descriptions) if urls is None else list(urls)
    return [_look(url, descriptions.get(url, ""), bauds, clock or SystemClock(), banner_s) for url in chosen]


def detect_baud(url: str, bauds: Sequence[int] = BAUDS, clock: Clock | None = None, banner_s: float = _BANNER_S) -> int:
    """The baud rate at which the machine answers.

    Raises
    ------
    DeviceError
        If it answers at none of them.
    """
    found = _look(url, "", bauds, clock or SystemClock(), banner_s)
    if found.baud is None:
        raise DeviceError(f"{url} answers at none of {', '.join(map(str, bauds))} baud: {found.note}")
    return found.baud


def _look(url: str, description: str, bauds: Sequence[int], clock: Clock, banner_s: float) -> FoundPort:
    note = ""
    for baud in bauds:
        try:
            check_address(url)
            link = Link(Port(url, baud, busy_for_s=0.0), clock)
        except (ConfigError, DeviceError) as error:
            return FoundPort(url, description, None, "", "", str(error))
        try:
            greet(link, Serial(baud=baud, banner_timeout_s=banner_s))
            machine = introduce(link)
            return FoundPort(url, description, baud, machine.firmware, machine.machine, "")
        except DeviceError as error:
            note = str(error)
        finally:
            link.close()
        if url.startswith("socket:"):
            break  # a network line has no baud rate
    return FoundPort(url, description, None, "", "", note)
