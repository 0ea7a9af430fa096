"""Every family reads designs alike: what is wrong is named, with its value and what is allowed."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from toughopt.errors import DesignError
from toughopt.families import Family, Parameter, available_families, family

GOOD = {"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0}
BARREL = family("crossed_barrel")


@pytest.fixture(params=["crossed_barrel", "cylindrical_shell", "strut_lattice", "tpms_shell"])
def any_family(request) -> Family:
    return family(request.param)


def test_the_shipped_families_are_these():
    assert available_families()[:4] == ("crossed_barrel", "cylindrical_shell", "strut_lattice", "tpms_shell")


def test_a_family_has_what_the_protocol_asks(any_family):
    assert isinstance(any_family, Family)
    assert set(any_family.space()) == {parameter.name for parameter in any_family.parameters}
    assert set(any_family.model_feature_names) <= set(any_family.feature_names)
    assert all(parameter.description for parameter in (*any_family.parameters, *any_family.documented))
    json.dumps(any_family.space())


def test_the_defaults_make_a_valid_design_of_plain_numbers(any_family):
    design = any_family.complete({}, fill=True)
    assert {type(value) for value in design.values()} <= {int, float, str}
    assert any_family.reasons({name: [value] for name, value in design.items()}) == [""]


def test_valid_designs_have_reasons_features_and_nothing_else(any_family, columns):
    designs = columns(any_family, 500, 3)
    valid = any_family.is_valid(designs)
    reasons = any_family.reasons(designs)
    features = any_family.features(designs)
    assert valid.shape == (500,) and 0 < valid.sum() <= 500
    assert [reason == "" for reason in reasons] == valid.tolist()
    assert features.shape == (500, len(any_family.feature_names))
    assert np.isfinite(features[valid]).all() and np.isnan(features[~valid]).all()
    assert any_family.model_features(designs).shape == (500, len(any_family.model_feature_names))


def test_one_design_is_judged_as_among_many(any_family, columns):
    designs = columns(any_family, 40, 8)
    together = any_family.features(designs)
    for i in range(40):
        alone = any_family.features({name: column[i : i + 1] for name, column in designs.items()})
        np.testing.assert_allclose(alone[0], together[i], rtol=1e-12)


def test_the_space_of_the_barrel_is_the_published_one():
    assert BARREL.space() == {
        "n": {"type": "integer", "low": 6, "high": 12, "step": 2},
        "theta": {"type": "real", "low": 0.0, "high": 200.0},
        "r": {"type": "real", "low": 1.5, "high": 2.5},
        "t": {"type": "real", "low": 0.7, "high": 1.4},
    }


def test_numpy_scalars_become_plain_numbers():
    given = {"n": np.int64(8), "theta": np.float32(50), "r": np.float64(2), "t": 1}
    design = BARREL.complete(given)
    assert design == {"n": 8, "theta": 50.0, "r": 2.0, "t": 1.0}
    assert [type(value) for value in design.values()] == [int, float, float, float]
    assert BARREL.complete({"n": 8.0, "theta": 0, "r": 2, "t": 1})["n"] == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"t": 1.5}, r"t = 1\.5 mm is above 1\.4.*choose 0\.7 to 1\.4 mm"),
        ({"t": float("nan")}, r"t = nan mm is not a finite number.*0\.7 to 1\.4"),
        ({"theta": float("inf")}, r"theta = inf deg is not a finite number"),
        ({"r": 1.4}, r"r = 1\.4 mm is below 1\.5"),
        ({"n": 7}, r"n = 7 lies between the steps.*6 to 12 in steps of 2"),
        ({"n": 8.5}, r"n = 8\.5 lies between the steps"),
        ({"n": "8"}, r"n = '8' \(str\).*is not a whole number"),
        ({"r": None}, r"r = None \(NoneType\).*is not a number"),
        ({"t": True}, r"t = True \(bool\).*is not a number"),
        ({"r": [2.0]}, r"r = \[2\.0\] \(list\).*is not a number"),
        ({"thta": 3.0}, r"'thta' is no parameter of crossed_barrel; did you mean theta\?"),
        ({"height": 10.0}, r"height is fixed at 20\.0.*make the family with height="),
    ],
)
def test_bad_designs_are_refused_with_parameter_value_and_limits(change, words):
    with pytest.raises(DesignError, match=words):
        BARREL.complete(GOOD | change)


@pytest.mark.parametrize("design", [None, [8, 100.0, 2.0, 1.0], "n=8"])
def test_a_design_without_names_is_refused(design):
    with pytest.raises(DesignError, match=f"mapping from parameters to values.*not a {type(design).__name__}"):
        BARREL.solid(design)


def test_a_missing_parameter_is_filled_only_where_told():
    short = {name: value for name, value in GOOD.items() if name != "t"}
    with pytest.raises(DesignError, match=r"t is missing.*0\.7 to 1\.4"):
        BARREL.complete(short)
    assert BARREL.complete(short, fill=True)["t"] == 1.0


def test_bad_values_among_many_are_told_one_by_one():
    columns = {name: np.full(4, float(value)) for name, value in GOOD.items()}
    columns["t"] = np.array([1.0, np.nan, 9.0, 0.7])
    columns["n"] = np.array([8.0, 8.0, 8.0, 7.0])
    assert BARREL.is_valid(columns).tolist() == [True, False, False, False]
    reasons = BARREL.reasons(columns)
    assert "t = nan" in reasons[1] and "t = 9 mm is above 1.4" in reasons[2] and "n = 7" in reasons[3]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"n": [8], "theta": [1.0], "r": [2.0]}, "t is missing"),
        ({**{k: [v] for k, v in GOOD.items()}, "q": [1.0]}, "'q' is no parameter"),
        ({**{k: [v] for k, v in GOOD.items()}, "t": ["a"]}, "t: a column of <U1"),
        ({**{k: [v] for k, v in GOOD.items()}, "t": [1.0, 1.1]}, "differ in length"),
        ({**{k: [v] for k, v in GOOD.items()}, "t": [[1.0]]}, "not an array of shape"),
        ({**{k: [v] for k, v in GOOD.items()}, "t": [[1.0], [1.0, 1.1]]}, "^t: "),
        ([GOOD, GOOD], r"mapping from parameters to columns.*\(n, theta, r, t\), not a list"),
        (np.ones((3, 4)), "mapping from parameters to columns.*not a ndarray"),
    ],
)
def test_bad_columns_are_refused(columns, words):
    with pytest.raises(DesignError, match=words):
        BARREL.is_valid(columns)


def test_a_parameter_can_be_fixed_or_freed():
    fixed = family("crossed_barrel", n=10)
    assert [parameter.name for parameter in fixed.parameters] == ["theta", "r", "t"] and fixed.fixed["n"] == 10
    freed = family("crossed_barrel", height=(10.0, 30.0), bores=("open", "walls"))
    assert freed.space()["height"] == {"type": "real", "low": 10.0, "high": 30.0}
    assert freed.space()["bores"] == {"type": "categorical", "values": ["open", "walls"]}
    columns = {name: [value] * 2 for name, value in GOOD.items()} | {"height": [12.0, 24.0], "bores": ["open", "walls"]}
    lighter, heavier = freed.features(columns)[:, 1]
    assert lighter < heavier
    solid = freed.solid(GOOD | {"height": 12.0, "bores": "walls"})
    assert solid.bounds_mm[1, 2] == pytest.approx(12.0)


def test_limits_may_be_widened_only_as_far_as_is_possible():
    wide = family("cylindrical_shell", height=(10.0, 45.0))
    assert wide.space()["height"]["high"] == 45.0
    with pytest.raises(DesignError, match=r"height = 1000 mm is above 300"):
        family("cylindrical_shell", height=1000.0)
    with pytest.raises(DesignError, match=r"barrel_radus.*did you mean barrel_radius"):
        family("crossed_barrel", barrel_radus=3.0)
    with pytest.raises(DesignError, match="give one value to fix it"):
        family("crossed_barrel", height=(1.0, 2.0, 3.0))


def test_families_can_be_pickled():
    again = pickle.loads(pickle.dumps(family("crossed_barrel", height=6.0)))
    assert again.fixed["height"] == 6.0


def test_parameters_check_themselves():
    with pytest.raises(DesignError, match="finite low < high"):
        Parameter("x", "real", 2.0, 1.0)
    with pytest.raises(DesignError, match="no categories"):
        Parameter("x", "categorical")
    with pytest.raises(DesignError, match="Python identifier"):
        Parameter("wall thickness", "real", 0.0, 1.0)
    with pytest.raises(DesignError, match="its default"):
        Parameter("x", "real", 0.0, 1.0, default=2.0)
    with pytest.raises(DesignError, match="step = 0"):
        Parameter("x", "integer", 0, 4, 0)
