"""Server-sent events: each open page learns at once that the journal has something new."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from toughopt.monitor.access import Access
from toughopt.monitor.guard import may_read

if TYPE_CHECKING:
    from toughopt.monitor.source import Source

_BEAT_S = 10.0
_MOST = 64  # pages at a time


class Stream:
    """Tells every listener that something changed, and what the newest event is."""

    def __init__(self, source: Source, access: Access) -> None:
        self._source = source
        self._access = access
        self._listeners: set[asyncio.Event] = set()
        self._ended = False
        self.trouble = ""
        self.news = 0  # grows with what a page shows of the campaign
        self.said = 0.0  # when machines last spoke

    def tell(self, trouble: str = "") -> None:
        """Wake every listener. On the event loop's own thread."""
        self.trouble = trouble
        for listener in self._listeners:
            listener.set()

    def end(self) -> None:
        """Let every listener go: the server stops."""
        self._ended = True
        self.tell(self.trouble)

    async def events(self, request: Request) -> Response:
        """`GET /events`: one message at once, one a change, and a beat every ten seconds."""
        if not may_read(request, self._access):
            raise HTTPException(403, "sign in first")
        if len(self._listeners) >= _MOST:
            raise HTTPException(503, f"{_MOST} pages are open already; close one")
        return StreamingResponse(self._messages(), media_type="text/event-stream")

    async def _messages(self) -> AsyncIterator[str]:
        changed = asyncio.Event()
        self._listeners.add(changed)
        try:
            yield "retry: 1500\n" + self._message()
            while not self._ended:
                try:
                    await asyncio.wait_for(changed.wait(), _BEAT_S)
                except TimeoutError:
                    yield "event: beat\ndata: {}\n\n"
                    continue
                changed.clear()
                if not self._ended:
                    yield self._message()
        finally:
            self._listeners.discard(changed)

    def _message(self) -> str:
        told = {
            "seq": self._source.moment.state.seq,
            "news": self.news,
            "said": self.said,
            "trouble": self.trouble,
        }
        return f"id: {told['seq']}\ndata: {json.dumps(told)}\n\n"
