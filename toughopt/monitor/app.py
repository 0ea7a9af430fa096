"""The application: which address answers with what, and the task that follows the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from toughopt.errors import ToughoptError
from toughopt.loop.telemetry import last_said
from toughopt.monitor.access import Access, access_for
from toughopt.monitor.control import Control, Steering
from toughopt.monitor.files import Files
from toughopt.monitor.guard import Guard
from toughopt.monitor.pages import Pages
from toughopt.monitor.shelf import Shelf
from toughopt.monitor.source import Source
from toughopt.monitor.stream import Stream

if TYPE_CHECKING:
    from starlette.types import ExceptionHandler

_LOOK_S = 0.4
_STATIC = {"monitor.css": "text/css", "monitor.js": "text/javascript", "icon.svg": "image/svg+xml"}


def create_app(
    campaign_dir: Path | str, *, compare: Sequence[Path | str] = (), access: Access | None = None
) -> Starlette:
    """The web page of a campaign.

    Parameters
    ----------
    campaign_dir : the campaign that is shown and steered
    compare : folders of other campaigns, which are only read
    access : who may do what, and under which hosts; by default as on 127.0.0.1:8765, with a new operator's token,
        which is then `app.state.access.operator_token`

    Raises
    ------
    ConfigError, JournalError
        If there is no campaign, or its journal cannot be read.
    """
    allowed = access or access_for("127.0.0.1", 8765)
    sources = [Source(Path(folder)) for folder in (campaign_dir, *compare)]
    shelf = Shelf(sources[0])
    stream = Stream(sources[0], allowed)
    pages = Pages(sources, shelf, allowed)
    steering = Steering(Path(campaign_dir))

    async def seen() -> None:
        await asyncio.to_thread(sources[0].look)
        stream.news += 1
        stream.tell(stream.trouble)

    control = Control(allowed, steering, pages, seen)
    files = Files(sources, shelf, allowed)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(_follow(sources, shelf, stream))
        try:
            yield
        finally:
            following.cancel()
            stream.end()
            steering.close()
            for source in sources:
                source.close()

    app = Starlette(
        routes=[
            Route("/", pages.overview),
            Route("/experiments", pages.experiments),
            Route("/experiments/{identity:int}", pages.experiment),
            Route("/lab", pages.lab),
            Route("/model", pages.model),
            Route("/compare", pages.compare),
            Route("/log", pages.log),
            Route("/steer", pages.steer),
            Route("/sign-in", pages.sign_in, methods=["GET"]),
            Route("/sign-in", control.sign_in, methods=["POST"]),
            Route("/sign-out", control.sign_out, methods=["POST"]),
            Route("/ctl/{verb}", control.command, methods=["POST"]),
            Route("/events", stream.events),
            Route("/status.json", files.status),
            Route("/figures/comparison.svg", files.comparison),
            Route("/figures/{name}.svg", files.figure),
            Route("/experiments/{identity:int}/{name}.svg", files.portrait),
            Route("/experiments/{identity:int}/viewer", files.viewer),
            Route("/experiments/{identity:int}/{kind}", files.artifact),
            Route("/static/{name}", _static),
        ],
        middleware=[Middleware(Guard, access=allowed)],
        exception_handlers=_handlers(pages),
        lifespan=lifespan,
    )
    app.state.access = allowed
    app.state.stream = stream
    return app


async def _follow(sources: Sequence[Source], shelf: Shelf, stream: Stream) -> None:
    """Look at the journals, and tell whoever listens; a journal that cannot be read now may be later."""
    shown: dict[str, int] = {}
    while True:
        trouble = ""
        changed = False
        for source in sources:
            try:
                changed |= bool(await asyncio.to_thread(source.look))
            except ToughoptError as error:
                trouble = str(error)
        stamps, said = shelf.stamps(), last_said(sources[0].folder)
        if changed or stamps != shown:
            shown = stamps
            stream.news += 1
        elif trouble == stream.trouble and said == stream.said:
            await asyncio.sleep(_LOOK_S)
            continue
        stream.said = said
        stream.tell(trouble)
        await asyncio.sleep(_LOOK_S)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        raise HTTPException(404, "there is no such file")
    data = (resources.files("toughopt.monitor") / "static" / name).read_bytes()
    return Response(data, media_type=_STATIC[name], headers={"cache-control": "no-cache"})


def _handlers(pages: Pages) -> dict[int | type[Exception], ExceptionHandler]:
    def answer(request: Request, words: str, status: int) -> Response:
        accepted = request.headers.get("accept", "")
        if "application/json" in accepted:
            return JSONResponse({"ok": False, "message": words}, status)
        if "text/html" in accepted:
            return pages.problem_page(request, words, status)
        return PlainTextResponse(f"{words}\n", status)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = answer(request, error.detail, error.status_code)
        response.headers.update(error.headers or {})
        return response

    async def failed(request: Request, error: Exception) -> Response:
        return answer(request, str(error), 500)

    return {HTTPException: refused, ToughoptError: failed}
