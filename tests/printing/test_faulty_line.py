"""A slice of the proof that a faulty line neither loses nor doubles a command: `benchmarks/faults.py`, fewer lines."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def faults():
    path = Path(__file__).parents[2] / "benchmarks" / "faults.py"
    spec = importlib.util.spec_from_file_location("faults", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["faults"] = module
    spec.loader.exec_module(module)
    return module


NAMES = [
    "flip 1e-02",
    "bytes 1e-02",
    "oks 1e-02",
    "all 1e-02",
    "replies 1e-2",
    "late 1e-2",
    "slow 1e-3",
    "silent 1e-2",
    "spurious 1e-3",
    "pairs 1e-2",
    "swaps 1e-3",
    "window flip 1e-2",
    "window all 1e-2",
    "advanced all 1e-2",
]


@pytest.mark.parametrize("name", NAMES)
def test_once_and_in_order_or_a_stated_fault(faults, name):
    mix = next(mix for mix in faults.mixes() if mix.name == name)
    result = faults.run(mix, seed=5, lines=4000, faults=60)
    assert result.faults > 0
    assert result.twice == 0
    assert result.unnoticed == 0
    assert result.overflows == 0
    if not (mix.swap or mix.flip_pair):
        assert result.altered <= 1


def test_results_that_were_kept_are_gone_on_from(faults, tmp_path, monkeypatch, capsys):
    path = tmp_path / "faults.json"
    asked = ["faults.py", "--mix", "pairs", "--lines", "300", "--print-lines", "100", "--results", str(path)]
    monkeypatch.setattr(sys, "argv", asked)
    assert faults.main() == 0
    first = faults.Kept(path).result(faults.Mix("pairs 1e-2"))
    assert (first.sent, first.prints) == (300, 3)
    monkeypatch.setattr(sys, "argv", [*asked, "--lines", "400"])
    assert faults.main() == 0
    assert faults.Kept(path).result(faults.Mix("pairs 1e-2")).prints == 4
    monkeypatch.setattr(sys, "argv", [*asked, "--lines", "900", "--table"])
    before = path.read_text()
    assert faults.main() == 0
    assert path.read_text() == before
    assert capsys.readouterr().out.count("pairs 1e-2") == 3


def test_there_are_at_least_twenty_mixes(faults):
    mixes = faults.mixes()
    assert len(mixes) >= 20
    assert len({mix.name for mix in mixes}) == len(mixes)


def test_a_stray_without_a_record_counts_as_unnoticed(faults):
    assert faults.unmatched([1.0, 2.0], [1.5]) == 1
    assert faults.unmatched([1.0], [0.5]) == 1
    assert faults.unmatched([1.0, 2.0], [2.5, 2.5]) == 0
