"""What another program that drives a printer can be asked, in words that fit all of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Protocol
from urllib.parse import urlsplit

from toughopt.errors import ConfigError
from toughopt.printing.replies import Temperature
from toughopt.printing.safety import SafetyReport


class Sign(StrEnum):
    """What a host tells of the print in hand."""

    PROGRESS = auto()
    TEMPERATURE = auto()
    PAUSED = auto()
    RESUMED = auto()
    DONE = auto()
    CANCELLED = auto()
    FAILED = auto()
    UNKNOWN = auto()  # it does not know what has become of it
    NOTE = auto()


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a host told."""

    sign: Sign
    text: str = ""
    fraction: float = 0.0  # of the program, where `sign` is PROGRESS
    resends: int | None = None
    temperatures: Mapping[str, Temperature] = field(default_factory=dict)


class PrintHost(Protocol):
    """A host such as OctoPrint or Moonraker. Everything but `where` may raise LinkLost, where it does not answer.

    Its methods are called by one thread at a time. What it refuses is a DeviceError with its own words.
    """

    where: str

    def attach(self) -> None:
        """Reach it; does nothing where that has been done."""
        ...

    def ready(self) -> None:
        """Have the printer connected and idle. Raises DeviceError where somebody else prints, or it has halted."""
        ...

    def upload(self, name: str, program: str) -> None:
        """Hand over a program under a name that nobody else uses."""
        ...

    def remove(self, name: str) -> None:
        """Delete a program that was handed over: a host's disk fills up within months otherwise."""
        ...

    def start(self, name: str) -> None:
        """Print it."""
        ...

    def hear(self, timeout_s: float) -> Told | None:
        """The next thing it tells of the print that was started; None where there is none in time."""
        ...

    def look(self, name: str) -> Told:
        """What has become of that program, asked outright."""
        ...

    def pause(self) -> None:
        """Pause the print in hand."""
        ...

    def resume(self) -> None:
        """Go on with it."""
        ...

    def cancel(self) -> None:
        """End it; CANCELLED is heard when it has ended."""
        ...

    def turn_off(self) -> SafetyReport:
        """Heaters, fan and motors off, and the machine's own word for it."""
        ...

    def emergency_stop(self) -> None:
        """Halt the firmware, where nothing else helps."""
        ...

    def detach(self) -> None:
        """Let it go; it may be attached again. Never raises."""
        ...


def plain_url(url: str, kind: str) -> str:
    """The address of a host, without a slash at its end.

    Raises
    ------
    ConfigError
        If it is none, or holds a key or a password: addresses are written to the journal.
    """
    wrong = f"{url!r} is not the address of {kind}; it is written as {kind.lower()}+http://host:port"
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError as error:  # a port that is no number or too large, a bracket that is not closed
        raise ConfigError(wrong) from error
    if parts.scheme not in ("http", "https") or not named:
        raise ConfigError(wrong)
    if parts.username or parts.password or parts.query:
        raise ConfigError(
            f"the address of {kind} at {parts.hostname} holds a key or a password, which the journal would show; leave "
            f"it out, and set the environment variable {key_variables('PRINTER')[0]} (PRINTER: the printer's name)"
        )
    return url.rstrip("/")


def api_key(printer: str, given: str | None) -> str | None:
    """The key that was given, or that of the environment: first the printer's own, then the one for all of them."""
    if given is not None:
        return given
    return next((os.environ[name] for name in key_variables(printer) if os.environ.get(name)), None)


def key_variables(printer: str) -> tuple[str, str]:
    """The environment variables that may hold a printer's key, the one that counts first in front."""
    own = re.sub(r"[^A-Z0-9]+", "_", printer.upper()).strip("_")
    return (f"TOUGHOPT_API_KEY_{own}", "TOUGHOPT_API_KEY")
