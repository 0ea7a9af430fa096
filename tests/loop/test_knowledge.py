"""What a campaign knows beside its own tests: mechanics, printers that differ, earlier campaigns, weighed parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toughopt import Campaign
from toughopt.errors import ConfigError
from toughopt.loop.simulate import simulate
from toughopt.replay import replay

SECOND = """
[[printers]]
name = "printer-2"
profile = "virtual_small"
"""


def text_with(small_text: str, **optimizer: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in optimizer.items())
    return small_text.replace("[optimizer]\n", "[optimizer]\n" + lines)


def told(folder: Path, text: str, results: int = 6) -> Campaign:
    campaign = Campaign.create(folder, text)
    for entry in campaign.suggest(results):
        campaign.tell(entry["id"], value=float(entry["design"]["t"]) * 10.0)
    return campaign


def test_mechanics_as_a_prior_lets_the_campaign_ask_and_recommend(tmp_path: Path, small_text: str) -> None:
    with told(tmp_path / "prior", text_with(small_text, prior='"press"')) as campaign:
        assert campaign.suggest(1)
        assert campaign.recommendation is not None


def test_mechanics_know_the_crossed_barrel_only(tmp_path: Path, small_text: str) -> None:
    text = text_with(small_text, prior='"press"').replace(
        "[optimizer]", '[objective]\nname = "peak_force_n"\n\n[optimizer]'
    )
    with pytest.raises(ConfigError, match="toughness_j of crossed"):
        Campaign.create(tmp_path / "other", text)
    assert not (tmp_path / "other").exists()


def test_an_earlier_campaign_is_a_source_of_every_decision(tmp_path: Path, small_text: str) -> None:
    told(tmp_path / "earlier", small_text).close()
    text = text_with(small_text, learn_from='["../earlier"]')
    with told(tmp_path / "later", text) as campaign:
        identity = campaign.suggest(1)[0]["id"]
        decision = campaign.state.experiments[identity].decision
        assert decision is not None
        (source,) = decision["sources"]
        assert (source["name"], source["tests"]) == ("small", 6)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("toughness_j", "peak_force_n"), "measured toughness_j, this campaign measures peak_force_n"),
        (("earlier", "nowhere"), "cannot be read"),
    ],
)
def test_a_source_that_does_not_fit_is_refused(
    tmp_path: Path, small_text: str, change: tuple[str, str], complaint: str
) -> None:
    told(tmp_path / "earlier", small_text).close()
    text = text_with(small_text, learn_from='["../earlier"]')
    text = text.replace("[optimizer]", '[objective]\nname = "toughness_j"\n\n[optimizer]', 1).replace(*change)
    with pytest.raises(ConfigError, match=complaint):
        Campaign.create(tmp_path / "later", text)


def test_printers_are_a_context_that_the_model_is_told(tmp_path: Path, small_text: str) -> None:
    text = text_with(small_text, context='["printer"]').replace("initial = 3", "initial = 2") + SECOND
    Campaign.create(tmp_path / "context", text).close()
    simulate(tmp_path / "context", budget=5)
    with Campaign.open(tmp_path / "context") as campaign:
        experiments = list(campaign.state.experiments.values())
        assert {e.wanted for e in experiments} == {"printer-1", "printer-2"}
        assert all(e.printer == e.wanted for e in experiments if e.printer)
        assert [e.decision["context"] for e in experiments if e.decision] == [
            {"printer": e.wanted} for e in experiments
        ]
        seen = campaign.workspace.chooser.observations(campaign.state)
        assert {o.context["printer"] for o in seen if o.context} == {"printer-1", "printer-2"}


def test_each_printer_may_have_a_policy_of_its_own(tmp_path: Path, small_text: str) -> None:
    with Campaign.create(tmp_path / "two", small_text.replace('"default"', '"random"') + SECOND) as campaign:
        campaign.request("policy", {"policy": "sobol", "printer": "printer-2"})
    simulate(tmp_path / "two", budget=4)
    with Campaign.open(tmp_path / "two") as campaign:
        chosen = {(e.wanted, e.decision["policy"]) for e in campaign.state.experiments.values() if e.decision}
    assert chosen == {("printer-1", "random"), ("printer-2", "sobol")}


def test_mass_control_makes_parts_weigh_what_their_solids_do(tmp_path: Path, small_text: str) -> None:
    """A spool that lays down less than it should: the first part is light, those after it are not."""
    from toughopt.loop import simulate as module

    text = small_text.replace('"default"', '"random"') + "\n[mass_control]\nenabled = true\n"
    Campaign.create(tmp_path / "mass", text).close()
    simulate(tmp_path / "mass", module.Simulation(spools={"printer-1": 0.9}), budget=4)
    with Campaign.open(tmp_path / "mass") as campaign:
        done = campaign.state.complete
        errors = [(e.mass_g or 0.0) / (e.mesh_mass_g or 1.0) - 1.0 for e in done]
        flows = [e.flow for e in done]
    assert errors[0] < -0.05
    assert np.abs(errors[1:]).max() < 0.03
    assert flows[0] == pytest.approx(1.0, abs=0.05) and min(flows[1:]) > 1.05


def test_an_earlier_campaign_that_was_corrected_since_is_the_cause_that_replay_names(
    tmp_path: Path, small_text: str
) -> None:
    told(tmp_path / "earlier", small_text).close()
    with told(tmp_path / "later", text_with(small_text, learn_from='["../earlier"]')) as campaign:
        campaign.suggest(1)
        assert replay(campaign.workspace).differences == ()
        with Campaign.open(tmp_path / "earlier") as earlier:
            earlier.request("exclude", {"id": 1})
        differences = replay(campaign.workspace).differences
        assert differences and all("the earlier campaigns that it learned" in found.cause for found in differences)
        assert "'tests': 6" in differences[0].cause and "'tests': 5" in differences[0].cause
