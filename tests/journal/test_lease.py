"""One conductor over several PCs: real processes, killed and stopped, over a real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from toughopt.errors import CampaignBusy, JournalError
from toughopt.journal import events as ev
from toughopt.journal.postgres import open_postgres

pytestmark = pytest.mark.full
_LEASE_S = 2.0
_HOLDERS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1953461608 AND granted"
_HOLDER = """
import os, sys
from pathlib import Path
from toughopt.errors import CampaignBusy
from toughopt.journal import events as ev
from toughopt.journal.postgres import open_postgres
store = open_postgres(os.environ["JOURNAL"], lease_s=float(sys.argv[1]))
with store.lock(Path(".")):
    print("held", flush=True)
    sys.stdin.readline()
    try:
        store.append(ev.Noted(who="first", text="still here"))
    except CampaignBusy as error:
        print(error, flush=True)
"""


@contextmanager
def holding(url: str, lease_s: float = _LEASE_S) -> Iterator[subprocess.Popen[str]]:
    """A process that conducts until it is told a line, and then tries to write."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(lease_s)],
        stdin=-1,
        stdout=-1,
        text=True,
        env={**os.environ, "JOURNAL": url},
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)
        process.stdin.close()
        process.stdout.close()


def test_a_second_conductor_is_refused_with_who_holds_it(postgres_url: str, tmp_path: Path) -> None:
    store = open_postgres(postgres_url)
    with holding(postgres_url, lease_s=30.0) as first:
        with pytest.raises(CampaignBusy, match=f"process {first.pid} on "):
            store.lock(tmp_path).acquire()
        store.append(ev.Noted(who="somebody", text="requests are written all the same"))
    store.close()


def test_a_killed_conductor_frees_it_within_the_lease(postgres_url: str, tmp_path: Path) -> None:
    store = open_postgres(postgres_url)
    with holding(postgres_url, lease_s=30.0) as first:
        first.kill()
        first.wait(timeout=30)
        begun = time.monotonic()
        with store.lock(tmp_path):
            assert time.monotonic() - begun < 30.0
    store.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_a_conductor_that_hangs_loses_it_after_the_lease_and_can_write_nothing_more(
    postgres_url: str, tmp_path: Path
) -> None:
    store = open_postgres(postgres_url, lease_s=_LEASE_S)
    with holding(postgres_url) as first:
        first.send_signal(signal.SIGSTOP)
        taken, deadline = None, time.monotonic() + 20 * _LEASE_S
        while taken is None and time.monotonic() < deadline:
            lock = store.lock(tmp_path)
            try:
                lock.acquire()
                taken = lock
            except CampaignBusy:
                threading.Event().wait(0.1)
        assert taken is not None
        store.append(ev.Noted(who="second", text="I go on"))
        first.send_signal(signal.SIGCONT)
        assert first.stdin is not None and first.stdout is not None
        first.stdin.write("\n")
        first.stdin.flush()
        assert f"process {os.getpid()}" in first.stdout.readline()
        assert [e.payload["who"] for e in store.read()] == ["second"]
        taken.release()
    store.close()


def test_it_is_free_again_after_it_was_let_go(postgres_url: str, tmp_path: Path) -> None:
    store, other = open_postgres(postgres_url), open_postgres(postgres_url)
    for _ in range(3):
        with store.lock(tmp_path):
            store.append(ev.Noted(who="first", text="mine"))
            with pytest.raises(CampaignBusy):
                other.lock(tmp_path).acquire()
        with other.lock(tmp_path):
            other.append(ev.Noted(who="second", text="mine"))
    store.append(ev.Noted(who="first", text="as anybody may"))
    store.close()
    other.close()


def test_a_server_that_was_away_for_a_moment_does_not_end_the_campaign(
    postgres_cluster: Any, postgres_url: str, tmp_path: Path
) -> None:
    store = open_postgres(postgres_url, lease_s=0.6, patience_s=0.0)
    with store.lock(tmp_path):
        store.append(ev.Noted(who="me", text="before"))
        postgres_cluster.stop()
        with pytest.raises(JournalError, match="database server"):
            store.append(ev.Noted(who="me", text="lost"))
        postgres_cluster.restart()
        store.append(ev.Noted(who="me", text="after"))
        other = open_postgres(postgres_url, lease_s=0.6)
        deadline = time.monotonic() + 60
        held = False
        while not held and time.monotonic() < deadline:
            threading.Event().wait(0.3)  # the heart takes the lock again with its next beat
            with store.transaction() as connection:
                held = bool(connection.execute(text(_HOLDERS)).scalar())
        assert held
        with pytest.raises(CampaignBusy):
            other.lock(tmp_path).acquire()
        other.close()
    assert [e.payload["text"] for e in store.read()] == ["before", "after"]
    store.close()


_END = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid != pg_backend_pid()"
)


def test_lines_that_are_cut_lose_no_event_and_double_none(postgres_url: str) -> None:
    store, cutter = open_postgres(postgres_url), open_postgres(postgres_url)
    over, some = threading.Event(), threading.Event()
    cuts = 0

    def cut() -> None:
        nonlocal cuts
        while not over.wait(0.02 if cuts == 0 else 0.1):
            if cuts > 2:
                some.set()
            cuts += cutter.transact(lambda connection: int(connection.execute(text(_END)).scalar_one()))

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        written = []
        while len(written) < 60 or not (some.is_set() or len(written) > 5000):
            i = len(written)
            written.append(store.append_all([(ev.Noted(who="me", text=f"{i}{half}"), None) for half in "ab"]))
        read = list(store.read())
    finally:
        over.set()
        thread.join()
    assert cuts > 0
    assert [e.payload["text"] for e in read] == [f"{i}{half}" for i in range(len(written)) for half in "ab"]
    assert [e.seq for e in read] == [e.seq for pair in written for e in pair]
    store.close()
    cutter.close()


def test_a_conductor_whose_line_is_cut_conducts_on(postgres_url: str, tmp_path: Path) -> None:
    """Somebody who asks in the same moment does not take the campaign from a process that lives."""
    store, other = open_postgres(postgres_url), open_postgres(postgres_url)
    with store.lock(tmp_path):
        for _ in range(3):
            other.transact(lambda connection: connection.execute(text(_END)))
            with pytest.raises(CampaignBusy, match=f"process {os.getpid()}"):
                other.lock(tmp_path).acquire()
            store.append(ev.Noted(who="me", text="still here"))
    with other.lock(tmp_path):  # and it is free at once when it is let go
        pass
    store.close()
    other.close()
