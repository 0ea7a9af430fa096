"""A campaign without any machine: suggest, tell, add, fail."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toughopt import Campaign, Curve
from toughopt.compression import write_csv
from toughopt.errors import ConfigError, DesignError, InputError, ToughoptError
from toughopt.journal import SqlStore, Stage
from toughopt.journal.events import Payload
from toughopt.loop import open_workspace


def press(folder: Path, stiffness: float) -> Path:
    """A curve as a test machine would have left it: 5 mm of loading, with a free approach before it."""
    x = np.linspace(0.0, 6.0, 1200)
    force = np.clip(x - 1.0, 0.0, None) * stiffness
    path = folder / f"curve-{stiffness:g}.csv"
    write_csv(Curve(displacement_mm=x, force_n=force, time_s=x * 30.0), path)
    return path


def test_a_folder_is_opened_not_taken_for_a_campaign(small: Path) -> None:
    with pytest.raises(ConfigError, match=r"Campaign\.open"):
        Campaign(small)  # type: ignore[arg-type]


def test_a_campaign_runs_on_suggestions_and_curves_alone(small: Path, tmp_path: Path) -> None:
    with Campaign.open(small) as campaign:
        for stiffness in (50.0, 100.0, 200.0, 80.0, 120.0):
            (entry,) = campaign.suggest()
            told = campaign.tell(entry["id"], curve=press(tmp_path, stiffness))
            assert told == pytest.approx(0.5 * stiffness * 25.0 / 1000.0, rel=0.01)
        best = campaign.best
        assert best is not None and best.id == 3
        assert campaign.state.experiments[5].decision is not None
        assert campaign.recommendation is not None


def test_suggestions_are_pending_until_told_and_differ(small: Path) -> None:
    with Campaign.open(small) as campaign:
        entries = campaign.suggest(3) + campaign.suggest(2)
        designs = [tuple(entry["design"].values()) for entry in entries]
        assert len(set(designs)) == 5
        assert {e.stage for e in campaign.state.experiments.values()} == {Stage.PROPOSED}
        assert campaign.state.counted() == 0


def test_a_value_is_told_once(small: Path) -> None:
    with Campaign.open(small) as campaign:
        (entry,) = campaign.suggest()
        assert campaign.tell(entry["id"], value=3.5, mass_g=2.0) == 3.5
        with pytest.raises(InputError, match="is complete"):
            campaign.tell(entry["id"], value=4.0)
        assert campaign.state.experiments[entry["id"]].value == 3.5


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused_before_anything_is_written(small: Path, odd: float) -> None:
    with Campaign.open(small) as campaign:
        (entry,) = campaign.suggest()
        seq = campaign.state.seq
        with pytest.raises(InputError, match=f"value = {odd} is not a finite number"):
            campaign.tell(entry["id"], value=odd)
        with pytest.raises(InputError, match="mass_g = "):
            campaign.tell(entry["id"], value=1.0, mass_g=odd)
        with pytest.raises(InputError, match="theta = "):
            campaign.add({"n": 8, "theta": odd, "r": 2.0, "t": 0.8})
        assert campaign.state.seq == seq


def test_one_design_told_contradicting_values_leads_on(small: Path) -> None:
    design: dict[str, float | int | str] = {"n": 8, "theta": 100.0, "r": 1.8, "t": 0.8}
    with Campaign.open(small) as campaign:
        for value in (1.0, 1e6, -5.0, 7.0):
            campaign.tell(campaign.add(design, manual=True), value=value)
        (entry,) = campaign.suggest()
        assert entry["design"] != design
        found = campaign.recommendation
        assert found is not None and found.tests == 4 and -5.0 < found.mean < 1e6


def test_a_failure_to_be_blamed_on_the_design_is_learned(small: Path) -> None:
    with Campaign.open(small) as campaign:
        (entry,) = campaign.suggest()
        campaign.fail(entry["id"], why="fell over")
        assert [e.id for e in campaign.state.learned] == [entry["id"]]
        assert campaign.state.experiments[entry["id"]].reason.startswith("fell over")


def test_a_design_of_ones_own_is_checked_before_anything_is_written(small: Path) -> None:
    with Campaign.open(small) as campaign:
        before = len(campaign.state.experiments)
        with pytest.raises((DesignError, InputError), match=r"t = 9.*1\.4"):
            campaign.add({"n": 8, "theta": 100.0, "r": 2.0, "t": 9.0})
        assert len(campaign.state.experiments) == before
        identity = campaign.add({"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0}, manual=True)
        assert campaign.tell(identity, value=7.0) == 7.0


def test_a_file_that_is_no_curve_leaves_the_experiment_as_it_was(small: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "note.csv"
    wrong.write_text("dear diary,\nnothing happened\n", encoding="utf-8")
    with Campaign.open(small) as campaign:
        (entry,) = campaign.suggest()
        with pytest.raises(ToughoptError):
            campaign.tell(entry["id"], curve=wrong)
        assert campaign.state.experiments[entry["id"]].stage is Stage.PROPOSED


def test_an_experiment_that_does_not_exist_is_named(small: Path) -> None:
    with Campaign.open(small) as campaign, pytest.raises(InputError, match="no experiment called '7'"):
        campaign.tell(7, value=1.0)


def test_the_objective_cannot_change_in_mid_campaign(small: Path) -> None:
    with Campaign.open(small) as campaign:
        campaign.suggest()
    path = small / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8") + '\n[objective]\nname = "peak_force_n"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\[objective\] cannot change"):
        open_workspace(small)


def test_an_edited_budget_is_noted_at_the_next_start(small: Path) -> None:
    with Campaign.open(small) as campaign:
        campaign.suggest()
    path = small / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("budget = 5", "budget = 9"), encoding="utf-8")
    with Campaign.open(small) as campaign:
        assert [e.kind for e in campaign.workspace.store.read()].count("campaign_changed") == 0
        campaign.suggest()
        assert [e.kind for e in campaign.workspace.store.read()].count("campaign_changed") == 1
        assert campaign.workspace.budget() == 9


def test_what_is_edited_while_a_campaign_is_open_is_left_to_the_next_one_that_opens_it(small: Path) -> None:
    path = small / "campaign.toml"
    with Campaign.open(small) as campaign:
        campaign.suggest()
        path.write_text(path.read_text(encoding="utf-8") + '\n[objective]\nname = "peak_force_n"\n', encoding="utf-8")
        campaign.request("note", {}, why="what this process was asked knows nothing of the edit")
        assert campaign.state.config["objective"]["name"] == "toughness_j"
    with pytest.raises(ConfigError, match=r"\[objective\] cannot change"):
        open_workspace(small)


def test_a_byte_order_mark_is_no_edit(small: Path) -> None:
    path = small / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    with Campaign.open(small) as campaign:
        campaign.suggest()
        assert [e.kind for e in campaign.workspace.store.read()].count("campaign_changed") == 0


def test_create_leaves_nothing_behind_when_the_configuration_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ToughoptError):
        Campaign.create(tmp_path / "new", '[family]\nname = "crossed_barel"\n')
    assert not (tmp_path / "new").exists()


def test_the_same_seed_and_results_give_the_same_designs(tmp_path: Path, small: Path) -> None:
    text = (small / "campaign.toml").read_text(encoding="utf-8")

    def designs(name: str) -> list[dict[str, float]]:
        with Campaign.create(tmp_path / name, text) as campaign:
            made = []
            for i in range(6):
                (entry,) = campaign.suggest()
                campaign.tell(entry["id"], value=float(entry["design"]["t"]) + 0.01 * i)
                made.append(entry["design"])
            return made

    assert designs("a") == designs("b")


def test_what_was_asked_for_is_done_once_though_the_process_dies_before_it_answers(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def row(store: SqlStore, payload: Payload, experiment_id: int | None) -> dict[str, Any]:
        if payload.kind == "answered":
            raise Killed
        return written(store, payload, experiment_id)

    written = SqlStore._row
    with Campaign.open(small) as campaign, monkeypatch.context() as patched:
        patched.setattr(SqlStore, "_row", row)
        with pytest.raises(Killed):
            campaign.suggest(3)
    with Campaign.open(small) as campaign:
        assert len(campaign.state.open_requests) == 1
        (entry,) = campaign.suggest()  # whoever comes next answers the other first
        assert sorted(campaign.state.experiments) == [1, 2, 3, 4]
        assert entry["id"] == 4
