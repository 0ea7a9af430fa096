from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from toughopt.errors import JournalError
from toughopt.journal import events as ev
from toughopt.journal.postgres import open_postgres


def test_an_address_of_another_kind_is_refused_without_telling_the_password() -> None:
    with pytest.raises(JournalError, match="postgresql://") as caught:
        open_postgres("mysql://lab:secret@host/db")
    assert "secret" not in str(caught.value)


@pytest.mark.full
def test_a_server_that_does_not_answer_is_told_without_the_password(postgres_url: str) -> None:
    gone = postgres_url.rsplit(":", 1)[0] + ":1/nowhere"
    with pytest.raises(JournalError, match="cannot be opened") as caught:
        open_postgres(gone)
    assert postgres_url.split(":")[2].split("@")[0] not in str(caught.value)


@pytest.mark.full
def test_artifacts_are_shared_between_folders_and_a_spoilt_copy_is_mended(postgres_url: str, tmp_path: Path) -> None:
    store = open_postgres(postgres_url)
    here, there = store.artifacts(tmp_path / "here"), store.artifacts(tmp_path / "there")
    digest = here.put(b"a curve")
    assert there.get(digest) == b"a curve"
    there.path(digest).write_bytes(b"spoilt")
    assert there.get(digest) == b"a curve"
    assert there.path(digest).read_bytes() == b"a curve"
    store.close()


@pytest.mark.full
def test_an_artifact_changed_in_the_database_is_found(postgres_url: str, tmp_path: Path) -> None:
    from sqlalchemy import text

    store = open_postgres(postgres_url)
    digest = store.artifacts(tmp_path / "here").put(b"a curve")
    with store.transaction() as connection:
        connection.execute(text("UPDATE artifacts SET data = 'x'"))
    there = store.artifacts(tmp_path / "there")
    (problem,) = there.verify([digest])
    assert "was changed" in problem
    with pytest.raises(JournalError, match="was changed"):
        there.get(digest)
    store.close()


@pytest.mark.full
def test_a_program_is_fetched_also_where_it_cannot_be_kept(postgres_url: str, tmp_path: Path) -> None:
    store = open_postgres(postgres_url)
    digest = store.artifacts(tmp_path / "here").put(b"G28")
    (tmp_path / "full").write_text("no folder can be made here", encoding="utf-8")
    assert store.artifacts(tmp_path / "full").get(digest) == b"G28"
    store.close()


@pytest.mark.full
def test_more_artifacts_are_verified_than_one_question_may_name(postgres_url: str, tmp_path: Path) -> None:
    store = open_postgres(postgres_url)
    artifacts = store.artifacts(tmp_path / "here")
    known = artifacts.put(b"a curve")
    missing = [f"{number:064x}" for number in range(70_000)]
    problems = artifacts.verify([known, *missing])
    assert len(problems) == len(missing) and not any(known in problem for problem in problems)
    store.close()


@pytest.mark.full
def test_each_schema_of_a_database_holds_a_campaign_of_its_own(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA barrels")
    one, two = open_postgres(postgres_url), open_postgres(postgres_url + "?options=-csearch_path%3Dbarrels")
    one.append(ev.Noted(who="me", text="one"))
    two.append(ev.Noted(who="me", text="two"))
    assert [e.payload["text"] for e in two.read()] == ["two"]
    mine, seen = one.lock(tmp_path), one.lock(tmp_path)
    with mine, two.lock(tmp_path):
        assert seen.held()
    assert not seen.held()
    one.close()
    two.close()


@pytest.mark.full
def test_a_frozen_server_is_given_up_and_taken_up_again_when_it_thaws(
    postgres_cluster, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import text

    store = open_postgres(postgres_url, patience_s=4.0)
    before = store.append(ev.Excluded(who="Ada", why="before"), 1)
    with store.transaction() as connection:
        backend = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    monkeypatch.setattr("toughopt.journal.line.SILENCE_S", 1.0)
    os.kill(backend, signal.SIGSTOP)  # one of the server's processes: another one answers
    try:
        after = store.append(ev.Excluded(who="Ada", why="after"), 1)
    finally:
        os.kill(backend, signal.SIGCONT)
    assert [event.seq for event in store.read()] == [before.seq, after.seq]
    with postgres_cluster.frozen(), pytest.raises(JournalError, match="see whether the database server runs"):
        store.append(ev.Excluded(who="Ada", why="never"), 1)
    last = store.append(ev.Excluded(who="Ada", why="thawed"), 1)
    told = [event.payload["why"] for event in store.read()]
    assert told == ["before", "after", "thawed"] and last.seq > after.seq
    store.close()
