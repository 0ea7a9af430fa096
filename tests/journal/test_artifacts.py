from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from toughopt.errors import JournalError
from toughopt.journal import Artifacts


def test_an_artifact_is_named_by_its_hash_and_stored_once(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    digest = artifacts.put(b"G28\n")
    assert digest == hashlib.sha256(b"G28\n").hexdigest()
    assert artifacts.put(b"G28\n") == digest
    assert artifacts.get(digest) == b"G28\n"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / digest[:2] / digest[2:]]


def test_a_changed_and_a_missing_artifact_are_found(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    kept, changed, lost = (artifacts.put(data) for data in (b"a", b"b", b"c"))
    artifacts.path(changed).write_bytes(b"x")
    artifacts.path(lost).unlink()
    problems = artifacts.verify([kept, changed, lost])
    assert len(problems) == 2
    with pytest.raises(JournalError, match="was changed"):
        artifacts.get(changed)
    with pytest.raises(JournalError, match="is missing"):
        artifacts.get(lost)


@pytest.mark.skipif(not Path("/dev/full").exists() or os.geteuid() != 0, reason="needs to mount a tiny file system")
def test_a_full_disk_ends_with_a_clear_error_and_no_half_artifact(tmp_path: Path) -> None:
    import subprocess

    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        artifacts = Artifacts(tmp_path)
        with pytest.raises(JournalError, match="cannot be written"):
            artifacts.put(os.urandom(200_000))
        assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
