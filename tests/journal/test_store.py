"""What every store promises, whatever database is under it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from toughopt.errors import JournalError
from toughopt.journal import SqlStore, Store, open_sqlite
from toughopt.journal import events as ev
from toughopt.journal.postgres import open_postgres


def same(store: SqlStore) -> tuple[str, dict[str, str]]:
    """Python that opens the same journal as `s`, and the environment that it needs."""
    engine = store._engine
    url = engine.url.render_as_string(hide_password=False)
    if engine.dialect.name == "sqlite":
        code = "s = open_sqlite(Path(os.environ['JOURNAL']))\n"
        url = str(engine.url.database)
    else:
        code = "s = open_postgres(os.environ['JOURNAL'])\n"
    imports = "import os, sys; from pathlib import Path\n"
    imports += (
        "from toughopt.journal import open_sqlite, events as ev\nfrom toughopt.journal.postgres import open_postgres\n"
    )
    return imports + code, {**os.environ, "JOURNAL": url}


def test_a_store_is_one(store: SqlStore) -> None:
    assert isinstance(store, Store)


def test_what_was_appended_is_read_back_in_order(store: SqlStore) -> None:
    for words in ("one", "two", "three"):
        store.append(ev.Noted(who="me", text=words))
    assert [e.payload["text"] for e in store.read(after=1)] == ["one", "two", "three"]
    assert [e.seq for e in store.read()] == [1, 2, 3, 4]
    assert store.last_seq() == 4
    assert [e.payload["text"] for e in store.read(after=2, until=3)] == ["two"]


def test_an_append_tells_the_event_as_it_is_read_back(store: SqlStore) -> None:
    told = store.append(ev.Complete(value=0.1 + 0.2, result={"peak_force_n": 1e-300, "word": "ü\n\"'"}), 7)
    (read,) = store.read(after=1)
    assert told == read
    assert read.payload["value"] == 0.1 + 0.2


def test_a_group_of_events_is_written_whole_or_not_at_all(store: SqlStore) -> None:
    class Unserialisable(ev.Noted):
        kind = "noted"

        def model_dump_json(self, **_: object) -> str:
            raise JournalError("cannot be encoded")

    with pytest.raises(JournalError):
        store.append_all([(ev.Noted(who="a", text="b"), None), (Unserialisable(who="c", text="d"), None)])
    assert store.last_seq() == 1
    store.append(ev.Noted(who="a", text="b"))
    assert len(list(store.read())) == 2


@pytest.mark.parametrize("change", ["UPDATE events SET kind = 'noted'", "DELETE FROM events"])
def test_events_are_never_changed_not_even_by_other_software(store: SqlStore, change: str) -> None:
    with pytest.raises(JournalError, match="never"), store.transaction() as connection:
        connection.execute(text(change))
    assert [e.kind for e in store.read()] == ["campaign_created"]


def test_a_second_process_may_append_while_this_one_reads(store: SqlStore) -> None:
    code, environment = same(store)
    code += "for i in range(20): s.append(ev.Noted(who='other', text=str(i)))\n"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    for i in range(20):
        store.append(ev.Noted(who="me", text=str(i)))
    assert process.wait(timeout=60) == 0
    for who in ("me", "other"):
        assert [e.payload["text"] for e in store.read(after=1) if e.payload["who"] == who] == [
            str(i) for i in range(20)
        ]


def test_who_reads_on_from_the_last_number_misses_nothing_that_others_write_meanwhile(store: SqlStore) -> None:
    writers, each = 4, 25
    start = threading.Barrier(writers + 1)

    def write(who: str) -> None:
        start.wait(30)
        for i in range(each):
            store.append_all([(ev.Noted(who=who, text=str(i)), None), (ev.Noted(who=who, text="more"), None)])

    threads = [threading.Thread(target=write, args=(str(i),)) for i in range(writers)]
    for thread in threads:
        thread.start()
    start.wait(30)
    seen: list[int] = []
    last = 1
    while len(seen) < writers * each * 2:
        for event in store.read(after=last):
            seen.append(event.seq)
            last = event.seq
        if not any(thread.is_alive() for thread in threads):
            seen += [event.seq for event in store.read(after=last)]
            break
    for thread in threads:
        thread.join()
    assert seen == [e.seq for e in store.read(after=1)]
    assert len(seen) == writers * each * 2


def test_what_a_killed_process_appended_is_there_and_what_it_had_begun_is_not(store: SqlStore) -> None:
    code, environment = same(store)
    code += (
        "s.append(ev.Noted(who='other', text='done'))\n"
        "class Stuck(ev.Noted):\n"
        "    kind = 'noted'\n"
        "    def model_dump_json(self, **_):\n"
        "        print('in the middle', flush=True); sys.stdin.read()\n"
        "s.append_all([(ev.Noted(who='other', text='begun'), None), (Stuck(who='other', text='x'), None)])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=-1, stdout=-1)
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline().strip() == b"in the middle"
    process.kill()
    process.wait(timeout=30)
    process.stdin.close()
    process.stdout.close()
    store.append(ev.Noted(who="me", text="after"))
    assert [e.payload["text"] for e in store.read(after=1)] == ["done", "after"]
    store.verify()


def test_verify_finds_a_payload_that_does_not_fit(store: SqlStore) -> None:
    store.verify()
    with store.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO events (time_utc, kind, schema_version, payload) "
                "VALUES ('now', 'noted', 1, '{\"who\": 1}')"
            )
        )
    with pytest.raises(JournalError, match="schema"):
        store.verify()


def test_artifacts_are_kept_under_their_hash_and_missing_ones_found(store: SqlStore, tmp_path: Path) -> None:
    artifacts = store.artifacts(tmp_path / "artifacts")
    data = bytes(range(256)) * 500
    digest = artifacts.put(data)
    assert artifacts.put(data) == digest
    assert artifacts.get(digest) == data
    assert artifacts.verify([digest]) == []
    problems = artifacts.verify([digest, "0" * 64])
    assert len(problems) == 1 and "missing" in problems[0]
    with pytest.raises(JournalError, match="missing"):
        artifacts.get("0" * 64)


def test_a_journal_is_opened_again_with_all_that_is_in_it(store: SqlStore) -> None:
    store.append(ev.Noted(who="me", text="kept"))
    url = store._engine.url
    if store._engine.dialect.name == "sqlite":
        again: SqlStore = open_sqlite(Path(str(url.database)))
    else:
        again = open_postgres(url.render_as_string(hide_password=False))
    assert list(again.read()) == list(store.read())
    again.close()


@pytest.mark.parametrize("events", [1, 3])
def test_a_group_whose_commit_nobody_heard_of_is_written_once(
    store: SqlStore, events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, lost = store.transaction, []

    @contextmanager
    def deaf() -> Iterator[Connection]:
        with whole() as connection:
            yield connection
        if not lost:  # it was kept, and then the line broke
            lost.append(True)
            raise JournalError("the line is lost") from OperationalError(
                "COMMIT", {}, Exception("cut"), connection_invalidated=True
            )

    monkeypatch.setattr(store, "transaction", deaf)
    monkeypatch.setattr(store, "_patience_s", 5.0)
    told = store.append_all([(ev.Noted(who="me", text=str(i)), None) for i in range(events)])
    assert lost
    assert list(store.read(after=1)) == told
    assert [e.payload["text"] for e in told] == [str(i) for i in range(events)]
