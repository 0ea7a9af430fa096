"""`toughopt simulate` on one folder, more than once."""

from __future__ import annotations

from pathlib import Path

import pytest

from toughopt.cli import main
from toughopt.virtual import small_campaign


def test_a_folder_keeps_to_the_conditions_that_it_was_begun_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, fleet = tmp_path / "small.toml", tmp_path / "fleet"
    text.write_text(small_campaign(policy="random", budget=1), encoding="utf-8")
    begin = ["simulate", str(text), "-o", str(fleet), "--workers", "1", "--grab-fails", "0.1"]
    assert main(begin) == 0
    capsys.readouterr()
    assert main([*begin, "--jams", "0.2"]) == 2
    assert "simulated with --jams 0, not with --jams 0.2; choose another folder" in capsys.readouterr().err
    assert main(["simulate", "-o", str(fleet), "--grab-fails", "0.1", "--printers", "3"]) == 2
    assert "simulated with a CAMPAIGN.toml, not with --printers 3" in capsys.readouterr().err
    assert main([*begin, "--budget", "2"]) == 0  # more of the same
    (fleet / "simulation.json").write_text("{", encoding="utf-8")
    assert main(begin) == 2
    assert "simulation.json cannot be read" in capsys.readouterr().err
