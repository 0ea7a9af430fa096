from __future__ import annotations

import pytest

from toughopt.digits import four_digits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.012345, "0.01235"),
        (12.3456, "12.35"),
        (9999.4, "9999"),
        (11754.95, "11755"),
        (-123456.7, "-123457"),
        (2.5e9, "2.5e+09"),
        (1e-7, "1e-07"),
    ],
)
def test_a_force_of_twelve_kilonewtons_has_no_power_of_ten(value: float, text: str) -> None:
    assert four_digits(value) == text
