from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from toughopt.errors import JournalError
from toughopt.journal import SqlStore, open_sqlite
from toughopt.journal import events as ev


def test_what_was_appended_is_read_back_in_order(store: SqlStore) -> None:
    for text in ("one", "two", "three"):
        store.append(ev.Noted(who="me", text=text))
    assert [e.payload["text"] for e in store.read(after=1)] == ["one", "two", "three"]
    assert [e.seq for e in store.read()] == [1, 2, 3, 4]
    assert store.last_seq() == 4
    assert [e.payload["text"] for e in store.read(after=2, until=3)] == ["two"]


def test_a_group_of_events_is_written_whole_or_not_at_all(store: SqlStore) -> None:
    class Unserialisable(ev.Noted):
        kind = "noted"

        def model_dump_json(self, **_: object) -> str:
            raise JournalError("cannot be encoded")

    with pytest.raises(JournalError):
        store.append_all([(ev.Noted(who="a", text="b"), None), (Unserialisable(who="c", text="d"), None)])
    assert store.last_seq() == 1


def test_events_are_never_changed_not_even_by_other_software(store: SqlStore, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "journal.sqlite")
    with pytest.raises(sqlite3.DatabaseError, match="never changed"):
        other.execute("UPDATE events SET kind = 'noted'")
    with pytest.raises(sqlite3.DatabaseError, match="never deleted"):
        other.execute("DELETE FROM events")
    other.close()


def test_a_second_process_may_append_while_this_one_reads(store: SqlStore, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from toughopt.journal import open_sqlite, events as ev\n"
        "s = open_sqlite(Path(sys.argv[1]))\n"
        "for i in range(20): s.append(ev.Noted(who='other', text=str(i)))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "journal.sqlite")])
    for i in range(20):
        store.append(ev.Noted(who="me", text=str(i)))
    assert process.wait(timeout=60) == 0
    for who in ("me", "other"):
        assert [e.payload["text"] for e in store.read(after=1) if e.payload["who"] == who] == [
            str(i) for i in range(20)
        ]


def test_a_database_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(JournalError, match="not a toughopt journal"):
        open_sqlite(tmp_path / "other.sqlite")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"\x00garbage" * 1000)
    with pytest.raises(JournalError, match="cannot be opened"):
        open_sqlite(tmp_path / "broken.sqlite")


def test_a_missing_and_an_existing_file_are_told_apart(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="not there"):
        open_sqlite(tmp_path / "nowhere.sqlite")
    with pytest.raises(JournalError, match="already there"):
        open_sqlite(tmp_path / "journal.sqlite", create=True)


def test_verify_finds_a_payload_that_does_not_fit(store: SqlStore, tmp_path: Path) -> None:
    store.verify()
    other = sqlite3.connect(tmp_path / "journal.sqlite")
    other.execute(
        "INSERT INTO events (time_utc, kind, schema_version, payload) VALUES ('now', 'noted', 1, '{\"who\": 1}')"
    )
    other.commit()
    other.close()
    with pytest.raises(JournalError, match="schema"):
        store.verify()


def test_an_event_of_a_newer_version_says_so() -> None:
    with pytest.raises(JournalError, match="newer toughopt"):
        ev.decode("noted", 99, "{}")
    with pytest.raises(JournalError, match="newer toughopt"):
        ev.decode("invented", 1, "{}")
