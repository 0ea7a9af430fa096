"""Requests to a host program, with errors that say which host, what it answered and what to do.

httpx and websockets are imported when a network printer is opened: the extra `network` installs them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from typing import Any

from toughopt.errors import ConfigError, DeviceError, LinkLost

TIMEOUT_S = 10.0
_ABSENT = (502, 503, 504)  # what a gateway answers while the host behind it restarts
_SHOWN = 300  # characters of an answer that a message quotes
_LARGEST = 32 * 1024 * 1024  # bytes of one message


def needed(module: str, where: str) -> Any:
    """Import what network printers need.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{where} needs {module.partition('.')[0]}: pip install 'toughopt[network]'") from error


class RestClient:
    """HTTP requests to one host, over connections that are kept until `close`."""

    def __init__(self, where: str, url: str, key: str | None, key_hint: str, timeout_s: float = TIMEOUT_S) -> None:
        self._where = where
        self._key_hint = key_hint
        self._httpx = needed("httpx", where)
        headers = {"X-Api-Key": key} if key else {}
        self._options = {"base_url": url, "headers": headers, "timeout": timeout_s}
        self._client: Any = None  # opened by the first request

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON object at a path. Raises LinkLost, DeviceError."""
        return self._asked("GET", path, params=query or None)

    def post(self, path: str, **options: Any) -> dict[str, Any]:
        """What is answered to `json=`, or `files=` and `data=`. Raises LinkLost, DeviceError."""
        return self._asked("POST", path, **options)

    def delete(self, path: str) -> None:
        """Have what is at a path deleted. Raises LinkLost, DeviceError."""
        self._asked("DELETE", path)

    def close(self) -> None:
        """Let the connections go; the next request opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _asked(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        if self._client is None:
            self._client = self._httpx.Client(**self._options)
        try:
            answer = self._client.request(method, path, **options)
        except self._httpx.TransportError as error:
            raise LinkLost(f"{self._where} does not answer: {error or type(error).__name__}") from error
        if answer.status_code in (401, 403):
            raise DeviceError(f"{self._where} refuses the API key; {self._key_hint}")
        if answer.status_code in _ABSENT:
            raise LinkLost(f"{self._where} is not there: {_words(answer)}")
        if answer.status_code >= 400:
            raise DeviceError(f"{self._where} refuses {method} {path}: {_words(answer)}")
        if not answer.content:
            return {}
        try:
            found = answer.json()
        except ValueError as error:
            raise DeviceError(
                f"{self._where} answers {answer.text[:_SHOWN]!r} to {path}, which is not JSON; is the address right?"
            ) from error
        return found if isinstance(found, dict) else {"result": found}


def _words(answer: Any) -> str:
    try:
        found = answer.json()
    except ValueError:
        return f"{answer.status_code} {answer.text[:_SHOWN]}".strip()
    error = found.get("error", found) if isinstance(found, Mapping) else found
    if isinstance(error, Mapping):
        error = error.get("message", error)
    return f"{answer.status_code} {str(error)[:_SHOWN]}"


class MessageSocket:
    """A websocket on which both sides send JSON."""

    def __init__(self, where: str, url: str, headers: Mapping[str, str]) -> None:
        self._where = where
        client = needed("websockets.sync.client", where)
        self._faults = needed("websockets.exceptions", where)
        self._stack = ExitStack()
        try:
            opened = client.connect(
                url, additional_headers=dict(headers), open_timeout=TIMEOUT_S, close_timeout=1.0, max_size=_LARGEST
            )
            self._socket = self._stack.enter_context(opened)
        except self._faults.InvalidStatus as error:
            status = error.response.status_code
            if status in _ABSENT:
                raise LinkLost(f"{where} is not there: {status} from {url}") from error
            raise DeviceError(
                f"{where} refuses the websocket at {url} ({status}); is the address right, and the API key?"
            ) from error
        except (OSError, self._faults.WebSocketException) as error:  # a time-out is an OSError
            raise LinkLost(f"{where} opens no websocket at {url}: {error or type(error).__name__}") from error

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one object. Raises LinkLost."""
        try:
            self._socket.send(json.dumps(message))
        except self._faults.ConnectionClosed as error:
            raise LinkLost(f"{self._where} has closed the connection: {error}") from error

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next object; None where none comes in time. Raises LinkLost."""
        try:
            data = self._socket.recv(timeout=timeout_s)
        except TimeoutError:
            return None
        except self._faults.ConnectionClosed as error:
            raise LinkLost(f"{self._where} has closed the connection: {error}") from error
        try:
            found = json.loads(data)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Let it go."""
        self._stack.close()
