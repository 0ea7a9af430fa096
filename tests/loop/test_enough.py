"""Rules that end a campaign before its budget does because the model says that it is enough."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from toughopt import Campaign


@pytest.mark.parametrize(
    ("rule", "name", "words"),
    [
        ("smallest_gain = 1000.0", "gain", "the most promising test is expected to gain"),
        ("interval = 1e6", "interval", "the best design's mean is known to within"),
        ("smallest_gain = 1e-12", None, ""),
        ("interval = 1e-9", None, ""),
    ],
)
def test_the_campaign_ends_with_a_reason_once_enough_is_known(small: Path, rule: str, name: str, words: str) -> None:
    text = (small / "campaign.toml").read_text(encoding="utf-8")
    (small / "campaign.toml").write_text(f"{text}\n[stopping]\n{rule}\nfewest = 4\n", encoding="utf-8")
    now = datetime.now(UTC)
    with Campaign.open(small) as campaign:
        for value in (3.0, 5.0, 4.0, 4.5):
            campaign.state  # noqa: B018 - what was told is taken in
            assert campaign.workspace.stopping_rule(now) is None
            (entry,) = campaign.suggest()
            campaign.tell(entry["id"], value=value)
        campaign.state  # noqa: B018
        found = campaign.workspace.stopping_rule(now)
        assert (found is None) == (name is None)
        if found is not None:
            assert found[0] == name and words in found[1]
        assert campaign.workspace.stopping_rule(now) == found
