"""A campaign for toughness against mass: front, replay, status, figure and report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from toughopt import Campaign
from toughopt.campaign import parse_config
from toughopt.cli import group
from toughopt.errors import ConfigError
from toughopt.plots import Scene, draw, gallery_of
from toughopt.replay import replay
from toughopt.report import make_report
from toughopt.report.methods import methods_paragraph

AGAINST = """
[[objective.against]]
name = "mass_g"
reference = 5.0

[[objective.against]]
name = "peak_force_n"
goal = "max"
"""
MASS_ONLY = AGAINST.partition("\n\n[[")[0] + "\n"


def several(folder: Path, against: str) -> Path:
    path = folder / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8") + against, encoding="utf-8")
    return folder


def told_by_hand(folder: Path, tests: int) -> Campaign:
    campaign = Campaign.open(folder)
    for _ in range(tests):
        (entry,) = campaign.suggest()
        design = entry["design"]
        weighed = 1.0 + 0.1 * design["n"] + 0.01 * (entry["id"] % 3)
        campaign.tell(entry["id"], value=design["n"] * design["t"] * design["r"], mass_g=weighed)
    return campaign


def test_toughness_against_mass_has_a_front_a_figure_a_report_and_decisions_that_are_derived_again(
    small: Path,
) -> None:
    with told_by_hand(several(small, MASS_ONLY), 7) as campaign:
        state, chooser = campaign.state, campaign.workspace.chooser
        assert chooser.policy_of(state) == "ehvi"
        front = campaign.front
        assert front is not None and front.reference["mass_g"] == 5.0
        masses = [m.mean["mass_g"] for m in front.members]
        assert masses == sorted(masses, reverse=True)  # the toughest first, each further one lighter
        exact = chooser.family.features({k: [v] for k, v in front.members[0].design.items()})
        assert front.members[0].mean["mass_g"] == pytest.approx(exact[0, chooser.family.feature_names.index("mass_g")])
        found = replay(campaign.workspace)
        assert found.decisions == 7 and not found.differences
        scene = Scene(campaign.workspace, state)
        assert "front" in gallery_of(campaign.workspace.config)
        figure = draw(scene, "front")
        assert figure.axes[0].get_xlabel() == "mass [g], less is better" and scene.tested().shape == (7, 2)
        choice = scene.choice(state.experiments[7])
        assert choice.landscape is None and choice.trade is not None  # one objective's improvement tells too little
        assert choice.trade.unbeaten.any() and len(choice.trade.tested) == 6
        mass_g = _designed_g(campaign, state.experiments[7].design)
        assert choice.trade.expected is not None and choice.trade.expected[2] == pytest.approx(mass_g)
        assert f"(mass {mass_g:.4g} g)" in " ".join(choice.words)
        page = make_report(campaign.workspace)
        assert "What it costs" in page and "counted from" in page
        assert "at the same mass" in page and "among the best 1 % of all designs with probability" in page
    answer = json.loads(CliRunner().invoke(group, ["status", str(small), "--json"]).stdout)
    assert [m["mean"]["mass_g"] for m in answer["front"]["members"]] == masses
    assert answer["front"]["members"][0]["std"]["mass_g"] == 0.0
    assert 0.0 <= answer["recommended"]["probability_top"] <= 1.0
    shown = CliRunner().invoke(group, ["status", str(small)])
    assert shown.exit_code == 0 and "Pareto front" in shown.stdout


def test_an_objective_that_nothing_told_yet_leaves_the_loop_running_and_the_journal_says_so(small: Path) -> None:
    with told_by_hand(several(small, AGAINST), 4) as campaign:
        newest = campaign.state.experiments[4].decision
        assert newest is not None and newest["fallback"] == "lhs" and "peak_force_n" in newest["reason"]
        assert campaign.front is None
        assert "too little" in draw(Scene(campaign.workspace, campaign.state), "front").axes[0].texts[0].get_text()
        assert not replay(campaign.workspace).differences


def test_the_virtual_lab_tells_all_objectives(small: Path) -> None:
    budget = 5
    with Campaign.open(several(small, AGAINST.replace('"peak_force_n"\ngoal = "max"', '"print_time_s"'))) as campaign:
        campaign.run(budget)
        told = campaign.workspace.chooser.observations(campaign.state)
        assert [set(o.others or {}) for o in told] == [{"print_time_s"}] * budget
        front = campaign.front
        assert front is not None and set(front.reference) == {"toughness_j", "mass_g", "print_time_s"}
        assert not replay(campaign.workspace).differences
        assert "weighed against mass [g] (minimised) and print time [s] (minimised)" in methods_paragraph(
            campaign.workspace, campaign.state
        )


def test_run_calls_no_experiment_the_best_that_is_so_in_one_of_several_objectives(small: Path) -> None:
    path = small / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8") + MASS_ONLY, encoding="utf-8")
    told = CliRunner().invoke(group, ["run", str(small), "--budget", "4"])
    assert told.exit_code == 0, told.stderr
    lines = [line for line in told.stderr.splitlines() if "toughness_j = " in line]
    table = [line for line in told.stdout.splitlines() if line.startswith("│") and "complete" in line]
    with Campaign.open(small) as campaign:
        done = {e.id: (e.value, mass) for e in campaign.state.complete for mass in [_designed_g(campaign, e.design)]}
    seen: list[tuple[float, float]] = []
    for line in lines:
        value, mass = done[int(line.split()[0])]
        beaten = any(v >= value and m <= mass for v, m in seen)
        assert line.endswith("unbeaten so far") is not beaten and "best" not in line
        seen.append((value, mass))
    for line in table:
        value, mass = done[int(line.split()[1])]
        beaten = any(v > value and m < mass for v, m in done.values())
        assert ("unbeaten" in line) is not beaten and "best" not in line
    assert len(lines) == len(table) == 4


def _designed_g(campaign: Campaign, design: dict[str, float]) -> float:
    family = campaign.workspace.chooser.family
    return float(family.features({k: [v] for k, v in design.items()})[0, family.feature_names.index("mass_g")])


def test_a_campaign_with_one_objective_has_no_front(small: Path) -> None:
    with told_by_hand(small, 3) as campaign:
        assert campaign.front is None and "front" not in gallery_of(campaign.workspace.config)
        assert campaign.workspace.chooser.policy_of(campaign.state) == "default"


def test_objectives_are_checked_and_cannot_change(small: Path) -> None:
    with pytest.raises(ConfigError, match="toughness_j is named twice"):
        parse_config('[[objective.against]]\nname = "toughness_j"')
    with pytest.raises(ConfigError, match="mas_g"):
        parse_config('[[objective.against]]\nname = "mas_g"')
    with told_by_hand(small, 1):
        pass
    several(small, MASS_ONLY)
    with pytest.raises(ConfigError, match=r"\[objective\]"):
        Campaign.open(small)
