"""Long trials keep count of what they did, where TOUGHOPT_SOAK_RESULTS names a file for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Tally = Callable[..., None]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """`tally(kills=20, lost=0)`: the figures of this trial, kept under its name; a later run replaces them."""
    name = os.environ.get("TOUGHOPT_SOAK_RESULTS")

    def keep(**figures: float) -> None:
        if not name:
            return
        file = Path(name)
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        known[request.node.nodeid.partition("soak/")[2]] = figures
        whole = file.with_suffix(".part")
        whole.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        whole.replace(file)

    return keep
