"""A journal written by an older version opens for ever: one file of each version is kept in data/."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from toughopt.campaign import CampaignConfig
from toughopt.journal import SqlStore, Stage, codec, fold, open_sqlite
from toughopt.journal.events import KINDS

_DATA = sorted((Path(__file__).parent / "data").glob("version-*.jsonl"))


def restored(kept: Path, folder: Path) -> SqlStore:
    """The journal whose rows were kept in a file."""
    path = folder / "journal.sqlite"
    open_sqlite(path, create=True).close()
    connection = sqlite3.connect(path)
    with connection:
        rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return open_sqlite(path)


@pytest.mark.parametrize("kept", _DATA, ids=lambda path: path.stem)
def test_a_journal_of_that_version_opens_verifies_and_folds(kept: Path, tmp_path: Path) -> None:
    store = restored(kept, tmp_path)
    store.verify()
    state = fold(store.read())
    assert state.complete and all(e.value is not None and e.mass_g is not None for e in state.complete)
    assert {e.stage for e in state.experiments.values()} <= {Stage.COMPLETE, Stage.FAILED}
    assert all(e.decision is not None and e.decision["designs"] for e in state.complete)
    CampaignConfig.model_validate(dict(state.config))
    store.close()


def test_every_version_that_was_ever_written_can_be_lifted_and_is_kept_in_a_file() -> None:
    rows = [json.loads(line) for path in _DATA for line in path.read_text(encoding="utf-8").splitlines()]
    kept = {(row[2], row[4]) for row in rows}
    for kind, model in KINDS.items():
        for version in range(1, model.version):
            assert (kind, version) in codec.UPCASTS
            assert (kind, version) in kept
