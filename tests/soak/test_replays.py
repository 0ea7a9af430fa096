"""Twenty campaigns of forty experiments are derived again without a difference: `make soak`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from toughopt import Campaign
from toughopt.replay import replay
from toughopt.virtual import nominal_toughness

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
_POLICIES = ("default", "default", "random", "default")


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_campaign_replays_without_a_difference(seed: int, tmp_path: Path, tally: Callable[..., None]) -> None:
    rng = np.random.default_rng(seed)
    policy = _POLICIES[seed % len(_POLICIES)]
    batch = 1 + seed % 3
    text = f'name = "c{seed}"\nseed = {seed}\nbudget = 40\n\n[optimizer]\npolicy = "{policy}"\n'
    with Campaign.create(tmp_path / "campaign", text) as campaign:
        while len(campaign.state.experiments) < 40:
            proposals = campaign.suggest(min(batch, 40 - len(campaign.state.experiments)))
            for index in rng.permutation(len(proposals)):
                proposal = proposals[int(index)]
                columns = {name: np.array([float(value)]) for name, value in proposal["design"].items()}
                value = float(nominal_toughness(**columns)[0]) * rng.lognormal(0.0, 0.15)
                if rng.random() < 0.08:
                    campaign.fail(proposal["id"], why="it fell over", blame="design")
                else:
                    campaign.tell(proposal["id"], value=value)
            if rng.random() < 0.05 and campaign.state.complete:
                campaign.request("exclude", {"id": campaign.state.complete[-1].id}, why="another filament")
    with Campaign.open(tmp_path / "campaign") as campaign:
        found = replay(campaign.workspace)
        assert found.decisions >= 40 // batch
        assert found.differences == ()
        tally(experiments=len(campaign.state.experiments), decisions=found.decisions, differences=0)
