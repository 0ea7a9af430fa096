"""Which hosts of network printers answer: asks OctoPrint and Moonraker for their name, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from toughopt.errors import ConfigError, DeviceError, LinkLost
from toughopt.printing.hosts import api_key, plain_url
from toughopt.printing.rest import RestClient

_TITLES = {"moonraker": "Moonraker", "octoprint": "OctoPrint"}
_PORTS = {"moonraker": (7125,), "octoprint": (5000, 80)}


@dataclass(frozen=True, slots=True)
class FoundHost:
    """A host that answers, by the URL under which its printer is opened."""

    url: str
    software: str
    state: str  # of the printer, as far as it is told
    note: str


def scan_hosts(hosts: Iterable[str] = ("127.0.0.1",)) -> list[FoundHost]:
    """OctoPrint and Moonraker on the given hosts: names, addresses, or whole ``http://host:port``.

    Raises
    ------
    ConfigError
        If a host cannot be one, or what network printers need is not installed.
    """
    return [found for host in hosts for kind, url in _places(host) if (found := _look(kind, url)) is not None]


def _places(host: str) -> list[tuple[str, str]]:
    if "://" in host:
        kind, plus, rest = host.partition("+")
        if plus and kind in _PORTS:
            return [(kind, rest.rstrip("/"))]
        return [(kind, host.rstrip("/")) for kind in _PORTS]
    try:
        with_port = urlsplit(f"//{host}").port is not None
    except ValueError as error:  # a port that is no number or too large, a bracket that is not closed
        raise ConfigError(f"{host!r} is no host; write a name, name:port or http://name:port") from error
    if with_port:
        return [(kind, f"http://{host}") for kind in _PORTS]
    return [(kind, f"http://{host}:{port}") for kind, ports in _PORTS.items() for port in ports]


def _look(kind: str, url: str) -> FoundHost | None:
    url = plain_url(url, _TITLES[kind])
    client = RestClient(url, url, api_key(kind, None), "set the variable TOUGHOPT_API_KEY", timeout_s=2.0)
    path = "/server/info" if kind == "moonraker" else "/api/version"
    try:
        answer = client.get(path)
        if kind == "moonraker":
            info = answer["result"]
            return FoundHost(f"moonraker+{url}", f"Moonraker {info['moonraker_version']}", info["klippy_state"], "")
        if not str(answer.get("text", "")).startswith("OctoPrint"):
            return None
        state = str(client.get("/api/connection")["current"]["state"])
        return FoundHost(f"octoprint+{url}", str(answer["text"]), state, "")
    except LinkLost:
        return None
    except DeviceError as error:
        return FoundHost(f"{kind}+{url}", "", "", str(error)) if "API key" in str(error) else None
    except (KeyError, TypeError):  # something else that answers there
        return None
    finally:
        client.close()
