from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
import zipfile
from pathlib import Path

from toughopt import Campaign
from toughopt.cli import main
from toughopt.journal import fold
from toughopt.journal.codec import decode_rows


def test_the_archive_holds_all_that_there_is_to_cite_with_its_hashes(told: Path, tmp_path: Path) -> None:
    target = tmp_path / "campaign.zip"
    assert main(["export", str(told), "--format", "zip", "-o", str(target)]) == 0
    with zipfile.ZipFile(target) as zipped:
        assert zipped.testzip() is None
        names = set(zipped.namelist())
        assert {"README.txt", "experiments.csv", "journal.jsonl", "campaign.toml", "CITATION.cff"} <= names
        for line in zipped.read("SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(zipped.read(name)).hexdigest() == digest
            names.discard(name)
        assert names == {"SHA256SUMS"}
        assert len(list(csv.DictReader(io.StringIO(zipped.read("experiments.csv").decode())))) == 9
        assert tomllib.loads(zipped.read("campaign.toml").decode())["name"] == "told"
        (curve,) = [name for name in zipped.namelist() if name.startswith("artifacts/")]
        assert curve.removeprefix("artifacts/") in zipped.read("artifacts.csv").decode()


def test_the_journal_in_it_is_the_whole_one(told: Path, tmp_path: Path) -> None:
    target = tmp_path / "campaign.zip"
    assert main(["export", str(told), "--format", "zip", "-o", str(target)]) == 0
    with zipfile.ZipFile(target) as zipped:
        rows = [json.loads(line) for line in zipped.read("journal.jsonl").decode().splitlines()]
    events = decode_rows((*row[:5], json.dumps(row[5])) for row in rows)
    with Campaign.open(told) as campaign:
        assert fold(events) == campaign.state


def test_the_same_campaign_gives_the_same_bytes(told: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        assert main(["export", str(told), "--format", "zip", "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
