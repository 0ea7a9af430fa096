"""How an event reads as a line of the log."""

from __future__ import annotations

from pathlib import Path

from toughopt import Campaign
from toughopt.journal import events as ev
from toughopt.monitor.telling import told


def test_a_fault_is_told_with_its_reason(tmp_path: Path) -> None:
    with Campaign.create(tmp_path / "lab", 'name = "lab"\n') as campaign:
        store = campaign.workspace.store
        line = told(store.append(ev.Fault(device="bench scale", data={"reason": "it weighs 1 g", "mass_g": 1.0}), 7))
        other = told(store.append(ev.Fault(device="printer-1", data={"line": 7}), None))
    assert (line.text, line.tone) == ("bench scale: it weighs 1 g", "bad")
    assert "printer-1" in other.text
