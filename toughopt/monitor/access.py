"""Who may read and who may steer: tokens, sessions, and the hosts under which the page may be asked for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_LONGEST_NAME = 40


class Role(StrEnum):
    """What somebody may do here."""

    READER = "reader"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who showed a token: what they may do, what they call themselves, and their session, if by cookie."""

    role: Role
    name: str
    session: str | None = None

    @property
    def steers(self) -> bool:
        """Whether they may change anything."""
        return self.role is Role.OPERATOR


@dataclass(frozen=True, slots=True)
class Access:
    """The tokens of one server.

    operator_token : reads and steers
    reader_token : only reads; None where whoever reaches the page may read it, as on the loopback interface
    hosts : values of the Host header, in lower case, that are answered
    any_address : whether the address of the socket that was reached is a good host too
    """

    operator_token: str
    reader_token: str | None
    hosts: frozenset[str]
    any_address: bool = False

    def by_token(self, shown: str, name: str = "") -> Person | None:
        """Who shows this token; compared in constant time."""
        role = None
        for token, candidate in ((self.reader_token, Role.READER), (self.operator_token, Role.OPERATOR)):
            if token is not None and hmac.compare_digest(_digest(shown), _digest(token)):
                role = candidate
        return None if role is None else Person(role, _plain_name(name) or str(role))

    def session_of(self, person: Person) -> str:
        """A cookie's value that says who it is, and that nobody else can make."""
        told = json.dumps({"role": person.role, "name": person.name, "salt": secrets.token_hex(8)})
        body = base64.urlsafe_b64encode(told.encode()).decode()
        return f"{body}.{self._signed('session', body)}"

    def by_session(self, session: str) -> Person | None:
        """Whom a cookie's value names; None where it was not made here, or with other tokens."""
        body, _, signature = session.partition(".")
        if not hmac.compare_digest(_digest(signature), _digest(self._signed("session", body))):
            return None
        try:
            told = json.loads(base64.urlsafe_b64decode(body))
            return Person(Role(told["role"]), str(told["name"]), session)
        except (binascii.Error, ValueError, KeyError, TypeError):
            return None

    def form_token(self, session: str) -> str:
        """What a form of that session must carry, so that no other site can send it."""
        return self._signed("form", session)

    def is_form_token(self, session: str, shown: str) -> bool:
        """Whether a form was made for that session."""
        return hmac.compare_digest(_digest(shown), _digest(self.form_token(session)))

    def serves(self, host: str, reached: tuple[str, int | None] | None) -> bool:
        """Whether a Host header names this server; `reached` is the address of the socket that was connected to."""
        wanted = host.strip().lower()
        if wanted in self.hosts:
            return True
        return self.any_address and reached is not None and wanted == host_of(reached[0], reached[1])

    def _signed(self, purpose: str, text: str) -> str:
        key = hashlib.sha256(f"{self.operator_token}\n{self.reader_token or ''}".encode()).digest()
        return hmac.new(key, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()


def new_token() -> str:
    """A token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def is_loopback(bind: str) -> bool:
    """Whether only this machine can reach a server bound to that address."""
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def access_for(
    bind: str,
    port: int,
    *,
    operator_token: str | None = None,
    reader_token: str | None = None,
    names: Iterable[str] = (),
) -> Access:
    """The access rules of a server bound to `bind`: open to read on the loopback interface, else by token only.

    names : further host names under which it is reached
    """
    local = is_loopback(bind)
    known = {bind, "localhost", "127.0.0.1", "::1"} if local else {bind, socket.gethostname(), socket.getfqdn()}
    hosts = {host_of(name, port) for name in (*known, *names)}
    if port == 80:
        hosts |= {host.removesuffix(":80") for host in hosts}
    reader = reader_token if local else reader_token or new_token()
    return Access(operator_token or new_token(), reader, frozenset(hosts), any_address=not local)


def host_of(name: str, port: int | None) -> str:
    """The Host header of an address."""
    bare = f"[{name}]" if ":" in name else name
    return f"{bare}:{port}".lower()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _plain_name(name: str) -> str:
    return "".join(c for c in name if c.isprintable()).strip()[:_LONGEST_NAME]
