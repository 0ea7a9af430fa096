"""A disk that is full or cannot be written ends with a clear error, and the journal is as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from toughopt.errors import JournalError
from toughopt.journal import events as ev
from toughopt.journal import open_sqlite

_WORDS = "x" * 2000
_LIMITED = """
import resource, sys
from pathlib import Path
from toughopt.errors import JournalError
from toughopt.journal import Artifacts, events as ev, open_sqlite
store = open_sqlite(Path(sys.argv[1]) / "journal.sqlite")
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
written = 0
try:
    for written in range(1000):
        store.append(ev.Noted(who="me", text="x" * 2000))
except JournalError as error:
    print(written, error)
try:
    Artifacts(Path(sys.argv[1]) / "artifacts").put(b"x" * 200_000)
except JournalError as error:
    print(error)
"""


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs to mount a tiny file system")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)], check=False)
    if done.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_full_disk_is_told_and_the_journal_goes_on_once_there_is_space(tiny_disk: Path) -> None:
    store = open_sqlite(tiny_disk / "journal.sqlite", create=True)
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * 400_000)
    written = 0
    with pytest.raises(JournalError, match="free some space"):
        for _ in range(1000):
            store.append(ev.Noted(who="me", text=_WORDS))
            written += 1
    assert 0 < written < 1000
    assert [e.seq for e in store.read()] == list(range(1, written + 1))
    ballast.unlink()
    store.verify()
    store.append(ev.Noted(who="me", text="after"))
    store.close()
    again = open_sqlite(tiny_disk / "journal.sqlite")
    assert [e.payload["text"] for e in again.read()] == [_WORDS] * written + ["after"]
    again.close()


def test_a_disk_that_becomes_read_only_is_told(tiny_disk: Path) -> None:
    store = open_sqlite(tiny_disk / "journal.sqlite", create=True)
    store.append(ev.Noted(who="me", text="before"))
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(JournalError, match="permit"):
        open_sqlite(tiny_disk / "journal.sqlite").append(ev.Noted(who="me", text="lost"))
    published = open_sqlite(tiny_disk / "journal.sqlite")
    published.verify()
    assert [e.payload["text"] for e in published.read()] == ["before"]
    published.close()
    subprocess.run(["mount", "-o", "remount,rw", str(tiny_disk)], check=True)
    store = open_sqlite(tiny_disk / "journal.sqlite")
    assert [e.payload["text"] for e in store.read()] == ["before"]
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_file_that_may_not_grow_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    open_sqlite(tmp_path / "journal.sqlite", create=True).close()
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    journal, artifact = done.stdout.splitlines()
    written = int(journal.split()[0])
    assert written > 5 and "cannot be read or written" in journal
    assert "cannot be written" in artifact
    store = open_sqlite(tmp_path / "journal.sqlite")
    store.verify()
    assert store.last_seq() == written
    store.close()
    assert [p for p in (tmp_path / "artifacts").rglob("*") if p.is_file()] == []


def test_a_journal_that_somebody_else_conducts_can_be_read_where_it_cannot_be_written(
    tiny_disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = open_sqlite(tiny_disk / "journal.sqlite", create=True)
    store.append(ev.Noted(who="me", text="in the log only"))
    view = tmp_path_factory.mktemp("view")
    subprocess.run(["mount", "--bind", str(tiny_disk), str(view)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(view)], check=True)
        reader = open_sqlite(view / "journal.sqlite")
        assert reader.last_seq() == 1
        store.append(ev.Noted(who="me", text="meanwhile"))
        assert [e.payload["text"] for e in reader.read()] == ["in the log only", "meanwhile"]
        reader.close()
    finally:
        store.close()
        subprocess.run(["umount", "-l", str(view)], check=True)


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    folder = tmp_path / "which one? 50 %20 #3"
    folder.mkdir()
    open_sqlite(folder / "journal.sqlite", create=True).close()
    assert (folder / "journal.sqlite").stat().st_size > 0
