from __future__ import annotations

import pytest

from toughopt.compression import AnalysisSettings
from toughopt.errors import CurveError


@pytest.mark.parametrize(
    ("name", "value"),
    [("contact_force_n", 0), ("break_drop", 1.0), ("compliance_mm_per_n", -1e-5), ("force_limit_n", -5000),
     ("end", "strain"), ("toe", "astm"), ("baseline", "flat"), ("too_strong", "no"),
     ("compliance_curve", ((0.0, 0.0), (0.0, 1.0)))],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(name, value):
    with pytest.raises(CurveError, match=name if name != "end" else "end_value"):
        AnalysisSettings(**{name: value})


def test_an_unknown_end_is_refused_with_those_that_are_known():
    with pytest.raises(CurveError, match=r"'break' is none that is known: choose end_of_loading, first_break"):
        AnalysisSettings(end="break")  # type: ignore[arg-type]
