"""Whether a port's address can be one at all, told before anything is opened."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import serial

from toughopt.errors import ConfigError

_NETWORK = ("socket", "rfc2217")
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d{1,5}")


def check_address(url: str) -> None:
    """Refuse what no machine can be behind; whether one is there, only opening tells.

    Raises
    ------
    ConfigError
        If it is empty, begins with a protocol that pyserial does not know, or names a host without a port.
    """
    if not url.strip():
        raise ConfigError(
            "a port without a name cannot be opened; `toughopt printers --scan` lists the ports that exist"
        )
    try:
        serial.serial_for_url(url, do_not_open=True)
    except ValueError as error:
        raise ConfigError(
            f"{url!r} is no port that can be opened: {error}; write e.g. COM3, /dev/ttyUSB0 or socket://127.0.0.1:5000"
        ) from error
    except OSError:  # a search that finds nothing now may find something when it is opened
        return
    if _HOST_AND_PORT.fullmatch(url) and not Path(url).exists():
        raise ConfigError(f"{url!r} is no serial port; a machine on the network is written as socket://{url}")
    protocol = url.partition("://")[0].lower()
    if protocol in _NETWORK and not _port_number(url):
        raise ConfigError(
            f"{url} names no port from 1 to 65535; write {protocol}://HOST:PORT, e.g. {protocol}://127.0.0.1:5000"
        )


def _port_number(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:  # no number, out of range, or a bracket that is not closed
        return None
