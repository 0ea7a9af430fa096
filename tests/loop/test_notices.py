from __future__ import annotations

import copy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.cli.setup import campaign_text
from toughopt.errors import ConfigError
from toughopt.journal import Event, State
from toughopt.journal import events as ev
from toughopt.loop.notices import Messenger, Notice, body, gist, notices


def told(folder: Path, *payloads: tuple[ev.Payload, int | None]) -> list[Notice]:
    """The notices of these events, written into a new campaign's journal."""
    with Campaign.create(folder, campaign_text(name="shells <1>")) as campaign:
        found: list[Notice] = []
        for payload, identity in payloads:
            before = copy.deepcopy(campaign.workspace.state)
            campaign.workspace.store.append(payload, identity)
            for event in campaign.workspace.take_in():
                found += notices(event, before, campaign.workspace.state)
        return found


def proposed(**more: Any) -> ev.Proposed:
    return ev.Proposed(design={"n": 8, "theta": 1.0, "r": 2.0, "t": 1.0}, source="policy", **more)


def test_only_a_better_result_is_a_new_best(tmp_path: Path) -> None:
    payloads: list[tuple[ev.Payload, int | None]] = []
    for identity, value in enumerate((3.0, 2.0, 5.0), start=1):
        payloads += [(proposed(), identity), (ev.Complete(value=value), identity)]
    found = told(tmp_path / "c", *payloads)
    assert [(n.occasion, n.experiment_id) for n in found] == [("best", 1), ("best", 3)]
    assert "5" in found[1].text and "after 3" in found[1].text


def test_failures_waiting_and_the_end_are_told(tmp_path: Path) -> None:
    found = told(
        tmp_path / "c",
        (proposed(manual=True), 1),
        (ev.Failed(stage="proposed", reason="the bed was cold", blame="lab"), 1),
        (ev.HeatersUnknown(printer="printer-1", reason="silence"), None),
        (ev.Steered(key="disabled:printer-1", value=True, who="toughopt", why="3 failures in a row"), None),
        (ev.Steered(key="disabled:printer-1", value=True, who="anna", why="a new nozzle"), None),
        (ev.Stopped(rule="target", reason="the target is reached"), None),
    )
    assert [n.occasion for n in found] == ["waiting", "failure", "failure", "waiting", "done"]
    assert "cold" in found[1].text and "NOT known to be off" in found[2].text


def test_an_uncertain_print_waits_for_a_person_only_where_one_is_asked(tmp_path: Path) -> None:
    steps: list[tuple[ev.Payload, int | None]] = [(proposed(), 1), (ev.Uncertain(stage="printing", reason="power"), 1)]
    assert told(tmp_path / "virtual", *steps) == []
    text = campaign_text().replace("[recovery]", "[recovery]\nuncertain = 'ask'")
    if "uncertain = 'ask'" not in text:
        text += "\n[recovery]\nuncertain = 'ask'\n"
    with Campaign.create(tmp_path / "asked", text) as campaign:
        for payload, identity in steps:
            before = gist(campaign.workspace.state)
            campaign.workspace.store.append(payload, identity)
            (event,) = campaign.workspace.take_in()
            found = notices(event, before, campaign.workspace.state)
    assert [n.occasion for n in found] == ["waiting"]


@contextmanager
def webhook(
    status: int = 200, hold: threading.Event | None = None
) -> Iterator[tuple[str, list[bytes], threading.Event]]:
    """A server that keeps what is posted to it."""
    got: list[bytes] = []
    arrived = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            arrived.set()
            if hold is not None:
                hold.wait(30)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got, arrived
    finally:
        if hold is not None:
            hold.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def notice(occasion: Any = "best", text: str = "new best") -> Notice:
    return Notice(occasion, "c", text, 1, 7, "2026-01-01T00:00:00+00:00")


def test_what_is_asked_for_arrives_and_nothing_else() -> None:
    with webhook() as (url, got, _):
        with Messenger(url, on=("best",)) as messenger:
            messenger.send(notice("failure"))
            messenger.send(notice())
        assert [json.loads(one)["occasion"] for one in got] == ["best"]
        assert json.loads(got[0])["experiment_id"] == 1 and messenger.lost == 0


def test_a_slack_message_cannot_be_made_to_call_everyone() -> None:
    text = json.loads(body(notice(text="<!channel> & more"), "slack"))["text"]
    assert "<!channel>" not in text and "&lt;!channel&gt; &amp; more" in text


def test_a_webhook_that_hangs_holds_nobody_up() -> None:
    hold = threading.Event()
    with webhook(hold=hold) as (url, got, arrived):
        messenger = Messenger(url)
        messenger.send(notice())
        assert arrived.wait(20)
        for _ in range(200):
            messenger.send(notice())  # returns though nothing gets through
        assert messenger.lost == 100
        messenger.close(timeout_s=0.05)
        hold.set()
    assert len(got) >= 1


def test_while_nothing_gets_through_the_oldest_are_dropped_and_the_newest_is_kept() -> None:
    hold = threading.Event()
    with webhook(hold=hold) as (url, got, arrived):
        with Messenger(url) as messenger:
            messenger.send(notice(text="first"))
            assert arrived.wait(20)
            for number in range(150):
                messenger.send(notice(text=str(number)))
            hold.set()
        told = [json.loads(one)["text"] for one in got]
    assert told == ["first", *(str(number) for number in range(50, 150))]


def test_an_answer_that_is_none_ends_no_messenger() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        garbage = threading.Thread(target=answer_garbage, args=(listener,))
        garbage.start()
        with Messenger(f"http://127.0.0.1:{listener.getsockname()[1]}/hook") as messenger:
            messenger.send(notice())
            garbage.join(60)
        assert messenger.lost == 1


def answer_garbage(listener: socket.socket) -> None:
    for _ in range(3):  # as often as it is tried
        near, _ = listener.accept()
        with near:
            near.recv(65536)
            near.sendall(b"this is no HTTP\r\n\r\n")


def test_events_become_messages(tmp_path: Path) -> None:
    with webhook() as (url, got, _), Campaign.create(tmp_path / "c", campaign_text()) as campaign:
        with Messenger(url) as messenger:
            messenger.begin(campaign.state)
            (entry,) = campaign.suggest()
            campaign.tell(entry["id"], value=4.0)
            replayed = State()
            for event in campaign.workspace.store.read():
                replayed.apply(event)
                messenger.see(event, replayed)
        assert [json.loads(one)["occasion"] for one in got] == ["waiting", "best"]


@pytest.mark.parametrize("options", [{"url": "file:///etc/passwd"}, {"form": "xml"}, {"on": ["bset"]}])
def test_wrong_settings_are_told(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"\[notify\]"):
        Messenger(**{"url": "https://example.org/hook", **options})


def test_an_event_that_means_nothing_to_people_is_silent() -> None:
    event = Event(3, "2026-01-01T00:00:00+00:00", "cleared", 1, {"printer": "p", "by": "hands", "path": None})
    assert notices(event, State(), State()) == []
