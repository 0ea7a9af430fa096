from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from toughopt.errors import JournalError
from toughopt.journal import open_sqlite
from toughopt.journal.sqlite import file_system


def test_a_database_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(JournalError, match="not a toughopt journal"):
        open_sqlite(tmp_path / "other.sqlite")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"\x00garbage" * 1000)
    with pytest.raises(JournalError, match="cannot be opened"):
        open_sqlite(tmp_path / "broken.sqlite")


def test_a_missing_and_an_existing_file_are_told_apart(tmp_path: Path) -> None:
    open_sqlite(tmp_path / "journal.sqlite", create=True).close()
    with pytest.raises(JournalError, match="not there"):
        open_sqlite(tmp_path / "nowhere.sqlite")
    with pytest.raises(JournalError, match="already there"):
        open_sqlite(tmp_path / "journal.sqlite", create=True)


def test_a_damaged_page_is_found(tmp_path: Path) -> None:
    from toughopt.journal import events as ev

    path = tmp_path / "journal.sqlite"
    store = open_sqlite(path, create=True)
    for i in range(200):
        store.append(ev.Noted(who="me", text=f"note {i} " + "x" * 200))
    store.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = b"\xff" * 64
    path.write_bytes(data)
    broken = open_sqlite(path)
    with pytest.raises(JournalError, match=r"damaged|malformed|schema|JSON"):
        broken.verify()
    broken.close()


def test_the_file_system_of_a_folder_is_the_one_that_lies_on_top_of_it(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        "auto.lab /lab autofs rw 0 0\n"
        "server:/lab /lab nfs4 rw 0 0\n"
        "//server/disk /with\\040space cifs rw 0 0\n"
        "tmpfs /lab/fast tmpfs rw 0 0\n"
    )
    kinds = {name: file_system(Path(name), mounts) for name in ("/lab/a", "/laboratory", "/lab/fast/b", "/with space")}
    assert kinds == {"/lab/a": "nfs4", "/laboratory": "ext4", "/lab/fast/b": "tmpfs", "/with space": "cifs"}


def test_a_sandbox_on_a_shared_disk_has_no_other_one(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("none / 9p rw 0 0\nC: /mnt/c 9p rw 0 0\n")
    assert (file_system(Path("/home"), mounts), file_system(Path("/mnt/c/work"), mounts)) == ("", "9p")


def test_one_pc_alone_loads_nothing_of_what_several_need() -> None:
    loaded = "import sys, toughopt.loop.facade, toughopt.cli.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, timeout=120, check=True)
    names = done.stdout.split()
    assert "toughopt.journal.sqlite" in names
    assert [name for name in names if "postgres" in name or name.startswith(("psycopg", "procrastinate"))] == []
