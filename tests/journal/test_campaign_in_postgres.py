"""One campaign, two folders (as on two PCs), one journal in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.errors import CampaignBusy, ConfigError
from toughopt.replay import replay

pytestmark = pytest.mark.full


def text(url: str, name: str = "shared") -> str:
    return f'name = "{name}"\nseed = 2\n\n[store]\nurl = "{url}"\n'


def test_two_folders_share_a_campaign_and_its_artifacts(postgres_url: str, tmp_path: Path) -> None:
    curve = tmp_path / "curve.csv"
    curve.write_text("displacement_mm,force_N\n" + "".join(f"{i / 20},{i * 10}\n" for i in range(100)))
    with Campaign.create(tmp_path / "here", text(postgres_url)) as here:
        first, second = here.suggest(2)
        (tmp_path / "there").mkdir()
        (tmp_path / "there" / "campaign.toml").write_text(text(postgres_url), encoding="utf-8")
        with Campaign.open(tmp_path / "there") as there:
            assert [e.design for e in there.state.under_way] == [first["design"], second["design"]]
            there.tell(first["id"], curve=curve)
            digest = here.state.experiments[first["id"]].curve or ""
            assert here.workspace.artifacts.get(digest) == curve.read_bytes()
            here.tell(second["id"], value=3.5)
            there.suggest()
            assert replay(there.workspace).differences == ()
            with here.workspace.store.lock(here.folder), pytest.raises(CampaignBusy):
                there.run()
        assert not (tmp_path / "here" / "journal.sqlite").exists()


def test_another_campaign_cannot_slip_into_the_same_database(postgres_url: str, tmp_path: Path) -> None:
    Campaign.create(tmp_path / "one", text(postgres_url)).close()
    with pytest.raises(ConfigError, match="holds the journal of the campaign 'shared'"):
        Campaign.create(tmp_path / "two", text(postgres_url, "another"))


def test_a_lost_configuration_is_written_again_from_the_database(
    postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from toughopt.cli import main

    folder = tmp_path / "lab"
    restore = ["new", str(folder), "--journal", postgres_url]
    assert main(restore) == 1 and "is the address right?" in capsys.readouterr().err and not folder.exists()
    edited = text(postgres_url) + "# größer\n"
    with Campaign.create(folder, edited) as made:
        made.workspace.artifacts.put(b"a curve")
    assert main(restore) == 2 and "is there" in capsys.readouterr().err
    (folder / "campaign.toml").unlink()
    assert main(["run", str(folder)]) == 2 and "--journal URL" in capsys.readouterr().err
    assert main([*restore, "--budget", "9"]) == 2 and not (folder / "campaign.toml").exists()
    for place in (folder, tmp_path / "another PC"):
        assert main(["new", str(place), "--journal", postgres_url]) == 0
        assert (place / "campaign.toml").read_text(encoding="utf-8") == edited
        with Campaign.open(place) as opened:
            assert opened.workspace.config.name == "shared"
