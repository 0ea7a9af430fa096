"""How many experiments there are in all: the last word counts, whoever says it and wherever."""

from __future__ import annotations

from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.errors import InputError
from toughopt.loop.rehearsal import rehearse
from toughopt.loop.simulate import simulate


@pytest.fixture
def told(small: Path) -> Path:
    """A campaign with three results, told by hand, and a budget of five."""
    with Campaign.open(small) as campaign:
        for entry in campaign.suggest(3):
            campaign.tell(entry["id"], value=1.0)
    return small


def edit(folder: Path, budget: int) -> None:
    path = folder / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("budget = 5", f"budget = {budget}"), encoding="utf-8")


def test_the_budget_of_a_run_holds_for_the_next_one_too(told: Path) -> None:
    with Campaign.open(told) as campaign:
        assert campaign.run(budget=2).reason == "the budget of 2 experiments is used"
    with Campaign.open(told) as campaign:
        assert campaign.workspace.budget() == 2
        assert campaign.run().reason == "the budget of 2 experiments is used"
        (steered,) = [e.payload for e in campaign.workspace.store.read() if e.kind == "steered"]
        assert (steered["key"], steered["value"], steered["why"]) == ("budget", 2, "as the run was told")


def test_a_run_goes_before_what_was_steered_earlier(told: Path) -> None:
    with Campaign.open(told) as campaign:
        campaign.request("budget", {"budget": 1})
    assert simulate(told, budget=4).complete == 4
    with Campaign.open(told) as campaign:
        campaign.request("budget", {"budget": 3})
        assert campaign.run().reason == "the budget of 3 experiments is used"


def test_a_budget_that_holds_already_is_not_said_again(told: Path) -> None:
    with Campaign.open(told) as campaign:
        for _ in range(2):
            campaign.run(budget=3)
        assert [e.kind for e in campaign.workspace.store.read()].count("steered") == 1


def test_an_edited_budget_goes_before_what_was_steered_earlier(told: Path) -> None:
    with Campaign.open(told) as campaign:
        campaign.request("budget", {"budget": 40})
    edit(told, 2)
    with Campaign.open(told) as campaign:
        assert campaign.workspace.budget() == 2  # before anybody noted it
        assert campaign.run().reason == "the budget of 2 experiments is used"
        campaign.request("budget", {"budget": 30})
        assert campaign.workspace.budget() == 30


def test_another_edit_leaves_a_steered_budget_alone(told: Path) -> None:
    with Campaign.open(told) as campaign:
        campaign.request("budget", {"budget": 40})
    path = told / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
    with Campaign.open(told) as campaign:
        campaign.request("note", {}, why="so that the edit is noted")
        assert campaign.workspace.budget() == 40


def test_no_experiments_are_no_budget(told: Path) -> None:
    with Campaign.open(told) as campaign:
        before = campaign.state.seq
        with pytest.raises(InputError, match="0 is not a budget"):
            campaign.run(budget=0)
        assert campaign.state.seq == before


def test_a_rehearsal_writes_no_budget(told: Path) -> None:
    with Campaign.open(told) as campaign:
        before = campaign.state.seq
        list(rehearse(campaign.workspace))
        assert campaign.state.seq == before
