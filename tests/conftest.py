"""What all tests share: published data where they are, and parts that may be absent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def published() -> Path:
    """The folder of the published measurements; skips where TOUGHOPT_DATA does not name it."""
    folder = os.environ.get("TOUGHOPT_DATA")
    if not folder:
        pytest.skip("TOUGHOPT_DATA names no folder with the published measurements")
    return Path(folder)


@pytest.fixture(scope="session")
def need() -> Callable[[str, bool], None]:
    """`need(part, there)` skips where an optional part is absent, or fails where TOUGHOPT_REQUIRE lists it."""
    required = {name.strip() for name in os.environ.get("TOUGHOPT_REQUIRE", "").split(",") if name.strip()}

    def check(part: str, there: bool) -> None:
        if there:
            return
        if part in required:
            pytest.fail(f"{part} is required here, but it is not there")
        pytest.skip(f"{part} is not there")

    return check
