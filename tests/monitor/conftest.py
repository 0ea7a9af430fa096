"""A campaign made by hand, its monitor on a real socket, and clients for it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from toughopt import Campaign, Curve
from toughopt.cli.setup import campaign_text
from toughopt.compression import write_csv
from toughopt.monitor import access_for, create_app
from toughopt.monitor.serve import listen

TOKEN = "operator-token-of-the-tests"
READER = "reader-token-of-the-tests"


@dataclass
class Served:
    """A monitor that runs on a thread of this process."""

    folder: Path
    port: int
    token: str = TOKEN

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request, its path sent as it stands; status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def order(self, verb: str, arguments: dict[str, Any], why: str = "") -> tuple[int, dict[str, Any]]:
        """A command with the operator's token, as a script sends it."""
        status, _, body = self.ask(
            "POST",
            f"/ctl/{verb}",
            json.dumps({"arguments": arguments, "why": why}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}", "Accept": "application/json"},
        )
        return status, json.loads(body)


@contextmanager
def serving(
    folder: Path, *, port: int = 0, bind: str = "127.0.0.1", compare: tuple[Path, ...] = ()
) -> Iterator[Served]:
    """A monitor of the campaign in `folder`."""
    socket = listen(bind, port)
    taken = socket.getsockname()[1]
    reader = None if bind == "127.0.0.1" else READER
    access = access_for(bind, taken, operator_token=TOKEN, reader_token=reader)
    app = create_app(folder, compare=compare, access=access)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline
        thread.join(0.01)
    try:
        yield Served(folder, taken)
    finally:
        app.state.stream.end()
        server.should_exit = True
        thread.join(20)
        socket.close()
        assert not thread.is_alive()


def made_by_hand(folder: Path, results: int, *, name: str = "by hand", budget: int = 30) -> Path:
    """A campaign with so many results told by hand, the last with a curve."""
    x = np.linspace(0.0, 6.0, 400)
    curve = folder.parent / f"{folder.name}-curve.csv"
    write_csv(Curve(displacement_mm=x, force_n=np.clip(x - 1.0, 0.0, None) * 80.0), curve)
    with Campaign.create(folder, campaign_text(name=name, budget=budget)) as campaign:
        for number in range(results):
            (entry,) = campaign.suggest()
            if number == results - 1:
                campaign.tell(entry["id"], curve=curve)
            else:
                campaign.tell(entry["id"], value=1.0 + number / 10.0)
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The monitor of a campaign with two results."""
    with serving(made_by_hand(tmp_path / "campaign", 2)) as running:
        yield running


@pytest.fixture(scope="session")
def serve_campaign() -> Callable[..., Any]:
    """`serving`, for tests that choose their campaign."""
    return serving


@pytest.fixture(scope="session")
def make_campaign() -> Callable[..., Path]:
    """`made_by_hand`, likewise."""
    return made_by_hand


@pytest.fixture(scope="session")
def many() -> Callable[[Path, int], Path]:
    """`many(folder, n)` writes a campaign of n experiments, one in 25 failed, as a year's lab would have left it."""

    def make(folder: Path, count: int) -> Path:
        import random
        from datetime import UTC, datetime, timedelta

        from sqlalchemy import create_engine, insert

        from toughopt.journal import events as ev
        from toughopt.journal.tables import EVENTS

        Campaign.create(folder, campaign_text(name="many", budget=count + 100)).close()
        rng, begun, rows = random.Random(1), datetime(2026, 1, 1, tzinfo=UTC), []
        for identity in range(1, count + 1):
            design = {
                "n": rng.choice([6, 8, 10, 12]),
                "theta": rng.uniform(0, 200),
                "r": rng.uniform(1.5, 2.5),
                "t": rng.uniform(0.7, 1.4),
            }
            value = 10.0 + design["t"] * 20.0 + rng.gauss(0, 3.0) + 5.0 * identity / count
            bad = identity % 25 == 0
            end: ev.Payload = (
                ev.Failed(stage="printing", reason="came off the bed", blame="lab")
                if bad
                else ev.Complete(value=value, result={"toughness_j": value, "peak_force_n": 4000.0}, mass_g=3.0)
            )
            for minute, payload in enumerate((ev.Proposed(design=design, source="policy"), end)):
                time_utc = (begun + timedelta(minutes=20 * identity + minute)).isoformat(timespec="microseconds")
                rows.append(
                    {
                        "time_utc": time_utc, "kind": payload.kind, "experiment_id": identity,
                        "schema_version": payload.version, "payload": payload.model_dump_json(),
                    }
                )  # fmt: skip
        engine = create_engine(f"sqlite:///{folder / 'journal.sqlite'}")
        with engine.begin() as connection:
            connection.execute(insert(EVENTS), rows)
        engine.dispose()
        return folder

    return make
