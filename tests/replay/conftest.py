from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toughopt import Campaign
from toughopt.cli.setup import campaign_text


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of nine experiments made by hand: suggested, and told what the virtual lab's model says."""
    from toughopt.virtual import nominal_toughness

    folder = tmp_path_factory.mktemp("told") / "campaign"
    with Campaign.create(folder, campaign_text(name="told", seed=4)) as campaign:
        curve = folder / "curve.csv"
        curve.write_text("displacement_mm,force_N\n" + "".join(f"{i / 20},{i * 10}\n" for i in range(100)))
        for index in range(9):
            (proposal,) = campaign.suggest()
            design = {name: np.array([float(value)]) for name, value in proposal["design"].items()}
            if index == 2:
                campaign.tell(proposal["id"], curve=curve)
            else:
                campaign.tell(proposal["id"], value=float(nominal_toughness(**design)[0]))
    return folder
