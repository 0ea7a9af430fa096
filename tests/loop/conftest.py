from __future__ import annotations

from pathlib import Path

import pytest

from toughopt.virtual import small_campaign


@pytest.fixture(scope="session")
def small_text() -> str:
    """Such a campaign.toml."""
    return small_campaign()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with such a campaign.toml, not begun."""
    folder = tmp_path / "campaign"
    folder.mkdir()
    (folder / "campaign.toml").write_text(small_campaign(), encoding="utf-8")
    return folder
