"""The commands: every change is one POST that becomes a request in the journal, with who asked and why."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from toughopt.errors import InputError, ToughoptError
from toughopt.loop import Campaign
from toughopt.loop.requests import VERBS
from toughopt.monitor.access import Access, Person
from toughopt.monitor.bodies import Order, read_order
from toughopt.monitor.guard import cookie_name, person_of

if TYPE_CHECKING:
    from toughopt.monitor.pages import Pages


class Steering:
    """Sends requests to whoever conducts the campaign, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one_at_a_time = threading.Lock()
        self._campaign: Campaign | None = None

    def ask(self, verb: str, order: Order, who: str) -> Mapping[str, Any]:
        """The answer to a command. Raises ToughoptError with the reason where it is refused or nobody answers."""
        with self._one_at_a_time:
            if self._campaign is None:
                self._campaign = Campaign.open(self._folder)
            arguments = dict(order.arguments)
            if order.upload is not None:
                name, data = order.upload
                arguments |= {"curve": self._campaign.workspace.artifacts.put(data), "file_name": name}
            return self._campaign.request(verb, arguments, why=order.why, who=who)

    def close(self) -> None:
        """Let the journal go."""
        with self._one_at_a_time:
            if self._campaign is not None:
                self._campaign.close()
                self._campaign = None


class Control:
    """`POST /ctl/VERB`, and signing in and out."""

    def __init__(self, access: Access, steering: Steering, pages: Pages, seen: Callable[[], Awaitable[None]]) -> None:
        """`seen` is awaited after each command, so that the next page shows what it did."""
        self._access = access
        self._seen = seen
        self._steering = steering
        self._pages = pages

    async def command(self, request: Request) -> Response:
        """Ask for one command. 403 without the operator's token, 404 for no command, 409 where it is refused."""
        person = self._operator(request)
        verb = request.path_params["verb"]
        order = await read_order(request)
        self._from_our_form(person, request, order)
        if verb not in VERBS:
            raise HTTPException(404, f"there is no command {verb[:40]!r}")
        try:
            answer = await run_in_threadpool(self._steering.ask, verb, order, f"{person.name} (page)")
        except InputError as error:
            return self._answered(request, order, False, str(error), {}, 409)
        except ValidationError as error:
            raise HTTPException(400, "these arguments cannot be written into the journal") from error
        except ToughoptError as error:
            return self._answered(request, order, False, str(error), {}, 503)
        await self._seen()
        return self._answered(request, order, True, str(answer["message"]), dict(answer["result"]), 200)

    async def sign_in(self, request: Request) -> Response:
        """Exchange a token for a session."""
        order = await read_order(request)
        person = self._access.by_token(order.extras.get("token", "").strip(), order.extras.get("name", ""))
        if person is None:
            return self._pages.sign_in_page(request, "This token is not one of this server's.", 403)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            cookie_name(request), self._access.session_of(person), httponly=True, samesite="strict", path="/"
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """Forget the session."""
        person = person_of(request, self._access)
        if person is None:
            raise HTTPException(403, "nobody is signed in")
        self._from_our_form(person, request, await read_order(request))
        response = RedirectResponse("/", 303)
        response.delete_cookie(cookie_name(request), httponly=True, samesite="strict", path="/")
        return response

    def _operator(self, request: Request) -> Person:
        person = person_of(request, self._access)
        if person is None or not person.steers:
            raise HTTPException(403, "only an operator may do that: sign in with the operator's token")
        return person

    def _from_our_form(self, person: Person, request: Request, order: Order) -> None:
        """A session's cookie comes along whoever made the form; only our own pages know the form's token."""
        if person.session is None:
            return
        shown = order.form_token or request.headers.get("x-form-token", "")
        if not self._access.is_form_token(person.session, shown):
            raise HTTPException(403, "this form is not one of this page's, or it is old: load the page again")

    def _answered(
        self, request: Request, order: Order, ok: bool, message: str, result: dict[str, Any], status: int
    ) -> Response:
        if order.from_form and "application/json" not in request.headers.get("accept", ""):
            return self._pages.answer_page(request, ok, message, order.extras.get("back", "/"), status)
        return JSONResponse({"ok": ok, "message": message, "result": result}, status)
