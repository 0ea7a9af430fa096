from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from toughopt.journal import SqlStore, open_sqlite
from toughopt.journal import events as ev
from toughopt.journal.postgres import open_postgres

DESIGN = {"n": 8, "theta": 100.0}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """A new journal; a test that uses it is a promise that every kind of store keeps."""
    if request.param == "sqlite":
        opened: SqlStore = open_sqlite(tmp_path / "journal.sqlite", create=True)
    else:
        opened = open_postgres(request.getfixturevalue("postgres_url"))
    opened.append(ev.CampaignCreated(config_toml="", config={"objective": {"goal": "max"}}, versions={}))
    yield opened
    opened.close()


@pytest.fixture
def whole_life() -> list[tuple[ev.Payload, int | None]]:
    """Every event of one experiment that went well."""
    sha = "ab" * 32
    payloads: list[ev.Payload] = [
        ev.Proposed(design=DESIGN, source="policy", decision={"k": 1}),
        ev.Built(mesh=sha, volume_mm3=1000.0, mass_g=1.2),
        ev.Sliced(
            program=sha,
            slicer="native",
            profile="virtual",
            layers=20,
            lines=900,
            time_s=300.0,
            filament_mm=400.0,
            filament_g=1.2,
        ),
        ev.Queued(printer="p1"),
        ev.Printing(printer="p1", program=sha),
        ev.Printed(printer="p1", duration_s=2.0, lines_sent=900),
        ev.Cleared(printer="p1", by="handler"),
        ev.Weighed(mass_g=1.19, by="scale"),
        ev.Crushing(frame="frame"),
        ev.Tested(curve=sha, file_name="1.csv", by="frame"),
        ev.Complete(value=4.5, result={"toughness_j": 4.5}),
    ]
    return [(payload, 1) for payload in payloads]
