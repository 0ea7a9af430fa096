from __future__ import annotations

import pytest

from toughopt.compression.units import parse_unit, require_unit
from toughopt.errors import CurveError


@pytest.mark.parametrize(
    ("text", "quantity", "factor"),
    [
        ("(kN)", "force", 1000.0),
        ("KN", "force", 1000.0),
        ("[N]", "force", 1.0),
        ("mN", "force", 0.001),
        ("MN", "force", 1e6),
        ("lbf", "force", 4.4482216152605),
        ("kgf", "force", 9.80665),
        ("mm", "length", 1.0),
        ("in", "length", 25.4),
        ("µm", "length", 0.001),
        ("sec", "time", 1.0),
        ("min", "time", 60.0),
        ("N/mm²", "stress", 1.0),
        ("%", "strain", 0.01),
    ],
)
def test_units_and_their_factors(text, quantity, factor):
    unit = parse_unit(text)
    assert unit is not None
    assert (unit.quantity, unit.factor) == (quantity, pytest.approx(factor))


@pytest.mark.parametrize("text", ["", "Mn", "kX", "Time", "foo"])
def test_what_is_no_unit(text):
    assert parse_unit(text) is None


def test_a_unit_of_something_else_is_refused():
    with pytest.raises(CurveError, match="force_unit='mm' is no unit of force"):
        require_unit("mm", "force", "force_unit")
