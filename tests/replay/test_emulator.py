from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from toughopt.cli import main
from toughopt.errors import InputError
from toughopt.optimizer import Space
from toughopt.replay import Game, emulated, paired, pooled

_BOX = {"a": {"type": "real", "low": 0.0, "high": 1.0}, "b": {"type": "real", "low": 0.0, "high": 1.0}}


def hill(a: float, b: float) -> float:
    return 10.0 * float(np.exp(-8.0 * ((a - 0.3) ** 2 + (b - 0.6) ** 2)))


def measured(replicates: int, noise: float) -> tuple[list[dict[str, float]], list[float]]:
    rng = np.random.default_rng(0)
    designs = [{"a": float(a), "b": float(b)} for a, b in rng.random((40, 2))] * replicates
    return designs, [hill(**d) + noise * float(rng.standard_normal()) for d in designs]


@pytest.mark.parametrize("replicates", [1, 3])
def test_it_looks_like_what_was_measured_and_knows_how_well(replicates: int) -> None:
    pool, validation = emulated(pooled(*measured(replicates, 0.3), "y"), Space.from_dict(_BOX), designs=200)
    truth = np.array([hill(float(d["a"]), float(d["b"])) for d in pool.designs])
    error = float(np.sqrt(np.mean((pool.means - truth) ** 2)))
    assert len(pool.designs) == 200
    assert validation.explained > 0.9
    assert error < 1.5 * validation.rmse
    assert validation.coverage >= 0.8
    spread = float(np.median([np.std(values) for values in pool.replicates]))
    assert spread == pytest.approx(0.3, rel=0.5)


def test_what_has_nothing_to_do_with_the_parameters_is_not_explained() -> None:
    designs, _ = measured(1, 0.0)
    _, validation = emulated(pooled(designs, np.random.default_rng(5).random(40).tolist(), "y"))
    assert validation.explained < 0.3


def test_without_a_space_the_designs_are_those_of_the_table() -> None:
    source = pooled(*measured(2, 0.1), "y")
    pool, _ = emulated(source)
    assert pool.designs == source.designs


def test_too_few_designs_are_refused() -> None:
    designs, values = measured(1, 0.1)
    with pytest.raises(InputError, match="an emulator needs"):
        emulated(pooled(designs[:10], values[:10], "y"))


def test_the_command_plays_on_it_and_states_its_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    designs, values = measured(2, 0.2)
    table = tmp_path / "t.csv"
    rows = "".join(f"{d['a']},{d['b']},{v}\n" for d, v in zip(designs, values, strict=True))
    table.write_text("a,b,y\n" + rows)
    options = ["--objective", "y", "--emulate", "--budget", "10", "--seeds", "2", "--policy", "random", "--json"]
    assert main(["backtest", str(table), *options, "--workers", "1"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["emulator"]["explained"] > 0.8 and answer["emulator"]["designs"] == 40


def test_policies_are_compared_seed_by_seed() -> None:
    pool = pooled([{"a": i / 9} for i in range(10)], [float(i) for i in range(10)], "y")

    def game(policy: str, seed: int, end: float) -> Game:
        return Game(policy, seed, (0, 1), (1.0, end), (0.1,))

    games = {
        "good": [game("good", s, 9.0 + 0.01 * s) for s in range(12)],
        "bad": [game("bad", s, 5.0) for s in range(12)],
    }
    (pair,) = paired(pool, games)
    assert (pair.first, pair.second, pair.wins, pair.losses) == ("good", "bad", 12, 0)
    assert pair.p_value is not None and pair.p_value < 0.01
    assert pair.difference.value == pytest.approx(2.0, abs=0.1)
    (same,) = paired(pool, {"one": games["bad"], "two": games["bad"]})
    assert same.p_value is None and same.wins == same.losses == 0
