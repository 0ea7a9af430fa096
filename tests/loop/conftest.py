from __future__ import annotations

from pathlib import Path

import pytest

SMALL = """\
name = "small"
seed = {seed}
budget = {budget}

[family]
name = "crossed_barrel"
fixed = {{ height = 6.0, platform_thickness = 0.6 }}
parameters.n = {{ high = 8 }}
parameters.r = {{ high = 2.0 }}
parameters.t = {{ high = 1.0 }}

[optimizer]
policy = "{policy}"
initial = 3

[[printers]]
name = "printer-1"
profile = "virtual_small"
"""


def small_campaign(*, seed: int = 1, budget: int = 5, policy: str = "default", more: str = "") -> str:
    """campaign.toml of a crossed barrel 6 mm high in 0.3 mm layers: under 5,000 lines a program, seconds a specimen."""
    return SMALL.format(seed=seed, budget=budget, policy=policy) + more


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
