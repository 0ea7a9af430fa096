from __future__ import annotations

from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.loop.rehearsal import rehearse, without_heat_and_motion

REAL = """
[scale]
kind = "none"

[frame]
kind = "operator"

[handler]
kind = "operator"
"""


def test_a_rehearsal_makes_and_sends_everything_and_writes_nothing(small: Path) -> None:
    with Campaign.open(small) as campaign:
        before = campaign.state.seq
        steps = list(rehearse(campaign.workspace))
        assert [step.ok for step in steps] == [True] * len(steps), steps
        assert [step.what for step in steps] == ["choose", "program for printer-1", "machines", "talk to printer-1"]
        assert campaign.state.seq == before
        assert steps[2].said.startswith("1 printer, ")


def test_nothing_in_a_rehearsed_program_heats_or_moves(small: Path) -> None:
    from toughopt.loop.specimen import Order, prepare

    with Campaign.open(small) as campaign:
        design = {"n": 6, "theta": 50.0, "r": 1.6, "t": 0.8}
        made = prepare(Order(campaign.workspace.recipe, 1, design, "2026-01-01T00:00:00+00:00")).program
    words = {line.split()[0] for line in without_heat_and_motion(made).text.splitlines() if line}
    assert words
    assert words <= {"M73", "M117", "M118", "M105", "M114", "M115", "G21", "G90", "G91", "M82", "M83"}


def test_a_printer_that_does_not_answer_is_told(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (small / "campaign.toml").read_text(encoding="utf-8")
    (small / "campaign.toml").write_text(text + 'url = "socket://127.0.0.1:9"\n' + REAL, encoding="utf-8")
    assert main(["run", str(small), "--dry-run"]) == 1
    assert "FAIL  talk to printer-1" in capsys.readouterr().out
    assert main(["check", str(small)]) == 3
    assert "not every printer answers" in capsys.readouterr().err
    assert main(["check", str(small), "--no-probe"]) == 0


def test_check_names_the_machine_behind_a_port(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from toughopt.virtual.firmware import VirtualPrinterProcess

    with VirtualPrinterProcess("virtual_small") as process:
        text = (small / "campaign.toml").read_text(encoding="utf-8")
        (small / "campaign.toml").write_text(text + f'url = "{process.url}"\n' + REAL, encoding="utf-8")
        assert main(["check", str(small)]) == 0
        assert "printer-1:" in capsys.readouterr().out
        status = process.status()
        assert status["print_s"] == 0.0 and not status["motors_on"]
