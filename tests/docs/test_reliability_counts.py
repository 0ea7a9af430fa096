"""What the reliability page says of trials that failed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def reliability():
    path = Path(__file__).parents[2] / "benchmarks" / "reliability.py"
    spec = importlib.util.spec_from_file_location("reliability", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_trial_that_failed_is_told_and_adds_nothing_to_what_was_tried(reliability):
    count = reliability._soak("test_kills", "{kills} kills of {runs} campaigns", "{lost} lost")
    kept = {"test_kills.py[1]": {"kills": 20, "lost": 0}, "test_other.py[1]": {"trials_failed": 1}}
    assert count(kept) == ("20 kills of 1 campaigns", "0 lost")
    tried, wrong = count({**kept, "test_kills.py[2]": {"trials_failed": 1}})
    assert tried == "20 kills of 1 campaigns"
    assert wrong == "**1 more failed**; in the others 0 lost"
    assert count({}) is None
