from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.errors import InputError, UnknownName
from toughopt.replay import Game, Pool, Rules, needed_for, play, play_all, pooled, report, top_share
from toughopt.replay.metrics import acceleration_factor, enhancement_factor

GRID = [{"x": i / 10, "y": j / 5} for i in range(10) for j in range(5)]


def hill(noise: float = 0.05, replicates: int = 3, seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    truth = [float(np.exp(-((d["x"] - 0.6) ** 2 + (d["y"] - 0.4) ** 2) / 0.1)) for d in GRID]
    designs = GRID * replicates
    values = [float(t + noise * rng.standard_normal()) for _ in range(replicates) for t in truth]
    return pooled(designs, values, "j")


def test_every_policy_meets_the_same_initial_designs_and_the_same_draws() -> None:
    pool, rules = hill(), Rules(initial=4, budget=10)
    random, default = play(pool, "random", 3, rules), play(pool, "default", 3, rules)
    assert random.order[:4] == default.order[:4]
    assert play(pool, "random", 4, rules).order[:4] != random.order[:4]


def test_without_retest_no_design_is_tested_twice_and_the_budget_counts_the_initial_tests() -> None:
    pool = hill()
    game = play(pool, "default", 1, Rules(initial=3, budget=12))
    assert len(game.order) == 12 == len(set(game.order))
    assert len(game.ask_seconds) == 9


def test_best_so_far_is_the_best_true_mean_not_the_luckiest_draw() -> None:
    pool = hill(noise=0.5)
    game = play(pool, "random", 1, Rules(initial=2, budget=20))
    assert game.best_so_far == pytest.approx(np.maximum.accumulate(pool.means[list(game.order)]).tolist())


def test_minimising_finds_the_smallest() -> None:
    pool = pooled(GRID, [(d["x"] - 0.5) ** 2 + (d["y"] - 0.4) ** 2 for d in GRID], "j", minimize=True)
    game = play(pool, "default", 1, Rules(initial=4, budget=20))
    assert game.best_so_far[-1] == min(game.best_so_far) == pytest.approx(pool.means.min())


def test_the_result_does_not_depend_on_the_number_of_processes() -> None:
    pool, rules = hill(), Rules(initial=3, budget=6)
    alone = play_all(pool, ["random", "lhs"], [1, 2], rules, workers=1)
    together = play_all(pool, ["random", "lhs"], [1, 2], rules, workers=2)
    assert {k: [g.order for g in v] for k, v in alone.items()} == {k: [g.order for g in v] for k, v in together.items()}


def test_rules_that_do_not_fit_the_pool_are_refused() -> None:
    pool = hill()
    with pytest.raises(InputError, match="--retest"):
        play(pool, "random", 1, Rules(initial=5, budget=51))
    with pytest.raises(InputError, match="--initial"):
        play(pool, "random", 1, Rules(initial=5, budget=4))
    with pytest.raises(UnknownName, match="did you mean random"):
        play_all(pool, ["randm"], [1], Rules(budget=6))


def test_factors_are_one_for_a_policy_that_does_as_random_does_on_average() -> None:
    pool = hill()
    n = len(pool.designs)
    rng = np.random.default_rng(0)
    games = []
    for seed in range(400):
        order = tuple(int(i) for i in rng.permutation(n))
        games.append(Game("shuffled", seed, order, (0.0,) * n, ()))
    for estimate in enhancement_factor(pool, games).values():
        assert estimate.low is not None and estimate.high is not None
        assert estimate.low - 0.1 <= 1.0 <= estimate.high + 0.1
    half = acceleration_factor(pool, games)["0.5"]
    assert half.value == pytest.approx(1.0, abs=0.1)


def test_an_oracle_has_the_factors_that_arithmetic_gives() -> None:
    pool = hill(noise=0.0)
    order = tuple(np.argsort(-pool.means, kind="stable").tolist())
    game = Game("oracle", 1, order, (0.0,) * len(order), ())
    top = len(pool.best(0.05))
    assert top_share(pool, [game])[0, top - 1] == 1.0
    assert acceleration_factor(pool, [game])["1"].value == pytest.approx(len(order) / top)
    assert needed_for(pool, [game], 0.01).value == 1.0


def test_the_report_holds_the_keys_that_scripts_depend_on() -> None:
    pool = hill()
    answer = report(pool, play_all(pool, ["random"], [5, 6], Rules(initial=2, budget=20), workers=1))
    assert set(answer["policies"]["random"]) >= {
        "seeds",
        "order",
        "best_so_far",
        "acceleration_factor",
        "enhancement_factor",
        "ask_seconds",
    }
    assert answer["policies"]["random"]["seeds"] == [5, 6]
    assert set(answer["policies"]["random"]["ask_seconds"]) == {"median", "p95"}
    assert answer["designs"][0] == GRID[0]


def test_the_regrets_are_what_arithmetic_gives() -> None:
    pool = pooled([{"x": i} for i in range(4)], [1.0, 2.0, 4.0, 3.0], "j")
    games = [Game("g", 1, (0, 2, 1), (1.0, 4.0, 4.0), ()), Game("g", 2, (2, 3, 0), (4.0, 4.0, 4.0), ())]
    told = report(pool, {"g": games}, target=3.0)["policies"]["g"]
    assert told["simple_regret"]["mean"] == [1.5, 0.0, 0.0]
    assert told["cumulative_regret"]["mean"] == [1.5, 2.0, 4.5]  # of 3, 3, 5 and 0, 1, 4
    assert told["tests_to_target"]["value"] == 1.5
    for curve in ("simple_regret", "cumulative_regret", "top_share"):
        band = told[curve]
        assert all(low <= mean <= high for low, mean, high in zip(band["low"], band["mean"], band["high"], strict=True))
    flipped = pooled([{"x": i} for i in range(4)], [-1.0, -2.0, -4.0, -3.0], "j", minimize=True)
    down = [Game("g", 1, (0, 2, 1), (-1.0, -4.0, -4.0), ()), Game("g", 2, (2, 3, 0), (-4.0, -4.0, -4.0), ())]
    again = report(flipped, {"g": down}, target=-3.0)["policies"]["g"]
    assert again["cumulative_regret"] == told["cumulative_regret"]
    assert again["tests_to_target"] == told["tests_to_target"]


def test_a_target_that_no_design_has_is_never_reached() -> None:
    pool = pooled([{"x": i} for i in range(2)], [1.0, 2.0], "j")
    told = report(pool, {"g": [Game("g", 1, (0, 1), (1.0, 2.0), ())]}, target=9.0)
    assert told["policies"]["g"]["tests_to_target"] == {"value": None, "low": None, "high": None}


def test_a_small_table_is_played_to_its_last_design_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,j\n1,1\n2,2\n3,3\n")
    assert main(["backtest", str(table), "--objective", "j", "--policy", "random", "--seeds", "2", "--json"]) == 0
    assert {len(order) for order in json.loads(capsys.readouterr().out)["policies"]["random"]["order"]} == {3}
    assert main(["backtest", str(table), "--objective", "j", "--budget", "4"]) == 2
    assert "3 designs of the pool" in capsys.readouterr().err


def test_a_campaign_is_played_by_its_own_objective_or_by_another_figure_of_its_tests(
    told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def played(*more: str) -> dict[str, Any]:
        assert main(["backtest", str(told), "--policy", "random", "--seeds", "2", "--json", *more]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    with Campaign.open(told) as campaign:
        name, count = campaign.workspace.config.objective.name, len(campaign.state.complete)
        parameters = list(campaign.workspace.parameters)
    own = played()
    assert (own["objective"], len(own["designs"]), list(own["designs"][0])) == (name, count, parameters)
    assert played("--objective", name)["policies"]["random"]["order"] == own["policies"]["random"]["order"]
    assert list(played("--parameters", "theta,r")["designs"][0]) == ["theta", "r"]
    for odd in (("--objective", "hardness"), ("--parameters", "theta,colour")):
        assert main(["backtest", str(told), "--policy", "random", *odd]) == 2
        assert odd[1].rpartition(",")[2] in capsys.readouterr().err
