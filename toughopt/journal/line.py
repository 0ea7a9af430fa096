"""A line to PostgreSQL that is given up where the server falls silent.

TCP's own time limits do not see a server that is frozen: its kernel goes on acknowledging what it is sent.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen

SILENCE_S = 30.0  # far longer than any statement of ours takes


class Line(psycopg.Connection[Any]):
    """A connection whose questions fail, and end it, where no word comes for `SILENCE_S`."""

    def wait(self, gen: PQGen[RV], *arguments: Any, **options: Any) -> RV:
        """See psycopg; called for everything that the server is asked."""
        return super().wait(self._listened(gen), *arguments, **options)

    def _listened(self, gen: PQGen[RV]) -> PQGen[RV]:
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready:
                    heard = now
                elif now - heard > SILENCE_S:
                    self.pgconn.finish()  # nothing is asked of it any more, not even to roll back
                    raise psycopg.OperationalError(f"no answer for {SILENCE_S:g} s: the connection was given up")
                wanted = gen.send(ready)
        except StopIteration as end:
            answer: RV = end.value
            return answer
