"""What every request must pass, whatever it asks for: the right host, the same origin, and rules for the browser."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toughopt.monitor.access import Access, Person

#: Nothing but this server's own style sheet, script, pictures and frames.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: A picture brings its own style and nothing else.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
#: The viewer of meshes is one inline script with its mesh; it can reach nothing, and has no origin.
VIEWER_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src data: blob:; sandbox allow-scripts; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """An ASGI layer around the whole application."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what is not meant for this server; add the headers that tell browsers what a page may do."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Request(scope))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers[name] = value
                headers.setdefault("content-security-policy", PAGE_POLICY)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._access.serves(hosts[0], request.scope.get("server")):
            return PlainTextResponse("this server is not called that; ask it under the name that it printed\n", 400)
        if request.method in ("GET", "HEAD"):
            return None
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != hosts[0].lower():
            return PlainTextResponse("requests from other sites are refused\n", 403)
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("requests from other sites are refused\n", 403)
        return None


def cookie_name(request: Request) -> str:
    """Cookies know no ports: each server on a machine has one of its own."""
    return f"toughopt_{request.url.port or 80}"


def person_of(request: Request, access: Access) -> Person | None:
    """Who asks: by token in the Authorization header, else by the session's cookie; None for a stranger."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return access.by_token(token.strip())
    session = request.cookies.get(cookie_name(request))
    return access.by_session(session) if session else None


def may_read(request: Request, access: Access) -> bool:
    """Whether whoever asks may see the campaign."""
    return access.reader_token is None or person_of(request, access) is not None
